"""What is moved: items, each a row of one table, or a chat with its rows of messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.schema.tables import TABLES, Table

__all__ = [
    "UNITS",
    "Item",
    "Key",
    "Note",
    "Row",
    "Sized",
    "Unit",
    "all_units",
    "canonical",
    "key_of",
    "name_of",
    "references_of",
    "text_of",
    "units_of",
]

Key = tuple[str, ...]
"""The values of a unit's key columns."""

Row = dict[str, Any]
"""A row by column, in the order of the table's declaration, as the host reads it: JSON columns as what they say, dates
as `date`, and None for SQL NULL as well as for JSON's null."""


@dataclass(frozen=True, eq=False)
class Unit:
    """What is moved together.

    Attributes:
        name: The host's name of the table; of the unit of chats that is ``chat``.
        group: The group of data.
        key: Columns of that table which name an item. A row of a second table has the same value in `parts`.
        parts: Further tables whose rows belong to the item -> the column with the item's key.
    """

    name: str
    group: str
    key: tuple[str, ...]
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def table(self) -> Table:
        """The declaration of the table."""
        return TABLES[self.name]

    @property
    def tables(self) -> tuple[str, ...]:
        """The host's names of all its tables."""
        return (self.name, *self.parts)


@dataclass(frozen=True)
class Note:
    """What an administrator is told about one row.

    Attributes:
        table: The host's name of the table.
        key: The row's key, as text.
        reason: What is the matter with it, and what happens to it.
        is_left_out: Whether the row is not moved; else it is moved, but not as it is.
    """

    table: str
    key: str
    reason: str
    is_left_out: bool = False


@dataclass(frozen=True)
class Item:
    """An item, whole.

    Attributes:
        key: Its key.
        rows: Table -> rows; of the unit's own table one, or none where only parts are left of the item.
        notes: What is different from what is stored, or missing.
    """

    key: Key
    rows: Mapping[str, list[Row]]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Sized:
    """The key of an item, and about how many bytes it has."""

    key: Key
    size: int


_PARTS = {"chat": {"chat_message": "chat_id"}}
_PART_TABLES = {name for parts in _PARTS.values() for name in parts}
_FIRST = ("users", "groups", "access", "tags", "folders", "models", "files", "chats", "messages", "config")
"""Groups that others refer to, and these in their order."""
_ORDER = ("user", "auth", "group", "chat", "channel", "message", "model")
"""Tables that come before the others of their group."""


def all_units() -> dict[str, Unit]:
    """Return all units, by name, in the order in which they are moved; those of plugins come last."""
    groups = tuple(dict.fromkeys((*_FIRST, *CATALOG)))
    names = [name for group in groups for name in CATALOG[group].tables]
    names.sort(
        key=lambda name: (
            groups.index(TABLES[name].group),
            name not in _ORDER,
            _ORDER.index(name) if name in _ORDER else 0,
        )
    )
    return {name: _unit(name) for name in names if name not in _PART_TABLES}


@cache
def _unit(name: str) -> Unit:
    return Unit(name, TABLES[name].group, TABLES[name].hashed_id or ("id",), _PARTS.get(name, {}))


UNITS = all_units()
"""The units of the host, as `all_units` has them."""


def units_of(groups: Collection[str]) -> list[Unit]:
    """Return the units of some groups, in the order in which they are moved."""
    return [unit for unit in all_units().values() if unit.group in groups]


def key_of(unit: Unit, row: Row) -> Key:
    """Return the key of the item that a row of the unit's own table is."""
    return tuple(row[name] for name in unit.key)


def name_of(table: str, row: Row) -> str:
    """Return what names a row within its item, and in notes: its id, or its key if it has none."""
    return str(row["id"]) if "id" in row else "/".join(str(row[each]) for each in TABLES[table].hashed_id)


def text_of(key: Key) -> str:
    """Return a key as notes have it."""
    return "/".join(key)


def references_of(unit: Unit) -> list[tuple[str, str, str]]:
    """Return what leads from a unit to other rows: table and column, and the table of those rows."""
    return [
        (name, column.name, column.relation)
        for name in unit.tables
        for column in TABLES[name].columns
        if column.relation
    ]


def canonical(rows: Mapping[str, list[Row]], dumps: Any) -> bytes:
    """Return what two items have in common exactly if the host reads the same from both.

    The order of keys in JSON counts, as does 1.0 against 1.

    Args:
        rows: The rows of an item, each list in the order of its ids.
        dumps: The host's JSON encoder, for what orjson does not take.
    """
    values = [[name, [*map(_values, of_table)]] for name, of_table in rows.items() if of_table]
    try:
        return orjson.dumps(values)
    except TypeError:
        return str(dumps(values)).encode(errors="surrogatepass")


def _values(row: Row) -> list[Any]:
    return [*row.values()]
