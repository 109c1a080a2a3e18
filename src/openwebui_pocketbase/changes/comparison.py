"""Comparing whole tables of the SQL database with PocketBase's, and writing only what differs.

Nothing is locked while rows are read. What is read may be newer than the place in the feed from which the comparison
begins, never older; and rows that changed behind that place are left to whoever follows the feed. So it does not
matter what others write meanwhile, and a transaction is never longer than some hundred rows.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.copies import those_of_others
from openwebui_pocketbase.changes.reports import named, no_users, not_copied, warn_of_differences, warn_of_strangers
from openwebui_pocketbase.changes.source import Changes, Source
from openwebui_pocketbase.changes.state import LEASE, State, lease, lock, put_forward, write_state
from openwebui_pocketbase.changes.table import MirroredTable, Row
from openwebui_pocketbase.changes.unsent import written_since
from openwebui_pocketbase.changes.watch import Touched, forget, keep_aside, set_aside, touched
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["AnotherFeedError", "Comparison", "Tables"]

log = logging.getLogger(__name__)

READ = 100
"""Rows of the SQL database that are in memory at once: those of files have megabytes each before they are copies."""

STEP = 250
"""Rows in one transaction, so that others can write in between."""

FEW = 50
"""Rows in one transaction where each has a savepoint of its own."""

Tables = Mapping[str, MirroredTable]
"""The mirrored tables by collection; what others refer to comes first."""


class AnotherFeedError(Exception):
    """The change up to which the copy is good is not in PocketBase's feed, or another process began to compare."""


