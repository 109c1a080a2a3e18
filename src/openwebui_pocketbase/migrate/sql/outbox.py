"""The outbox: what changes in the host's SQL database, noted by triggers; imports the host.

The notes are in the transactions of what they note, so nothing is lost, whoever writes. On PostgreSQL a later note may
be there before an earlier one, whose transaction takes longer: notes are deleted by their numbers, never up to one.
"""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, LargeBinary, cast, delete, func, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from openwebui_pocketbase.changes.sql import begin, chunks, is_sqlite
from openwebui_pocketbase.migrate.items import Key, Unit, all_units
from openwebui_pocketbase.migrate.sql.outbox_triggers import ALL, OUTBOX, create, drop, installed, wanted
from openwebui_pocketbase.migrate.sql.values import text_of

__all__ = ["MANY", "Outbox", "install", "is_installed", "remove"]

MANY = 100_000
"""From so many notes it takes no longer to compare everything."""

_KEYS = 1_000
"""Most keys at once."""

_NOTES = 5_000
"""Most notes that are looked through for these keys."""

_LOCK = 731947208
"""Number of a PostgreSQL advisory lock: two processes must not make the same triggers at the same time."""


async def install(units: Collection[Unit]) -> bool:
    """Have all changes of these units noted, and those of no others.

    Nothing is locked if all is as it has to be. Each table is a transaction of its own: on PostgreSQL
    who writes several tables never waits for us while we wait for it.

    Returns:
        Whether triggers of these units had to be made: nobody has noted what was changed before.
    """
    async with begin() as connection:
        there, needed = await connection.run_sync(_state, units)
        if there == needed and await connection.run_sync(_has_table):
            return False
    async with begin() as connection:
        await _lock(connection)
        await connection.run_sync(OUTBOX.create, checkfirst=True)
    made = await _settled(units, {table for table, _ in {**there, **needed}})
    async with begin() as connection:
        await connection.execute(delete(OUTBOX).where(OUTBOX.c.unit.not_in([unit.name for unit in units])))
    return made


async def remove() -> None:
    """Note changes no longer, and forget those that were noted."""
    async with begin() as connection:
        there, _ = await connection.run_sync(_state, ())
        if not there and not await connection.run_sync(_has_table):
            return
    await _settled((), {table for table, _ in there})
    async with begin() as connection:
        await _lock(connection)
        await connection.run_sync(OUTBOX.drop, checkfirst=True)


async def is_installed(units: Collection[Unit]) -> bool:
    """Tell whether all changes of these units are noted: a migration of Open WebUI may have lost triggers."""
    async with begin() as connection:
        there, needed = await connection.run_sync(_state, units)
        return needed.items() <= there.items() and await connection.run_sync(_has_table)


class Outbox:
    """The notes about some units; see `Change`. One process may read them.

    Args:
        units: The units.
    """

    cursor = ""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._is_ours = OUTBOX.c.unit.in_([unit.name for unit in units])
        self._numbers: Collection[int] = ()

    async def some(self) -> Mapping[Unit, Collection[Key]] | None:
        """See `Change`; None after TRUNCATE, and if there are too many."""
        query = select(OUTBOX.c.number, OUTBOX.c.unit, OUTBOX.c.key).where(self._is_ours).order_by(OUTBOX.c.number)
        async with begin() as connection:
            if (await connection.execute(select(OUTBOX.c.number).where(self._is_ours).offset(MANY).limit(1))).first():
                self._numbers = await self._all_numbers(connection)
                return None
            if is_sqlite(connection):  # a key may have been made of bytes that are no UTF-8
                query = query.with_only_columns(OUTBOX.c.number, OUTBOX.c.unit, cast(OUTBOX.c.key, LargeBinary))
            rows = (await connection.execute(query.limit(_NOTES))).all()
            if any(key == ALL or key == ALL.encode() for _, _, key in rows):
                self._numbers = await self._all_numbers(connection)
                return None
        units = all_units()
        found: defaultdict[str, set[Key]] = defaultdict(set)
        self._numbers = numbers = array("q")
        for number, unit, noted in rows:
            key = tuple(json.loads(text_of(noted)[0] if isinstance(noted, bytes) else noted))
            keys = found[unit]
            if key not in keys and sum(map(len, found.values())) >= _KEYS:
                continue
            numbers.append(number)
            if unit in units and all(isinstance(value, str) for value in key):
                keys.add(key)
        return {units[unit]: keys for unit, keys in found.items() if keys}

    async def forget(self) -> None:
        """See `Change`; what was noted meanwhile stays."""
        numbers, self._numbers = self._numbers, ()
        for some in chunks(list(numbers)):
            async with begin() as connection:
                await connection.execute(delete(OUTBOX).where(OUTBOX.c.number.in_(some)))

    async def waiting(self) -> int:
        """See `Change`; the number of notes."""
        async with begin() as connection:
            return (
                await connection.execute(select(func.count()).select_from(OUTBOX).where(self._is_ours))
            ).scalar_one()

    async def _all_numbers(self, connection: AsyncConnection) -> Collection[int]:
        numbers = array("q")
        async for number in await connection.stream_scalars(select(OUTBOX.c.number).where(self._is_ours)):
            numbers.append(number)
        return numbers


async def _settled(units: Collection[Unit], tables: Collection[str]) -> bool:
    made = False
    for table in sorted(tables):
        async with begin() as connection:
            await _lock(connection)
            made |= await connection.run_sync(_settle, units, table)
    return made


def _state(connection: Connection, units: Iterable[Unit]) -> tuple[dict[Any, str], dict[Any, str]]:
    """Return the triggers there are, and those there have to be."""
    return installed(connection), wanted(connection, units)


def _settle(connection: Connection, units: Collection[Unit], table: str) -> bool:
    """Remove and make the triggers of a table; tell whether there were any to make."""
    there, needed = _state(connection, units)
    wrong = [key for key, definition in there.items() if key[0] == table and needed.get(key) != definition]
    missing = [key for key, definition in needed.items() if key[0] == table and there.get(key) != definition]
    drop(connection, wrong)
    create(connection, units, missing)
    return bool(missing)


def _has_table(connection: Connection) -> bool:
    return inspect(connection).has_table(OUTBOX.name, schema=OUTBOX.schema)


async def _lock(connection: AsyncConnection) -> None:
    await connection.execute(
        text("BEGIN IMMEDIATE" if is_sqlite(connection) else f"SELECT pg_advisory_xact_lock({_LOCK})")
    )
