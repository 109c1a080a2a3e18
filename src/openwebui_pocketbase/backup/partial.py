"""Directories that a run works in. Each run locks its own, so an unlocked one belongs to a run that was interrupted."""

from __future__ import annotations

import errno
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from openwebui_pocketbase.server.locks import FileLock
from openwebui_pocketbase.server.permissions import make_directory

__all__ = ["PARTIAL", "clear_partial", "partial"]

PARTIAL = ".partial"
"""How their names end."""

LOCK = ".lock"

_NAME = re.compile(r"(?:backup|fetched|verified)-[0-9a-f]{8}\.partial")
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}


@contextmanager
def partial(kind: str, directory: Path) -> Iterator[Path]:
    """Give a new directory, which goes in any case.

    Args:
        kind: What it is for: ``backup``, ``fetched`` or ``verified``.
        directory: Where it is made; made if need be.
    """
    path, lock = _made(kind, directory)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if lock is not None:
            lock.close()


def clear_partial(directory: Path) -> list[Path]:
    """Remove what runs that were cut off have left in a directory, of whatever site; return what that was.

    Nothing else that is there is touched, nor what belongs to another user.
    """
    removed = []
    for path in sorted(directory.glob(f"*{PARTIAL}")):
        if not _NAME.fullmatch(path.name) or path.is_symlink() or not path.is_dir():
            continue
        with suppress(OSError):
            lock = FileLock.take(path / LOCK)
            if lock is not None:
                with lock:
                    shutil.rmtree(path)
                removed.append(path)
    return removed


def _made(kind: str, directory: Path) -> tuple[Path, FileLock | None]:
    while True:
        path = directory / f"{kind}-{secrets.token_hex(4)}{PARTIAL}"
        make_directory(path, 0o700)
        try:
            lock = FileLock.take(path / LOCK)
        except FileNotFoundError:
            continue  # somebody who saw it before it was locked took it for one that was cut off
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return path, None  # nobody can lock it, so nobody removes it either
        if lock is not None:
            return path, lock
