"""Both stores of one site, connected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from open_webui.env import DATABASE_SCHEMA
from open_webui.internal import db

from openwebui_pocketbase.changes.sql_tables import make_tables
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.connection import Connection, embedded_data_dir
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.migrate.comparison import Comparison
from openwebui_pocketbase.migrate.contents import FileContents
from openwebui_pocketbase.migrate.control.command import Control
from openwebui_pocketbase.migrate.items import Unit, all_units
from openwebui_pocketbase.migrate.pocketbase.feed import FeedChanges, position
from openwebui_pocketbase.migrate.pocketbase.store import PocketBaseStore
from openwebui_pocketbase.migrate.sql import outbox
from openwebui_pocketbase.migrate.sql.outbox import Outbox
from openwebui_pocketbase.migrate.sql.store import SqlStore
from openwebui_pocketbase.migrate.stores import Change, Store
from openwebui_pocketbase.origin import SCRIPT, new_origin
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.settings import Settings

__all__ = ["POCKETBASE", "SQLALCHEMY", "Sides", "control_of_workers", "open_sides", "planned_sides"]

POCKETBASE, SQLALCHEMY = "pocketbase", "sqlalchemy"

READ = 600.0
"""Seconds that an answer may take: a message of 100 MB is written in half a minute."""

RETRY = 60.0
"""Seconds for which a request is repeated: nobody waits for it, and PocketBase may be started anew."""


@dataclass(frozen=True)
class Sides:
    """Both stores of one site.

    Attributes:
        to: Backend of the target.
        sql: The SQL database.
        pocketbase: PocketBase.
        contents: Of files.
        client: Sends requests to PocketBase.
    """

    to: str
    sql: SqlStore
    pocketbase: PocketBaseStore
    contents: FileContents
    client: PocketBaseClient

    @property
    def source(self) -> Store:
        """Where rows come from."""
        return self.sql if self.to == POCKETBASE else self.pocketbase

    @property
    def target(self) -> Store:
        """Where rows go to."""
        return self.pocketbase if self.to == POCKETBASE else self.sql

    def changes(self, units: Collection[Unit], cursor: str) -> Change:
        """Return what changes at the source, from a cursor on if the source is PocketBase."""
        if self.to == POCKETBASE:
            return Outbox(units)
        return FeedChanges(self.client, units, self.sql, cursor)

    async def begin_to_note(self, units: Collection[Unit]) -> str:
        """Have the source note what changes from now on; return the cursor from which on it is known."""
        if self.to == POCKETBASE:
            await outbox.install([*units, *await self._noted_besides(units)])
            return ""
        return await self.position()

    async def end_to_note(self, units: Collection[Unit]) -> str:
        """Have the SQL database note changes of these no longer; nobody knows where later ones begin."""
        if others := await self._noted_besides(units):
            await outbox.install(others)
        else:
            await outbox.remove()
        return ""

    async def _noted_besides(self, units: Collection[Unit]) -> list[Unit]:
        """Return the units whose changes the SQL database notes, without these."""
        return [unit for unit in all_units().values() if unit not in units and await outbox.is_installed([unit])]

    async def position(self) -> str:
        """Return where PocketBase's feed is now."""
        return await position(self.client)

    async def is_followed(self, units: Collection[Unit], cursor: str) -> bool:
        """Return whether all is known that changed at the source since it was copied."""
        if self.to == POCKETBASE:
            return await outbox.is_installed(units)
        return bool(cursor)

    @asynccontextmanager
    async def comparison(
        self, *, ahead: int = 2, snapshot: bool = False, kept: Mapping[str, Collection[str]] | None = None
    ) -> AsyncIterator[Comparison]:
        """Give the comparison of both.

        Args:
            ahead: How many batches are read while one is worked on.
            snapshot: Whether all that is read of the SQL database is of one moment, if it is the source.
            kept: See `Comparison`.
        """
        if snapshot and self.to == POCKETBASE:
            async with self.sql.snapshot(connections=ahead + 2) as source:
                yield Comparison(source, self.pocketbase, ahead=ahead, kept=kept)
        else:
            yield Comparison(self.source, self.target, ahead=ahead, kept=kept)


@asynccontextmanager
async def open_sides(settings: Settings, data_dir: Path, to: str, *, create: bool = False) -> AsyncIterator[Sides]:
    """Connect to both stores; an embedded PocketBase is started for the duration.

    Args:
        settings: The configuration.
        data_dir: Open WebUI's data directory.
        to: Backend of the target.
        create: Whether an embedded PocketBase that has no data yet is made.

    Raises:
        ConfigurationError: There is none, so nothing was copied yet.
    """
    if not create and not _is_there(settings, data_dir):
        raise ConfigurationError("Nothing was copied yet.", hint="Run: openwebui-pocketbase migrate copy")
    pocketbase = settings.pocketbase
    patience = {"read": max(READ, pocketbase.timeouts.read), "retry": max(RETRY, pocketbase.timeouts.retry)}
    client = PocketBaseClient(timeouts=pocketbase.timeouts.model_copy(update=patience), pool=pocketbase.pool)
    client.origin = new_origin(SCRIPT)
    connection = Connection(pocketbase, data_dir)
    try:
        authenticator = await asyncio.to_thread(connection.open, create=create)
        await asyncio.to_thread(connection.bring_up, authenticator)
        client.connect(connection.url, authenticator, trust=connection.trust, recover=connection.recover)
        await make_tables(TABLES)
        yield Sides(to, SqlStore(), PocketBaseStore(client), FileContents(connection), client)
    finally:
        await client.aclose()
        await asyncio.to_thread(connection.close)


def control_of_workers() -> Control:
    """Return what asks the running workers of this site."""
    return Control(db.engine, DATABASE_SCHEMA or None)


@asynccontextmanager
async def planned_sides(settings: Settings, data_dir: Path, to: str) -> AsyncIterator[tuple[Sides, bool]]:
    """Give both stores for a plan, and whether PocketBase can be asked: an embedded one is not made."""
    if _is_there(settings, data_dir):
        async with open_sides(settings, data_dir, to) as sides:
            yield sides, True
    else:
        pocketbase = settings.pocketbase
        client = PocketBaseClient(timeouts=pocketbase.timeouts, pool=pocketbase.pool)
        contents = FileContents(Connection(pocketbase, data_dir))
        await make_tables(TABLES)
        yield Sides(POCKETBASE, SqlStore(), PocketBaseStore(client), contents, client), False


def _is_there(settings: Settings, data_dir: Path) -> bool:
    """Return whether there is a PocketBase: a server of the settings, or an embedded one with data."""
    return bool(settings.pocketbase.url) or (embedded_data_dir(settings.pocketbase, data_dir) / "data.db").exists()
