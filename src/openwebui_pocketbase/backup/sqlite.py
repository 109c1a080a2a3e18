"""Files of SQLite: reading them as they are at one moment, copying that, and checking the copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from openwebui_pocketbase.exceptions import BackupError

__all__ = [
    "copy",
    "is_locked",
    "is_open_elsewhere",
    "is_sqlite",
    "problems_of",
    "quickly_checked",
    "read",
    "reading",
    "writing",
]

HEADER = b"SQLite format 3\x00"
PAGES = 4096
"""Pages that are copied at once; between two of them the command can be stopped."""


def is_sqlite(path: Path) -> bool:
    """Tell whether a file is a database of SQLite; what is gone by now is none."""
    try:
        with path.open("rb") as file:
            return file.read(len(HEADER)) == HEADER
    except FileNotFoundError:
        return False


def is_locked(error: sqlite3.DatabaseError) -> bool:
    """Tell whether somebody else's lock is in the way, which passes."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@contextmanager
def _connected(path: Path, timeout: float) -> Iterator[sqlite3.Connection]:
    """Give a connection to a database that is there: none is made by mistake.

    Args:
        path: The file.
        timeout: For how many seconds others' locks are waited for.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, timeout, uri=True, isolation_level=None)) as connection:
        yield connection


@contextmanager
def writing(path: Path, timeout: float) -> Iterator[None]:
    """Keep everybody else from writing; nothing is written.

    Raises:
        sqlite3.OperationalError: Somebody else writes, for longer than that.
    """
    with _connected(path, timeout) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.rollback()


@contextmanager
def reading(path: Path, timeout: float) -> Iterator[sqlite3.Connection]:
    """Give a connection that sees the database as it is now; in WAL mode nobody's writes wait for it.

    Raises:
        sqlite3.OperationalError: Somebody else locks it, for longer than that.
    """
    with _connected(path, timeout) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()  # only a read sets the moment
        yield connection


@contextmanager
def read(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection to a copy, of which nothing is changed and beside which nothing is made."""
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
        yield connection


def is_open_elsewhere(path: Path) -> bool:
    """Tell whether another process has a database open; that is only to be seen in WAL mode."""
    try:
        with _connected(path, 0.0) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.rollback()
    except sqlite3.DatabaseError as error:  # also of a file that is none: it may be what is going to be replaced
        return is_locked(error)
    return False


def copy(source: sqlite3.Connection, path: Path) -> None:
    """Copy what a connection sees into a new file, page by page: rows keep their internal numbers, unlike by VACUUM."""
    path.touch(0o600, exist_ok=False)
    with closing(sqlite3.connect(path)) as target:
        source.backup(target, pages=PAGES, sleep=0.01)
        # The copy has the source's mode; that of a file alone needs no second file beside it.
        target.execute("PRAGMA journal_mode = DELETE")


def quickly_checked(path: Path, name: str) -> None:
    """Look whether a copy can be read through.

    Raises:
        BackupError: It cannot: the source is damaged.
    """
    with read(path) as connection:
        found = _checked(connection, "quick_check")
    if found:
        raise BackupError(
            f"{name} is damaged: {found[0]}.",
            hint="Restore an earlier archive, or have SQLite repair it (.recover). No archive was made or removed.",
        )


def problems_of(path: Path) -> list[str]:
    """Check a copy thoroughly, its indexes too; return what is wrong."""
    with read(path) as connection:
        return _checked(connection, "integrity_check")


def _checked(connection: sqlite3.Connection, pragma: str) -> list[str]:
    try:
        return [row[0] for row in connection.execute(f"PRAGMA {pragma}(10)") if row[0] != "ok"]
    except sqlite3.DatabaseError as error:
        return [str(error)]
