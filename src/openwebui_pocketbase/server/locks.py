"""File locks that the kernel releases when their holder ends, however it ends."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

with contextlib.suppress(ImportError):  # Windows has none; `EmbeddedServer.acquire` says so
    import fcntl

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FileLock", "has_shared_holders", "is_current", "is_locked", "lock_open_file"]


class FileLock:
    """A held lock on a file; the file itself stays, as removing it would split its holders.

    A lock is never converted between shared and exclusive: a conversion that fails loses the lock.

    Attributes:
        fd: File descriptor that carries the lock. A child that inherits it shares the lock, which
            is free again when both have closed it.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @classmethod
    def take(cls, path: Path, *, shared: bool = False) -> FileLock | None:
        """Lock the file without waiting, or return None if others' locks forbid it.

        Raises:
            OSError: The file cannot be opened.
        """
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        return cls(fd)

    @classmethod
    def adopt(cls, fd: int) -> FileLock:
        """Take over a lock that the parent process passed on as an open file descriptor."""
        os.set_inheritable(fd, False)
        return cls(fd)

    def close(self) -> None:
        """Give up this process's part of the lock."""
        os.close(self.fd)

    def __enter__(self) -> FileLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_locked(path: Path) -> bool:
    """Tell whether a process holds the file's lock exclusively.

    Raises:
        OSError: The file cannot be opened.
    """
    lock = FileLock.take(path, shared=True)
    if lock:
        lock.close()
    return lock is None


def is_current(fd: int, path: Path) -> bool:
    """Tell whether the open file is still the one that the path names."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def lock_open_file(fd: int) -> None:
    """Lock an open file exclusively until it is closed, waiting for others to close theirs."""
    fcntl.flock(fd, fcntl.LOCK_EX)


def has_shared_holders(path: Path) -> bool:
    """Tell whether a process holds a shared lock on the file; the caller must not hold one itself.

    Raises:
        OSError: The file cannot be opened.
    """
    for shared in (False, True):
        lock = FileLock.take(path, shared=shared)
        if lock:
            lock.close()
            return shared
    return False  # the lock is held exclusively
