"""The messages of a chat: turns, pieces of an answer, status, edits, branches."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

from open_webui.models.chat_messages import ChatMessage, ChatMessageModel, ChatMessageTable
from open_webui.models.chats import Chat, ChatModel, ChatTable
from open_webui.utils.misc import get_output_text
from sqlalchemy.orm.attributes import flag_modified

from openwebui_pocketbase.codec.chats import members_of
from openwebui_pocketbase.repositories.chats._cache import read_chat
from openwebui_pocketbase.repositories.chats._draft import ChatView
from openwebui_pocketbase.repositories.chats._lazy import answer_of
from openwebui_pocketbase.repositories.chats._transaction import ChatEditing, surfacing
from openwebui_pocketbase.repositories.errors import default_on_error

__all__ = ["ChatHistory", "new_row", "upsert_row"]

Message = dict[str, Any]


class _NotAlone(Exception):  # noqa: N818 - no error
    """The change needs a look at all messages."""


def new_row(chat_id: str, message_id: str, user_id: str | None, data: Message) -> ChatMessage:
    """Return a row of ``chat_message`` as the database makes it of what the host inserts; see `ChatView.put`."""
    row = ChatMessageTable._build_message(  # noqa: SLF001
        f"{chat_id}-{message_id}", chat_id, user_id, data, int(time.time())
    )
    if row.done is None:
        row.done = True  # the column's default
    return row


def upsert_row(view: ChatView, message_id: str, user_id: str | None, data: Message) -> ChatMessageModel:
    """Insert or change a row of ``chat_message`` as the host does, as part of a write to the chat.

    Raises:
        ValidationError: The host would not read the row back; it is part of the write all the same.
    """
    message = view.row(message_id)
    if message is not None:
        before = dict(vars(message))
        ChatMessageTable._apply_message_data(message, data, int(time.time()))  # noqa: SLF001
        # What equals the stored value, if only in another order, the host's database does not write.
        vars(message).update({name: old for name, old in before.items() if getattr(message, name) == old})
    else:
        message = new_row(view.chat_id, message_id, user_id, data)
    view.put(message_id, message)
    return ChatMessageModel.model_validate(message)


class ChatHistory(ChatEditing, ChatTable):
    """The methods of `ChatTable` that write messages.

    Those that need all messages are the host's own, on `_chat_transaction`.
    """

    async def _whole(self, chat_id: str) -> ChatModel | None:
        """Read a chat as it is stored."""
        read = await read_chat(self.pocketbase, "chats/get_chat_by_id", {"id": chat_id})
        return ChatModel.model_validate(read[0]) if read else None

    async def _edit_chat(
        self, chat_id: str, message_ids: set[str], edit: Callable[[ChatView, Chat, Message], None]
    ) -> ChatModel | None:
        """Change a chat and one of its messages, and answer with the chat; None if there is none.

        Args:
            chat_id: Id of the chat.
            message_ids: Messages that are needed, besides those which they name as parents.
            edit: Changes the chat, given with its history.

        Raises:
            _NotAlone: The chat is not tidy.
        """

        def edit_view(view: ChatView) -> ChatModel | None:
            if view.version is None:
                return None
            if not view.tidy:
                raise _NotAlone
            chat = view.edited = view.chat()
            body = chat.chat or {}
            history = body.get("history", {})
            edit(view, chat, history)
            body["history"] = history
            chat.chat = body
            flag_modified(chat, "chat")  # it was changed in place
            chat.title = self._clean_null_bytes(body.get("title", "New Chat"))
            chat.current_message_id = self.get_current_message_id(body)
            return ChatModel.model_validate(chat)

        model = await self._edit(chat_id, message_ids, edit_view)
        return model and await answer_of(model, lambda: self._whole(chat_id))

    async def upsert_message_to_chat_by_id_and_message_id(
        self, id: str, message_id: str, message: Message, *, touch: bool = True
    ) -> ChatModel | None:
        """Insert or change a message, also piece by piece; None if there is no chat."""
        if not message.get("content"):
            output_text = get_output_text(message.get("output"))
            if output_text:
                message["content"] = output_text
        return await self._upsert(id, self._clean_null_bytes(message_id), self._clean_null_bytes(message), touch=touch)

    @surfacing
    @default_on_error(lambda: None)
    async def _upsert(self, id: str, message_id: str, message: Message, *, touch: bool) -> ChatModel | None:
        def edit(view: ChatView, chat: Chat, history: Message) -> None:
            saved = self.upsert_message_to_history(history, message_id, message)
            upsert_row(view, message_id, saved.get("user_id") or chat.user_id, saved)
            if touch:
                chat.updated_at = int(time.time())

        parent_id = message.get("parentId")
        try:
            return await self._edit_chat(
                id, {message_id} | ({parent_id} if isinstance(parent_id, str) else set()), edit
            )
        except _NotAlone:
            return await super().upsert_message_to_chat_by_id_and_message_id(id, message_id, message, touch=touch)

    @surfacing
    @default_on_error(lambda: None)
    async def add_message_status_to_chat_by_id_and_message_id(
        self, id: str, message_id: str, status: Message
    ) -> ChatModel | None:
        """Note a step of a message's making; None if there is no chat."""
        status = self._clean_null_bytes(status)

        def edit(view: ChatView, chat: Chat, history: Message) -> None:
            if message_id in history.get("messages", {}):
                message = history["messages"][message_id]
                message["statusHistory"] = [*message.get("statusHistory", []), status]
                upsert_row(view, message_id, message.get("user_id") or chat.user_id, message)

        try:
            return await self._edit_chat(id, {message_id}, edit)
        except _NotAlone:
            return await super().add_message_status_to_chat_by_id_and_message_id(id, message_id, status)

    async def add_message_files_by_id_and_message_id(
        self, id: str, message_id: str, files: list[Message]
    ) -> list[Message] | None:
        """Add files to a message, and return all it has; None if there is no chat."""

        def edit(view: ChatView) -> list[Message] | None:
            if view.version is None:
                return None
            chat = view.edited = view.chat()
            body = chat.chat or {}
            history = body.get("history", {})
            message_files = []
            if message_id in history.get("messages", {}):
                message = history["messages"][message_id]
                message_files = message["files"] = message.get("files", []) + files
                upsert_row(view, message_id, message.get("user_id") or chat.user_id, self._clean_null_bytes(message))
            body["history"] = history
            chat.chat = self._clean_null_bytes(body)
            flag_modified(chat, "chat")
            chat.updated_at = int(time.time())
            return message_files

        return await self._edit(id, {message_id}, edit)

    @asynccontextmanager
    async def edit_message_output(self, chat_id: str, message_id: str) -> AsyncIterator[Message | None]:
        """Give a copy of a message to the caller under the chat's lock, and write what the caller has changed."""
        async with self._locked(chat_id, {message_id}, tidy=False) as (view, chat):
            if chat is None:
                yield None
                return
            history = (chat.chat or {}).get("history") or {}
            message = dict(history.get("messages", {}).get(message_id) or {})
            row = view.row(message_id)
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
            upsert_row(view, message_id, message.get("user_id") or chat.user_id, message)

    @surfacing
    async def delete_message_from_chat_by_id_and_message_id(self, id: str, message_id: str) -> ChatModel | None:
        """Delete a message and its answers, and hang what follows on its parent; None if there is no chat."""
        return await super().delete_message_from_chat_by_id_and_message_id(id, message_id)

    async def insert_chat_turn(
        self, chat_id: str, user: Any, user_message: Message, message_ids: list[Message]
    ) -> dict[str, Any]:
        """Add a user's message and the empty answers to it; see `ChatTable.insert_chat_turn`."""
        named = [
            user_message.get("id"),
            user_message.get("parentId"),
            *(entry.get("message_id") for entry in message_ids),
        ]
        with self._needing_only({one for one in named if isinstance(one, str)}):
            turn: dict[str, Any] = await super().insert_chat_turn(chat_id, user, user_message, message_ids)
        return turn
