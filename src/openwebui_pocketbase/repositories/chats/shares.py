"""Sharing chats."""

from __future__ import annotations

import time
import uuid

from open_webui.models.chats import ChatModel
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.chats._base import ChatRepository
from openwebui_pocketbase.repositories.errors import default_on_error

__all__ = ["SharesOfChats"]


class SharesOfChats(ChatRepository):
    """The methods of `ChatTable` for shared chats; the snapshots themselves are in `PocketBaseSharedChats`."""

    async def insert_shared_chat_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Share a chat as it is, or bring its snapshot up to date; None if there is no chat."""
        now = int(time.time())
        return self._whole_of(await self._write("share_chat", chat_id=chat_id, id=str(uuid.uuid4()), now=now))

    async def update_shared_chat_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Same as `insert_shared_chat_by_chat_id`."""
        return await self.insert_shared_chat_by_chat_id(chat_id, db=db)

    @default_on_error(lambda: False)
    async def delete_shared_chats_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """Delete the snapshots of the user's chats, and the links to them."""
        await self._change("delete_shared_chats_by_user_id", {"share_id": None}, user_id=user_id)
        return True

    async def get_shared_chat_ids_by_file_id(self, file_id: str, db: AsyncSession | None = None) -> list[str]:
        """Return the chats with this file which others may see: shared ones, and those in a folder."""
        ids: list[str] = await self._read("get_shared_chat_ids_by_file_id", file_id=file_id)
        return ids
