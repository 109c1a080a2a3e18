"""The change feed's entries, as triggers write them."""

from __future__ import annotations

from openwebui_pocketbase.schema.tables import Table

__all__ = ["NOW", "change_statement"]

# Writers from outside bring their own SQLite: unixepoch('subsec') is NULL in those older than 3.42.
NOW = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"
"""SQL of the time in milliseconds."""


def change_statement(table: Table, row: str, op: str, where: str = "") -> str:
    """Return the statement that puts a change of a record into the feed.

    Args:
        table: The record's table.
        row: What the record is called in the trigger, ``NEW`` or ``OLD``.
        op: ``create``, ``update`` or ``delete``.
        where: SQL of when it does so; always if empty.
    """
    values = f"'{table.collection}', {row}.id, '{op}', {NOW}, {_concerned(table, row, op)}"
    into = "INSERT INTO owui_changes (collection, record_id, op, at, concerned)"
    return f"{into} SELECT {values} WHERE {where};" if where else f"{into} VALUES ({values});"


def _concerned(table: Table, row: str, op: str) -> str:
    """Return SQL of whom a change concerns, as a JSON array; empty for a table that does not tell.

    An update that changes it concerns both: the values as they are now come first, as they were behind them.
    """
    fields = [column.field for name in table.concerns for column in table.columns if column.name == name]
    if not fields:
        return "''"
    now, before = (", ".join(f"{each}.{field}" for field in fields) for each in (row, "OLD"))
    if op != "update":
        return f"json_array({now})"
    is_same = " AND ".join(f"OLD.{field} IS {row}.{field}" for field in fields)
    return f"iif({is_same}, json_array({now}), json_array({now}, {before}))"
