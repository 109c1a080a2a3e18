"""What is to be written so that a chat, with its messages, becomes another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openwebui_pocketbase.codec.chats import split
from openwebui_pocketbase.codec.json import alike
from openwebui_pocketbase.codec.messages import APPEND, KEEP
from openwebui_pocketbase.migrate.items import Item, Row
from openwebui_pocketbase.migrate.pocketbase.records import NO_ENTRY, Record, message_record

__all__ = ["ChatChanges"]


@dataclass(frozen=True)
class _Messages:
    """The messages of a chat: entries and rows by the keys of their records."""

    entries: Mapping[str, Any]
    rows: Mapping[str, Row]

    @classmethod
    def of(cls, item: Item | None) -> _Messages:
        if item is None:
            return cls({}, {})
        entries = split(item.rows["chat"][0]["chat"])[1] if item.rows.get("chat") else {}
        by_key = {f"{item.key[0]}-{message_id}": entry for message_id, entry in entries.items()}
        return cls(by_key, {row["id"]: row for row in item.rows.get("chat_message", ())})


class ChatChanges:
    """The changes from one state of a chat to another.

    Args:
        item: The chat as it is to be.
        before: As it is; None if there is none.
    """

    def __init__(self, item: Item, before: Item | None) -> None:
        self.chat_id = item.key[0]
        self.chat: Row | None = next(iter(item.rows.get("chat", ())), None)
        self.is_chat_gone = self.chat is None and before is not None and bool(before.rows.get("chat"))
        self._after = _Messages.of(item)
        self._before = _Messages.of(before)
        self.has_before = before is not None

    @property
    def gone(self) -> list[str]:
        """Keys of the records of messages that are no more."""
        before = {**self._before.entries, **self._before.rows}
        return [key for key in before if key not in self._after.entries and key not in self._after.rows]

    def messages(self) -> Iterator[Record]:
        """Yield the records of messages that are new or different."""
        after, before = self._after, self._before
        in_order = [key for key in before.entries if key in after.entries]
        # As a rule messages come behind those that are there; otherwise all are numbered anew.
        is_numbered = not in_order or [*after.entries][: len(in_order)] != in_order
        for number, (key, entry) in enumerate(after.entries.items(), 1):
            row = after.rows.get(key)
            is_there = key in before.entries
            if is_numbered or not (is_there and alike(entry, before.entries[key]) and alike(row, before.rows.get(key))):
                position = number if is_numbered else KEEP if is_there else APPEND
                yield message_record(self.chat_id, key, position, entry, row)
        for key, row in after.rows.items():
            if key not in after.entries and (key in before.entries or not alike(row, before.rows.get(key))):
                yield message_record(self.chat_id, key, 0, NO_ENTRY, row)
