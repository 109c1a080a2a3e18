"""Opening PocketBase's data and the SQL database so that both are read as they are at the same moment.

PocketBase's file takes no writes for as long as it takes to begin to read both; then everybody goes on, and what they
write is not seen. So only PocketBase's writers wait, some milliseconds. Whoever holds the lock of the SQL database may
be waiting for PocketBase: hence that lock is never waited for while PocketBase is locked; all is begun anew instead.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from openwebui_pocketbase.backup import sqlite
from openwebui_pocketbase.backup.snapshots import Snapshot, snapshot
from openwebui_pocketbase.exceptions import BackupError

if TYPE_CHECKING:
    from openwebui_pocketbase.backup.places import Database

__all__ = ["Moment", "moment"]

# All in seconds.
SHORT = 0.05
LONG = 10.0
PATIENCE = 60.0


@dataclass(frozen=True)
class Moment:
    """Databases that are being read, all as they were at one moment.

    Attributes:
        at: That moment.
        pocketbase: PocketBase's data, if it is on this disk.
        database: The SQL database: a connection to SQLite, or a snapshot of PostgreSQL.
        waited: For how many seconds writers had to wait, by what they wrote to.
    """

    at: datetime
    pocketbase: sqlite3.Connection | None
    database: sqlite3.Connection | Snapshot
    waited: dict[str, float] = field(default_factory=dict)


@contextmanager
def moment(pocketbase: Path | None, database: Database) -> Iterator[Moment]:
    """Begin to read.

    Args:
        pocketbase: PocketBase's ``data.db``, if it is on this disk.
        database: The SQL database.

    Raises:
        BackupError: Others lock one of them all the time.
    """
    deadline = time.monotonic() + PATIENCE
    with ExitStack() as stack:
        # Connecting to PostgreSQL takes longer than anybody should wait.
        prepared = stack.enter_context(snapshot(database)) if database.kind == "postgresql" else None
        while True:
            with ExitStack() as attempt:
                try:
                    opened = _opened(attempt, pocketbase, database, prepared)
                except sqlite3.DatabaseError as error:
                    if not sqlite.is_locked(error) or time.monotonic() > deadline:
                        raise _unreadable(pocketbase, database, error) from None
                else:
                    stack.push(attempt.pop_all())
                    break
            time.sleep(SHORT)
        yield opened


def _opened(stack: ExitStack, pocketbase: Path | None, database: Database, prepared: Snapshot | None) -> Moment:
    waited: dict[str, float] = {}
    reader = None
    with ExitStack() as locked:
        if pocketbase is not None:
            locked.enter_context(sqlite.writing(pocketbase, LONG))
        began = time.monotonic()
        at = datetime.now(UTC)
        if prepared is None:
            opened: sqlite3.Connection | Snapshot = stack.enter_context(sqlite.reading(database.path, SHORT))
        else:
            prepared.take()
            opened = prepared
        if pocketbase is not None:
            reader = stack.enter_context(sqlite.reading(pocketbase, SHORT))
            locked.close()
            waited["pocketbase"] = time.monotonic() - began
    return Moment(at, reader, opened, waited)


def _unreadable(pocketbase: Path | None, database: Database, error: sqlite3.DatabaseError) -> BackupError:
    files = [str(path) for path in (pocketbase, database.path if database.kind == "sqlite" else None) if path]
    if sqlite.is_locked(error):
        return BackupError(
            f"{' or '.join(files)} has been locked for {PATIENCE:g} seconds.",
            hint="Something writes for very long, such as an import or a migration. Try again when it is done.",
        )
    return BackupError(
        f"{' or '.join(files)} cannot be read: {error}.",
        hint="Run this as the user who runs Open WebUI. SQLite makes files beside a database, also to read it.",
    )
