"""Our own backend, registered like anybody else's: groups in PocketBase."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from pathlib import Path

from openwebui_pocketbase.catalog import CATALOG, STORED, seams_of
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.hookspecs import STOCK, HostContext, RepositoryBinding, Seam, hookimpl
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.search.indexer import Indexer
from openwebui_pocketbase.settings import Settings

__all__ = ["BACKEND", "PocketBasePlugin", "plugin"]

log = logging.getLogger(__name__)

BACKEND = "pocketbase"


class PocketBasePlugin:
    """The hook implementations; one object per process holds the client of all repositories."""

    def __init__(self) -> None:
        self._client: PocketBaseClient | None = None
        self._mirror: Mirror | None = None
        self._indexer: Indexer | None = None
        self._connection: Connection | None = None
        self._opening = threading.Lock()

    @property
    def mirror(self) -> Mirror | None:
        """The mirror of this process; None if no mirrored table is in PocketBase. For commands."""
        return self._mirror if self._mirror is not None and self._mirror.names else None

    def close(self) -> None:
        """Give the server back, at the end of a program that used repositories without the application."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @hookimpl
    def openwebui_register_repositories(self, settings: Settings, data_dir: Path) -> list[RepositoryBinding]:
        """Offer the host's own classes for every group, and ours for those that this version can store."""
        pocketbase = settings.pocketbase
        client = PocketBaseClient(
            timeouts=pocketbase.timeouts,
            pool=pocketbase.pool,
            # A program that only uses repositories must not make a new PocketBase in a mistyped directory.
            opener=lambda: self._open(settings, data_dir, create=False),
        )
        self._client, self._mirror = client, Mirror(client)
        mirrored = {table.group for table in TABLES.values() if table.mirrored}
        stock = [RepositoryBinding(group.name, STOCK, group.stock) for group in CATALOG.values()]
        return stock + [
            RepositoryBinding(
                name,
                BACKEND,
                CATALOG[name].ours,
                {"pocketbase": self._mirror if name in mirrored else self._client},
                CATALOG[name].ready_with,
            )
            for name in STORED
        ]

    @hookimpl
    def openwebui_register_seams(self, backends: Mapping[str, str]) -> list[Seam]:
        """Replace what would read the empty SQL tables of groups in PocketBase."""
        groups = {group for group, backend in backends.items() if backend == BACKEND}
        if self._mirror is not None:
            self._mirror.cover(groups)
        return seams_of(groups)

    @hookimpl
    async def openwebui_bootstrap(self, context: HostContext) -> None:
        """Start or reach the server, bring its schema up, and the SQL database's copy of its rows."""
        groups = sorted(group for group, backend in context.backends.items() if backend == BACKEND)
        if self._mirror is None or not groups:
            return
        connection = await asyncio.to_thread(self._open, context.settings, context.data_dir, create=True)
        await self._mirror.start()
        log.info("%s in PocketBase at %s", ", ".join(groups), connection.url)

    @hookimpl
    async def openwebui_start_realtime(self, context: HostContext) -> None:
        """Begin to copy what others change in PocketBase to the SQL database, and to index what is written."""
        if self._mirror is not None:
            self._mirror.follow()
        if self._client is not None and context.backends.get("chats") == BACKEND:
            self._indexer = Indexer(self._client)
            self._indexer.start()

    @hookimpl
    async def openwebui_check_health(self, context: HostContext) -> None:
        """Have PocketBase answer, if anything is there."""
        if self._client is not None and BACKEND in context.backends.values():
            await self._client.ping()

    @hookimpl
    async def openwebui_shutdown(self) -> None:
        """Close the connections and give the server back."""
        for task in (self._indexer, self._mirror):
            if task is not None:
                await task.aclose()
        if self._client is not None:
            await self._client.aclose()
        if self._connection is not None:
            await asyncio.to_thread(self._connection.close)
            self._connection = None

    def _open(self, settings: Settings, data_dir: Path, *, create: bool) -> Connection:
        """Connect the client, once; also for a program that uses repositories without the application."""
        with self._opening:
            if self._connection is None and self._client is not None:
                connection = Connection(settings.pocketbase, data_dir)
                try:
                    # As only the host's own start creates, so only it waits for a server that is not up yet.
                    authenticator = connection.open(create=create, wait=create)
                    connection.bring_up(authenticator)
                except BaseException:
                    connection.close()
                    raise
                self._client.connect(connection.url, authenticator, trust=connection.trust, recover=connection.recover)
                self._connection = connection
            assert self._connection is not None  # noqa: S101 - for the type checker
            return self._connection


plugin = PocketBasePlugin()
