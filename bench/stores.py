"""The backends, seen from a worker: opening them, putting rows in, and the repositories on them."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from alembic import command
from alembic.config import Config as AlembicConfig
from open_webui.env import OPEN_WEBUI_DIR
from open_webui.internal.db import Base, async_engine
from sqlalchemy import delete, insert, text

from bench.data import SCRATCH
from bench.floor import Recorder, Request
from bench.operations import Group, Operation, Row
from openwebui_pocketbase.catalog import repository as spec_of
from openwebui_pocketbase.client import AdminClient, Authenticator, PocketBaseClient
from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.host.binding import bind
from openwebui_pocketbase.plugin import REPOSITORIES
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.sqlalchemy import stock_repository
from openwebui_pocketbase.schema.bootstrap import bring_up
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.settings import EmbeddedSettings, PocketBaseSettings

__all__ = ["PocketBaseStore", "SqlStore", "Store"]

LOADERS = 32
"""How many rows are on their way to PocketBase at a time while it is loaded."""


class Store(Protocol):
    """A database with the host's repositories on it."""

    async def version(self) -> str:
        """Return name and version of the database."""

    def repository(self, group: Group) -> Any:
        """Return the group's repository on this database."""

    async def insert(self, group: Group, rows: Iterable[Row]) -> None:
        """Store rows, not timed."""

    async def purge(self, group: Group) -> None:
        """Delete what scratch users have."""

    async def settle(self) -> None:
        """Do what the database would have done by itself some time after it was loaded."""

    async def close(self) -> None:
        """Give everything back."""


class SqlStore:
    """The host's own engine and stock repositories, on the database of ``DATABASE_URL``."""

    @classmethod
    async def open(cls) -> SqlStore:
        """Bring the database to the host's schema."""
        config = AlembicConfig(OPEN_WEBUI_DIR / "alembic.ini")
        config.set_main_option("script_location", str(OPEN_WEBUI_DIR / "migrations"))
        await asyncio.to_thread(command.upgrade, config, "head")
        return cls()

    async def version(self) -> str:
        if async_engine.dialect.name == "sqlite":
            return f"SQLite {sqlite3.sqlite_version}"
        async with async_engine.connect() as connection:
            return f"PostgreSQL {await connection.scalar(text('SHOW server_version'))}"

    def repository(self, group: Group) -> Any:
        return stock_repository(group.repository)

    async def insert(self, group: Group, rows: Iterable[Row]) -> None:
        if values := list(rows):
            async with async_engine.begin() as connection:
                await connection.execute(insert(Base.metadata.tables[group.table]), values)

    async def purge(self, group: Group) -> None:
        table = Base.metadata.tables[group.table]
        async with async_engine.begin() as connection:
            await connection.execute(delete(table).where(table.c.user_id.startswith(SCRATCH)))

    async def settle(self) -> None:
        if async_engine.dialect.name == "postgresql":  # autovacuum would, within a minute
            async with async_engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(text("VACUUM ANALYZE"))

    async def close(self) -> None:
        await async_engine.dispose()


class PocketBaseStore:
    """The embedded server, brought up as Open WebUI's start does it, and the repositories on it.

    Attributes:
        url: Address of the server.
    """

    def __init__(self, connection: Connection, admin: AdminClient, authenticator: Authenticator) -> None:
        self.url = connection.url
        self._settings = PocketBaseSettings()
        self._connection = connection
        self._admin = admin
        self._authenticator = authenticator
        self._client = self._new_client()
        self._client.connect(self.url, authenticator)
        for singletons in REPOSITORIES.values():
            for name, path in singletons.items():
                bind(import_module(spec_of(name).module), name, path, {"pocketbase": self._client})

    @classmethod
    async def open(cls) -> PocketBaseStore:
        """Start the server and bring it to our schema."""
        connection = Connection(PocketBaseSettings(), Path(os.environ["DATA_DIR"]))
        authenticator = await asyncio.to_thread(connection.open)
        admin = connection.admin(authenticator)
        await asyncio.to_thread(bring_up, admin)
        return cls(connection, admin, authenticator)

    async def version(self) -> str:
        binary = find_binary(EmbeddedSettings())
        answer = await asyncio.to_thread(
            subprocess.run, [binary, "--version"], capture_output=True, text=True, check=True
        )
        return f"PocketBase {answer.stdout.split()[-1]}"

    def repository(self, group: Group) -> Any:
        return getattr(import_module(spec_of(group.repository).module), group.repository)

    async def insert(self, group: Group, rows: Iterable[Row]) -> None:
        codec = codec_of(group.table)
        waiting = iter(rows)

        async def loader() -> None:
            for row in waiting:
                await self._client.write(f"{group.name}/{group.insert}", {group.table: codec.encode(row)})

        await asyncio.gather(*(loader() for _ in range(LOADERS)))

    async def purge(self, group: Group) -> None:
        collection = TABLES[group.table].collection
        statement = f"DELETE FROM {collection} WHERE user_id LIKE '{SCRATCH}%'"
        await asyncio.to_thread(self._admin.sql, statement)

    async def settle(self) -> None:
        pass

    async def requests(self, group: Group, operation: Operation, numbers: range) -> list[Request]:
        """Return what calls would send to the server; nothing is sent."""
        repository = self.repository(group)
        async with Recorder.running() as recorder, self._connected_to(recorder.url, repository):
            method = getattr(repository, operation.method)
            return await recorder.record(method, map(operation.arguments, numbers))

    async def close(self) -> None:
        await self._client.aclose()
        self._admin.__exit__(None, None, None)
        await asyncio.to_thread(self._connection.close)

    @asynccontextmanager
    async def _connected_to(self, url: str, repository: Any) -> AsyncIterator[None]:
        client = self._new_client()
        client.connect(url, Authenticator(None, await self._authenticator.token()))
        repository.pocketbase = client
        try:
            yield
        finally:
            repository.pocketbase = self._client
            await client.aclose()

    def _new_client(self) -> PocketBaseClient:
        return PocketBaseClient(timeouts=self._settings.timeouts, pool=self._settings.pool)
