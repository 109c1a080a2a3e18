"""PocketBase as a backend, alone and with the mirror in the host's SQL database, seen from a worker."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Self

from open_webui.internal.db import async_engine

from bench.bulk import insert_in_bulk
from bench.data import SCRATCH
from bench.floor import Recorder, Request
from bench.operations import Group, Item, Operation, Row
from bench.stores import SqlStore, bring_up_sql
from openwebui_pocketbase.catalog import CATALOG, REPOSITORIES, seams_of, spec_of
from openwebui_pocketbase.changes.indexer import Indexer
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.changes.through import Through
from openwebui_pocketbase.client import AdminClient, Authenticator, PocketBaseClient
from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.host.binding import bind, load
from openwebui_pocketbase.host.guard import install_guard
from openwebui_pocketbase.repositories.base import Requests, codec_of
from openwebui_pocketbase.schema.bootstrap import bring_up
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.settings import EmbeddedSettings, PocketBaseSettings

__all__ = ["MirroredStore", "PocketBaseStore", "ThroughStore"]

AT_ONCE = 32
"""How many items are on their way to PocketBase at a time; what one refers to is further ahead in the data set."""

POLL = 0.5
"""Seconds between two looks at whether anything is left to do."""


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
        self._writer: Requests = self._client
        for spec in REPOSITORIES:
            bind(import_module(spec.module), spec.name, spec.ours, {"pocketbase": self._client})

    @classmethod
    async def open(cls) -> Self:
        """Start the server, and bring it and the SQL database, where the host keeps the rest, to their schemas."""
        await bring_up_sql()
        connection = Connection(PocketBaseSettings(), Path(os.environ["DATA_DIR"]))
        authenticator = await asyncio.to_thread(connection.open, create=True)
        admin = connection.admin(authenticator)
        await asyncio.to_thread(bring_up, admin)
        return cls(connection, admin, authenticator)

    async def version(self) -> str:
        binary = find_binary(EmbeddedSettings())

        def asked() -> str:
            return subprocess.check_output([binary, "--version"], text=True)

        return f"PocketBase {(await asyncio.to_thread(asked)).split()[-1]}"

    def measures(self, group: Group, _operation: Operation) -> bool:
        return not _is_through(group)

    def method(self, operation: Operation) -> Callable[..., Awaitable[Any]]:
        if operation.function:
            return partial(_replaced(*operation.function), **operation.keywords)
        return partial(getattr(_singleton(operation.repository), operation.method), **operation.keywords)

    async def insert(self, group: Group, items: Iterable[Item]) -> None:
        many: dict[str, list[Row]] = {}
        waiting = iter(items)
        while batch := list(islice(waiting, AT_ONCE)):
            single = [item for item in batch if tuple(item) in group.writes]
            await asyncio.gather(*(self._store(group, item) for item in single))
            for item in (item for item in batch if tuple(item) not in group.writes):
                for table, rows in item.items():
                    many.setdefault(table, []).extend(rows)
        if many:
            await asyncio.to_thread(insert_in_bulk, self._admin, many)

    async def purge(self, group: Group) -> None:
        for table, column in group.scratch.items():
            statement = f"DELETE FROM {TABLES[table].collection} WHERE {column} LIKE '{SCRATCH}%'"
            await asyncio.to_thread(self._admin.sql, statement)

    async def settle(self) -> None:
        """Index what has been written, as the application does."""
        indexer = Indexer(self._client)
        while await indexer.index_waiting():
            pass

    async def rest(self) -> None:
        """Wait until the messages of deleted chats are gone."""

        def wait() -> None:
            while self._admin.sql("SELECT 1 FROM owui_chat_locks LIMIT 1"):
                time.sleep(POLL)

        await asyncio.to_thread(wait)

    async def space(self) -> int:
        pages = "(SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)"
        (row,) = await asyncio.to_thread(self._admin.sql, f"SELECT {pages} AS bytes")
        return int(row["bytes"])

    async def requests(self, operation: Operation, numbers: range) -> list[Request]:
        """Return what calls would send to the server; nothing is sent."""
        async with Recorder.running() as recorder, self._connected_to(recorder.url):
            return await recorder.record(self.method(operation), map(operation.arguments, numbers))

    async def close(self) -> None:
        await self._client.aclose()
        self._admin.__exit__(None, None, None)
        await asyncio.to_thread(self._connection.close)
        await async_engine.dispose()

    @asynccontextmanager
    async def _connected_to(self, url: str) -> AsyncIterator[None]:
        client = self._new_client()
        client.connect(url, Authenticator(None, await self._authenticator.token()))
        # All of them: a method may ask another repository for what it gives.
        self._use(client)
        try:
            yield
        finally:
            self._use(self._client)
            await client.aclose()

    @staticmethod
    def _use(client: PocketBaseClient) -> None:
        for spec in REPOSITORIES:
            _singleton(spec.name).pocketbase = client

    async def _store(self, group: Group, item: Item) -> None:
        if not group.is_raw:
            item = {table: [codec_of(table).encode(row) for row in rows] for table, rows in item.items()}
        await self._writer.write(*group.writes[tuple(item)](item))

    def _new_client(self) -> PocketBaseClient:
        return PocketBaseClient(timeouts=self._settings.timeouts, pool=self._settings.pool)


class MirroredStore(PocketBaseStore):
    """PocketBase with its mirror in the database of ``DATABASE_URL``: what a write costs then."""

    def __init__(self, connection: Connection, admin: AdminClient, authenticator: Authenticator) -> None:
        super().__init__(connection, admin, authenticator)
        self._mirror = Mirror(self._client, CATALOG)
        for group in {table.group for table in TABLES.values() if table.mirrored}:
            for name in CATALOG[group].ours:
                _singleton(name).pocketbase = self._mirror

    async def version(self) -> str:
        return f"{await super().version()} mirrored in SQLite {sqlite3.sqlite_version}"

    def measures(self, group: Group, operation: Operation) -> bool:
        is_mirrored = any(TABLES[table].mirrored for table in group.scratch) and not _is_through(group)
        return operation.kind == "write" and is_mirrored

    async def purge(self, group: Group) -> None:
        await super().purge(group)
        # It deletes nothing; with its answer the mirror gets what has been purged, in time that nobody measures.
        await self._mirror.write("access/revoke_all_access", {"resource_type": "", "resource_id": SCRATCH})

    async def settle(self) -> None:
        """Copy everything at once, as at the application's start; from now on each write is copied."""
        await super().settle()
        await self._mirror.start()
        self._writer = self._mirror


