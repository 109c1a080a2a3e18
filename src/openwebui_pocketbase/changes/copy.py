"""Making the SQL copy complete, if it is not: one of the processes does it for all."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import replace

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.comparison import AnotherFeedError, Comparison, Tables
from openwebui_pocketbase.changes.source import Source
from openwebui_pocketbase.changes.state import State, lease, lock, put_forward, read_state

__all__ = ["copy_tables"]

log = logging.getLogger(__name__)


async def copy_tables(source: Source, tables: Tables, *, is_accepted: bool = False) -> State:
    """Make the SQL copy equal to PocketBase, or wait until another process has done so.

    Nothing is compared where the copy is whole, and its last change still in the source.

    Args:
        source: PocketBase.
        tables: By collection; what others refer to comes first.
        is_accepted: Compare in any case; see `Comparison`.

    Returns:
        The state from which on the feed is to be followed.

    Raises:
        ConfigurationError: See `Comparison.run`.
    """
    who = secrets.token_hex(8)
    while True:
        state = await _usable(source, tables)
        if state is not None and not is_accepted:
            return state
        if not await lease(who):
            await asyncio.sleep(0.1)
            continue
        try:
            # Another process may have ended between the two questions.
            state = await _usable(source, tables)
            if state is not None and not is_accepted:
                return state
            async with sql.begin() as connection:
                before = await read_state(connection)
            return await Comparison(source, tables, before, await source.position(), is_accepted).run(who)
        except AnotherFeedError:
            continue
        finally:
            await lease(who, 0)


async def _usable(source: Source, tables: Tables) -> State | None:
    """Return the state if nothing has to be compared."""
    covered = frozenset(table.name for table in tables.values())
    async with sql.begin() as connection:
        state = await read_state(connection)
    if not state.whole or not covered <= state.tables:
        return None
    changes = await source.since(state.cursor)
    if not changes.follows or changes.epoch != state.epoch:
        log.info("PocketBase's change feed does not go on where the SQL copies end: they are compared with it.")
        return None
    if covered != state.tables:
        async with sql.begin() as connection:
            await put_forward(connection, replace(await lock(connection), tables=covered))
    return state
