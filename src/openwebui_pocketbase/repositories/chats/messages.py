"""The messages of chats: turns, pieces of an answer, status, files, edits, branches."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any, Literal

from open_webui.models.chats import Chat, ChatModel
from open_webui.utils.misc import get_output_text
from sqlalchemy.orm.attributes import flag_modified

from openwebui_pocketbase.repositories.chats._base import ChatRepository
from openwebui_pocketbase.repositories.chats._codecs import MESSAGE
from openwebui_pocketbase.repositories.chats._draft import Draft
from openwebui_pocketbase.repositories.chats._lazy import saved_chat
from openwebui_pocketbase.repositories.chats._rows import entry_of, members_of, upsert_row
from openwebui_pocketbase.repositories.chats._transaction import raises_outages, working_on
from openwebui_pocketbase.repositories.errors import default_on_error

__all__ = ["MessagesOfChats"]

Message = dict[str, Any]


class _AllMessagesNeeded(Exception):  # noqa: N818 - no error
    """The chat is not tidy, so that the change depends on all messages."""


class MessagesOfChats(ChatRepository):
    """The methods of `ChatTable` that read and write messages.

    Those that need all messages are the host's own, on `_chat_transaction`.
    """

    async def get_message_by_id_and_message_id(self, id: str, message_id: str) -> dict[str, Any] | None:
        """Return a message as its row of ``chat_message`` says, or else the chat's body.

        An empty object if there is no such message, None if there is no chat either.
        """
        parameters = {"id": id, "message_id": message_id, "key": f"{id}-{message_id}"}
        is_chat, records, children = await self._read("get_message_by_id_and_message_id", **parameters)
        message = MESSAGE.message(records[0])[1] if records else None
        if message is not None and message.row is not None:
            return entry_of(message_id, message.row) | {"childrenIds": [key[len(id) + 1 :] for key in children]}
        if not is_chat:
            return None
        cleaned: dict[str, Any] = self._clean_null_bytes(message.entry.value if message else {})
        return cleaned

    async def get_message_metadata(
        self, chat_id: str, message_id: str, metadata_key: Literal["files", "sources", "embeds"]
    ) -> Any | None:
        """Return one detail of a message, from where `get_message_by_id_and_message_id` reads it."""
        parameters = {"id": chat_id, "key": f"{chat_id}-{message_id}", "name": metadata_key}
        found = await self._read("get_message_metadata", **parameters)
        if not found:
            return None
        has_row, detail = found
        return detail if has_row else self._clean_null_bytes(detail)

    async def _edit_chat(
        self, chat_id: str, message_ids: set[str], edit: Callable[[Draft, Chat, Message], None]
    ) -> ChatModel | None:
        """Change a chat and one of its messages, and return the chat; None if there is none.

        Args:
            chat_id: Id of the chat.
            message_ids: Messages that are needed, besides those which they name as parents.
            edit: Changes the chat, given with its history.

        Raises:
            _AllMessagesNeeded: The chat is not tidy.
        """

        def edit_draft(draft: Draft) -> ChatModel | None:
            if draft.version is None:
                return None
            if not draft.tidy:
                raise _AllMessagesNeeded
            chat = draft.edited = draft.chat()
            body = chat.chat or {}
            history = body.get("history", {})
            edit(draft, chat, history)
            body["history"] = history
            chat.chat = body
            flag_modified(chat, "chat")  # it was changed in place
            chat.title = self._clean_null_bytes(body.get("title", "New Chat"))
            chat.current_message_id = self.get_current_message_id(body)
            return ChatModel.model_validate(chat)

        model = await self._edit(chat_id, message_ids, edit_draft)
        return model and await saved_chat(model, lambda: self._whole(chat_id))

    async def upsert_message_to_chat_by_id_and_message_id(
        self, id: str, message_id: str, message: Message, *, touch: bool = True
    ) -> ChatModel | None:
        """Insert or change a message, also piece by piece; None if there is no chat."""
        if not message.get("content"):
            output_text = get_output_text(message.get("output"))
            if output_text:
                message["content"] = output_text
        return await self._upsert(id, self._clean_null_bytes(message_id), self._clean_null_bytes(message), touch=touch)

    @raises_outages
    @default_on_error(lambda: None)
    async def _upsert(self, id: str, message_id: str, message: Message, *, touch: bool) -> ChatModel | None:
        def edit(draft: Draft, chat: Chat, history: Message) -> None:
            saved = self.upsert_message_to_history(history, message_id, message)
            upsert_row(draft, message_id, saved.get("user_id") or chat.user_id, saved)
            if touch:
                chat.updated_at = int(time.time())

        parent_id = message.get("parentId")
        try:
            return await self._edit_chat(
                id, {message_id} | ({parent_id} if isinstance(parent_id, str) else set()), edit
            )
        except _AllMessagesNeeded:
            return await super().upsert_message_to_chat_by_id_and_message_id(id, message_id, message, touch=touch)

    @raises_outages
    @default_on_error(lambda: None)
    async def add_message_status_to_chat_by_id_and_message_id(
        self, id: str, message_id: str, status: Message
    ) -> ChatModel | None:
        """Note a step of a message's making; None if there is no chat."""
        status = self._clean_null_bytes(status)

        def edit(draft: Draft, chat: Chat, history: Message) -> None:
            if message_id in history.get("messages", {}):
                message = history["messages"][message_id]
                message["statusHistory"] = [*message.get("statusHistory", []), status]
                upsert_row(draft, message_id, message.get("user_id") or chat.user_id, message)

        try:
            return await self._edit_chat(id, {message_id}, edit)
        except _AllMessagesNeeded:
            return await super().add_message_status_to_chat_by_id_and_message_id(id, message_id, status)

    async def add_message_files_by_id_and_message_id(
        self, id: str, message_id: str, files: list[Message]
    ) -> list[Message] | None:
        """Add files to a message, and return all it has; None if there is no chat."""

        def edit(draft: Draft) -> list[Message] | None:
            if draft.version is None:
                return None
            chat = draft.edited = draft.chat()
            body = chat.chat or {}
            history = body.get("history", {})
            message_files = []
            if message_id in history.get("messages", {}):
                message = history["messages"][message_id]
                message_files = message["files"] = message.get("files", []) + files
                upsert_row(draft, message_id, message.get("user_id") or chat.user_id, self._clean_null_bytes(message))
            body["history"] = history
            chat.chat = self._clean_null_bytes(body)
            flag_modified(chat, "chat")
            chat.updated_at = int(time.time())
            return message_files

        return await self._edit(id, {message_id}, edit)

    @asynccontextmanager
    async def edit_message_output(self, chat_id: str, message_id: str) -> AsyncIterator[Message | None]:
        """Give a copy of a message to the caller under the chat's lock, and write what the caller has changed."""
        async with self._locked(chat_id, {message_id}) as (draft, chat):
            if chat is None:
                yield None
                return
            history = (chat.chat or {}).get("history") or {}
            message = dict(history.get("messages", {}).get(message_id) or {})
            row = draft.row(message_id)
            if row is not None:
                message |= members_of(vars(row))
                message["id"] = message_id
            if not message:
                yield None
                return
            message = deepcopy(message)
            yield message
            message = self._clean_null_bytes(message)
            history.setdefault("messages", {})[message_id] = message
            chat.chat = {**(chat.chat or {}), "history": history}
            flag_modified(chat, "chat")
            upsert_row(draft, message_id, message.get("user_id") or chat.user_id, message)

    @raises_outages
    async def delete_message_from_chat_by_id_and_message_id(self, id: str, message_id: str) -> ChatModel | None:
        """Delete a message and its answers, and hang what follows on its parent; None if there is no chat."""
        return await super().delete_message_from_chat_by_id_and_message_id(id, message_id)

    async def insert_chat_turn(
        self, chat_id: str, user: Any, user_message: Message, message_ids: list[Message]
    ) -> dict[str, Any]:
        """Add a user's message and the empty answers to it; see `ChatTable.insert_chat_turn`.

        The host's code only asks who may write before it changes the chat, so it can be run again instead of locking.
        """
        insert = super().insert_chat_turn
        named = [
            user_message.get("id"),
            user_message.get("parentId"),
            *(entry.get("message_id") for entry in message_ids),
        ]

        async def edit(draft: Draft) -> dict[str, Any]:
            if draft.version is not None and not draft.tidy:
                raise _AllMessagesNeeded
            with working_on(draft):
                turn: dict[str, Any] = await insert(chat_id, user, user_message, message_ids)
            return turn

        try:
            return await self._edit(chat_id, {one for one in named if isinstance(one, str)}, edit)
        except _AllMessagesNeeded:
            turn: dict[str, Any] = await insert(chat_id, user, user_message, message_ids)
            return turn
