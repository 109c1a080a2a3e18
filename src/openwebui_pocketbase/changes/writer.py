"""Writing replies of the change feed to the SQL copy; imports the host."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import Connection, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.comparison import AnotherFeedError
from openwebui_pocketbase.changes.copy import copy_tables
from openwebui_pocketbase.changes.settle import settle
from openwebui_pocketbase.changes.source import Changes, Source, Wire
from openwebui_pocketbase.changes.sql_tables import make_tables
from openwebui_pocketbase.changes.state import State, advance, create_state, lock, put_forward
from openwebui_pocketbase.changes.table import MirroredTable
from openwebui_pocketbase.changes.unsent import written_since
from openwebui_pocketbase.changes.watch import watch
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["Known", "Writer"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """What a process knows of the SQL copy.

    Attributes:
        copy: The comparison of whole tables that this goes back to.
        run: Process of PocketBase that was asked last.
        floor: The copy has all changes up to this number.
        since: There were none of mirrored tables between ``floor`` and this number.
        cursor: Names the change ``since``.
    """

    copy: str
    run: str
    floor: int
    since: int
    cursor: str

    def up_to(self, last: int, cursor: str) -> Known:
        """Return what is known when there were no changes of mirrored tables up to a change."""
        return replace(self, since=last, cursor=cursor)


class Writer:
    """The SQL side of the mirror.

    Args:
        source: PocketBase.
        names: The host's names of the mirrored tables of groups in PocketBase.
    """

    def __init__(self, source: Source, names: Collection[str]) -> None:
        self._source = source
        # What others refer to comes first.
        self.tables = {TABLES[name].collection: MirroredTable(name) for name in names}
        self._through = frozenset(TABLES[name].collection for name in names if TABLES[name].through)

    async def start(self, *, is_accepted: bool = False) -> Known:
        """Make the copy complete; see `copy_tables`."""
        await self.watch()
        return await self.copy(is_accepted=is_accepted)

    async def watch(self, also: Collection[str] = ()) -> None:
        """Have it noted what others write into these tables, and into further ones, and into no others."""
        names = [*dict.fromkeys([*(table.name for table in self.tables.values()), *also])]
        await make_tables(names)
        await create_state()
        await watch(names)

    async def take_over(self, name: str) -> Known | None:
        """Take the rows for the copies that they are, without comparing them: nobody writes in any process.

        Each process does it before any lets others write; the tables are watched. Those that are new are to be compared
        afterwards.

        Args:
            name: Of this moment: the first process that comes does it for all.

        Returns:
            What is known now; None if no table is covered any more.
        """
        covered = frozenset(table.name for table in self.tables.values())
        async with sql.begin() as connection:
            state = await lock(connection)
            if state.copy == name:
                await sql.close_guard(connection)
            else:
                state = await self._taken_over(connection, state, covered)
                state = replace(state, copy=name, tables=covered)
                await put_forward(connection, state)
        return _known_of(state) if covered else None

    async def _taken_over(self, connection: AsyncConnection, state: State, covered: Collection[str]) -> State:
        """Bring the copies that there were up to date; return the state that is true of all tables."""
        if not covered:
            return State()
        changes = await self._source.since(state.cursor)
        if not (changes.follows and changes.epoch == state.epoch):
            return State().at(await self._source.position())
        before = [row for row in changes.rows if row[0] in self.tables and self.tables[row[0]].name in state.tables]
        await connection.run_sync(self._write, replace(changes, rows=before), state.copy, one_by_one=True)
        is_known = state.tables.issuperset(covered)
        return replace(state.at(changes), whole=state.whole and is_known, is_certain=state.is_certain and is_known)

    async def copy(self, *, is_accepted: bool = False) -> Known:
        """Make the copy complete, by comparing whole tables if need be; see `copy_tables`."""
        while True:
            state = await copy_tables(self._source, self.tables, is_accepted=is_accepted)
            try:
                known = await self._apply(None, _known_of(state))
            except AnotherFeedError:
                continue
            if not await settle(self._source, self.tables):
                await self._distrust()
                continue
            return known

    async def apply(self, changes: Changes | None, known: Known) -> Known:
        """Write a reply in a transaction of our own.

        Args:
            changes: The reply; None to ask for what the copy does not have.
            known: What was known when it was asked for.

        Returns:
            What is known now.

        Raises:
            SQLAlchemyError: The SQL database failed.
        """
        try:
            return await self._apply(changes, known)
        except AnotherFeedError:
            log.warning(
                "PocketBase was restored or replaced while Open WebUI was running: the SQL copies of its rows are "
                "compared with it."
            )
            return await self.copy()

    async def apply_within(self, session: AsyncSession, changes: Changes, known: Known) -> bool:
        """Write a reply as part of the host's transaction; a rollback also undoes the number.

        What is written through is left to the feed: the transaction may have written the row itself, and has to be
        refused at its commit if others have changed it.

        Returns:
            Whether that was all: not if PocketBase has another feed than the copy.
        """
        connection = await session.connection()
        with sql.ours_only():
            state = await lock(connection)  # nobody else writes before the host's transaction ends
            is_all = True
            try:
                if not self._is_comparable(state, changes, known):
                    changes = await self._since(state)
            except AnotherFeedError:
                await self._leave(connection)
                return False
            if state.seq < changes.last:
                rows = [row for row in changes.rows if row[0] not in self._through]
                await connection.run_sync(self._write, replace(changes, rows=rows), state.copy)
                is_all = len(rows) == len(changes.rows)
                if is_all:
                    await put_forward(connection, state.at(changes))
        await self._leave(connection)
        return is_all

    async def _leave(self, connection: AsyncConnection) -> None:
        """Set the guard as it was before something was written within the host's transaction."""
        is_through = connection.sync_connection is not None and connection.sync_connection.info.get(sql.IS_THROUGH)
        if is_through:
            await connection.run_sync(sql.open_guard_sync, through=True)
        else:
            await sql.close_guard(connection)

    async def settle(self) -> bool:
        """Put right what others wrote; see `openwebui_pocketbase.changes.settle`.

        Returns:
            Whether whole tables have to be compared, which the next `copy` does.
        """
        with sql.ours_only():
            if await settle(self._source, self.tables):
                return False
        await self._distrust()
        return True

    def concerns(self, changes: Changes) -> bool:
        """Tell whether a reply has changes of these tables."""
        return any(collection in self.tables for collection, _, _ in changes.rows)

    async def _apply(self, changes: Changes | None, known: Known) -> Known:
        for one_by_one in (False, True):
            try:
                return await self._apply_once(changes, known, one_by_one=one_by_one)
            except sql.REFUSALS:
                if one_by_one:
                    raise
                if changes is not None and changes.more:
                    # The row that has the unique key of another one may give it up in a later page.
                    changes = await self._source.completed(changes)
        raise AssertionError

    async def _apply_once(self, changes: Changes | None, known: Known, *, one_by_one: bool) -> Known:
        if changes is not None and changes.follows:

            def advance_to(connection: Connection) -> bool:
                if not advance(connection, changes, copy=known.copy, floor=known.floor):
                    return False
                self._write(connection, changes, known.copy, one_by_one=one_by_one)
                if sql.is_sqlite(connection):
                    sql.close_guard_sync(connection)
                return True

            if await sql.transact(advance_to):
                return Known(known.copy, changes.run, changes.last, changes.last, changes.cursor)
        return await self._apply_what_is_missing(changes, known, one_by_one=one_by_one)

    async def _apply_what_is_missing(self, changes: Changes | None, known: Known, *, one_by_one: bool) -> Known:
        """Write what a reply has and the copy has not, or what the feed has if they cannot be compared."""
        asked: State | None = None
        while True:
            async with sql.begin() as connection:
                state = await lock(connection)
                if state == asked or self._is_comparable(state, changes, known):
                    if changes is not None and (state == asked or state.seq < changes.last):
                        await connection.run_sync(self._write, changes, state.copy, one_by_one=one_by_one)
                        state = state.at(changes)
                    await put_forward(connection, state)
                    return _known_of(state)
                await sql.close_guard(connection)
            # With nothing locked: while PocketBase is away, nobody else could write to the SQL database.
            changes, known, asked = await self._since(state), _known_of(state), state

    def _is_comparable(self, state: State, changes: Changes | None, known: Known) -> bool:
        """Tell whether a reply can be written to a copy, or is known to be in it."""
        # While one process of PocketBase lives, the feed only grows: numbers can be compared. Else a reply may be of
        # another feed than the copy, or the copy is an older one that was put in place.
        if changes is None or not changes.follows or (state.copy, state.run) != (known.copy, changes.run):
            return False
        return state.seq >= min(changes.last, known.floor)

    async def _since(self, state: State) -> Changes:
        """Return all changes that the copy has not.

        Raises:
            AnotherFeedError: The feed has not the change up to which the copy is good.
        """
        changes = await self._source.since(state.cursor)
        if not changes.follows or changes.epoch != state.epoch:
            raise AnotherFeedError
        return changes

    def _write(self, connection: Connection, changes: Changes, copy: str, *, one_by_one: bool = False) -> None:
        gone: dict[str, list[str]] = {}
        there: dict[str, list[Wire]] = {}
        later = self._later(connection, changes, copy)
        for collection, record_id, wire in changes.rows:
            if (collection, record_id) in later:
                continue
            if wire is None:
                gone.setdefault(collection, []).append(record_id)
            else:
                there.setdefault(collection, []).append(wire)
        # Deletions first: a new row may have the unique key of one that is gone.
        for collection, table in reversed(self.tables.items()):
            table.delete_sync(connection, gone.get(collection, ()))
        dialect = connection.dialect.name
        for collection, table in self.tables.items():
            rows = [table.decode(wire, dialect) for wire in there.get(collection, ())]
            if table.upsert_sync(connection, rows, one_by_one=one_by_one):
                connection.execute(update(sql.STATE).where(sql.STATE.c.id == 1).values(whole=0))

    def _later(self, connection: Connection, changes: Changes, copy: str) -> set[tuple[str, str]]:
        """Return the records of a reply that the host has written through since."""
        ids: dict[str, list[str]] = {}
        for collection, record_id, _ in changes.rows:
            ids.setdefault(collection, []).append(record_id)
        return {
            (collection, record_id)
            for collection, table in self.tables.items()
            for record_id in written_since(connection, table, ids.get(collection, ()), copy=copy, seq=changes.last)
        }

    async def _distrust(self) -> None:
        """Have whole tables compared by whoever is next to copy."""
        async with sql.begin() as connection:
            state = await lock(connection)
            await put_forward(connection, replace(state, whole=False))


def _known_of(state: State) -> Known:
    return Known(state.copy, state.run, state.seq, state.seq, state.cursor)
