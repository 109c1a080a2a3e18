"""Connections to the host's SQL database for reading: of the present, or all of one moment; imports the host."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from open_webui.internal import db
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from openwebui_pocketbase.changes.sql import is_sqlite
from openwebui_pocketbase.ours import ours_only

__all__ = ["Connections", "Present", "snapshot"]

T = TypeVar("T")
P = ParamSpec("P")
Call = Callable[Concatenate[Connection, P], T]

_PAGES = 4096
"""Pages that are copied while others cannot write."""

_RESTARTS = 5
"""So often a copy that others' writes disturb begins anew; then they wait until it is done."""


class Connections(Protocol):
    """Where statements go."""

    async def run(self, function: Call[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function with a connection, in a thread."""

    def held(self) -> Any:
        """Give an asynchronous context with `Connections` that are always the same one."""


class Present:
    """Connections of the host's engine: each call sees the present."""

    async def run(self, function: Call[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Connections`."""

        def call() -> T:
            with ours_only(), db.engine.connect() as connection:
                return function(connection, *args, **kwargs)

        return await _in_thread(call)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Connections]:
        """See `Connections`."""
        with ExitStack() as stack:
            yield _Fixed([await _in_thread(lambda: stack.enter_context(db.engine.connect()))])


class _Fixed:
    """Some open connections; each is used by one call at a time."""

    def __init__(self, connections: list[Connection]) -> None:
        self._free = [(connection, asyncio.Lock()) for connection in connections]
        self._next = 0

    async def run(self, function: Call[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Connections`."""
        connection, lock = self._one()

        def call() -> T:
            with ours_only():
                return function(connection, *args, **kwargs)

        async with lock:
            return await _in_thread(call)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Connections]:
        """See `Connections`; others may use it between two calls."""
        fixed = _Fixed([])
        fixed._free = [self._one()]
        yield fixed

    def _one(self) -> tuple[Connection, asyncio.Lock]:
        free = [each for each in self._free if not each[1].locked()] or self._free
        self._next += 1
        return free[self._next % len(free)]


@asynccontextmanager
async def snapshot(connections: int) -> AsyncIterator[Connections]:
    """Give connections whose reads all see the database as it is now; nobody's writes wait for them.

    Args:
        connections: How many there should be; there may be one only.
    """
    stack = ExitStack()
    try:
        opened = await _in_thread(lambda: stack.enter_context(_opened(connections)))
        yield _Fixed(opened)
    finally:
        await _in_thread(stack.close)


@contextmanager
def _opened(count: int) -> Iterator[list[Connection]]:
    with ExitStack() as stack:
        with ours_only():
            opened = _open(stack, count)
        yield opened


def _open(stack: ExitStack, count: int) -> list[Connection]:
    first = stack.enter_context(db.engine.connect())
    if not is_sqlite(first):
        return _postgresql(stack, first, count)
    if first.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal":
        return _wal(stack, first, count)
    # In other modes who reads keeps others from writing.
    engine = stack.enter_context(_copied(first))
    return [_begun(stack.enter_context(engine.connect())) for _ in range(count)]


def _postgresql(stack: ExitStack, first: Connection, count: int) -> list[Connection]:
    options: Any = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    opened = [first.execution_options(**options)]
    name = first.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
    for _ in range(count - 1):
        other = stack.enter_context(db.engine.connect()).execution_options(**options)
        # The name is PostgreSQL's own; SET takes no parameters.
        other.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{name}'")
        opened.append(other)
    return opened


def _wal(stack: ExitStack, first: Connection, count: int) -> list[Connection]:
    """Begin to read on all connections while nobody can write: so all see the same."""
    if count == 1:
        return [_begun(first)]
    opened = []
    try:
        first.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError:  # it cannot be written to, or is locked for long
        return [_begun(first)]
    try:
        opened += [_begun(stack.enter_context(db.engine.connect())) for _ in range(count)]
    finally:
        first.rollback()
    return opened


def _begun(connection: Connection) -> Connection:
    connection.exec_driver_sql("BEGIN")
    connection.execute(text("SELECT 1 FROM sqlite_master LIMIT 1")).all()  # only a read sets the moment
    return connection


@contextmanager
def _copied(connection: Connection) -> Iterator[Engine]:
    """Give an engine of a copy of the file, which is deleted in the end."""
    database = Path(connection.exec_driver_sql("PRAGMA database_list").all()[0][2])
    descriptor, name = tempfile.mkstemp(prefix=f".{database.name}.", suffix=".copy", dir=database.parent)
    os.close(descriptor)
    path = Path(name)
    try:
        driver: Any = connection.connection.driver_connection
        _copy(driver, path)
        engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"check_same_thread": False})
        yield engine
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)


def _copy(source: sqlite3.Connection, path: Path) -> None:
    before, restarts = -1, 0

    def watch(_status: int, remaining: int, _total: int) -> None:
        nonlocal before, restarts
        restarts += 0 <= before < remaining
        before = remaining
        if restarts > _RESTARTS:
            raise InterruptedError

    target = sqlite3.connect(path)
    try:
        with suppress(InterruptedError):
            source.backup(target, pages=_PAGES, progress=watch, sleep=0.01)
            return
        source.backup(target)
    finally:
        target.close()


async def _in_thread(function: Callable[[], T]) -> T:
    """Call a function in a thread; who is cancelled waits until it has ended, and the connection is free again."""
    call = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        await asyncio.wait([call])
        raise
