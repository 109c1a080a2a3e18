"""Rows of ``chat_message`` in PocketBase; the hooks are in ``chat_messages.js``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from open_webui.models.chat_messages import ChatMessageModel, ChatMessageTable
from pydantic import TypeAdapter, ValidationError

from openwebui_pocketbase.codec.chats import SAME_AS, entry_of
from openwebui_pocketbase.repositories.chats._draft import ChatView
from openwebui_pocketbase.repositories.chats._transaction import ChatEditing
from openwebui_pocketbase.repositories.chats.analytics import ChatUsage
from openwebui_pocketbase.repositories.chats.history import new_row, upsert_row
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["PocketBaseChatMessages"]

_NAMES = tuple(column.name for column in sorted(TABLES["chat_message"].columns, key=lambda c: c.type == "json"))
"""Columns as they come: first those without JSON."""

_LIST = TypeAdapter(list[ChatMessageModel])  # one call for all rows is faster than one for each


class PocketBaseChatMessages(ChatUsage, ChatEditing, ChatMessageTable):
    """`open_webui.models.chat_messages.ChatMessageTable` with its rows in PocketBase."""

    async def upsert_message(
        self, message_id: str, chat_id: str, user_id: str, data: dict[str, Any], db: Any = None
    ) -> ChatMessageModel | None:
        """Insert or change a row; with a view of the chat, as part of the write that this belongs to.

        Raises:
            ValidationError: The row is not what rows are to be; it is written nevertheless, unless it is only a part.
        """
        if isinstance(db, ChatView):
            return upsert_row(db, message_id, user_id, data)

        def edit(view: ChatView) -> ChatMessageModel | ValidationError:
            try:
                return upsert_row(view, message_id, user_id, data)
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

        def insert(view: ChatView) -> None:
            for message_id, row in rows.items():
                if view.row(message_id) is None:
                    view.put(message_id, row)

        await self._edit(chat_id, rows, insert)

    async def delete_messages_by_chat_id(self, chat_id: str, db: Any = None) -> bool:
        """Delete all rows of a chat; its body keeps the messages."""
        keys = await self._ask("get_keys_by_chat_id", chat_id=chat_id)
        return await self.delete_message_ids_by_chat_id(chat_id, [key[len(chat_id) + 1 :] for key in keys])

    async def delete_message_ids_by_chat_id(self, chat_id: str, message_ids: Iterable[str], db: Any = None) -> bool:
        """Delete rows by their messages' ids; with a view of the chat, as part of the write that this belongs to."""
        if not message_ids:
            return True
        if isinstance(db, ChatView):
            db.delete(message_ids)
        else:
            await self._edit(chat_id, [*message_ids], lambda view: view.delete(message_ids))
        return True

    async def get_message_by_id(self, id: str, db: Any = None) -> ChatMessageModel | None:
        """Return the row with this key, ``{chat id}-{message id}``, or None."""
        wire = await self._ask("get_message_by_id", id=id)
        return ChatMessageModel.model_validate(_row(wire)) if wire else None

    async def has_unfinished_assistant_by_chat_id(self, chat_id: str, db: Any = None) -> bool:
        """Tell whether an answer is still being written."""
        return bool(await self._ask("has_unfinished_assistant_by_chat_id", chat_id=chat_id))

    async def get_messages_by_chat_id(self, chat_id: str, db: Any = None) -> list[ChatMessageModel]:
        """Return the rows of a chat, the oldest first."""
        return await self._get_many("get_messages_by_chat_id", chat_id=chat_id)

    async def get_messages_map_by_chat_id(self, chat_id: str, db: Any = None) -> dict[str, Any] | None:
        """Return the messages of a chat by id, linked both ways, as its body has them; None if there are no rows."""
        wire = await self._ask("get_messages_map_by_chat_id", chat_id=chat_id)
        if not wire:
            return None
        start = len(chat_id) + 1
        messages = {row["id"][start:]: entry_of(row["id"][start:], row) for row in map(_row, wire)}
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
        return await self._get_many("get_messages_by_user_id", user_id=user_id, skip=skip, limit=limit)

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
        dates = self._dates(start_date, end_date)
        return await self._get_many("get_messages_by_model_id", model_id=model_id, skip=skip, limit=limit, **dates)

    async def _get_many(self, method: str, **parameters: Any) -> list[ChatMessageModel]:
        return _LIST.validate_python([_row(wire) for wire in await self._ask(method, **parameters)])

    async def _ask(self, method: str, **parameters: Any) -> Any:
        return await self.pocketbase.read(f"chat_messages/{method}", parameters)


def _row(wire: list[Any]) -> dict[str, Any]:
    """Return the row which came from PocketBase."""
    scalars, *texts, same, entry = wire
    row = dict(zip(_NAMES, (*scalars, *texts), strict=True))
    for name in same or ():
        row[name] = entry.get(SAME_AS[name])
    if row["done"] is not None:
        row["done"] = bool(row["done"])
    return row
