"""A chat and some or all of its messages, read to be changed: what was read, and what is to be written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from open_webui.models.chat_messages import ChatMessage
from open_webui.models.chats import Chat
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm.attributes import set_committed_value

from openwebui_pocketbase.codec.chats import (
    APPEND,
    CHAT,
    KEEP,
    Record,
    chat_changes,
    decode_record,
    dumps,
    is_tidy,
    join,
    loads,
    message_record,
    new_version,
    searchable,
    split,
)
from openwebui_pocketbase.repositories.chats._tidy import stays_tidy
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["ChatView"]

_ROW = tuple(column.name for column in ChatMessage.__table__.columns if column.name not in ("id", "chat_id"))
_JSON = tuple(column.name for column in TABLES["chat"].columns if column.type == "json")

Fields = dict[str, Any]

APPENDED = math.inf
"""The position of an entry which was added behind all others: which number it got does not matter."""


class ChatView:
    """What a write begins with.

    It is given to the host's code in place of a database session, which hands it on to `ChatMessages` with the rows
    that belong to the same write.

    Args:
        chat_id: Id of the chat.
        wire: The answer of ``chats/get_view``.
        keys: Ids of the messages that were asked for; None if all were.

    Attributes:
        columns: The chat's columns but those with JSON; None if there is no chat.
        version: The chat's version; None if there is no chat.
        tidy: See `is_tidy`.
        complete: Whether all messages were read.
        records: The messages which there are, by id.
        known: Ids of which it is known whether there is a message.
        edited: What `chat` has returned, if that is to be written.
    """

    def __init__(self, chat_id: str, wire: list[Any], keys: Iterable[str] | None) -> None:
        row, version, tidy, records = wire
        self.chat_id = chat_id
        self.version: int | None = version if row is not None else None
        self.tidy = bool(tidy)
        self.complete = keys is None
        self.records: dict[str, Record] = dict(
            sorted((decode_record(r, chat_id) for r in records), key=lambda item: item[1].position)
        )
        self.known = {*(keys or ()), *self.records}
        self._rows: dict[str, Any] = {}
        self._next: int | None = None
        self.edited: Chat | None = None
        self.columns: dict[str, Any] | None = None
        self._texts: dict[str, str] = {}
        if row is not None:
            self._set_row(row)

    def chat(self) -> Chat:
        """Return the chat as the host's code changes it: an object without database."""
        columns = {**(self.columns or {}), **{name: loads(text) for name, text in self._texts.items()}}
        join(columns["chat"], {key: record.entry() for key, record in self.records.items() if record.position})
        chat = Chat()
        for name, value in columns.items():
            set_committed_value(chat, name, value)
        return chat

    def row(self, message_id: str) -> Any:
        """Return the message's row of ``chat_message``, an object to be changed; None if there is none."""
        if message_id not in self._rows:
            record = self.records.get(message_id)
            columns = record.row() if record else None
            return columns and SimpleNamespace(id=f"{self.chat_id}-{message_id}", chat_id=self.chat_id, **columns)
        return self._rows[message_id]

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

        The view becomes what is stored then.
        """
        chat = self.edited
        made: dict[str, Any] = {"changes": {}, "columns": [], "nones": []}
        entries: Mapping[str, Any] | None = None
        body: Any = None
        if chat is not None:
            body, messages_after = split(chat.chat)
            changed = dict(self._changed_columns(chat, body))
            made = chat_changes(changed)
            self._keep(changed)
            if inspect(chat).attrs.chat.history.has_changes():
                entries = messages_after
        before = {key: record for key, record in self.records.items() if record.position}
        messages, updated, removed = self._changed_messages(entries)
        if not (made["changes"] or messages or updated or removed):
            return None
        if chat is not None and entries is not None:
            tidy = is_tidy(chat.chat) if self.complete else self.tidy and stays_tidy(before, entries, chat.chat)
            if tidy != self.tidy:
                made["changes"]["tidy"] = self.tidy = tidy
        written = {"messages": messages, "updated": _grouped(updated), "removed": removed}
        self._next = new_version() if self.version is not None else None
        return {**made, **written, "id": self.chat_id, "version": self.version, "next": self._next}

    def saved(self, row: list[Any] | None = None) -> None:
        """Tell that the changes were written; ``row`` is the chat's then."""
        self.version = self._next
        if row is not None:
            self._set_row(row)
        self._rows.clear()
        self.edited = None

    def _set_row(self, row: list[Any]) -> None:
        self.columns = CHAT.decode(row)
        self._texts = {name: dumps(self.columns.pop(name)) for name in _JSON}

    def _keep(self, columns: Mapping[str, Any]) -> None:
        for name, value in columns.items():
            if name in self._texts:
                self._texts[name] = dumps(value)
            elif self.columns is not None:
                self.columns[name] = value

    def _changed_columns(self, chat: Chat, body: Any) -> Iterator[tuple[str, Any]]:
        state = inspect(chat)
        for name in state.committed_state:  # those that were set
            # What equals the stored value, if only in another order, the host's database does not write either.
            if not state.attrs[name].history.has_changes():
                continue
            value = body if name == "chat" else getattr(chat, name)
            if name not in self._texts or dumps(value) != self._texts[name]:
                yield name, value

    def _changed_messages(self, entries: Mapping[str, Any] | None) -> tuple[list[Fields], list[Fields], list[str]]:
        """Return the fields of new records, those that change of others with their keys, and the keys of those that go.

        Args:
            entries: The body's messages, None if these have not changed.
        """
        new: list[Fields] = []
        updated: list[Fields] = []
        removed: list[str] = []
        positions = self._positions(entries) if entries is not None else {}
        for message_id in dict.fromkeys((*(entries or ()), *self.records, *self._rows)):
            record = self.records.get(message_id)
            before = KEEP if record and record.position else 0
            text = record.text if record else "null"
            position = before
            if entries is not None:
                text = dumps(entries[message_id]) if message_id in entries else "null"
                position = positions.get(message_id, 0)
            is_moved = position != before or (record is not None and text != record.text)
            if message_id not in self._rows and not is_moved:
                continue
            row = self._row_after(message_id, record)
            if not position and row is None:
                if self.records.pop(message_id, None) is not None:
                    removed.append(f"{self.chat_id}-{message_id}")
                continue
            fields = message_record(self.chat_id, message_id, position, loads(text), row)
            if record is None:
                new.append(fields)
            elif changed := _changed_fields(self._fields_of(message_id, record), fields):
                updated.append(changed)
            same = loads(fields["same"])
            columns = row and {name: value for name, value in row.items() if name not in same}
            place = {KEEP: record.position if record else 0, APPEND: APPENDED}.get(position, position)
            self.records[message_id] = Record(place, text, columns, same, fields=fields)
        return new, updated, removed

    def _fields_of(self, message_id: str, record: Record) -> Fields:
        """Return the fields of a record as they are stored."""
        position = KEEP if record.position else 0
        return record.fields or message_record(self.chat_id, message_id, position, loads(record.text), record.row())

    def _row_after(self, message_id: str, record: Record | None) -> dict[str, Any] | None:
        if message_id not in self._rows:
            return record.row() if record else None
        message = self._rows[message_id]
        if message is None:
            return None
        # Copied: the host may go on to change what it gave.
        row: dict[str, Any] = loads(dumps({name: getattr(message, name) for name in _ROW}))
        return row

    def _positions(self, entries: Mapping[str, Any]) -> dict[str, int]:
        """Return the positions that keep the order of the entries."""
        numbers = [self.records[key].position if key in self.records else 0 for key in entries]
        old = [number for number in numbers if number]
        if not self.complete:
            return {key: KEEP if number else APPEND for key, number in zip(entries, numbers, strict=True)}
        if old != sorted(old) or any(numbers[len(old) :]):
            return {key: position for position, key in enumerate(entries, 1)}
        last = int(old[-1]) if old else 0
        return {key: KEEP if place < len(old) else last + 1 + place for place, key in enumerate(entries)}


def _changed_fields(before: Fields, after: Fields) -> Fields:
    """Return the fields that differ, with the key; nothing if none does."""
    changed = {
        name: value for name, value in after.items() if name not in ("doc", "position") and value != before[name]
    }
    if after["position"] != KEEP and (after["position"] or before["position"]):
        changed["position"] = after["position"]
    if "entry" in changed and _text(before) != _text(after):
        changed["waits"] = after["waits"]  # though it was said before: it may be in the index by now
    return {**changed, "key": after["key"]} if changed else {}


def _text(fields: Fields) -> str:
    return searchable(loads(fields["entry"]))


def _grouped(updated: list[Fields]) -> list[dict[str, Any]]:
    """Return records grouped by the fields that change: one statement writes one group."""
    groups: dict[tuple[str, ...], list[Fields]] = {}
    for fields in updated:
        names = tuple(name for name in fields if name != "key")
        groups.setdefault(names, []).append(fields)
    return [{"names": names, "rows": rows} for names, rows in groups.items()]
