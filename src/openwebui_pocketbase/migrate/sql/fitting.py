"""Adapting items of PocketBase to what the host's SQL database can hold; imports the host."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import orjson
from sqlalchemy import JSON as JSON_TYPE

from openwebui_pocketbase.changes.table import MirroredTable
from openwebui_pocketbase.migrate.items import Item, Note, Row
from openwebui_pocketbase.repositories.base import JSON
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["fitted"]

_INT64 = range(-(2**63), 2**63)
_ESCAPE = re.compile(r"\\(u0000|.)")


def fitted(item: Item, *, is_sqlite: bool) -> Item:
    """Return an item as the database can hold it, with a note of each difference; foreign keys may still refuse it."""
    notes: list[Note] = []
    rows = {
        name: [_fitted(name, row, notes, is_sqlite=is_sqlite) for row in of_table]
        for name, of_table in item.rows.items()
    }
    return Item(item.key, rows, (*item.notes, *notes)) if notes else item


def _fitted(name: str, row: Row, notes: list[Note], *, is_sqlite: bool) -> Row:
    changed: Row = {}
    for column, value in row.items():
        if value is None:
            continue
        fitting, reason = _numeric(name, column, value) if is_sqlite else _without_nul(name, column, value)
        if reason:
            changed[column] = fitting
            key = "/".join(str(row[each]) for each in TABLES[name].hashed_id or ("id",))
            notes.append(Note(name, key, f"{column}: {reason}"))
    return {**row, **changed} if changed else row


def _numeric(name: str, column: str, value: Any) -> tuple[Any, str]:
    """SQLite makes numbers of the texts of a JSON column: 1.0 becomes 1."""
    kind = type(value)
    if (kind is not float and kind is not int) or column not in _json_columns(name):
        return value, ""
    if kind is int:
        return (value, "") if value in _INT64 else (float(value), f"{value} is larger than SQLite's numbers")
    if value.is_integer() and int(value) in _INT64:
        return int(value), f"{value} became {int(value)}"
    return value, ""


def _without_nul(name: str, column: str, value: Any) -> tuple[Any, str]:
    """PostgreSQL has no NUL in texts, reads none in JSON, and keeps to the length of a column."""
    if isinstance(value, str) and column in _texts(name):
        text, length = value.replace("\x00", ""), _texts(name)[column]
        reason = "" if len(text) == len(value) else "NUL characters were removed"
        if length is not None and len(text) > length:
            return text[:length], f"cut to {length} characters"
        return text, reason
    if isinstance(value, str | dict | list):
        text = _dumped(value)
        if "\\u0000" in text:
            cleaned = _ESCAPE.sub(lambda match: "" if match[1] == "u0000" else match[0], text)
            return (JSON.loads(cleaned), "NUL characters were removed") if cleaned != text else (value, "")
    return value, ""


def _dumped(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return JSON.dumps(value)


@cache
def _texts(name: str) -> dict[str, int | None]:
    return MirroredTable(name).texts


@cache
def _json_columns(name: str) -> frozenset[str]:
    """Return the columns of the database's own JSON; others have their JSON in text, which SQLite leaves alone."""
    return frozenset(each.name for each in MirroredTable(name).table.c if isinstance(each.type, JSON_TYPE))
