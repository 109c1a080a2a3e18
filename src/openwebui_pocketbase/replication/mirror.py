"""The mirror: after each write, what it changed in PocketBase is in the SQL database, too.

The host's own SQL joins users, groups and access grants, wherever these live. PocketBase stays the truth; the
mirror is its copy, written before the repository's method returns, and from the change feed for what others change.

A write is asked to answer with all changes since the last one that this process knows the mirror to have. So each
answer contains all answers before it: of many that wait for the SQL database, the newest is written and serves all.
The number of its last change is kept in the SQL database, in the transaction that writes the rows: an older answer
cannot undo a newer one, however many processes there are.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from openwebui_pocketbase.catalog import TOGETHER
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import ConfigurationError, OpenWebUIPocketBaseError, SchemaError
from openwebui_pocketbase.ours import ours_only
from openwebui_pocketbase.schema.tables import TABLES

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from openwebui_pocketbase.replication.sql import MirroredTable

__all__ = ["Mirror"]

log = logging.getLogger(__name__)

POLL_INTERVAL = 5.0
"""Seconds after which changes that others made in PocketBase are in the SQL database at the latest."""

LATER = frozenset({"users/update_last_active_by_id"})
"""Writes which `Mirror.follow` copies: frequent ones of which the host's SQL needs no exact state."""

PAGE = 1000
"""Rows in one answer, when whole tables are read."""

READ = "mirror/get_changes"


@dataclass(frozen=True)
class Changes:
    """An answer of PocketBase's change feed.

    Attributes:
        epoch: Names the feed.
        first: Number of the oldest change that it still has.
        last: Number of its newest change, when this was answered.
        rows: What changed in mirrored tables, each record once: collection, record id, and the row as it is
            at ``last``, None if there is none any more.
    """

    epoch: str
    first: int
    last: int
    rows: list[tuple[str, str, list[Any] | None]]


class Known(NamedTuple):
    """What a process knows of the mirror.

    Attributes:
        floor: The mirror has all changes up to this number.
        since: There were none of mirrored tables between ``floor`` and this number.
    """

    floor: int
    since: int


@dataclass
class Waiting:
    """An answer that waits for the SQL database."""

    changes: Changes
    floor: int
    done: bool = False
    error: Exception | None = None


