"""File locks that the kernel releases when their holder ends, however it ends."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from openwebui_pocketbase.server.permissions import open_private

with contextlib.suppress(ImportError):  # Windows has none; `EmbeddedServer.acquire` says so
    import fcntl

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FileLock", "PinnedFile", "has_shared_holders", "is_current", "is_locked", "lock_open_file"]


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
        fd = open_private(path, os.O_RDWR)
        # A lock on a file that has been replaced in the meantime would be one that nobody looks at.
        if _lock(fd, shared=shared) and is_current(fd, path):
            return cls(fd)
        os.close(fd)
        return None

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


class PinnedFile:
    """An open file, which stays the same whatever its path names later; open until this process ends.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # For writing if possible: NFS wants that for an exclusive lock.
        writable = os.access(path, os.W_OK)
        self._fd = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC)

    def is_current(self) -> bool:
        """Tell whether the path still names this file."""
        return is_current(self._fd, self._path)

    def lock(self) -> bool:
        """Lock the file exclusively, for good; return False, at once, if others' locks forbid it."""
        return _lock(self._fd, shared=False)


def is_locked(path: Path) -> bool:
    """Tell whether a process holds the file's lock exclusively; changes nothing.

    Raises:
        OSError: The file cannot be opened.
    """
    return not _is_free(path, shared=True)


def has_shared_holders(path: Path) -> bool:
    """Tell whether a process holds a shared lock on the file; the caller must not hold one itself.

    Raises:
        OSError: The file cannot be opened.
    """
    return not _is_free(path, shared=False) and _is_free(path, shared=True)


def is_current(fd: int, path: Path) -> bool:
    """Tell whether the open file is still the one that the path names."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def lock_open_file(fd: int, *, shared: bool = False) -> None:
    """Lock an open file until it is closed, waiting for others whose locks forbid it to close theirs."""
    fcntl.flock(fd, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def _is_free(path: Path, *, shared: bool) -> bool:
    try:
        # NFS wants a file that is open for writing for an exclusive lock.
        fd = os.open(path, (os.O_RDONLY if shared else os.O_RDWR) | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        return _lock(fd, shared=shared)
    finally:
        os.close(fd)


def _lock(fd: int, *, shared: bool) -> bool:
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
