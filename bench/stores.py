"""The backends, seen from a worker: opening them, putting rows in, and the host's repositories on SQL."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from contextlib import closing
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from alembic import command
from alembic.config import Config as AlembicConfig
from open_webui.env import OPEN_WEBUI_DIR
from open_webui.internal.db import Base, async_engine
from sqlalchemy import delete, insert, text

from bench.data import SCRATCH
from bench.operations import Group, Item, Operation, Row
from openwebui_pocketbase.catalog import spec_of
from openwebui_pocketbase.host.binding import load

__all__ = ["SqlStore", "Store", "bring_up_sql", "space_of"]

AT_ONCE = 200
"""How many items are in memory at a time."""


class Store(Protocol):
    """A database with the host's repositories on it."""

    async def version(self) -> str:
        """Return name and version of the database."""

    def measures(self, group: Group, operation: Operation) -> bool:
        """Return whether an operation is of interest here."""

    def method(self, operation: Operation) -> Callable[..., Awaitable[Any]]:
        """Return the operation's method on this database."""

    async def insert(self, group: Group, items: Iterable[Item]) -> None:
        """Store rows, not timed."""

    async def purge(self, group: Group) -> None:
        """Delete the scratch rows."""

    async def settle(self) -> None:
        """Do what the database would have done by itself some time after it was loaded."""

    async def rest(self) -> None:
        """Wait until the database has done what was left to do when it answered."""

    async def space(self) -> int:
        """Return the bytes which the database takes."""

    async def close(self) -> None:
        """Give everything back."""


def space_of(file: Path) -> int:
    """Return the bytes which a SQLite database takes, once its log is in its file."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        (pages,), (size,) = (connection.execute(f"PRAGMA page_{what}").fetchone() for what in ("count", "size"))
        return int(pages * size)


async def bring_up_sql() -> None:
    """Bring the host's SQL database to its schema."""
    config = AlembicConfig(OPEN_WEBUI_DIR / "alembic.ini")
    config.set_main_option("script_location", str(OPEN_WEBUI_DIR / "migrations"))
    await asyncio.to_thread(command.upgrade, config, "head")


class SqlStore:
    """The host's own engine and stock repositories, on the database of ``DATABASE_URL``."""

    @classmethod
    async def open(cls) -> SqlStore:
        """Bring the database to the host's schema."""
        await bring_up_sql()
        return cls()

    async def version(self) -> str:
        if async_engine.dialect.name == "sqlite":
            return f"SQLite {sqlite3.sqlite_version}"
        async with async_engine.connect() as connection:
            return f"PostgreSQL {await connection.scalar(text('SHOW server_version'))}"

    def measures(self, _group: Group, _operation: Operation) -> bool:
        return True

    def method(self, operation: Operation) -> Callable[..., Awaitable[Any]]:
        if operation.function:
            module, name = operation.function
            return partial(getattr(import_module(module), name), **operation.keywords)
        return partial(getattr(_stock(operation.repository), operation.method), **operation.keywords)

    async def insert(self, _group: Group, items: Iterable[Item]) -> None:
        waiting = iter(items)
        async with async_engine.begin() as connection:
            while batch := list(islice(waiting, AT_ONCE)):
                tables: dict[str, list[Row]] = {}
                for item in batch:
                    for table, rows in item.items():
                        tables.setdefault(table, []).extend(rows)
                for table, values in tables.items():
                    await connection.execute(insert(Base.metadata.tables[table]), values)

    async def purge(self, group: Group) -> None:
        async with async_engine.begin() as connection:
            for name, column in group.scratch.items():
                table = Base.metadata.tables[name]
                await connection.execute(delete(table).where(table.c[column].startswith(SCRATCH)))

    async def settle(self) -> None:
        if async_engine.dialect.name == "postgresql":  # autovacuum would, within a minute
            async with async_engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(text("VACUUM ANALYZE"))

    async def rest(self) -> None:
        """Nothing is left."""

    async def space(self) -> int:
        if async_engine.dialect.name == "sqlite":
            return space_of(Path(str(async_engine.url.database)))
        async with async_engine.connect() as connection:
            return int(await connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)

    async def close(self) -> None:
        await async_engine.dispose()


def _stock(name: str) -> Any:
    return load(spec_of(name).stock)()
