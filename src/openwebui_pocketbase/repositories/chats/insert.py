"""Creating and importing chats."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from open_webui.models.chat_messages import ChatMessage, ChatMessageModel
from open_webui.models.chats import ChatForm, ChatImportForm, ChatModel
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import JSON, in_thread_if
from openwebui_pocketbase.repositories.chats._base import ChatRepository
from openwebui_pocketbase.repositories.chats._parts import NewChat, is_long, send
from openwebui_pocketbase.repositories.chats._rows import new_row
from openwebui_pocketbase.repositories.errors import integrity_errors

__all__ = ["InsertChats"]

log = logging.getLogger(__name__)

_MESSAGE_ROW = tuple(column.name for column in ChatMessage.__table__.columns)

Row = dict[str, Any]


class InsertChats(ChatRepository):
    """The methods of `ChatTable` that create chats."""

    async def insert_new_chat(
        self,
        id: str,
        user_id: str,
        form_data: ChatForm,
        db: AsyncSession | None = None,
        *,
        internal_meta: dict[str, Any] | None = None,
        timer_at: int | None = None,
    ) -> ChatModel | None:
        """Create a chat.

        Raises:
            HTTPException: The user must not create chats.
            IntegrityError: There is a chat with this id.
        """
        await self.require_chat_creation_permission(user_id, db=db)
        now = int(time.time())
        title = form_data.chat.get("title", "New Chat")
        chat = ChatModel(
            id=id,
            user_id=user_id,
            title=self._clean_null_bytes(title),
            chat=self._clean_null_bytes(form_data.chat),
            folder_id=form_data.folder_id,
            meta=internal_meta or {},
            timer_at=timer_at,
            variables=form_data.variables or {},
            current_message_id=self.get_current_message_id(form_data.chat),
            created_at=now,
            updated_at=now,
            last_read_at=now,
        )
        await self._insert([(chat, form_data.chat)], give_up=True)
        return chat

    async def import_chats(
        self, user_id: str, chat_import_forms: list[ChatImportForm], db: AsyncSession | None = None
    ) -> list[ChatModel]:
        """Create chats from an export; folders that the user must not write to are left out.

        Raises:
            HTTPException: The user must not create chats.
        """
        # That module imports the chats.
        from open_webui.utils.access_control.folders import has_folder_write_access  # noqa: PLC0415

        await self.require_chat_creation_permission(user_id, db=db)
        writable = {}
        for folder_id in {form.folder_id for form in chat_import_forms if form.folder_id}:
            writable[folder_id] = await has_folder_write_access(user_id, folder_id, db=db)
        for form in chat_import_forms:
            if form.folder_id and not writable[form.folder_id]:
                form.folder_id = None
        bodies = [form.chat for form in chat_import_forms]
        chats = await in_thread_if(
            is_long(bodies),
            lambda: [self._chat_import_form_to_chat_model(user_id, form) for form in chat_import_forms],
        )
        await self._insert([*zip(chats, bodies, strict=True)])
        return chats

    async def _insert(self, chats: list[tuple[ChatModel, dict[str, Any]]], *, give_up: bool = False) -> None:
        """Write new chats, each given with the body that its rows of ``chat_message`` are made from; see `_rows_of`."""
        made = [NewChat(dict(chat), partial(self._rows_of, chat, body, give_up=give_up)) for chat, body in chats]
        with integrity_errors("insert_chats"):
            await send(self.pocketbase, made, in_thread=is_long([body for _, body in chats]))

    def _rows_of(self, chat: ChatModel, body: dict[str, Any], *, give_up: bool = False) -> Iterator[Row]:
        """Return the rows of ``chat_message`` which the host makes for a new chat.

        Args:
            chat: The chat.
            body: What the rows are made from.
            give_up: Whether no more are made after one that the host would not read back.
        """
        history = body.get("history")
        messages = history.get("messages") if isinstance(history, dict) else None
        messages = messages if isinstance(messages, dict) else {}
        if not messages and isinstance(body.get("messages"), list):
            listed = [message for message in body["messages"] if isinstance(message, dict)]
            messages = {message["id"]: message for message in listed if message.get("id")}
        for message_id, message in messages.items():
            if isinstance(message, dict) and message.get("role"):
                user = message.get("user")
                user_id = message.get("user_id") or (user.get("id") if isinstance(user, dict) else None) or chat.user_id
                try:
                    row = new_row(chat.id, message_id, user_id, message)
                    columns = {name: getattr(row, name) for name in _MESSAGE_ROW}
                    JSON.dumps(columns).encode()  # half a surrogate pair cannot be stored
                    if row.done in (False, True):
                        yield columns
                    ChatMessageModel.model_validate(row)
                except Exception as error:  # noqa: BLE001 - the host's own answer to whatever it is
                    log.warning("Failed to write message %s of chat %s: %s", message_id, chat.id, error)
                    if give_up:
                        return
