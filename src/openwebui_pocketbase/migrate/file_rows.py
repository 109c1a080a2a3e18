"""Rows of files whose contents are to be moved: where these are, how large they are, and pages of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from openwebui_pocketbase.migrate.items import Note, Row
from openwebui_pocketbase.storage.places import place_of
from openwebui_pocketbase.storage.rows import FileRow

__all__ = ["AT_ONCE", "at_once", "file_row", "is_at", "is_gone", "missing", "note_of", "size_of", "version"]

AT_ONCE = 4
"""Files that are copied at once."""


def is_at(backend: str, row: Row) -> bool:
    """Tell whether the contents of a row are where a backend has them, or in a bucket, or nowhere."""
    path = row["path"]
    return not path or place_of(path) != ("local" if backend == "pocketbase" else "pocketbase")


def is_gone(row: Row) -> bool:
    """Tell whether the contents of a row should be on this disk, and are not.

    Raises:
        OSError: That cannot be seen.
    """
    return bool(row["path"]) and place_of(row["path"]) == "local" and not Path(row["path"]).is_file()


def missing(row: Row) -> Note:
    """Return the note of a row whose contents are not where its path leads."""
    return note_of(row, f"There are no contents: {row['path']}")


def note_of(row: Row, reason: str) -> Note:
    """Return a note of a row of a file."""
    return Note("file", str(row["id"]), reason)


async def at_once(function: Callable[[Any], Any], arguments: Iterable[Any]) -> list[Any]:
    """Return what a function that blocks returns of each; the first error, when no other one is at work any more."""
    free = asyncio.Semaphore(AT_ONCE)
    failed = False

    async def call(argument: Any) -> Any:
        nonlocal failed
        async with free:
            if failed:
                return None
            try:
                return await asyncio.to_thread(function, argument)
            except BaseException:
                failed = True
                raise

    found = await asyncio.gather(*map(call, arguments), return_exceptions=True)
    if error := next((each for each in found if isinstance(each, BaseException)), None):
        raise error
    return found


def size_of(row: Row) -> int:
    """Return the bytes of contents: as they are on the disk, else as the host has noted them."""
    if place_of(row["path"]) == "local" and Path(row["path"]).is_file():
        return Path(row["path"]).stat().st_size
    return file_row(row).size


def file_row(row: Row) -> FileRow:
    """Return what places of contents need to know of a row."""
    size = row["meta"].get("size") if isinstance(row["meta"], dict) else 0
    return FileRow(row["id"], row["user_id"] or "", row["path"], size if isinstance(size, int) else 0, 0)


def version(file: Path) -> tuple[int, int]:
    """Return what is another one when somebody has written to a file."""
    status = file.stat()
    return status.st_size, status.st_mtime_ns
