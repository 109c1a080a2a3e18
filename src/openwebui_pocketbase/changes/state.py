"""How far the SQL copy is: one row in the SQL database, changed in the transactions that write the rows.

So a reply of PocketBase that is older than another cannot undo it, however many processes there are, and a
transaction that is undone takes the number along.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, insert, inspect, literal_column, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateColumn

from openwebui_pocketbase.changes.source import Changes
from openwebui_pocketbase.changes.sql import EMPTYING, METADATA, STATE, begin, is_sqlite

__all__ = [
    "LEASE",
    "State",
    "advance",
    "create_state",
    "lease",
    "lock",
    "put_forward",
    "read_state",
    "state_of",
    "write_state",
]

LEASE = 15
"""Seconds after which others take over from a process that compares the tables and is not heard of any more."""

CREATION_LOCK = 731947206
"""Number of a PostgreSQL advisory lock: creating a table fails when another process does it at the same time."""


@dataclass(frozen=True)
class State:
    """How far the SQL copy is.

    Attributes:
        epoch: Of PocketBase's change feed.
        seq: Number of the feed's last change which the copy has.
        cursor: Names that change; see `Changes`.
        run: Process of PocketBase which is known to have this change in its feed.
        copy: Names the last comparison of whole tables: what was asked for before it counts no more.
        whole: Whether that comparison has ended, with nothing left out.
        is_certain: Whether what others wrote was noted ever since the tables were equal: what was not noted is ours.
        tables: Names of the tables it covers.
    """

    epoch: str = ""
    seq: int = 0
    cursor: str = ""
    run: str = ""
    copy: str = ""
    whole: bool = False
    is_certain: bool = False
    tables: frozenset[str] = frozenset()

    def at(self, changes: Changes) -> State:
        """Return the state in which the copy has all up to a reply."""
        return replace(self, epoch=changes.epoch, seq=changes.last, cursor=changes.cursor, run=changes.run)


def _guarded(is_open: int) -> Any:
    """The value of ``writing``: see `openwebui_pocketbase.changes.sql`. One statement instead of two."""
    on = "on" if is_open else "off"
    return {
        "sqlite": literal_column(str(is_open)),
        "postgresql": case((func.set_config("owui.mirror", on, True) == on, 0), else_=0),
    }


_OPEN, _CLOSED = _guarded(1), _guarded(0)

_ADVANCE = {
    dialect: update(STATE)
    .where(
        STATE.c.id == 1,
        STATE.c.copy_id == bindparam("of"),
        STATE.c.run == bindparam("by"),
        STATE.c.seq >= bindparam("floor"),
        STATE.c.seq < bindparam("last"),
    )
    .values(seq=bindparam("last"), cursor=bindparam("named"), writing=writing)
    for dialect, writing in _OPEN.items()
}
_LOCK = {
    dialect: update(STATE).where(STATE.c.id == 1).values(writing=writing).returning(STATE)
    for dialect, writing in _OPEN.items()
}


async def create_state() -> None:
    """Create the tables of our own in the host's database, and what an older version's lack; safe to repeat."""
    async with begin() as connection:
        if await connection.run_sync(_is_complete):
            return
    async with begin() as connection:
        statement = "BEGIN IMMEDIATE" if is_sqlite(connection) else f"SELECT pg_advisory_xact_lock({CREATION_LOCK})"
        await connection.execute(text(statement))
        await connection.run_sync(_create)


def _is_complete(connection: Connection) -> bool:
    found = inspect(connection)
    if not all(found.has_table(table.name, schema=table.schema) for table in METADATA.tables.values()):
        return False
    columns = {column["name"] for column in found.get_columns(STATE.name, schema=STATE.schema)}
    if not columns.issuperset(STATE.c.keys()):
        return False
    return connection.execute(select(STATE.c.id)).first() is not None


def _create(connection: Connection) -> None:
    METADATA.create_all(connection, checkfirst=True)
    columns = {column["name"] for column in inspect(connection).get_columns(STATE.name, schema=STATE.schema)}
    table = connection.dialect.identifier_preparer.format_table(STATE)
    for column in STATE.c:
        if column.name not in columns:
            definition = CreateColumn(column).compile(dialect=connection.dialect)
            connection.execute(text(f"ALTER TABLE {table} ADD COLUMN {definition}"))
    if is_sqlite(connection):
        connection.execute(text(EMPTYING))
    if connection.execute(select(STATE.c.id)).first() is None:
        connection.execute(insert(STATE).values(id=1, epoch="", seq=0, tables=""))


async def read_state(connection: AsyncConnection) -> State:
    """Return how far the copy is."""
    row = (await connection.execute(select(STATE).where(STATE.c.id == 1))).mappings().first()
    return state_of(row) if row else State()


async def lock(connection: AsyncConnection) -> State:
    """Return how far the copy is, keep others from changing it, and open the guard, until the transaction ends."""
    row = (await connection.execute(_LOCK[connection.dialect.name])).mappings().first()
    return state_of(row) if row else State()


def advance(connection: Connection, changes: Changes, *, copy: str, floor: int) -> bool:
    """Note that the copy has a reply's changes; keep others from noting any, and open the guard, as `lock` does.

    Args:
        connection: An open transaction, in which nothing was read yet: else SQLite would refuse to write.
        changes: The reply.
        copy: The comparison of whole tables that it builds on.
        floor: The copy must have this change.

    Returns:
        False if the copy is not at ``floor`` yet, or at the reply or further already, or of another feed perhaps;
        nothing is noted then.
    """
    parameters = {"of": copy, "by": changes.run, "floor": floor, "last": changes.last, "named": changes.cursor}
    return connection.execute(_ADVANCE[connection.dialect.name], parameters).rowcount == 1


async def put_forward(connection: AsyncConnection, state: State) -> None:
    """Record how far the copy is, and close the guard: the last statement of a transaction."""
    await connection.execute(
        update(STATE)
        .where(STATE.c.id == 1)
        .values(
            epoch=state.epoch,
            seq=state.seq,
            cursor=state.cursor,
            run=state.run,
            copy_id=state.copy,
            whole=1 if state.whole else 0 if state.is_certain else -1,
            tables=",".join(sorted(state.tables)),
            writing=_CLOSED[connection.dialect.name],
        )
    )


async def write_state(state: State) -> None:
    """Record how far the copy is, in a transaction of its own."""
    async with begin() as connection:
        await put_forward(connection, state)


async def lease(who: str, seconds: int = LEASE) -> bool:
    """Ask to be the one that compares whole tables, or to remain it; with 0 seconds, to be it no longer.

    What is written does not depend on it: it only spares the others the work.
    """
    now = int(time.time())
    free = (STATE.c.copier == who) | (STATE.c.copier_until <= now)
    values = {"copier": who, "copier_until": now + seconds}
    async with begin() as connection:
        result = await connection.execute(update(STATE).where(STATE.c.id == 1, free).values(values))
    return result.rowcount == 1


def state_of(row: Any) -> State:
    """Return what a row of `STATE` says."""
    tables = frozenset(filter(None, row["tables"].split(",")))
    names = ("epoch", "seq", "cursor", "run")
    common = {name: row[name] for name in names}
    return State(**common, copy=row["copy_id"], whole=row["whole"] == 1, is_certain=row["whole"] >= 0, tables=tables)
