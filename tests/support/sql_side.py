"""The host's SQL database as one side of a move: both of the host's engines on one migrated database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.watch import unwatch
from openwebui_pocketbase.migrate.items import Item, Key, Note, Unit
from openwebui_pocketbase.migrate.sql.store import SqlStore
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.stock import StockDatabase, postgresql_database, sqlite_database

__all__ = ["SQLITE", "all_items", "all_keys", "database", "execute", "insert", "notes"]

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what only SQLite can hold."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StockDatabase]:
    database = sqlite_database(tmp_path) if request.param == "sqlite" else await postgresql_database()
    async with database.engine.begin() as connection:
        await connection.run_sync(unwatch, [name for name, table in TABLES.items() if table.mirrored])
        for table in sql.METADATA.tables:
            await connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
    if not database.is_sqlite:
        # A move reads rows where they lie: in the order of their insertion, if no place is used again.
        await execute(database, "TRUNCATE chat, chat_message, folder, tag CASCADE")
    with database.active():
        yield database
    await database.close()


async def execute(database: StockDatabase, statement: str, *rows: dict[str, Any]) -> None:
    """Run a statement as anybody could."""
    async with database.engine.begin() as connection:
        await connection.execute(text(statement), list(rows) or None)


async def insert(database: StockDatabase, table: str, *rows: dict[str, Any]) -> None:
    """Insert raw rows, each with the same columns."""
    names = ", ".join(f'"{name}"' for name in rows[0])
    values = ", ".join(f":{name}" for name in rows[0])
    await execute(database, f'INSERT INTO "{table}" ({names}) VALUES ({values})', *rows)


async def all_keys(store: SqlStore, unit: Unit) -> list[Key]:
    """Return all keys, in order."""
    return [sized.key async for page in store.keys(unit) for sized in page]


async def all_items(store: SqlStore, unit: Unit) -> dict[Key, Item]:
    """Return all items, by key."""
    return await store.load(unit, await all_keys(store, unit))


def notes(items: Iterable[Item]) -> list[Note]:
    """Return the notes of some items."""
    return [note for item in items for note in item.notes]
