"""The trip-wire: in this process, a statement of other code that uses a moved table is an error."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from types import FrameType
from typing import Any, Literal
from urllib.parse import unquote
from weakref import WeakKeyDictionary

from greenlet import getcurrent  # type: ignore[import-untyped]  # it has no stubs
from sqlalchemy import URL, Connection, Engine, event

from openwebui_pocketbase.guard.moved import MovedTable
from openwebui_pocketbase.guard.statements import tables_in
from openwebui_pocketbase.ours import ours

__all__ = ["TripWire"]

log = logging.getLogger(__name__)

REMEMBERED = 4096
"""How many statements are remembered with what was found in them."""

LONG = 1 << 12
"""Characters of a statement that is not remembered."""

BENEATH = ("sqlalchemy", "openwebui_pocketbase.", "open_webui.internal.", "asyncio", "contextlib", "greenlet")
"""Modules between the caller and the statement."""


class TripWire:
    """Watches the statements on one database, over whatever engine they go.

    Args:
        tables: The moved tables, by name.
        engines: The host's engines; others on the same database are also watched.
        schema: Schema of the host's tables, if they are not in the default one.
        mode: Whether a statement is an error or a warning.
    """

    def __init__(
        self,
        tables: Mapping[str, MovedTable],
        engines: Collection[Engine],
        *,
        schema: str | None,
        mode: Literal["error", "warn"],
    ) -> None:
        self._tables = tables
        self._mode = mode
        self._schemas = {"", "main", schema or "public"}
        self._databases = {_database(engine.url) for engine in engines}
        self._watched: WeakKeyDictionary[Engine, bool] = WeakKeyDictionary((engine, True) for engine in engines)
        self._names = re.compile(rf"\b(?:{'|'.join(map(re.escape, tables))})\b", re.IGNORECASE)
        self._remembered = lru_cache(REMEMBERED)(self._offence)
        self._told: set[int] = set()

    def arm(self) -> Callable[[], None]:
        """Begin to watch; return a function that ends it."""
        event.listen(Engine, "before_cursor_execute", self._check)
        return lambda: event.remove(Engine, "before_cursor_execute", self._check)

    def _check(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if ours.get():
            return
        find = self._remembered if len(statement) < LONG else self._offence
        offence = find(statement)
        if offence is not None and self._is_watched(connection.engine):
            self._report(*offence, statement)

    def _offence(self, statement: str) -> tuple[MovedTable, bool] | None:
        """Return a table that the statement must not use so, and whether it writes it."""
        if not self._names.search(statement):
            return None
        uses = [use for use in tables_in(statement) if use.table in self._tables and use.schema in self._schemas]
        for use in sorted(uses, key=lambda use: (not use.writes, use.table)):
            table = self._tables[use.table]
            if use.writes or not table.mirrored:
                return table, use.writes
        return None

    def _is_watched(self, engine: Engine) -> bool:
        watched = self._watched.get(engine)
        if watched is None:
            watched = self._watched[engine] = _database(engine.url) in self._databases
        return watched

    def _report(self, table: MovedTable, writes: bool, statement: str) -> None:
        error = table.error(writes=writes, caller=_caller())
        if hash(statement) not in self._told and len(self._told) < REMEMBERED:
            # Who executes such a statement may swallow its error.
            self._told.add(hash(statement))
            log.log(logging.ERROR if self._mode == "error" else logging.WARNING, "%s", error)
        if self._mode == "error":
            raise error


def _database(url: URL) -> tuple[Any, ...]:
    """Return what two addresses of one database have in common.

    A file has many names, and a server many addresses: of a server only the database's name counts.
    """
    name = url.database or ""
    if url.get_backend_name() == "sqlite":
        name = os.path.realpath(unquote(name.removeprefix("file:").partition("?")[0]))
    return (url.get_backend_name(), name)


def _caller() -> str:
    """Return file and line of the code that had a statement executed."""
    for frame in _frames():
        if not str(frame.f_globals.get("__name__", "")).startswith(BENEATH):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
    return "Something"


def _frames() -> Iterator[FrameType]:
    """Yield the frames of the stack, also those of an asynchronous caller behind SQLAlchemy's greenlet."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - there is no other way to it
    greenlet = getcurrent()
    while frame is not None or (greenlet := greenlet.parent) is not None:
        if frame is None:
            frame = greenlet.gr_frame
            continue
        yield frame
        frame = frame.f_back
