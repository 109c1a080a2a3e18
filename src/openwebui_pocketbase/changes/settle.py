"""Correcting what others wrote into mirrored tables, and what an administrator decides about it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from open_webui.models.auths import Auth
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.comparison import Tables
from openwebui_pocketbase.changes.reports import named, warn_of_strangers
from openwebui_pocketbase.changes.source import Source, Wire
from openwebui_pocketbase.changes.state import lock
from openwebui_pocketbase.changes.table import MirroredTable
from openwebui_pocketbase.changes.unsent import written_since
from openwebui_pocketbase.changes.watch import Aside, aside_rows, forget, set_aside, touched
from openwebui_pocketbase.repositories.base import codec_of

__all__ = ["credentials_of", "settle"]

log = logging.getLogger(__name__)

AT_ONCE = 50
"""Rows in one transaction: each may need a savepoint of its own."""


async def settle(source: Source, tables: Tables) -> bool:
    """Make rows that others wrote equal to PocketBase's again, and keep aside those that PocketBase has not.

    Returns:
        Whether that was enough: if not, whole tables have to be compared.
    """
    by_name = {table.name: table for table in tables.values()}
    while True:
        async with sql.begin() as connection:
            notes = await touched(connection, limit=AT_ONCE)
        if not notes.numbers:
            return True
        if any("" in ids for ids in notes.ids.values()):
            return False
        position = await source.position()
        wires = {
            name: await source.rows(by_name[name].collection, ids) for name, ids in notes.ids.items() if name in by_name
        }
        async with sql.begin() as connection:
            state = await lock(connection)
            if state.run != position.run:
                await sql.close_guard(connection)
                return True  # PocketBase was started again: first the feed has to be looked at
            if state.seq <= position.last:
                for name, found in wires.items():
                    # What the host has written since then is newer than what PocketBase was asked for.
                    ids, table = notes.ids[name], by_name[name]
                    ids -= await connection.run_sync(written_since, table, ids, copy=state.copy, seq=position.last)
                    await _put_right(connection, by_name, table, ids, found)
                await forget(connection, notes.numbers)
            await sql.close_guard(connection)


async def _put_right(
    connection: AsyncConnection,
    tables: Mapping[str, MirroredTable],
    table: MirroredTable,
    ids: set[str],
    wires: list[Wire],
) -> None:
    decoded = (table.decode(wire, connection.dialect.name) for wire in wires)
    rows = {row["id"]: row for row in decoded if row["id"] in ids}
    stored = await table.rows(connection, ids)
    strangers = [row for row_id, row in stored.items() if row_id not in rows]
    if strangers:
        gone = [row["id"] for row in strangers]
        for other in tables.values() if not sql.is_sqlite(connection) else ():
            referring = await other.referring(connection, table.name, gone)
            await set_aside(connection, other, referring)  # PostgreSQL would delete them
        await set_aside(connection, table, strangers)
        warn_of_strangers(table.name, gone)
    different = [row for row_id, row in rows.items() if stored.get(row_id) != row]
    if different:
        await table.upsert(connection, different, one_by_one=True)
        what = "%d rows of the SQL table %s were changed by something else, and are as in PocketBase again: %s."
        log.warning(what, len(different), table.name, named([row["id"] for row in different]))


async def credentials_of(row: Aside) -> list[tuple[str, Mapping[str, Any]]]:
    """Return what belongs to a row that is kept aside: of a user the credentials in SQL, as PocketBase takes them."""
    if row.name != "user":
        return []
    async with sql.begin() as connection:
        found = (await connection.execute(select(Auth.__table__).where(Auth.__table__.c.id == row.row_id))).mappings()
        return [("auth", codec_of("auth").encode(dict(auth))) for auth in found]


async def kept_aside() -> list[Aside]:
    """Return all rows that are kept aside."""
    async with sql.begin() as connection:
        return await aside_rows(connection)
