"""The change feed's entries, as triggers write them."""

from __future__ import annotations

__all__ = ["change_statement"]

# Writers from outside bring their own SQLite: unixepoch('subsec') is NULL in those older than 3.42.
_NOW = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"


def change_statement(collection: str, row: str, op: str, where: str = "") -> str:
    """Return the statement that puts a change of a record into the feed.

    Args:
        collection: The record's collection.
        row: What the record is called in the trigger, ``NEW`` or ``OLD``.
        op: ``create``, ``update`` or ``delete``.
        where: SQL of when it does so; always if empty.
    """
    values = f"'{collection}', {row}.id, '{op}', {_NOW}"
    into = "INSERT INTO owui_changes (collection, record_id, op, at)"
    return f"{into} SELECT {values} WHERE {where};" if where else f"{into} VALUES ({values});"
