"""The draft of a write: a chat and some or all of its messages, read to be changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from open_webui.models.chat_messages import ChatMessage
from open_webui.models.chats import Chat
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError, StatementError

from openwebui_pocketbase.codec import Json
from openwebui_pocketbase.codec.chats import join, new_version, split
from openwebui_pocketbase.codec.messages import StoredMessage
from openwebui_pocketbase.repositories.chats._changes import ChangedMessages, changed_columns, grouped, plain_row
from openwebui_pocketbase.repositories.chats._codecs import CHAT, MESSAGE
from openwebui_pocketbase.repositories.chats._tidy import is_tidy, stays_tidy

__all__ = ["Draft"]

_ROW = tuple(column.name for column in ChatMessage.__table__.columns if column.name not in ("id", "chat_id"))

OVERHEAD = 1 << 10
"""Bytes that a message in a draft counts for besides its text."""


class Draft:
    """What a write begins with, and what it becomes.

    The host's code gets it in place of a database session, and hands it on to `ChatMessages` with the rows that belong
    to the same write.

    Args:
        chat_id: Id of the chat.
        wire: The reply of ``chats/get_draft``.
        keys: Ids of the messages that were asked for; None if all were.

    Attributes:
        columns: The chat's columns but those with JSON; None if there is no chat.
        documents: The chat's columns with JSON; the body is without messages.
        version: The chat's version; None if there is no chat.
        tidy: See `is_tidy`.
        complete: Whether all messages were read.
        messages: The messages that there are, by id.
        known: Ids of which it is known whether there is a message.
        edited: What `chat` has returned, if that is to be written.
    """

    def __init__(self, chat_id: str, wire: list[Any], keys: Iterable[str] | None) -> None:
        row, version, tidy, records = wire
        self.chat_id = chat_id
        self.version: int | None = version if row is not None else None
        self.tidy = bool(tidy)
        self.complete = keys is None
        self.messages: dict[str, StoredMessage] = {}
        start = len(chat_id) + 1
        for key, message in sorted(map(MESSAGE.message, records), key=lambda item: item[1].position):
            self.messages[key[start:]] = message
        self.known = {*(keys or ()), *self.messages}
        self.edited: Chat | None = None
        self.columns: dict[str, Any] | None = None
        self.documents: dict[str, Json] = {}
        self._rows: dict[str, Any] = {}
        self._next: int | None = None
        if row is not None:
            self.columns, self.documents = CHAT.decode_documents(row)

    @property
    def size(self) -> int:
        """Return about how many bytes the draft takes."""
        texts = (document.text for document in self.documents.values())
        # An entry's text, its value, and what the row has of it.
        return sum(map(len, texts)) + sum(3 * len(m.entry.text) + OVERHEAD for m in self.messages.values())

    def row_of_chat(self) -> dict[str, Any]:
        """Return the chat's columns as they are now, the body without messages; they belong to the caller."""
        return {**(self.columns or {}), **{name: document.copy() for name, document in self.documents.items()}}

    def chat(self) -> Chat:
        """Return the chat as the host's code changes it: an object without database."""
        columns = self.row_of_chat()
        join(columns["chat"], {key: each.entry.copy() for key, each in self.messages.items() if each.position})
        chat = Chat()
        vars(chat).update(columns)  # as if they had been loaded: what is set later is a change
        return chat

    def row(self, message_id: str) -> Any:
        """Return the message's row of ``chat_message``, an object to be changed; None if there is none."""
        if message_id in self._rows:
            return self._rows[message_id]
        message = self.messages.get(message_id)
        if message is None or message.row is None:
            return None
        return SimpleNamespace(id=f"{self.chat_id}-{message_id}", chat_id=self.chat_id, **plain_row(message.row))

    def put(self, message_id: str, message: Any) -> None:
        """Have a row written.

        Raises:
            IntegrityError: It has no role, which the database requires.
            StatementError: Its ``done`` is no truth value.
        """
        if message.role is None:
            raise IntegrityError("upsert_message", None, ValueError("role must not be null"))
        if message.done not in (None, False, True):
            error = TypeError(f"Not a boolean value: {message.done!r}")
            raise StatementError(str(error), "upsert_message", None, error)
        self._rows[message_id] = message

    def delete(self, message_ids: Iterable[str]) -> None:
        """Have rows deleted."""
        self._rows |= dict.fromkeys(message_ids)

    def changes(self) -> dict[str, Any] | None:
        """Return what ``chats/save_chat`` is to write, None if that is nothing.

        The draft becomes what is stored then.
        """
        chat = self.edited
        made: dict[str, Any] = {"changes": {}, "columns": [], "nones": []}
        entries: Mapping[str, Any] | None = None
        if chat is not None:
            body, messages_after = split(chat.chat)
            changed = changed_columns(chat, body, self.documents)
            made = CHAT.changes(changed)
            self._set(changed)
            if inspect(chat).attrs.chat.history.has_changes():
                entries = messages_after
        before = {key: message.entry.value for key, message in self.messages.items() if message.position}
        rows = {key: row and {name: getattr(row, name) for name in _ROW} for key, row in self._rows.items()}
        found = ChangedMessages(self.chat_id, self.messages, complete=self.complete)
        found.compare(entries, rows)
        if not (made["changes"] or found.new or found.updated or found.removed):
            return None
        if chat is not None and entries is not None:
            tidy = is_tidy(chat.chat) if self.complete else self.tidy and stays_tidy(before, entries, chat.chat)
            if tidy != self.tidy:
                made["changes"]["tidy"] = self.tidy = tidy
        written = {"messages": found.new, "updated": grouped(found.updated), "removed": found.removed}
        self._next = new_version() if self.version is not None else None
        return {**made, **written, "id": self.chat_id, "version": self.version, "next": self._next}

    def saved(self, row: list[Any] | None = None) -> None:
        """Note that the changes were written; ``row`` is the chat's then."""
        self.version = self._next
        if row is not None:
            self.columns, self.documents = CHAT.decode_documents(row)
        self._rows.clear()
        self.edited = None

    def _set(self, columns: Mapping[str, Any]) -> None:
        for name, value in columns.items():
            if name in self.documents:
                self.documents[name] = value
            elif self.columns is not None:
                self.columns[name] = value
