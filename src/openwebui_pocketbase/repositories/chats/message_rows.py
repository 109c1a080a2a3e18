"""Rows of ``chat_message`` in PocketBase; the hooks are in ``owui/chats/message_rows.js``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from open_webui.models.chat_messages import ChatMessageModel, ChatMessageTable
from pydantic import ValidationError

from openwebui_pocketbase.repositories.base import list_of
from openwebui_pocketbase.repositories.chats._codecs import MESSAGE
from openwebui_pocketbase.repositories.chats._draft import Draft
from openwebui_pocketbase.repositories.chats._rows import entry_of, new_row, upsert_row
from openwebui_pocketbase.repositories.chats._transaction import ChatWriter
from openwebui_pocketbase.repositories.chats.analytics import MessageAnalytics, limits

__all__ = ["PocketBaseChatMessages"]


class PocketBaseChatMessages(MessageAnalytics, ChatWriter, ChatMessageTable):
    """`open_webui.models.chat_messages.ChatMessageTable` with its rows in PocketBase."""

    route = "chat_messages"
    table = "chat_message"
    model = ChatMessageModel

    async def upsert_message(
        self, message_id: str, chat_id: str, user_id: str, data: dict[str, Any], db: Any = None
    ) -> ChatMessageModel | None:
        """Insert or change a row; with a draft of the chat, as part of the write that this belongs to.

        Raises:
            ValidationError: The host would not read the row back. It is written all the same, unless it is part of
                another write.
        """
        if isinstance(db, Draft):
            return upsert_row(db, message_id, user_id, data)

        def edit(draft: Draft) -> ChatMessageModel | ValidationError:
            try:
                return upsert_row(draft, message_id, user_id, data)
            except ValidationError as error:
                return error  # the host writes what it does not read back

        answer = await self._edit(chat_id, {message_id}, edit)
        if isinstance(answer, ValidationError):
            raise answer
        return answer

    async def upsert_messages(
        self, chat_id: str, user_id: str, messages: dict[str, dict[str, Any]], db: Any = None
    ) -> None:
        """Insert the rows which are missing; those that are there may be newer.

        Raises:
            IntegrityError: A message has no role; nothing is written.
        """
        if not messages:
            return
        rows = {
            message_id: new_row(chat_id, message_id, data.get("user_id") or user_id, data)
            for message_id, data in messages.items()
        }

        def insert(draft: Draft) -> None:
            for message_id, row in rows.items():
                if draft.row(message_id) is None:
                    draft.put(message_id, row)

        await self._edit(chat_id, rows, insert)

    async def delete_messages_by_chat_id(self, chat_id: str, db: Any = None) -> bool:
        """Delete all rows of a chat; its body keeps the messages."""
        keys = await self._read("get_keys_by_chat_id", chat_id=chat_id)
        return await self.delete_message_ids_by_chat_id(chat_id, [key[len(chat_id) + 1 :] for key in keys])

    async def delete_message_ids_by_chat_id(self, chat_id: str, message_ids: Iterable[str], db: Any = None) -> bool:
        """Delete rows by their messages' ids; with a draft of the chat, as part of the write that this belongs to."""
        if not message_ids:
            return True
        if isinstance(db, Draft):
            db.delete(message_ids)
        else:
            await self._edit(chat_id, [*message_ids], lambda draft: draft.delete(message_ids))
        return True

    async def get_message_by_id(self, id: str, db: Any = None) -> ChatMessageModel | None:
        """Return the row with this key, ``{chat id}-{message id}``, or None."""
        return await self._one("get_message_by_id", id=id)

    async def has_unfinished_assistant_by_chat_id(self, chat_id: str, db: Any = None) -> bool:
        """Tell whether an answer is still being written."""
        return bool(await self._read("has_unfinished_assistant_by_chat_id", chat_id=chat_id))

    async def get_messages_by_chat_id(self, chat_id: str, db: Any = None) -> list[ChatMessageModel]:
        """Return the rows of a chat, the oldest first."""
        return await self._many("get_messages_by_chat_id", chat_id=chat_id)

    async def get_messages_map_by_chat_id(self, chat_id: str, db: Any = None) -> dict[str, Any] | None:
        """Return the messages of a chat by id, linked both ways, as its body has them; None if there are no rows."""
        wire = await self._read("get_messages_map_by_chat_id", chat_id=chat_id)
        if not wire:
            return None
        start = len(chat_id) + 1
        messages = {row["id"][start:]: entry_of(row["id"][start:], row) for row in map(MESSAGE.row, wire)}
        children: dict[str, list[str]] = {message_id: [] for message_id in messages}
        for message_id, message in messages.items():
            parent_id = message.get("parentId")
            if parent_id and parent_id in children:
                children[parent_id].append(message_id)
        for message_id, message in messages.items():
            message["childrenIds"] = children[message_id]
        return messages

    async def get_messages_by_user_id(
        self, user_id: str, skip: int = 0, limit: int = 50, db: Any = None
    ) -> list[ChatMessageModel]:
        """Return a page of a user's rows, the newest first."""
        return await self._many("get_messages_by_user_id", user_id=user_id, skip=skip, limit=limit)

    async def get_messages_by_model_id(
        self,
        model_id: str,
        start_date: int | None = None,
        end_date: int | None = None,
        skip: int = 0,
        limit: int = 100,
        db: Any = None,
    ) -> list[ChatMessageModel]:
        """Return a page of the rows of a model, the newest first."""
        dates = limits(start_date, end_date)
        return await self._many("get_messages_by_model_id", model_id=model_id, skip=skip, limit=limit, **dates)

    def _decoded(self, row: Sequence[Any]) -> dict[str, Any]:
        return MESSAGE.row(row)

    def _models_of(self, rows: Iterable[Sequence[Any]]) -> list[ChatMessageModel]:
        return list_of(ChatMessageModel).validate_python([MESSAGE.row(row) for row in rows])
