"""The host's database engine, as the mirror uses it: transactions that its guard lets through; imports the host.

The SQL tables of groups in PocketBase have triggers that tell the mirror's writes from others: on SQLite the column
``writing`` of ``owui_pocketbase_mirror`` is 1 during a transaction of the mirror, and 0 again before its end, so that
nobody else ever sees it; on PostgreSQL the parameter ``owui.mirror`` is ``on`` until the transaction's end. Where the
host writes through they are 2 and ``through``.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import TypeVar

from open_webui.internal import db
from open_webui.internal.db import Base
from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, Text, func, select, text, update
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from openwebui_pocketbase.ours import ours_only

__all__ = [
    "AT_ONCE",
    "EMPTYING",
    "IS_THROUGH",
    "METADATA",
    "REFUSALS",
    "STATE",
    "UNSENT",
    "alter",
    "begin",
    "chunks",
    "close_guard",
    "dispose",
    "is_sqlite",
    "open_guard",
    "ours_only",
    "transact",
]

log = logging.getLogger(__name__)

T = TypeVar("T")

REFUSALS = (IntegrityError, DataError)
"""What is raised when the database does not take a row."""

AT_ONCE = 500
"""Most values in one IN list, and most rows in one transaction."""

IS_THROUGH = "owui_is_through"
"""In the information of a connection: the guard is open for what the host writes through."""

_THREADS = ThreadPoolExecutor(4, thread_name_prefix="owui-copies")
"""Ours alone: in the event loop's own ones, other work of the host would let writers wait."""

LOCK_MILLISECONDS = 300
"""For how long whoever changes a table waits for it at a time; PostgreSQL looks for deadlocks after a second."""

PATIENCE = 10.0
"""Seconds after which it waits as long as it takes, and the log says so."""

TAKEN = frozenset({"40P01", "55P03"})
"""PostgreSQL's codes for a deadlock, and for a lock that was not to be had in time."""

METADATA = MetaData(schema=Base.metadata.schema)
"""Tables of our own in the host's database."""

STATE = Table(
    "owui_pocketbase_mirror",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("tables", Text, nullable=False),
    Column("cursor", Text, nullable=False, server_default=""),
    Column("run", Text, nullable=False, server_default=""),
    Column("copy_id", Text, nullable=False, server_default=""),
    Column("whole", Integer, nullable=False, server_default="-1"),
    Column("writing", Integer, nullable=False, server_default="0"),
    Column("copier", Text, nullable=False, server_default=""),
    Column("copier_until", BigInteger, nullable=False, server_default="0"),
)
"""One row, with the id 1; see `openwebui_pocketbase.changes.state`."""

_GUARDS = ("off", "on", "through")
"""What PostgreSQL's parameter is, in the order of SQLite's numbers."""

UNSENT = Table(
    "owui_pocketbase_unsent",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("row_id", Text, nullable=False),
)
"""Table and id of each row that was written, by triggers; nobody ever sees one that was committed."""

EMPTYING = """
CREATE TRIGGER IF NOT EXISTS owui_pocketbase_sent AFTER UPDATE OF writing ON owui_pocketbase_mirror
WHEN OLD.writing = 2 AND NEW.writing = 0 BEGIN DELETE FROM owui_pocketbase_unsent; END
"""
"""On SQLite the table is emptied by what closes the guard: one statement less of each commit."""

# Made once: that takes longer than to run them.
_GUARD = {name: update(STATE).where(STATE.c.id == 1).values(writing=at) for at, name in enumerate(_GUARDS)}


def is_sqlite(connection: AsyncConnection | Connection) -> bool:
    """Tell SQLite from PostgreSQL; the host knows no others."""
    return connection.dialect.name == "sqlite"


@asynccontextmanager
async def begin() -> AsyncIterator[AsyncConnection]:
    """Give a transaction; committed unless there is an exception."""
    with ours_only():
        async with db.async_engine.begin() as connection:
            yield connection


async def alter(change: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Change tables or triggers in a transaction; wait as long as others use these tables.

    On PostgreSQL all who come later would wait as well, and two transactions that use the same tables in another order
    would wait for each other. So whoever changes tables gives up after a moment, before a deadlock counts as one, and
    tries again. Only where others leave no such moment, it waits its turn like anybody else.

    Args:
        change: Called once more for each attempt; what it has done before is undone then.
    """
    patient_until, is_patient = time.monotonic() + PATIENCE, True
    while True:
        try:
            async with begin() as connection:
                if not is_sqlite(connection):
                    limit = LOCK_MILLISECONDS if is_patient else 0
                    await connection.execute(text(f"SET LOCAL lock_timeout = {limit}"))
                return await change(connection)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in TAKEN:
                raise
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from error  # the driver raises what came last
        if is_patient and time.monotonic() >= patient_until:
            is_patient = False
            log.warning(
                "Triggers of Open WebUI's tables are to be changed, but others use these tables all the time."
                " Whoever comes later waits from now on. If it takes long, look for transactions that do not end:"
                " SELECT * FROM pg_stat_activity WHERE state = 'idle in transaction'."
            )
        await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311 - so that two do not meet again


async def transact(function: Callable[[Connection], T]) -> T:
    """Run a function in a transaction; committed unless there is an exception.

    On SQLite that is in one thread: with the asynchronous engine each statement goes to a thread and back four times,
    which is three times as long for a few of them, and if many rows are written the event loop waits for each.
    """
    with ours_only():
        if db.async_engine.dialect.name == "sqlite":
            run = copy_context().run
            return await asyncio.get_running_loop().run_in_executor(_THREADS, run, _transact, function)
        async with db.async_engine.begin() as connection:
            result: T = await connection.run_sync(function)
            return result


def _transact(function: Callable[[Connection], T]) -> T:
    with db.engine.begin() as connection:
        return function(connection)


async def dispose() -> None:
    """Close the connections, at the end of an event loop."""
    db.engine.dispose()
    await db.async_engine.dispose()


async def open_guard(connection: AsyncConnection) -> None:
    """Let what follows in a transaction through to the mirrored tables; on SQLite it has the write lock now."""
    await connection.run_sync(open_guard_sync)


async def close_guard(connection: AsyncConnection) -> None:
    """Undo `open_guard`; before the end of the transaction."""
    await connection.run_sync(close_guard_sync)


def open_guard_sync(connection: Connection, *, through: bool = False) -> None:
    """See `open_guard`.

    Args:
        connection: An open transaction.
        through: Whether what follows is the host's, to be written through.
    """
    _set_guard(connection, "through" if through else "on")


def close_guard_sync(connection: Connection) -> None:
    """See `close_guard`."""
    _set_guard(connection, "off")


def _set_guard(connection: Connection, guard: str) -> None:
    with ours_only():
        if is_sqlite(connection):
            connection.execute(_GUARD[guard])
        else:
            connection.execute(select(func.set_config("owui.mirror", guard, True)))


def chunks(values: list[T], size: int = AT_ONCE) -> Iterable[list[T]]:
    """Cut a list."""
    return (values[start : start + size] for start in range(0, len(values), size))
