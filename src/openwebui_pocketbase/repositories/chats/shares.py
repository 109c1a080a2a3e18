"""Sharing chats."""

from __future__ import annotations

import time
import uuid

from open_webui.models.chats import ChatModel, ChatTable
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec.chats import decode_chat
from openwebui_pocketbase.repositories.base import PocketBaseRepository

__all__ = ["ChatShares"]


class ChatShares(PocketBaseRepository, ChatTable):
    """The methods of `ChatTable` that share a chat."""

    async def insert_shared_chat_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Share a chat as it is, or bring its snapshot up to date; None if there is no chat."""
        wire = await self.pocketbase.write(
            "chats/share_chat", {"chat_id": chat_id, "id": str(uuid.uuid4()), "now": int(time.time())}
        )
        return None if wire is None else ChatModel.model_validate(decode_chat(wire))

    async def update_shared_chat_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Do the same: in the stock class each of the two calls the other."""
        return await self.insert_shared_chat_by_chat_id(chat_id, db=db)
