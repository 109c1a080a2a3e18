"""Snapshots of chats in PocketBase; the hooks are in ``owui/chats/snapshots.js``."""

from __future__ import annotations

import time
import uuid
from typing import Any

from open_webui.models.shared_chats import (
    ChatShareMode,
    ShareChatForm,
    SharedChat,
    SharedChatModel,
    SharedChatResponse,
    SharedChatsTable,
)
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import PocketBaseRepository
from openwebui_pocketbase.repositories.errors import default_on_error

__all__ = ["PocketBaseSharedChats"]


class PocketBaseSharedChats(PocketBaseRepository, SharedChatsTable):
    """`open_webui.models.shared_chats.SharedChatsTable` with its rows in PocketBase.

    A snapshot is made there, of the chat that is there: it is not sent back and forth.
    """

    route = "shared_chats"
    table = "shared_chat"
    model = SharedChatModel

    async def create(
        self, chat_id: str, user_id: str, db: AsyncSession | None = None, *, share_mode: ChatShareMode = None
    ) -> SharedChatModel | None:
        """Share a chat as it is; None if there is no such chat."""
        parameters = {"id": str(uuid.uuid4()), "chat_id": chat_id, "user_id": user_id, "share_mode": share_mode}
        row = await self._write("create", **parameters, now=int(time.time()))
        return self._model_of(row)

    async def update(
        self, share_id: str, form_data: ShareChatForm | None = None, db: AsyncSession | None = None
    ) -> SharedChatModel | None:
        """Bring a snapshot up to date; None if it or its chat is not there."""
        mode = form_data.model_dump(exclude_unset=True) if form_data else {}
        return self._model_of(await self._write("update", **mode, id=share_id, now=int(time.time())))

    async def set_share_mode(self, share_id: str, share_mode: ChatShareMode, db: AsyncSession | None = None) -> None:
        """Set whether others may continue the chat; when they no longer may, they see it as it is now."""
        await self._write("set_share_mode", id=share_id, share_mode=share_mode)

    async def get_by_id(self, share_id: str, db: AsyncSession | None = None) -> SharedChatModel | None:
        """Return the snapshot with this token, or None."""
        return await self._one("get_by_id", id=share_id)

    async def get_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> SharedChatModel | None:
        """Return a chat's latest snapshot, or None."""
        return await self._one("get_by_chat_id", chat_id=chat_id)

    async def get_by_user_id(
        self,
        user_id: str,
        filter: dict[str, Any] | None = None,
        skip: int = 0,
        limit: int = 50,
        db: AsyncSession | None = None,
    ) -> list[SharedChatResponse]:
        """Return a page of a user's snapshots, the latest first unless there is a filter.

        Raises:
            ValueError: The filter names an unknown column or direction to sort by.
        """
        parameters: dict[str, Any] = {"user_id": user_id, "skip": skip or 0, "limit": limit or -1}
        if filter:
            parameters |= _order(filter.get("order_by"), filter.get("direction"))
            if filter.get("query"):
                parameters["query"] = f"{filter['query']}".lower()
        else:
            parameters |= {"order_by": "updated_at", "ascending": False}
        rows = await self._read("get_by_user_id", **parameters)
        return [
            SharedChatResponse(
                id=chat_id,
                chat_id=chat_id,
                title=title,
                share_id=share_id,
                updated_at=updated_at,
                created_at=created_at,
            )
            for share_id, chat_id, title, updated_at, created_at in rows
        ]

    @default_on_error(lambda: False)
    async def delete_by_id(self, share_id: str, db: AsyncSession | None = None) -> bool:
        """Delete a snapshot."""
        return await self._delete("delete_by_id", id=share_id)

    @default_on_error(lambda: False)
    async def delete_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> bool:
        """Delete all snapshots of a chat."""
        return await self._delete("delete_by_chat_id", chat_id=chat_id)

    @default_on_error(lambda: False)
    async def delete_all_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """Delete all snapshots which a user has made."""
        return await self._delete("delete_all_by_user_id", user_id=user_id)

    async def _delete(self, method: str, **parameters: str) -> bool:
        await self._write(method, **parameters)
        return True


def _order(order_by: Any, direction: Any) -> dict[str, Any]:
    if not (order_by and direction):
        return {}
    if not getattr(SharedChat, order_by, None):
        raise ValueError("Invalid order_by field")
    if direction.lower() not in ("asc", "desc"):
        raise ValueError("Invalid direction for ordering")
    return {"order_by": order_by, "ascending": direction.lower() == "asc"}
