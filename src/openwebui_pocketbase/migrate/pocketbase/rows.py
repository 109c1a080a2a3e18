"""Items as they come from PocketBase; ``owui/migrate/rows.js`` sends them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from operator import itemgetter
from typing import Any

from open_webui.utils.json_codec import JSONCodec

from openwebui_pocketbase.codec.chats import join
from openwebui_pocketbase.codec.messages import SAME_AS
from openwebui_pocketbase.codec.rows import int64_of
from openwebui_pocketbase.migrate.items import Item, Key, Note, Row, Unit, key_of
from openwebui_pocketbase.schema.tables import TABLES, Table

__all__ = ["items_of", "parsed"]

Wire = Sequence[Any]

_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "bool": bool,
    "int64": lambda text: int64_of(text) if text else None,
    "date": lambda text: date.fromisoformat(text) if text else None,
}
_MENDED = "PocketBase has a JSON column of it with something that is no JSON: that counts as null."


class _Reader:
    """Makes rows of one table of what comes: the columns without JSON as an array, and each that has JSON."""

    def __init__(self, table: Table) -> None:
        scalars = [column for column in table.columns if column.type != "json"]
        documents = [column for column in table.columns if column.type == "json"]
        sent = [column.name for column in (*scalars, *documents)]
        self._names = [column.name for column in table.columns]
        self._ordered = itemgetter(*map(sent.index, self._names))
        self._converters = [(c.name, _CONVERTERS[c.type]) for c in scalars if c.type in _CONVERTERS]
        self.further = len(scalars)
        self.documents = len(documents)

    def row(self, scalars: Wire, documents: Wire) -> Row:
        """Return a row."""
        row = dict(zip(self._names, self._ordered((*scalars, *documents)), strict=True))
        for name, convert in self._converters:
            value = row[name]
            if value is not None:
                row[name] = convert(value)
        return row


@cache
def _reader(table: str) -> _Reader:
    return _Reader(TABLES[table])


def parsed(reply: bytes) -> Any:
    """Return what a reply says, as the host's own decoder reads it.

    Raises:
        ValueError: A record has something in a JSON column that is no JSON.
    """
    try:
        return JSONCodec.loads(reply)
    except ValueError:
        return json.loads(reply.decode(errors="replace"))  # raw SQL can leave bytes that are no UTF-8


def items_of(unit: Unit, reply: Iterable[Wire], *, is_mended: bool = False) -> dict[Key, Item]:
    """Return the items of a reply.

    Args:
        unit: What they are.
        reply: What PocketBase has sent.
        is_mended: Whether some of it was no JSON and is null here.
    """
    items = _chats(reply) if unit.parts else map(_one(unit), reply)
    if is_mended:
        items = (Item(item.key, item.rows, (Note(unit.name, "/".join(item.key), _MENDED),)) for item in items)
    return {item.key: item for item in items}


def _one(unit: Unit) -> Callable[[Wire], Item]:
    reader = _reader(unit.name)

    def item(wire: Wire) -> Item:
        scalars, *documents = wire
        row = reader.row(scalars[: reader.further], documents)
        for text in scalars[reader.further :]:  # what was extracted of a file
            if text:
                row["data"] = {**(row["data"] or {}), "content": text}
        return Item(key_of(unit, row), {unit.name: [row]})

    return item


def _chats(reply: Iterable[Wire]) -> Iterable[Item]:
    for chat_id, wire, messages in reply:
        if wire is None and not messages:
            continue
        start = len(chat_id) + 1
        entries: dict[str, Any] = {}
        rows = []
        for (position, has_row, *scalars), *documents, same, entry in messages:
            if position:
                entries[scalars[0][start:]] = entry
            if has_row:
                row = _reader("chat_message").row(scalars, documents)
                for name in same or ():
                    row[name] = entry.get(SAME_AS[name])
                rows.append(row)
        rows.sort(key=itemgetter("id"))
        chats = []
        if wire is not None:
            scalars, *documents = wire
            chat = _reader("chat").row(scalars, documents)
            join(chat["chat"], entries)
            chats.append(chat)
        yield Item((chat_id,), {"chat": chats, "chat_message": rows})
