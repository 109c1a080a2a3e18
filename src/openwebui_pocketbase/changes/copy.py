"""Comparing whole tables of the SQL database with PocketBase's, and writing only what differs.

Nothing is locked while rows are read. What is read may be newer than the place in the feed from which the comparison
begins, never older; and rows that changed behind that place are left to whoever follows the feed. So it does not
matter what others write meanwhile, and a transaction is never longer than some hundred rows.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from openwebui_pocketbase.catalog import together_with
from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.feed import Changes, Feed
from openwebui_pocketbase.changes.state import (
    LEASE,
    State,
    lease,
    lock,
    put_forward,
    read_state,
    write_state,
)
from openwebui_pocketbase.changes.table import MirroredTable, Row
from openwebui_pocketbase.changes.watch import Touched, forget, set_aside, touched
from openwebui_pocketbase.exceptions import ConfigurationError, OpenWebUIPocketBaseError
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["NAMED", "AnotherFeedError", "Comparison", "Tables", "copy_tables", "named", "warn_of_strangers"]

log = logging.getLogger(__name__)

NAMED = 5
"""Most ids in a message."""

STEP = 250
"""Rows in one transaction: others want to write, too."""

FEW = 50
"""Rows in one transaction where each has a savepoint of its own."""

Tables = Mapping[str, MirroredTable]


class AnotherFeedError(Exception):
    """The change up to which the copy is good is not in PocketBase's feed, or another process began to compare."""


@dataclass
class Comparison:
    """One comparison of whole tables.

    Attributes:
        feed: PocketBase.
        tables: By collection; what others refer to comes first.
        state: How far the copy was before.
        at: The place in the feed from which on the feed is followed.
        is_accepted: Whether PocketBase may be without users where the SQL database has some.
    """

    feed: Feed
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
            ConfigurationError: The SQL database has rows that were never PocketBase's, or PocketBase is empty.
            AnotherFeedError: It has to be done again.
        """
        self._who, self._renew_at, self._is_complete = who, time.monotonic() + LEASE / 5, True
        async with sql.begin() as connection:
            notes = await touched(connection, limit=1_000_000)
            theirs = {collection: await table.ids(connection) for collection, table in self.tables.items()}
        there = {collection: await self.feed.ids(collection) for collection in self.tables}
        await self._refuse_foreign(theirs, there)
        covered = frozenset(table.name for table in self.tables.values())
        state = replace(self.state.at(self.at), copy=self.name, whole=False, tables=covered)
        await write_state(state)
        # Deletions first: a row may have the unique key of one that is gone.
        for collection, table in reversed(list(self.tables.items())):
            await self._remove(table, theirs[collection] - there[collection], notes)
        for collection, table in self.tables.items():
            number = 0
            async for rows in self._differences(table, theirs[collection]):
                number += len(rows)
                await self._write(table, rows)
            if number:
                log.info("%d rows of the table %s were copied to the SQL database.", number, table.name)
        await self._finish(notes)
        return state

    async def _refuse_foreign(self, theirs: Mapping[str, set[str]], there: Mapping[str, set[str]]) -> None:
        """Raise if to go on would hide people's rows for good, or let somebody become the first user again."""
        for collection, table in self.tables.items():
            extra = theirs[collection] - there[collection]
            if table.name not in self.state.tables:
                foreign = set(extra)
                async for rows in self._differences(table, theirs[collection], new=False):
                    foreign.update(row["id"] for row in rows)
                if foreign:
                    raise _foreign_rows(table.name, foreign)
            elif table.name == "user" and extra and extra == theirs[collection] and not self.is_accepted:
                # Also if it has others by now: whoever signed up first in the meantime is its administrator.
                raise ConfigurationError(
                    f"PocketBase has none of the {len(extra)} users of whom the SQL database has copies, such as"
                    f" {named(extra)}. Whoever signs up first would become the administrator.",
                    hint="Look whether [pocketbase] url or data_dir is right, and restore PocketBase's backup. "
                    "If it is meant to be empty: openwebui-pocketbase mirror accept",
                )

    async def _differences(
        self, table: MirroredTable, theirs: Collection[str], *, new: bool = True
    ) -> AsyncIterator[list[Row]]:
        """Give PocketBase's rows that the SQL database has otherwise, or, if ``new``, not at all."""
        if not theirs and not new:
            return
        async for wires in self.feed.pages(table.collection):
            async with sql.begin() as connection:
                rows = [table.decode(wire, connection.dialect.name) for wire in wires]
                known = [row["id"] for row in rows if row["id"] in theirs]
                stored = await table.rows(connection, known)
            await self._renew()
            different = [row for row in rows if stored.get(row["id"]) != row and (new or row["id"] in stored)]
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
                    if await table.upsert(connection, kept, one_by_one=one_by_one):
                        self._is_complete = False  # the next start tries again
                    await sql.close_guard(connection)
            except sql.REFUSALS:
                if one_by_one:
                    raise
                steps += [(few, True) for few in sql.chunks(some, FEW)]
            await self._renew()

    async def _news(self) -> Changes:
        changes = await self.feed.since(self.at.cursor)
        if not changes.follows:
            raise AnotherFeedError
        return changes

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


