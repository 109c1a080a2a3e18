"""Dangling references in the SQL database: not every reference is a foreign key in its schema."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, column, exists, func, select, table

from openwebui_pocketbase.changes.sql import METADATA
from openwebui_pocketbase.migrate.items import Unit, references_of

__all__ = ["dangling"]


def dangling(connection: Connection, unit: Unit) -> dict[str, int]:
    """Return the number of rows that lead to what is not there, by reference; see `Store.dangling`."""
    return dict(_counted(connection, unit))


def _counted(connection: Connection, unit: Unit) -> Iterator[tuple[str, int]]:
    for name, target, parent in references_of(unit):
        rows = table(name, column(target), schema=METADATA.schema).alias()
        parents = table(parent, column("id"), schema=METADATA.schema).alias()
        leads = exists().where(parents.c.id == rows.c[target])
        query = select(func.count()).select_from(rows).where(rows.c[target].is_not(None), rows.c[target] != "", ~leads)
        yield f"{name}.{target}", connection.execute(query).scalar_one()
