"""Deleting chats."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from open_webui.internal.db import get_async_db_context
from open_webui.models.automations import AutomationRun
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.exceptions import RequestError
from openwebui_pocketbase.repositories.chats._base import ChatRepository
from openwebui_pocketbase.repositories.chats._orders import AS_STORED
from openwebui_pocketbase.repositories.errors import default_on_error

__all__ = ["DeleteChats"]

IDS_AT_ONCE = 500
"""Chats in one SQL statement; each is a variable of it."""


class DeleteChats(ChatRepository):
    """The methods of `ChatTable` that delete chats.

    Automations stay in SQL: their links to a chat are removed there before it is deleted.
    """

    @default_on_error(lambda: False)
    async def delete_chat_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete a chat with its messages and the links to it; True also if there is none."""
        await _forget_in_automations([id], db)
        await self._delete_one("delete_chat_by_id", id=id)
        return True

    @default_on_error(lambda: False)
    async def delete_chat_by_id_and_user_id(self, id: str, user_id: str, db: AsyncSession | None = None) -> bool:
        """Delete the user's chat; of another user's only its messages' rows and its snapshots, as the host does."""
        await _forget_in_automations([id], db)
        await self._delete_one("delete_chat_by_id_and_user_id", id=id, user_id=user_id)
        return True

    @default_on_error(lambda: False)
    async def delete_chats_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """Delete all chats of a user, and the snapshots that the user shared."""
        await self.delete_shared_chats_by_user_id(user_id, db=db)
        await self._delete_all("delete_chats_by_user_id", db, user_id=user_id)
        return True

    @default_on_error(lambda: False)
    async def delete_chats_by_user_id_and_folder_id(
        self, user_id: str, folder_id: str, db: AsyncSession | None = None
    ) -> bool:
        """Delete the user's chats in a folder, with the links to them."""
        await self._delete_all("delete_chats_by_user_id_and_folder_id", db, user_id=user_id, folder_id=folder_id)
        return True

    async def _delete_all(self, method: str, db: AsyncSession | None, **parameters: Any) -> None:
        named = await _named_by_automations(db)
        if named:
            filters = ["in_list", "of_user", *(["in_folder"] if "folder_id" in parameters else [])]
            rows = await self._list(filters, AS_STORED, ids=named, **parameters)
            await _forget_in_automations([row["id"] for row in rows], db)
        # In parts, so that others can write in between.
        while await self._write_many(method, **parameters):
            pass
        await self._delete_remains()

    async def _delete_one(self, method: str, **parameters: Any) -> None:
        if await self._write(method, **parameters):  # the chat is gone, many messages of it are not
            await self._delete_remains()

    async def _delete_remains(self) -> None:
        """Have PocketBase delete the messages of chats that are gone; nobody waits for it."""
        with suppress(RequestError):  # the job begins within a minute by itself
            await self.pocketbase.start_job("owui_remains")


async def _named_by_automations(db: AsyncSession | None) -> list[str]:
    async with get_async_db_context(db) as session:
        statement = select(AutomationRun.chat_id).where(AutomationRun.chat_id.is_not(None)).distinct()
        return list((await session.execute(statement)).scalars())


async def _forget_in_automations(chat_ids: list[str], db: AsyncSession | None) -> None:
    async with get_async_db_context(db) as session:
        for at in range(0, len(chat_ids), IDS_AT_ONCE):
            some = AutomationRun.chat_id.in_(chat_ids[at : at + IDS_AT_ONCE])
            await session.execute(update(AutomationRun).where(some).values(chat_id=None))
        await session.commit()