@dataclass
class Comparison:
    """One comparison of whole tables.

    Attributes:
        source: PocketBase.
        tables: By collection; what others refer to comes first.
        state: How far the copy was before.
        at: The place in the feed from which on the feed is followed.
        is_accepted: Whether PocketBase may be without users where the SQL database has some.
    """

    source: Source
    tables: Tables
    state: State
    at: Changes
    is_accepted: bool
    name: str = field(default_factory=lambda: secrets.token_hex(8))

    async def run(self, who: str) -> State:
        """Compare, and write what differs.

        Returns:
            The state from which on the feed is to be followed.

        Raises:
            ConfigurationError: PocketBase has nothing of a group, or no users, of which the SQL database has rows.
            AnotherFeedError: It has to be done again.
        """
        self._who, self._renew_at, self._is_complete = who, time.monotonic() + LEASE / 5, True
        async with sql.begin() as connection:
            notes = await touched(connection, limit=1_000_000)
            theirs = {collection: await table.ids(connection) for collection, table in self.tables.items()}
        there = {collection: await self.source.ids(collection) for collection in self.tables}
        self._refuse(theirs, there)
        covered = frozenset(table.name for table in self.tables.values())
        state = replace(self.state.at(self.at), copy=self.name, whole=False, tables=self.state.tables & covered)
        await write_state(state)
        # Deletions first: a row may have the unique key of one that is gone.
        for collection, table in reversed(list(self.tables.items())):
            await self._remove(table, theirs[collection] - there[collection], notes)
            if table.name not in state.tables:
                await self._keep_strangers(table, theirs[collection])
        # Not before: a table counts as a copy when all that was somebody's in it is kept.
        state = replace(state, tables=covered)
        await write_state(state)
        for collection, table in self.tables.items():
            number = 0
            async for rows in self._differences(table, theirs[collection]):
                number += len(rows)
                await self._write(table, rows)
            if number:
                log.info("%d rows of the table %s were copied to the SQL database.", number, table.name)
        await self._finish(notes)
        return state

    def _refuse(self, theirs: Mapping[str, set[str]], there: Mapping[str, set[str]]) -> None:
        """Raise if to go on would hide all rows of a group for good, or let somebody become the first user again."""
        filled = {TABLES[table.name].group for collection, table in self.tables.items() if there[collection]}
        for collection, table in self.tables.items():
            group, of_table = TABLES[table.name].group, theirs[collection]
            if table.name not in self.state.tables:
                if of_table and group not in filled:
                    raise not_copied(group, table.name, of_table)
            elif table.name == "user" and of_table and of_table.isdisjoint(there[collection]) and not self.is_accepted:
                # Also if it has others by now: whoever signed up first in the meantime is its administrator.
                raise no_users(of_table)

    async def _keep_strangers(self, table: MirroredTable, theirs: Collection[str]) -> None:
        """Keep aside what the SQL database has otherwise than PocketBase, which has not written it."""
        kept: set[str] = set()
        async for rows in self._differences(table, theirs, with_missing=False):
            ids = {row["id"] for row in rows}
            async with sql.begin() as connection:
                stored = await table.rows(connection, ids)
            strangers = await those_of_others(self.source, table, rows, stored)
            if not strangers:
                continue
            async with sql.begin() as connection:
                if (await lock(connection)).copy != self.name:
                    raise AnotherFeedError
                await keep_aside(connection, table, strangers)
                await sql.close_guard(connection)
            kept.update(row["id"] for row in strangers)
        if kept and not self.is_accepted:
            warn_of_differences(table.name, kept)

    async def _differences(
        self, table: MirroredTable, theirs: Collection[str], *, with_missing: bool = True
    ) -> AsyncIterator[list[Row]]:
        """Give PocketBase's rows that the SQL database has otherwise, or, if ``with_missing``, not at all."""
        if not theirs and not with_missing:
            return
        async for page in self.source.pages(table.collection):
            for wires in sql.chunks(page, READ):
                async with sql.begin() as connection:
                    rows = [table.decode(wire, connection.dialect.name) for wire in wires]
                    known = [row["id"] for row in rows if row["id"] in theirs]
                    stored = await table.rows(connection, known)
                await self._renew()
                different = [
                    row for row in rows if stored.get(row["id"]) != row and (with_missing or row["id"] in stored)
                ]
                if different:
                    yield different

    async def _remove(self, table: MirroredTable, extra: set[str], notes: Touched) -> None:
        """Take rows out of the SQL database that PocketBase has not: copies are deleted, others kept aside."""
        noted = notes.ids.get(table.name, set())
        is_certain = self.state.is_certain and self.state.epoch == self.at.epoch and "" not in noted
        copies = sorted(extra - noted) if is_certain else []
        strangers = sorted(extra.difference(copies))
        for ids, is_ours in ((copies, True), (strangers, False)):
            removed: list[str] = []
            for some in sql.chunks(ids, STEP):
                removed += await self._in_step(table, some, is_ours=is_ours)
            if removed and is_ours:
                what = "%d copies in the SQL table %s were removed: PocketBase does not have these rows any more (%s)."
                log.warning(what, len(removed), table.name, named(removed))
            elif removed and not self.is_accepted:
                warn_of_strangers(table.name, removed)

    async def _in_step(self, table: MirroredTable, ids: list[str], *, is_ours: bool) -> list[str]:
        while True:
            changes = await self._news()
            changed = {row_id for collection, row_id, _ in changes.rows if collection == table.collection}
            some = [row_id for row_id in ids if row_id not in changed]
            async with sql.begin() as connection:
                if await self._is_newer(connection, changes):
                    continue
                later = await self._later(connection, table, some, changes)
                some = [row_id for row_id in some if row_id not in later]
                if is_ours:
                    await table.delete(connection, some)
                else:
                    await set_aside(connection, table, (await table.rows(connection, some)).values())
                await sql.close_guard(connection)
            return some

    async def _write(self, table: MirroredTable, rows: list[Row]) -> None:
        """Write rows as PocketBase has them, but for those which are left to whoever follows the feed."""
        steps = [(some, False) for some in sql.chunks(rows, STEP)]
        while steps:
            some, one_by_one = steps.pop()
            changes = await self._news()
            changed = {row_id for collection, row_id, _ in changes.rows if collection == table.collection}
            try:
                async with sql.begin() as connection:
                    if await self._is_newer(connection, changes):
                        steps.append((some, one_by_one))
                        continue
                    kept = [row for row in some if row["id"] not in changed]
                    later = await self._later(connection, table, [row["id"] for row in kept], changes)
                    kept = [row for row in kept if row["id"] not in later]
                    if await table.upsert(connection, kept, one_by_one=one_by_one):
                        self._is_complete = False  # the next start tries again
                    await sql.close_guard(connection)
            except sql.REFUSALS:
                if one_by_one:
                    raise
                steps += [(few, True) for few in sql.chunks(some, FEW)]
            await self._renew()

    async def _news(self) -> Changes:
        changes = await self.source.since(self.at.cursor)
        if not changes.follows:
            raise AnotherFeedError
        return changes

    async def _later(
        self, connection: AsyncConnection, table: MirroredTable, ids: list[str], changes: Changes
    ) -> set[str]:
        """Return the rows that the host has written through since a reply."""
        return await connection.run_sync(written_since, table, ids, copy=self.name, seq=changes.last)

    async def _is_newer(self, connection: AsyncConnection, changes: Changes) -> bool:
        """Lock the state; tell whether the copy has changes that a reply does not know."""
        state = await lock(connection)
        if state.copy != self.name:
            raise AnotherFeedError
        if state.seq > changes.last:
            await sql.close_guard(connection)
            return True
        return False

    async def _finish(self, notes: Touched) -> None:
        await self._news()
        async with sql.begin() as connection:
            state = await lock(connection)
            if state.copy != self.name:
                raise AnotherFeedError
            await forget(connection, notes.numbers)
            await put_forward(connection, replace(state, whole=self._is_complete, is_certain=True))

    async def _renew(self) -> None:
        if time.monotonic() > self._renew_at:
            self._renew_at = time.monotonic() + LEASE / 5
            await lease(self._who)