class ThroughStore(MirroredStore):
    """The host's own repositories, whose writes reach PocketBase before they are committed."""

    def __init__(self, connection: Connection, admin: AdminClient, authenticator: Authenticator) -> None:
        super().__init__(connection, admin, authenticator)
        self._sql = SqlStore()
        self._through = Through(self._mirror, self._settings.timeouts.write_through)

    async def version(self) -> str:
        return f"{await super().version()}, written through"

    def measures(self, group: Group, _operation: Operation) -> bool:
        return _is_through(group)

    async def insert(self, group: Group, items: Iterable[Item]) -> None:
        if not _is_through(group):
            await super().insert(group, items)
            return
        await self._begin()
        waiting = iter(items)
        while batch := list(islice(waiting, AT_ONCE)):  # each is one request, which has to be answered in time
            await self._sql.insert(group, batch)

    async def purge(self, group: Group) -> None:
        await self._sql.purge(group)

    async def settle(self) -> None:
        """Writing has begun already, with the first rows."""

    async def _begin(self) -> None:
        if not self._mirror.is_started:
            await install_guard(CATALOG)
            await self._mirror.start()
            self._through.start()


def _is_through(group: Group) -> bool:
    return all(TABLES[table].through for table in group.scratch)


def _replaced(module: str, name: str) -> Any:
    """Return what takes the place of a function of the host that goes to the tables of SQL."""
    path = next(seam.replacement for seam in seams_of(CATALOG) if (seam.module, seam.function) == (module, name))
    return load(path)(getattr(import_module(module), name))


def _singleton(name: str) -> Any:
    return getattr(import_module(spec_of(name).module), name)