async def copy_tables(feed: Feed, tables: Tables, *, is_accepted: bool = False) -> State:
    """Make the SQL copy equal to PocketBase, or wait until another process has done so.

    Nothing is compared where the copy is whole, and its last change still in the feed.

    Args:
        feed: PocketBase.
        tables: By collection; what others refer to comes first.
        is_accepted: Compare in any case; see `Comparison`.

    Returns:
        The state from which on the feed is to be followed.

    Raises:
        ConfigurationError: See `Comparison.run`.
    """
    who = secrets.token_hex(8)
    while True:
        state = await _usable(feed, tables)
        if state is not None and not is_accepted:
            return state
        if not await lease(who):
            await asyncio.sleep(0.1)
            continue
        try:
            # Another process may have ended between the two questions.
            state = await _usable(feed, tables)
            if state is not None and not is_accepted:
                return state
            async with sql.begin() as connection:
                before = await read_state(connection)
            return await Comparison(feed, tables, before, await feed.position(), is_accepted).run(who)
        except AnotherFeedError:
            continue
        finally:
            await lease(who, 0)


async def _usable(feed: Feed, tables: Tables) -> State | None:
    """Return the state if nothing has to be compared."""
    covered = frozenset(table.name for table in tables.values())
    async with sql.begin() as connection:
        state = await read_state(connection)
    if not state.whole or not covered <= state.tables:
        return None
    changes = await feed.since(state.cursor)
    if not changes.follows or changes.epoch != state.epoch:
        log.info("PocketBase's change feed does not go on where the SQL copies end: they are compared with it.")
        return None
    if covered != state.tables:
        async with sql.begin() as connection:
            await put_forward(connection, replace(await lock(connection), tables=covered))
    return state


def warn_of_strangers(name: str, ids: Collection[str]) -> None:
    """Name rows of somebody else's which were taken out of a table."""
    log.warning(
        "%d rows of the SQL table %s were written by something else and are not in PocketBase: %s. Nobody is served "
        "from them; they are kept aside.\n  What to do: openwebui-pocketbase mirror adopt (take them into PocketBase) "
        "or accept (drop them)",
        len(ids),
        name,
        named(ids),
    )


def named(ids: Collection[str]) -> str:
    """Return some of the ids as text."""
    shown = sorted(ids)[:NAMED]
    return ", ".join(shown) + (", ..." if len(ids) > NAMED else "")


def _foreign_rows(name: str, ids: Collection[str]) -> OpenWebUIPocketBaseError:
    group = TABLES[name].group
    settings = ", ".join(f'{each} = "sqlalchemy"' for each in together_with(group))
    return ConfigurationError(
        f"{len(ids)} rows of the SQL table {name} are missing from PocketBase or differ from it: {named(ids)}.",
        hint=(
            f"Nobody would see them any more. Leave them in the SQL database ([groups] {settings}), or begin with an "
            "empty one. If PocketBase had them: look whether [pocketbase] url or data_dir is right."
        ),
    )
