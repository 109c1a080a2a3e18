"""Rows as the records that PocketBase gets, as ``owui/migrate/records.js`` takes them: arrays of fields, JSON as it is.

The repositories make the same records one by one, as objects with JSON as text; that takes several times as long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any, Final

import orjson

from openwebui_pocketbase.codec.chats import folded_legacy, searched_text, snapshot_text, split
from openwebui_pocketbase.codec.files import text_apart
from openwebui_pocketbase.codec.json import alike
from openwebui_pocketbase.codec.messages import SAME_AS, folded_text, is_looked_through
from openwebui_pocketbase.codec.rows import int64_text
from openwebui_pocketbase.codec.words import is_indexed
from openwebui_pocketbase.data_urls import DOCUMENTS, LARGE, apart
from openwebui_pocketbase.migrate.items import Row
from openwebui_pocketbase.repositories.base import JSON
from openwebui_pocketbase.repositories.chats._tidy import is_tidy
from openwebui_pocketbase.schema.tables import TABLES, Table

__all__ = ["NO_ENTRY", "Records", "chat_record", "encoded", "hashed_id", "message_record", "record"]

NO_ENTRY: Final = object()
"""In place of the entry of a message that the chat's body does not have."""

Record = list[Any]

_ZERO: Mapping[str, Any] = {"text": "", "json": None, "bool": False, "int": 0, "int64": "", "date": ""}
_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {"int64": int64_text, "date": date.isoformat}


class Records:
    """Makes the records of one table.

    Args:
        table: Its declaration.
    """

    def __init__(self, table: Table) -> None:
        self._zeros = [_ZERO[column.type] for column in table.columns]
        self._nullable = [column.name for column in table.columns if column.null and column.type != "json"]
        self._folded = [column.name for column in table.columns if column.folded]
        self._converters = [
            (place, _CONVERTERS[column.type])
            for place, column in enumerate(table.columns)
            if column.type in _CONVERTERS
        ]
        self._key = table.hashed_id
        names = [column.name for column in table.columns]
        names += [*(f"{name}_folded" for name in self._folded), "nulls", *(extra.name for extra in table.extras)]
        self.places = {name: place for place, name in enumerate(names, bool(table.hashed_id))}

    def make(self, row: Row, *extras: Any) -> Record:
        """Return a row as a record.

        Args:
            row: All columns, in the order of their declaration.
            extras: The table's other fields, in that order.
        """
        fields = [zero if value is None else value for value, zero in zip(row.values(), self._zeros, strict=True)]
        for place, convert in self._converters:
            if fields[place] != "":
                fields[place] = convert(fields[place])
        fields += [(row[name] or "").lower() for name in self._folded]
        fields.append([name for name in self._nullable if row[name] is None])
        fields += extras
        return [hashed_id([row[name] for name in self._key]), *fields] if self._key else fields


@cache
def _of(table: str) -> Records:
    return Records(TABLES[table])


def hashed_id(key: list[Any]) -> str:
    """Return the id of the record of a row whose key is free text."""
    return hashlib.sha256(orjson.dumps(key)).hexdigest()[:32]


def record(table: str, row: Row) -> Record:
    """Return a row of any table but those of chats and their messages as a record."""
    if table == "file":
        data, text = text_apart(row["data"])
        return _of(table).make({**row, "data": data}, text)
    if table == "shared_chat":
        return _of(table).make(row, snapshot_text(row["chat"]))
    return _of(table).make(row)


def chat_record(row: Row) -> Record:
    """Return a chat's row, its body with messages, as the record of the chat."""
    body, _ = split(row["chat"])
    return _of("chat").make({**row, "chat": body}, is_tidy(row["chat"]), folded_legacy(body))


_COLUMNS = tuple(column.name for column in TABLES["chat_message"].columns)
_NO_ROW: Row = {**dict.fromkeys(_COLUMNS), "role": ""}
_SAME = [(name, _of("chat_message").places[name], member) for name, member in SAME_AS.items()]


def message_record(chat_id: str, key: str, position: int, entry: Any, row: Row | None) -> Record:
    """Return a message as its record; see `openwebui_pocketbase.codec.messages.MessageCodec.fields`.

    Args:
        chat_id: Id of the chat.
        key: Its key, which is the id of its row.
        position: Its place in the history, 0 if the body has no such message; or `APPEND` or `KEEP`.
        entry: The body's copy, or `NO_ENTRY`.
        row: Its row, None if there is none.
    """
    entry = None if entry is NO_ENTRY else entry
    same: list[str] = []
    text = searched_text(entry)
    waits = is_indexed(text) and not is_looked_through(entry)
    extras = (position, row is not None, waits, same, entry, folded_text(text))
    made = _of("chat_message").make(row or {**_NO_ROW, "id": key, "chat_id": chat_id}, *extras)
    if row is not None and type(entry) is dict:
        for name, place, member in _SAME:
            value = made[place]
            if value is not None and member in entry and alike(value, entry[member]):
                same.append(name)
                made[place] = None
    return made


def encoded(table: str, fields: Record) -> tuple[bytes, dict[str, str]]:
    """Return a record as JSON with marks for data URLs; and these, by the names in the marks."""
    try:
        data = orjson.dumps(fields)
    except TypeError:
        # Integers beyond 64 bits, or more levels than orjson goes down.
        return JSON.dumps(fields).encode(), {}
    found: dict[str, str] = {}
    if table not in DOCUMENTS or len(data) < LARGE or b'"data:' not in data:
        return data, found
    made = [*fields]
    places = _of(table).places
    for name in DOCUMENTS[table]:
        made[places[name]] = orjson.Fragment(apart(orjson.dumps(fields[places[name]]).decode(), found))
    return orjson.dumps(made), found
