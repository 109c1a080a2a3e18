"""One chat, or a part of it."""

from __future__ import annotations

from typing import Any, Literal

from open_webui.models.chats import ChatModel, ChatTable
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec.chats import decode_record, entry_of
from openwebui_pocketbase.repositories.base import PocketBaseRepository
from openwebui_pocketbase.repositories.chats._cache import read_chat
from openwebui_pocketbase.repositories.errors import default_on_error

__all__ = ["ChatReading"]


class ChatReading(PocketBaseRepository, ChatTable):
    """The methods of `ChatTable` that read one chat."""

    @default_on_error(lambda: None)
    async def get_chat_by_id(self, id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Return the chat as it is shown: without NULs, with its messages linked; None if there is none."""
        return self._shown(await read_chat(self.pocketbase, "chats/get_chat_by_id", {"id": id}))

    @default_on_error(lambda: None)
    async def get_chat_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChatModel | None:
        """Return the user's chat as `get_chat_by_id` does."""
        parameters = {"id": id, "user_id": user_id}
        return self._shown(await read_chat(self.pocketbase, "chats/get_chat_by_id_and_user_id", parameters))

    def _shown(self, read: tuple[dict[str, Any], bool] | None) -> ChatModel | None:
        if read is None:
            return None
        columns, has_nul = read
        model = ChatModel.model_validate(columns)
        if has_nul:
            model.chat = self._clean_null_bytes(model.chat)
        self._repair_chat_current_id(model.chat)
        return model

    @default_on_error(lambda: False)
    async def is_chat_owner(self, id: str, user_id: str, db: AsyncSession | None = None) -> bool:
        """Return whether the chat is the user's."""
        is_owner: bool = await self.pocketbase.read("chats/is_chat_owner", {"id": id, "user_id": user_id})
        return is_owner

    @default_on_error(lambda: None)
    async def get_chat_folder_id(self, id: str, user_id: str, db: AsyncSession | None = None) -> str | None:
        """Return the folder of the user's chat."""
        found = await self.pocketbase.read("chats/get_chat_folder_id", {"id": id, "user_id": user_id})
        return found[0] if found else None

    async def get_chat_title_by_id(self, id: str) -> str | None:
        """Return the chat's title; None if there is no chat."""
        found = await self.pocketbase.read("chats/get_chat_title_by_id", {"id": id})
        return (found[0] or "New Chat") if found else None

    async def get_chat_tasks_by_id(self, id: str) -> list[dict[str, Any]]:
        """Return the chat's list of tasks."""
        tasks = await self.pocketbase.read("chats/get_chat_tasks_by_id", {"id": id})
        return [] if tasks is None else tasks

    async def get_message_by_id_and_message_id(self, id: str, message_id: str) -> dict[str, Any] | None:
        """Return a message as its row of ``chat_message`` says, or else the chat's body.

        An empty object if there is no such message, None if there is no chat either.
        """
        parameters = {"id": id, "message_id": message_id, "key": f"{id}-{message_id}"}
        is_chat, records, children = await self.pocketbase.read("chats/get_message_by_id_and_message_id", parameters)
        record = decode_record(records[0], id)[1] if records else None
        row = record.row() if record else None
        if row is not None:
            return entry_of(message_id, row) | {"childrenIds": [key[len(id) + 1 :] for key in children]}
        if not is_chat:
            return None
        cleaned: dict[str, Any] = self._clean_null_bytes(record.entry() if record else {})
        return cleaned

    async def get_message_metadata(
        self, chat_id: str, message_id: str, metadata_key: Literal["files", "sources", "embeds"]
    ) -> Any | None:
        """Return one detail of a message, from where `get_message_by_id_and_message_id` reads it."""
        parameters = {"id": chat_id, "key": f"{chat_id}-{message_id}", "name": metadata_key}
        found = await self.pocketbase.read("chats/get_message_metadata", parameters)
        if not found:
            return None
        has_row, detail = found
        return detail if has_row else self._clean_null_bytes(detail)
