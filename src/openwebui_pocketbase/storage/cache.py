"""Local copies of contents: what the host opens, in a directory of bounded size.

Each copy has a directory of its own, named by the record and by PocketBase's name for the contents, which is another
one when they are replaced. The file in it has the name that the host knows, because it tells types by the suffix and
writes other forms of recordings beside the file; these are counted and removed with it. A directory is made under
another name and renamed when all is there, and renamed before it is removed.

Several processes share the directory. What somebody asked for is not removed for half an hour: the host opens a file
some time after it got the path.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from openwebui_pocketbase.server.locks import lock_open_file
from openwebui_pocketbase.server.permissions import make_directory, open_private

__all__ = ["Cache"]

PROTECTED = 1800.0
"""Seconds for which a copy stays after somebody asked for it."""
ABANDONED = 24 * 3600.0
"""Seconds after which what nobody finished is removed."""
LOCKS = 256
"""Files of which one is locked while the copy of a record is made."""
NEW, OLD = ".new-", ".old-"


class Cache:
    """Copies of contents, least recently used first out.

    Args:
        directory: Where they are; for nobody else, and nothing else.
        limit: Bytes that all copies may have, with what was written beside them.
    """

    def __init__(self, directory: Path, limit: int) -> None:
        self._directory = directory
        self._limit = limit
        self._unseen: float = limit  # bytes that came since the directory was last looked through
        self._mutex = threading.Lock()

    def missing(self, id: str, name: str) -> Path:
        """Return the path that a copy would have of contents that are gone; there is no such file."""
        return self._directory / f"{id}." / name

    def find(self, id: str, version: str, name: str) -> Path | None:
        """Return the copy of contents, and keep it for a while; None if there is none.

        Args:
            id: The record.
            version: PocketBase's name for the contents.
            name: Name of the file.
        """
        directory = self._directory / f"{id}.{version}"
        path = directory / name
        if not path.is_file():
            return None
        with self._lock(".lock", shared=True), suppress(FileNotFoundError):
            os.utime(directory)
            return path if path.is_file() else None
        return None

    def newest(self, id: str, name: str) -> Path | None:
        """Return the last used copy of any contents that a record has had; asks nobody."""
        paths = [path for path in self._directory.glob(f"{id}.*/*") if path.name == name]
        return max(paths, key=lambda path: path.parent.stat().st_mtime, default=None)

    @contextmanager
    def making(self, id: str) -> Iterator[None]:
        """Be the only one who makes a copy for this record, in all processes."""
        with self._lock(f".locks/{zlib.crc32(id.encode()) % LOCKS:03}"):
            yield

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Give a new directory in which a copy can be made; what is left of it then is removed."""
        make_directory(self._directory, 0o700)
        directory = Path(tempfile.mkdtemp(prefix=NEW, dir=self._directory))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def add(self, staged: Path, id: str, version: str) -> Path:
        """Take a finished copy over.

        Args:
            staged: The file, in a directory of `staging`.
            id: The record.
            version: PocketBase's name for the contents.

        Returns:
            Where the copy is now.
        """
        directory = self._directory / f"{id}.{version}"
        size = staged.stat().st_size
        with self._lock(".lock", shared=True):
            try:
                staged.parent.rename(directory)
            except OSError:  # it is there, with what was written beside a copy, or with one of another name
                staged.replace(directory / staged.name)
            os.utime(directory)
        self._trim_after(size)
        return directory / staged.name

    def drop(self, id: str) -> None:
        """Remove all copies for a record."""
        for directory in self._directory.glob(f"{id}.*"):
            self._remove(directory)

    def clear(self) -> None:
        """Remove all copies."""
        for directory in self._copies():
            self._remove(directory)

    def trim(self) -> None:
        """Remove the copies that were not used for longest, until the others are within the limit."""
        now = time.time()
        copies = []
        for directory in self._copies():
            with suppress(FileNotFoundError):
                copies.append((directory.stat().st_mtime, _size(directory), directory))
        total = sum(size for _, size, _ in copies)
        for used, size, directory in sorted(copies):
            if total <= self._limit or used > now - PROTECTED:
                break
            if self._remove(directory, unused_since=used):
                total -= size
        for prefix, age in ((NEW, ABANDONED), (OLD, 0.0)):
            for directory in self._directory.glob(f"{prefix}*"):
                if _last_change(directory) <= now - age:
                    shutil.rmtree(directory, ignore_errors=True)

    def _trim_after(self, size: int) -> None:
        """Look through the directory when a tenth of the limit has come since the last time."""
        with self._mutex:
            self._unseen += size
            if self._unseen < self._limit / 10:
                return
            self._unseen = 0
        self.trim()

    def _copies(self) -> Iterator[Path]:
        with suppress(FileNotFoundError):
            yield from (path for path in self._directory.iterdir() if not path.name.startswith("."))

    def _remove(self, directory: Path, unused_since: float | None = None) -> bool:
        """Remove a copy, unless somebody has asked for it since; tell whether it is gone."""
        gone = self._directory / f"{OLD}{directory.name[:200]}-{time.time_ns()}"
        with self._lock(".lock"):
            try:
                if unused_since is not None and directory.stat().st_mtime > unused_since:
                    return False
                directory.rename(gone)
            except FileNotFoundError:
                return True
        shutil.rmtree(gone, ignore_errors=True)
        return True

    @contextmanager
    def _lock(self, name: str, *, shared: bool = False) -> Iterator[None]:
        path = self._directory / name
        make_directory(self._directory, 0o700)
        make_directory(path.parent, 0o700)
        fd = open_private(path, os.O_RDWR)
        try:
            lock_open_file(fd, shared=shared)
            yield
        finally:
            os.close(fd)


def _size(directory: Path) -> int:
    """Return the bytes of all files in a directory, with those of tools that made directories of their own."""
    total = 0
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.lstat().st_size
    return total


def _last_change(directory: Path) -> float:
    """Return when a directory or a file in it was last changed, epoch seconds."""
    times = [0.0]
    for path in (directory, *directory.glob("*")):
        with suppress(FileNotFoundError):
            times.append(path.stat().st_mtime)
    return max(times)
