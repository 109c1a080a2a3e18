"""Writing replies of the change feed to the SQL copy; imports the host."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.comparison import AnotherFeedError
from openwebui_pocketbase.changes.copy import copy_tables
from openwebui_pocketbase.changes.settle import settle
from openwebui_pocketbase.changes.source import Changes, Source
from openwebui_pocketbase.changes.state import State, advance, create_state, lock, put_forward
from openwebui_pocketbase.changes.table import MirroredTable
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

    async def start(self, *, is_accepted: bool = False) -> Known:
        """Make the copy complete; see `copy_tables`."""
        await create_state()
        await watch([table.name for table in self.tables.values()])
        return await self.copy(is_accepted=is_accepted)

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

        Returns:
            False if nothing could be written: PocketBase has another feed than the copy.
        """
        connection = await session.connection()
        with sql.ours_only():
            state = await lock(connection)  # nobody else writes before the host's transaction ends
            try:
                missing = await self._missing(state, changes, known)
            except AnotherFeedError:
                await sql.close_guard(connection)
                return False
            if missing is None:
                await sql.close_guard(connection)
            else:
                await self._write(connection, missing)
                await put_forward(connection, state.at(missing))
        return True

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
                async with sql.begin() as connection:
                    return await self._apply_once(connection, changes, known, one_by_one=one_by_one)
            except sql.REFUSALS:
                if one_by_one:
                    raise
        raise AssertionError

    async def _apply_once(
        self, connection: AsyncConnection, changes: Changes | None, known: Known, *, one_by_one: bool
    ) -> Known:
        if (
            changes is not None
            and changes.follows
            and await advance(connection, changes, copy=known.copy, floor=known.floor)
        ):
            await self._write(connection, changes, one_by_one=one_by_one)
            if sql.is_sqlite(connection):
                await sql.close_guard(connection)
            return Known(known.copy, changes.run, changes.last, changes.last, changes.cursor)
        state = await lock(connection)
        missing = await self._missing(state, changes, known)
        if missing is not None:
            await self._write(connection, missing, one_by_one=one_by_one)
            state = state.at(missing)
        await put_forward(connection, state)
        return _known_of(state)

    async def _missing(self, state: State, changes: Changes | None, known: Known) -> Changes | None:
        """Return the changes that a locked copy has not, None if it has all of a reply.

        Raises:
            AnotherFeedError: The feed has not the change up to which the copy is good.
        """
        # While one process of PocketBase lives, the feed only grows: numbers can be compared.
        if changes is not None and changes.follows and (state.copy, state.run) == (known.copy, changes.run):
            if state.seq >= changes.last:
                return None
            if state.seq >= known.floor:
                return changes
        # Else this reply may be of another feed than the copy, or the copy is an older one that was put in place.
        again = await self._source.since(state.cursor)
        if not again.follows or again.epoch != state.epoch:
            raise AnotherFeedError
        return again

    async def _write(self, connection: AsyncConnection, changes: Changes, *, one_by_one: bool = False) -> None:
        # Deletions first: a new row may have the unique key of one that is gone.
        for collection, table in reversed(self.tables.items()):
            gone = [record_id for where, record_id, wire in changes.rows if where == collection and wire is None]
            await table.delete(connection, gone)
        dialect = connection.dialect.name
        for collection, table in self.tables.items():
            wires = [wire for where, _, wire in changes.rows if where == collection and wire is not None]
            rows = [table.decode(wire, dialect) for wire in wires]
            if await table.upsert(connection, rows, one_by_one=one_by_one):
                await connection.execute(update(sql.STATE).where(sql.STATE.c.id == 1).values(whole=0))

    async def _distrust(self) -> None:
        """Have whole tables compared by whoever is next to copy."""
        async with sql.begin() as connection:
            state = await lock(connection)
            await put_forward(connection, replace(state, whole=False))


def _known_of(state: State) -> Known:
    return Known(state.copy, state.run, state.seq, state.seq, state.cursor)
