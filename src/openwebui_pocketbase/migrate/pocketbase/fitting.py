"""Adapting items of an SQL database to what PocketBase can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import orjson
from open_webui.utils.json_codec import JSONCodec

from openwebui_pocketbase.codec.chats import join, split
from openwebui_pocketbase.migrate.items import Item, Note, Row, Unit, name_of
from openwebui_pocketbase.schema.tables import TABLES, Column

__all__ = ["fitted"]

_INT64 = range(-(2**63), 2**63)
_EXACT: Mapping[str, frozenset[type]] = {
    "text": frozenset({str}),
    "json": frozenset({dict, list, str, bool, type(None)}),
    "bool": frozenset({bool}),
    "int": frozenset({int}),
    "int64": frozenset({int}),
    "date": frozenset({date}),
}
"""Types whose values come back as they were; of JSON, bare numbers are looked at."""

_HALVES = "It has halves of surrogate pairs, which are no text; replacement characters stand for them."
_TOO_DEEP = "Its JSON has more levels than PocketBase can hold, which is about 1,000."
_EMPTY: Mapping[str, Any] = {"text": "", "bool": False, "int": 0, "int64": 0}


class _Fitter:
    """Makes the rows of one table fit."""

    def __init__(self, table: str) -> None:
        self.name = table
        self._columns = TABLES[table].columns
        self._exact = [_EXACT[column.type] | ({type(None)} if column.null else frozenset()) for column in self._columns]
        self._known: set[tuple[type, ...]] = set()

    def fit(self, row: Row, notes: list[Note]) -> Row:
        """Return a row, the given one if it fits as it is."""
        types = (*map(type, row.values()),)
        if types in self._known:
            return row
        if all(map(frozenset.__contains__, self._exact, types)):
            self._known.add(types)
            return row
        made = {column.name: _fit_value(column, row[column.name]) for column in self._columns}
        for column in self._columns:
            before, value = row[column.name], made[column.name]
            if column.secret and value == before:
                continue  # 1.0 became 1, which a note could not say of a secret
            if type(value) is not type(before) or value != before:
                was, becomes = ("...", "...") if column.secret else (f"{before!r:.60}", f"{value!r:.60}")
                reason = f"Its {column.name} is {was}, which PocketBase cannot hold; it becomes {becomes}."
                notes.append(Note(self.name, name_of(self.name, row), reason))
        return made


@cache
def _fitter(table: str) -> _Fitter:
    return _Fitter(table)


def fitted(unit: Unit, item: Item) -> Item:
    """Return an item as PocketBase can hold it, with a note of each difference."""
    notes: list[Note] = []
    item = _as_text(unit, item, notes)
    rows = {name: [_fitter(name).fit(row, notes) for row in of_table] for name, of_table in item.rows.items()}
    for table in unit.tables:
        rows.setdefault(table, [])
    if unit.parts:
        _fit_chat(item.key[0], rows, notes)
    for more in rows[unit.name][1:]:
        reason = f"There is another row with this {' and '.join(unit.key)}, and PocketBase keeps one: the first."
        notes.append(Note(unit.name, name_of(unit.name, more), reason, is_left_out=True))
    rows[unit.name] = rows[unit.name][:1]
    if not notes and all([*map(id, rows[name])] == [*map(id, of_table)] for name, of_table in item.rows.items()):
        return item
    return replace(item, rows=rows, notes=(*item.notes, *notes))


def _fit_chat(chat_id: str, rows: dict[str, list[Row]], notes: list[Note]) -> None:
    """Make a chat's messages fit: bare numbers among its entries, and rows under ids that are not of this chat."""
    kept = [row for row in rows["chat_message"] if row["id"].startswith(f"{chat_id}-")]
    if len(kept) < len(rows["chat_message"]):
        reason = "Its id does not begin with the id of its chat, as PocketBase needs it."
        notes += [
            Note("chat_message", str(row["id"]), reason, is_left_out=True)
            for row in rows["chat_message"]
            if not row["id"].startswith(f"{chat_id}-")
        ]
        rows["chat_message"] = kept
    for chat in rows["chat"][:1]:
        body, entries = split(chat["chat"])
        numbers = {key: _bare(entry) for key, entry in entries.items() if type(entry) in (int, float)}
        changed = [key for key, number in numbers.items() if repr(number) != repr(entries[key])]
        if changed:
            notes += [
                Note("chat", chat_id, f"Its message {key} is {entries[key]!r}; it becomes {numbers[key]!r}.")
                for key in changed
            ]
            rows["chat"] = [{**chat, "chat": join(body, {**entries, **numbers})}]


def _fit_value(column: Column, value: Any) -> Any:
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if value is None:
        return None if column.null else _EMPTY.get(column.type)
    match column.type:
        case "json":
            return _bare(value) if type(value) in (int, float) else value
        case "bool":
            return bool(value)
        case "date":
            return value if type(value) is date else None
        case "text":
            return value if isinstance(value, str) else str(value)
        case _:
            return _number(column, value)


def _number(column: Column, value: Any) -> Any:
    """Return a number, or a text in place of one, as it comes back from a column of numbers."""
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            try:
                value = float(value)
            except ValueError:
                return value if column.type == "int" else _EMPTY["int64"]
    if column.type == "int64":
        return min(max(int(value), _INT64.start), _INT64.stop - 1)
    return _bare(value)


def _bare(number: int | float) -> int | float:
    """Return a number as it comes back from a column of PocketBase which takes texts of numbers for numbers."""
    if isinstance(number, float):
        return int(number) if number.is_integer() and int(number) in _INT64 else number
    return number if number in _INT64 else float(number)


def _as_text(unit: Unit, item: Item, notes: list[Note]) -> Item:
    """Return an item whose texts are UTF-8: half a surrogate pair becomes a replacement character.

    Nothing is left of one whose JSON nobody can write.
    """
    try:
        orjson.dumps(item.rows)
    except TypeError:
        pass
    else:
        return item
    try:
        JSONCodec.dumps(
            item.rows, ensure_ascii=False, default=str
        ).encode()  # more levels, and larger integers, than orjson writes
    except UnicodeEncodeError:
        rows = {name: [_replaced(row) for row in of_table] for name, of_table in item.rows.items()}
        for name, of_table in rows.items():
            changed = [row for row, before in zip(of_table, item.rows[name], strict=True) if row != before]
            notes += [Note(name, name_of(name, row), _HALVES) for row in changed]
        return Item(tuple(map(_replaced, item.key)), rows, item.notes)
    except RecursionError:
        notes.append(Note(unit.name, "/".join(item.key), _TOO_DEEP, is_left_out=True))
        return Item(item.key, {name: [] for name in item.rows}, item.notes)
    return item


def _replaced(value: Any) -> Any:
    if type(value) is str:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if type(value) is dict:
        return {_replaced(key): _replaced(member) for key, member in value.items()}
    return [*map(_replaced, value)] if type(value) is list else value
