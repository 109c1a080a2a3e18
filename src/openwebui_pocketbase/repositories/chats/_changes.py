"""What a draft changes: compared with what is stored, as fields of records."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from open_webui.models.chats import Chat
from sqlalchemy import inspect

from openwebui_pocketbase.codec import Json
from openwebui_pocketbase.codec.chats import searched_text
from openwebui_pocketbase.codec.json import NULL
from openwebui_pocketbase.codec.messages import APPEND, KEEP, StoredMessage
from openwebui_pocketbase.repositories.base import JSON
from openwebui_pocketbase.repositories.chats._codecs import MESSAGE

__all__ = ["ChangedMessages", "changed_columns", "grouped", "plain_row"]

Fields = dict[str, Any]
Row = Mapping[str, Any]

APPENDED = math.inf
"""The position of an entry which was added behind all others: which number it got does not matter."""


def plain_row(row: Row) -> dict[str, Any]:
    """Return a row of ``chat_message`` whose values are the caller's own."""
    return {name: JSON.plain(value) for name, value in row.items()}


def changed_columns(chat: Chat, body: Any, documents: Mapping[str, Json]) -> dict[str, Any]:
    """Return the columns of a chat that are to be written, those with JSON as documents.

    Args:
        chat: The chat, changed by the host's code.
        body: Its body without messages.
        documents: Its columns with JSON as they are stored.
    """
    state = inspect(chat)
    changed: dict[str, Any] = {}
    for name in state.committed_state:  # those that were set
        # What equals the stored value, if only in another order, the host's database does not write either.
        if not state.attrs[name].history.has_changes():
            continue
        value = body if name == "chat" else getattr(chat, name)
        if name in documents:
            value = JSON.changed(documents[name], value)
            if value is documents[name]:
                continue
        changed[name] = value
    return changed


class ChangedMessages:
    """The messages of a draft that are to be written.

    Args:
        chat_id: Id of the chat.
        messages: The messages as they are stored, by id; `compare` makes them what is stored after the write.
        complete: Whether these are all.

    Attributes:
        new: Fields of new records.
        updated: Fields that change of other records, with their keys.
        removed: Keys of the records that go.
    """

    def __init__(self, chat_id: str, messages: dict[str, StoredMessage], *, complete: bool) -> None:
        self._chat_id = chat_id
        self._messages = messages
        self._complete = complete
        self.new: list[Fields] = []
        self.updated: list[Fields] = []
        self.removed: list[str] = []

    def compare(self, entries: Mapping[str, Any] | None, rows: Mapping[str, Row | None]) -> None:
        """Find out what changes.

        Args:
            entries: The body's messages, None if these have not changed.
            rows: The rows that are to be written, by message; None for those to be deleted.
        """
        positions = self._positions(entries) if entries is not None else {}
        for message_id in dict.fromkeys((*(entries or ()), *self._messages, *rows)):
            stored = self._messages.get(message_id)
            before = KEEP if stored and stored.position else 0
            entry, position = (stored.entry if stored else NULL), before
            if entries is not None:
                entry = JSON.changed(entry, entries[message_id]) if message_id in entries else NULL
                position = positions.get(message_id, 0)
            is_moved = position != before or (stored is not None and entry is not stored.entry)
            if message_id not in rows and not is_moved:
                continue
            if message_id in rows:
                # Copied: the host may go on to change what it gave.
                given = rows[message_id]
                row = None if given is None else plain_row(given)
            else:
                row = stored.row if stored else None  # type: ignore[assignment]
            self._note(message_id, stored, position, entry, row)

    def _note(self, message_id: str, stored: StoredMessage | None, position: int, entry: Json, row: Row | None) -> None:
        if not position and row is None:
            if self._messages.pop(message_id, None) is not None:
                self.removed.append(f"{self._chat_id}-{message_id}")
            return
        fields = MESSAGE.fields(self._chat_id, message_id, position, entry, row)
        if stored is None:
            self.new.append(MESSAGE.new_record(fields))
        elif changed := _changed_fields(self._fields_of(message_id, stored), fields):
            if "entry" in changed and searched_text(stored.entry.value) != searched_text(entry.value):
                changed["waits"] = fields["waits"]  # also if it waited before: it may be in the index by now
            self.updated.append({**changed, "key": fields["key"]})
        place = {KEEP: stored.position if stored else 0, APPEND: APPENDED}.get(position, position)
        self._messages[message_id] = StoredMessage(place, entry, row, fields)

    def _fields_of(self, message_id: str, stored: StoredMessage) -> Fields:
        """Return the fields of a record as they are stored."""
        position = KEEP if stored.position else 0
        return stored.fields or MESSAGE.fields(self._chat_id, message_id, position, stored.entry, stored.row)

    def _positions(self, entries: Mapping[str, Any]) -> dict[str, int]:
        """Return the positions that keep the order of the entries."""
        numbers = [self._messages[key].position if key in self._messages else 0 for key in entries]
        old = [number for number in numbers if number]
        if not self._complete:
            return {key: KEEP if number else APPEND for key, number in zip(entries, numbers, strict=True)}
        if old != sorted(old) or any(numbers[len(old) :]):
            return {key: position for position, key in enumerate(entries, 1)}
        last = int(old[-1]) if old else 0
        return {key: KEEP if place < len(old) else last + 1 + place for place, key in enumerate(entries)}


def _changed_fields(before: Fields, after: Fields) -> Fields:
    """Return the fields that differ."""
    changed = {
        name: value for name, value in after.items() if name not in ("doc", "position") and value != before[name]
    }
    if after["position"] != KEEP and (after["position"] or before["position"]):
        changed["position"] = after["position"]
    return changed


def grouped(updated: list[Fields]) -> list[dict[str, Any]]:
    """Return records grouped by the fields that change: one statement writes one group."""
    groups: dict[tuple[str, ...], list[Fields]] = {}
    for fields in updated:
        names = tuple(name for name in fields if name != "key")
        groups.setdefault(names, []).append(fields)
    return [{"names": names, "rows": rows} for names, rows in groups.items()]
