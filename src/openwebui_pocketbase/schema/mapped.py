"""Translating SQLAlchemy's tables into declarations of `openwebui_pocketbase.schema.tables`.

For the host's tables that are written through, see ``tools/generate_tables.py``, and for those of other plugins.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Literal

from sqlalchemy import JSON, BigInteger, Boolean, Column, Enum, Integer, String, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

__all__ = ["Kind", "indexes_of", "type_of"]

Kind = Literal["text", "json", "bool", "int", "int64"]

_KINDS: tuple[tuple[type, Kind], ...] = (
    (JSON, "json"),
    (Boolean, "bool"),
    (BigInteger, "int64"),
    (Integer, "int"),
    (String, "text"),
)
"""SQLAlchemy's types, the narrower ones first -> ours."""

_OTHERS = (Enum, JSONB)
"""Types that extend one of these and mean something else: names of Python's, or JSON that loses its spelling."""


def type_of(column: Column[Any]) -> Kind | None:
    """Return the type of a column's values; None if PocketBase cannot keep them as they are."""
    if isinstance(column.type, _OTHERS):
        return None
    return next((kind for known, kind in _KINDS if isinstance(column.type, known)), None)


def indexes_of(
    table: Table, unique: Iterable[tuple[str, ...]] = (), *, unindexed: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Return the declarations of unique values, and of what the rows of others are found by.

    Args:
        table: The table.
        unique: Columns whose values are unique, though the table does not say so.
        unindexed: Columns that lead to other rows, but nothing is found by.
    """
    groups = [tuple(each.columns) for each in table.constraints if isinstance(each, UniqueConstraint)]
    groups += [tuple(each.columns) for each in table.indexes if each.unique]
    groups += [(column,) for column in table.columns if column.unique]
    groups += [tuple(table.columns[name] for name in names) for names in unique]
    found: list[dict[str, Any]] = []
    for columns in dict.fromkeys(sorted(groups, key=lambda each: [column.name for column in each])):
        if any(column.primary_key for column in columns):
            continue  # PocketBase has an index of ids
        index: dict[str, Any] = {"columns": [column.name for column in columns], "unique": True}
        # To SQL no two NULLs are the same.
        if where := " AND ".join(f"`{column.name}` != ''" for column in columns if column.nullable):
            index["where"] = where
        found.append(index)
    first = {index["columns"][0] for index in found}
    keys = [column.name for column in table.columns if column.name.endswith("_id") and column.name not in unindexed]
    return found + [{"columns": [name]} for name in keys if name not in first]
