"""Messages, between the host's entries and rows and PocketBase's records.

The host keeps a message twice: as an entry of the chat's body (``chat.history.messages``) and as a row of
``chat_message``. A record holds both; ``owui/chats/messages.js`` says how.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import orjson

from openwebui_pocketbase.codec.chats import searched_text
from openwebui_pocketbase.codec.json import NULL, Json, JsonFormat, alike, names_text
from openwebui_pocketbase.codec.rows import Codec
from openwebui_pocketbase.codec.words import is_indexed
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["APPEND", "KEEP", "SAME_AS", "MessageCodec", "StoredMessage", "folded_text", "is_looked_through"]

APPEND: Final = -1
"""The position of an entry that is to come behind all others."""

KEEP: Final = -2
"""The position of an entry that stays where it is."""

SAME_AS: Final = {
    "content": "content",
    "output": "output",
    "files": "files",
    "sources": "sources",
    "embeds": "embeds",
    "meta": "meta",
    "status_history": "statusHistory",
    "error": "error",
    "usage": "usage",
}
"""Column of the row -> member of the entry. They nearly always say the same, which is then stored once."""

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it is stored.

    Attributes:
        position: Its place in the history, from 1; 0 if the body has no such message.
        entry: The body's copy; `NULL` if the body has no such message.
        row: The columns of its row without ``id`` and ``chat_id``, which nobody changes; None if there is no row.
        fields: The fields of the record, if they are known; see `MessageCodec.fields`.
    """

    position: float
    entry: Json
    row: Mapping[str, Any] | None
    fields: Fields | None = None


class MessageCodec:
    """Messages: rows of the table ``chat_message`` together with the entries of the chat's body."""

    def __init__(self, documents: JsonFormat) -> None:
        columns = sorted(TABLES["chat_message"].columns, key=lambda column: column.type == "json")
        self._names = tuple(column.name for column in columns)
        self._no_row = {**dict.fromkeys(self._names), "role": ""}
        self._codec = Codec(TABLES["chat_message"], dumps=documents.dumps, loads=documents.loads)
        self._format = documents

    def row(self, wire: Sequence[Any]) -> dict[str, Any]:
        """Return a row of ``chat_message``, as ``owui/chats/_records.js`` sends it."""
        (_, _, *scalars), *values, same, entry = wire
        row = dict(zip(self._names, chain(scalars, values), strict=True))
        for name in same or ():
            row[name] = entry.get(SAME_AS[name])
        if row["done"] is not None:
            row["done"] = bool(row["done"])
        return row

    def message(self, wire: Sequence[Any]) -> tuple[str, StoredMessage]:
        """Return a message's key and the message, as ``owui/chats/_records.js`` sends it."""
        position, has_row, *_ = wire[0]
        row = self.row(wire)
        key, _ = row.pop("id"), row.pop("chat_id")
        entry = self._format.owned(wire[-1]) if position else NULL
        return key, StoredMessage(position, entry, row if has_row else None)

    def fields(
        self, chat_id: str, message_id: str, position: int, entry: Json, row: Mapping[str, Any] | None
    ) -> Fields:
        """Return the fields of a message's record but its id, which `new_record` adds.

        The record is not in the full-text index then, but waits for it if it is to be there: otherwise each piece of an
        answer would be indexed anew. A search looks through what is not in the index.

        Args:
            chat_id: Id of the chat.
            message_id: Id of the message.
            position: Its place in the history, 0 if the body has no such message; or `APPEND` or `KEEP`.
            entry: The body's copy.
            row: All columns of the row, None if there is none; ``id`` and ``chat_id`` need not be among them.
        """
        key = f"{chat_id}-{message_id}"
        same = () if row is None else tuple(name for name in SAME_AS if _is_same(row[name], entry.value, SAME_AS[name]))
        stored = self._no_row if row is None else row
        text = searched_text(entry.value)
        return self._codec.record({**stored, **dict.fromkeys(same), "id": key, "chat_id": chat_id}) | {
            "position": position,
            "has_row": row is not None,
            "same": names_text(self._format.dumps, same),
            "entry": entry.text if position else "null",
            "content_folded": folded_text(text),
            "doc": -1,
            "waits": is_indexed(text) and not is_looked_through(entry.value),
        }

    def new_fields(
        self, chat_id: str, entries: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]
    ) -> Iterator[Fields]:
        """Yield the fields of the records of a new chat's messages.

        Args:
            chat_id: Id of the chat.
            entries: The messages of its body.
            rows: Its rows of ``chat_message``.
        """
        by_id = {row["id"][len(chat_id) + 1 :]: row for row in rows}
        for position, (message_id, entry) in enumerate(entries.items(), 1):
            document = self._format.owned(entry)
            yield self.new_record(self.fields(chat_id, message_id, position, document, by_id.pop(message_id, None)))
        for message_id, row in by_id.items():
            yield self.new_record(self.fields(chat_id, message_id, 0, NULL, row))

    @staticmethod
    def new_record(fields: Fields) -> Fields:
        """Return the fields of a record that is not there yet: with its id, which no change of a message needs."""
        return {**fields, "id": hashlib.sha256(orjson.dumps([fields["key"]])).hexdigest()[:32]}


def _is_same(value: Any, entry: Any, member: str) -> bool:
    return value is not None and isinstance(entry, dict) and member in entry and alike(value, entry[member])


def is_looked_through(entry: Any) -> bool:
    """Return whether an entry is not to be indexed, whatever its text.

    What is still being written will be another text; numbers are spelled as only SQLite knows.
    """
    return isinstance(entry, dict) and (entry.get("done") is False or isinstance(entry.get("content"), int | float))


def folded_text(text: str) -> str:
    """Return a text in lower case, or nothing if SQLite's ``lower``, which knows only ASCII, gives the same."""
    if text.isascii():
        return ""
    folded = text.lower()
    return "" if folded == text.encode(errors="surrogatepass").lower().decode(errors="surrogatepass") else folded
