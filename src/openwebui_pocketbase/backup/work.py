"""What an interrupted run leaves behind, and which run may work now."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from openwebui_pocketbase.backup.links import size_of
from openwebui_pocketbase.backup.names import printable
from openwebui_pocketbase.backup.partial import clear_partial
from openwebui_pocketbase.exceptions import BackupError
from openwebui_pocketbase.server.locks import FileLock
from openwebui_pocketbase.server.permissions import make_directory, owner_to_become

if TYPE_CHECKING:
    from openwebui_pocketbase.backup.places import Places

__all__ = ["alone", "areas", "clear", "enough_room", "explained", "give_to_owner", "room_for", "synced"]

ROOM = "Make room, or name a directory on another disk, and try again."

SPARE = 64 << 20
"""Bytes that stay free."""


@contextmanager
def alone(places: Places) -> Iterator[None]:
    """Let nobody else make, restore or remove archives of this site meanwhile.

    Raises:
        BackupError: Somebody does.
    """
    make_directory(places.private, 0o700)
    lock = FileLock.take(places.private / "backup.lock")
    if lock is None:
        raise BackupError(
            "Another backup or restore of this site is going on.", hint="Wait until it has ended, and try again."
        )
    with lock:
        yield


def areas(places: Places) -> list[Path]:
    """Return our own directories, one on each disk that has parts, in which files are held and put aside."""
    found = [places.private]
    if places.pocketbase is not None and places.pocketbase.is_dir():
        found.append(places.pocketbase / ".owui")  # PocketBase's own backups leave it out
    return found


def clear(places: Places, directory: Path | None) -> list[Path]:
    """Remove what cut-off runs have left; return what that was. To be called by whoever is `alone`.

    Args:
        places: The site.
        directory: Where archives are kept, if that is a directory.
    """
    return [path for area in (*areas(places), directory) if area for path in clear_partial(area)]


def room_for(places: Places) -> int:
    """Return how much room an archive needs while it is made: databases are copied before they are compressed."""
    files = sum(size_of(root) for _, root in places.trees()) + 2 * size_of(places.vector_db)
    databases = [places.pocketbase / "data.db"] if places.pocketbase else []
    if places.database.kind == "sqlite":
        databases.append(places.database.path)
    return files + 2 * sum(size_of(path) + size_of(path.with_name(f"{path.name}-wal")) for path in databases)


def enough_room(needed: dict[Path, int]) -> None:
    """Look whether the disks have room.

    Args:
        needed: Bytes that are going to be written, by the directory, which need not be there yet.

    Raises:
        BackupError: One has not.
    """
    disks: dict[int, tuple[Path, int]] = {}
    for directory, size in needed.items():
        there = next(path for path in (directory, *directory.parents) if path.exists())
        device = there.stat().st_dev
        disks[device] = (there, disks.get(device, (there, 0))[1] + size)
    for there, size in disks.values():
        free = shutil.disk_usage(there).free
        if size + SPARE > free:
            raise BackupError(
                f"The disk of {there} has {free / 1e6:,.0f} MB free, and {(size + SPARE) / 1e6:,.0f} MB are needed.",
                hint="Make room, or name a directory on another disk. Nothing was written.",
            )


@contextmanager
def explained() -> Iterator[None]:
    """Say what to do if the system refuses something.

    Raises:
        BackupError: In place of an error of the system, or of SQLite.
    """
    try:
        yield
    except OSError as error:
        named = f" ({printable(error.filename)})" if error.filename else ""
        hint = "Run this as the user who runs Open WebUI, and look at the directory's permissions."
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            hint = ROOM
        raise BackupError(f"{error.strerror or error}{named}. Nothing was changed.", hint=hint) from None
    except sqlite3.DatabaseError as error:
        is_full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        hint = ROOM if is_full else "Look at the database: sqlite3 FILE 'PRAGMA integrity_check'"
        raise BackupError(f"SQLite says: {error}. Nothing was changed.", hint=hint) from None


def give_to_owner(root: Path, like: Path) -> None:
    """Have what root has made belong to the owner of a directory, if that is somebody else."""
    if (owner := owner_to_become(like)) is None:
        return
    for path in (root, *root.rglob("*")):
        os.chown(path, owner.uid, owner.gid, follow_symlinks=False)


def synced(directory: Path) -> None:
    """Have the names in a directory on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