class Mirror:
    """A client for repositories, whose writes reach the SQL database, too.

    Args:
        client: Sends the requests.
    """

    def __init__(self, client: PocketBaseClient) -> None:
        self._client = client
        self._names: list[str] = []
        self._known = Known(0, 0)
        self._started = False
        self._waiting: list[Waiting] = []
        self._lock = asyncio.Lock()
        self._poller: asyncio.Task[None] | None = None

    def cover(self, groups: Collection[str]) -> None:
        """Say which groups are in PocketBase; their mirrored tables are covered."""
        self._names = [name for name, table in TABLES.items() if table.mirrored and table.group in groups]

    async def read(self, path: str, parameters: Mapping[str, Any]) -> Any:
        """Call a method that only reads; see `PocketBaseClient.read`."""
        return await self._client.read(path, parameters)

    async def write(self, path: str, parameters: Mapping[str, Any]) -> Any:
        """Call a method that writes, and write what it changed to the SQL database.

        Raises:
            RequestError: See `PocketBaseClient.write`.
            SQLAlchemyError: PocketBase has the change, the SQL database has not; it gets it with the next one.
        """
        await self.start()
        if path in LATER:
            return await self._client.write(path, parameters)
        known = self._known
        result = await self._client.write(path, parameters, changes_since=known.since)
        await self._take(Changes(**result["changes"]), known)
        return result["answer"]

    async def start(self) -> None:
        """Make the SQL database's copy complete; does nothing the second time.

        Raises:
            ConfigurationError: The SQL database has rows which PocketBase does not have.
        """
        if self._started:
            return
        async with self._lock:
            if not self._started and self._names:
                await self._sql.create_state()
                self._known = await self._copy_all()
            self._started = True

    def follow(self) -> None:
        """Begin to copy what others change, such as an administrator in PocketBase's dashboard."""
        if self._names:
            self._poller = asyncio.create_task(self._poll())

    async def aclose(self) -> None:
        """End what `follow` began."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    @cached_property
    def _sql(self) -> Any:
        # It imports the host, which this module must not: it is loaded before the host is.
        return import_module("openwebui_pocketbase.replication.sql")

    @cached_property
    def _tables(self) -> dict[str, MirroredTable]:
        """The covered tables, by collection; what others refer to comes first."""
        return {TABLES[name].collection: self._sql.MirroredTable(name) for name in self._names}

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_INTERVAL)
            try:
                known = self._known
                await self._take(Changes(**await self._client.read(READ, {"since": known.since})), known)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next time may do
                log.warning("Changes in PocketBase could not be copied to the SQL database: %s", error)

    async def _take(self, changes: Changes, known: Known) -> None:
        """Write an answer to the SQL database."""
        session = self._sql.open_transaction.get()
        if session is not None:
            # Without the number: when the host commits or undoes this, it has to be right either way.
            connection = await session.connection()
            with ours_only():
                await self._sql.open_guard(connection)
                await self._write_rows(connection, changes)
                await self._sql.close_guard(connection)
            return
        if not any(collection in self._tables for collection, _, _ in changes.rows):
            if changes.last > self._known.since:
                self._known = Known(known.floor, changes.last)
            return
        entry = Waiting(changes, known.floor)
        self._waiting.append(entry)
        async with self._lock:
            if not entry.done:
                await self._serve()
        if entry.error is not None:
            raise entry.error

    async def _serve(self) -> None:
        """Write the newest of all waiting answers, which contains the others."""
        waiting, self._waiting = self._waiting, []
        newest = max(waiting, key=lambda entry: entry.changes.last)
        error = None
        try:
            await self._apply(newest.changes, newest.floor)
        except Exception as failure:  # noqa: BLE001 - raised by each that waited
            error = failure
        except BaseException:
            self._waiting = [*waiting, *self._waiting]  # this task was cancelled, the others were not
            raise
        for entry in waiting:
            entry.done, entry.error = True, error

    async def _apply(self, changes: Changes, floor: int) -> None:
        for one_by_one in (False, True):
            try:
                async with self._sql.begin() as connection:
                    missing = await self._missing(connection, changes, floor)
                    if missing is not None:
                        await self._sql.open_guard(connection)
                        await self._write_rows(connection, missing, one_by_one=one_by_one)
                        await self._sql.close_guard(connection)
            except self._sql.REFUSALS:
                if one_by_one:
                    raise
            else:
                break
        if changes.last > self._known.since:
            self._known = Known(changes.last, changes.last)

    async def _missing(self, connection: AsyncConnection, changes: Changes, floor: int) -> Changes | None:
        """Note that the mirror has an answer's changes; return those to be written, None if it had all before."""
        while not await self._sql.advance(connection, epoch=changes.epoch, floor=floor, last=changes.last):
            state = await self._sql.read_state(connection)
            if state is None or state.epoch != changes.epoch:
                raise SchemaError("PocketBase's data were exchanged.", hint="Restart Open WebUI.")
            if state.seq >= changes.last:
                return None
            # An older copy of the SQL database was put in place.
            floor = state.seq
            changes = Changes(**await self._client.read(READ, {"since": floor}))
        return changes

    async def _write_rows(self, connection: AsyncConnection, changes: Changes, *, one_by_one: bool = False) -> None:
        # Deletions first: a new row may have the unique key of one that is gone.
        for collection, table in reversed(self._tables.items()):
            gone = [record_id for where, record_id, wire in changes.rows if where == collection and wire is None]
            await table.delete(connection, gone)
        dialect = connection.dialect.name
        for collection, table in self._tables.items():
            wires = [wire for where, _, wire in changes.rows if where == collection and wire is not None]
            rows = [table.decode(wire, dialect) for wire in wires]
            await table.upsert(connection, rows, one_by_one=one_by_one)

    async def _copy_all(self) -> Known:
        async with self._sql.locked() as connection:
            state = await self._sql.read_state(connection)
            changes = Changes(**await self._client.read(READ, {"since": state.seq if state else 0}))
            is_told = state is not None and state.epoch == changes.epoch and state.seq >= changes.first - 1
            for collection, table in self._tables.items():
                told = [(record_id, wire) for where, record_id, wire in changes.rows if where == collection]
                gone = {record_id for record_id, wire in told if wire is None} if is_told else set()
                is_ours = state is not None and table.name in state.tables
                await self._copy(connection, collection, table, gone=gone, is_ours=is_ours)
            covered = frozenset(self._names)
            await self._sql.write_state(connection, self._sql.State(changes.epoch, changes.last, covered))
        return Known(changes.last, changes.last)

    async def _copy(
        self, connection: AsyncConnection, collection: str, table: MirroredTable, *, gone: set[str], is_ours: bool
    ) -> None:
        """Make a table of the SQL database equal to a collection.

        Args:
            connection: A transaction of the SQL database.
            collection: Name of the collection.
            table: The table.
            gone: Ids of rows which were deleted in PocketBase.
            is_ours: Whether what the table has came from here.
        """
        await table.delete(connection, gone)
        alien = await table.ids(connection)
        async for rows in self._pages(collection, table, connection.dialect.name):
            stored = await table.rows(connection, [row["id"] for row in rows])
            different = [row for row in rows if stored.get(row["id"]) != row]
            overwritten = sum(row["id"] in stored for row in different)
            if overwritten and not is_ours:
                raise _alien_rows(table.name, overwritten)
            if different:
                log.info("%d rows of the table %s are copied to the SQL database", len(different), table.name)
            await table.upsert(connection, different, one_by_one=True)
            alien.difference_update(row["id"] for row in rows)
        if alien:
            raise _alien_rows(table.name, len(alien))

    async def _pages(self, collection: str, table: MirroredTable, dialect: str) -> AsyncIterator[list[dict[str, Any]]]:
        after = ""
        while True:
            wires = await self._client.read(f"mirror/get_{collection}", {"after": after, "limit": PAGE})
            rows = [table.decode(wire, dialect) for wire in wires]
            yield rows
            if len(rows) < PAGE:
                return
            after = rows[-1]["id"]


def _alien_rows(name: str, number: int) -> OpenWebUIPocketBaseError:
    group = TABLES[name].group
    together = next((groups for groups in TOGETHER if group in groups), (group,))
    settings = ", ".join(f'{each} = "sqlalchemy"' for each in together)
    return ConfigurationError(
        f"The SQL database has {number} rows of the table {name} which PocketBase does not have, or has otherwise.",
        hint=(
            f"Nobody would see them any more. Leave them in the SQL database ([groups] {settings}), "
            "or begin with an empty one."
        ),
    )
