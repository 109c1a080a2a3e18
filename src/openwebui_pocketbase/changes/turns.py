"""A queue for writing through on SQLite, which has one writer and makes all others poll for it.

Writing through holds the database longer than other writes do, by a request to PocketBase. With many such writes at
once, one might come too late every time, and fail in the end. So within a process they queue up before they ask SQLite.
Imports the host.
"""

from __future__ import annotations

import asyncio
from typing import Any

from open_webui.internal import db
from sqlalchemy import Connection, event
from sqlalchemy.util import await_only

from openwebui_pocketbase.changes.sql import is_sqlite

__all__ = ["Turns"]

TURN = "owui_turn"
"""In the information of a connection: what it has to release."""

PATIENCE = 2.0
"""Seconds after which somebody goes on without: two transactions of one task would wait for each other."""

ENDS = ("checkin", "invalidate", "close")
"""Events of the pool with which a connection's transaction has ended."""


class Turns:
    """The queue of a process."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to see the ends of transactions; does nothing the second time."""
        engine = db.async_engine.sync_engine
        for name in ENDS:
            if not event.contains(engine, name, self._ended):
                event.listen(engine, name, self._ended)

    def stop(self) -> None:
        """Undo `start`."""
        engine = db.async_engine.sync_engine
        for name in ENDS:
            if event.contains(engine, name, self._ended):
                event.remove(engine, name, self._ended)

    def take(self, connection: Connection) -> None:
        """Wait until it is a connection's turn; it is until its transaction has ended."""
        if is_sqlite(connection) and TURN not in connection.info:
            lock = await_only(self._wait())
            if lock is not None:
                connection.info[TURN] = lock

    def end(self, connection: Connection) -> None:
        """End a connection's turn, if it has one: another transaction begins there."""
        _release(connection.info)

    def _ended(self, _connection: Any, record: Any, *_: Any) -> None:
        if record is not None:
            _release(record.info)

    async def _wait(self) -> asyncio.Lock | None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock = loop, asyncio.Lock()
        lock = self._lock
        try:
            async with asyncio.timeout(PATIENCE):
                await lock.acquire()
        except TimeoutError:
            return None
        return lock


def _release(info: dict[str, Any]) -> None:
    lock = info.pop(TURN, None)
    if lock is not None:
        lock.release()
