"""The contents of files in a move: copied where they are not yet, and never removed or replaced at the source.

Contents on this machine's disk go into PocketBase, and come back to the host's directory for uploads under the host's
name for them. Contents in a bucket stay there, under the same path. A row is moved whatever becomes of its contents:
its path leads to where they are. What does not arrive gets a note.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from open_webui.config import UPLOAD_DIR
from open_webui.env import DATA_DIR
from open_webui.internal.db import engine
from open_webui.models.files import File

from openwebui_pocketbase.codec.files import comparable
from openwebui_pocketbase.exceptions import ConfigurationError, NotFoundError, OpenWebUIPocketBaseError
from openwebui_pocketbase.migrate.file_rows import (
    at_once,
    file_row,
    is_at,
    is_gone,
    missing,
    note_of,
    size_of,
    version,
)
from openwebui_pocketbase.migrate.items import Note, Row
from openwebui_pocketbase.ours import ours_only
from openwebui_pocketbase.storage.contents import Contents
from openwebui_pocketbase.storage.paths import StoredPath, parse
from openwebui_pocketbase.storage.places import LocalPlace, place_of, sha256_of
from openwebui_pocketbase.storage.rows import SqlRows

if TYPE_CHECKING:
    from openwebui_pocketbase.connection import Connection

__all__ = ["FileContents", "comparable", "is_at"]

SPARE = 64 << 20
"""Bytes of a disk that are left free."""

OLD = 86_400
"""Seconds after which nobody works on a copy any more."""

RETRY = 30.0
"""Seconds for which a request that got no usable answer is repeated."""


class FileContents:
    """The contents of files on both sides.

    Args:
        connection: An open connection to PocketBase.
        uploads: The host's directory for uploads; default: as the host is set.
        working: Directory for contents on their way; default: in the host's data directory.
    """

    def __init__(self, connection: Connection, *, uploads: Path | None = None, working: Path | None = None) -> None:
        self._connection = connection
        self._contents = Contents(lambda: connection, retry=RETRY)
        self._uploads = uploads or Path(UPLOAD_DIR)
        # Not in the host's own cache: Open WebUI serves that to everybody who has signed in.
        self._working = working or Path(DATA_DIR) / "openwebui-pocketbase" / "migrating"
        self._local = LocalPlace(self._uploads)
        self._in_sql = SqlRows(engine, File.__table__)
        self._clear()

    async def moved_to(self, backend: str, rows: Sequence[Row]) -> tuple[list[Row], list[Note]]:
        """Copy contents to where a backend has them; see `moved_to_pocketbase` and `moved_to_sql`."""
        return await (self.moved_to_pocketbase if backend == "pocketbase" else self.moved_to_sql)(rows)

    async def moved_to_pocketbase(self, rows: Sequence[Row]) -> tuple[list[Row], list[Note]]:
        """Copy contents on this disk into the records of these rows, which are there already.

        Returns:
            The rows with their path in PocketBase, in the same order, and a note for each whose contents are not there.

        Raises:
            ConfigurationError: PocketBase's disk is full.
            UnavailableError: PocketBase does not answer.
        """
        return await self._each(self._upload, rows)

    async def moved_to_sql(self, rows: Sequence[Row]) -> tuple[list[Row], list[Note]]:
        """Copy contents in PocketBase to the host's directory for uploads.

        Returns:
            The rows with their path on the disk, in the same order, and a note for each whose contents are not there.

        Raises:
            ConfigurationError: The disk is full.
            UnavailableError: PocketBase does not answer.
        """
        return await self._each(self._download, rows)

    async def verify(self, backend: str, pairs: Iterable[tuple[Row, Row]]) -> tuple[list[Note], list[Note]]:
        """Read the contents of both sides, and compare their checksums.

        Args:
            backend: The target's.
            pairs: Row of the source and row of the target.

        Returns:
            A note for each whose contents differ, are missing at the target only, or were not brought there; and one
            for each that has contents on neither side.
        """
        found = await at_once(lambda pair: self._verified(backend, *pair), pairs)
        differing = [note for note, _ in found if note is not None]
        return differing, [missing(ours) for _, ours in found if ours is not None]

    async def gone(self, rows: Iterable[Row]) -> list[Note]:
        """Return a note for each row that leads to contents on this disk or in PocketBase, and there are none."""
        found = await at_once(self._gone, rows)
        return [note for note in found if note is not None]

    def free(self, backend: str) -> int | None:
        """Return how many bytes can still be written where a backend has contents; None if that cannot be seen."""
        directory = self._connection.data_dir if backend == "pocketbase" else self._uploads
        return max(0, shutil.disk_usage(directory).free - SPARE) if directory and directory.is_dir() else None

    async def _each(self, copy: Callable[[Row], tuple[str, str]], rows: Sequence[Row]) -> tuple[list[Row], list[Note]]:
        """Copy contents by a function that returns the path at the target, and why it is the present one."""
        found = await at_once(copy, rows)
        both = [*zip(rows, found, strict=True)]
        moved = [row if row["path"] == path else {**row, "path": path} for row, (path, _) in both]
        notes = [note_of(row, reason) for row, (_, reason) in both if reason]
        return moved, notes

    def _upload(self, row: Row) -> tuple[str, str]:
        path = row["path"]
        if is_at("pocketbase", row):
            return path, ""
        name = path.rsplit("/", 1)[-1]
        target = str(StoredPath(row["id"], name))
        reason = ""
        try:
            parse(target)
            source = self._local.fetch(path, self._working)
            self._make_room("pocketbase", source.stat().st_size)
            while True:
                before = version(source)
                self._contents.attach(row["id"], source, name.removeprefix(f"{row['id']}_"), sha256_of(source))
                if version(source) == before:
                    return target, ""
        except NotFoundError:
            pass  # somebody has deleted the file, and the record with it
        except FileNotFoundError:
            with ours_only():
                reason = missing(row).reason if self._in_sql.get(row["id"]) else ""
        except (OSError, ValueError, OpenWebUIPocketBaseError) as error:
            reason = f"Its contents stay where they are: {self._why(row, error)}"
        return path, reason

    def _download(self, row: Row) -> tuple[str, str]:
        path = row["path"]
        if is_at("sqlalchemy", row):
            return path, ""
        reason = ""
        try:
            stored, found = parse(path), self._contents.describe(row["id"])
            if stored is not None and found is not None:
                there = self._uploads / stored.name
                if found.sha256 and there.is_file() and sha256_of(there) == found.sha256:
                    return str(there), ""
                with self._directory() as directory:
                    source, sha256 = self._fetch(row, Path(directory))
                    self._make_room("sqlalchemy", source.stat().st_size)
                    return self._local.put(file_row(row), stored.name, source, sha256), ""
        except FileNotFoundError:
            reason = missing(row).reason if self._contents.describe(row["id"]) else ""
        except (OSError, ValueError, OpenWebUIPocketBaseError) as error:
            reason = f"Its contents stay where they are: {self._why(row, error)}"
        return path, reason

    def _why(self, row: Row, error: Exception) -> str:
        """Return what is wrong with one file.

        Raises:
            ConfigurationError: There is no room for more.
            UnavailableError: It is no matter of this file: PocketBase does not answer any more.
        """
        if isinstance(error, ConfigurationError):
            raise error
        self._contents.describe(row["id"])
        return str(error).partition("\n")[0] or type(error).__name__

    def _verified(self, backend: str, theirs: Row, ours: Row) -> tuple[Note | None, Row | None]:
        """Return what differs, and the row if both sides have no contents."""
        if theirs["path"] == ours["path"] and is_at(backend, ours):  # both lead to the same contents
            with suppress(OSError):
                return None, ours if self._is_gone(ours) else None
            return None, None
        try:
            source, target = self._checksum(theirs), self._checksum(ours)
        except (OSError, ValueError, OpenWebUIPocketBaseError) as error:
            return note_of(theirs, f"Its contents could not be compared: {self._why(theirs, error)}"), None
        if source is None:
            return None, ours if target is None else None
        what = ""
        if not is_at(backend, ours):
            what = "were not copied"
        elif source != target:
            what = "are missing" if target is None else "differ from those of the source"
        return note_of(ours, f"Its contents {what}: {ours['path']}") if what else None, None

    def _gone(self, row: Row) -> Note | None:
        try:
            return missing(row) if self._is_gone(row) else None
        except OSError as error:
            return note_of(row, f"Its contents cannot be looked at: {error}")

    def _is_gone(self, row: Row) -> bool:
        if not row["path"] or place_of(row["path"]) != "pocketbase":
            return is_gone(row)
        found = self._contents.describe(row["id"])
        return found is None or not found.name

    def _checksum(self, row: Row) -> str | None:
        """Return the checksum of contents on this disk or in PocketBase, None if there are none."""
        path = row["path"]
        try:
            if not path:
                return None
            if place_of(path) != "pocketbase":
                return sha256_of(self._local.fetch(path, self._working))
            with self._directory() as directory:
                return self._fetch(row, Path(directory))[1]
        except FileNotFoundError:
            return None

    def _fetch(self, row: Row, directory: Path) -> tuple[Path, str]:
        """Return a file with contents that are in PocketBase, its own one if we see it, and their checksum.

        Raises:
            FileNotFoundError: There are no contents.
        """
        found = self._contents.describe(row["id"])
        if found is None or not found.name:
            raise FileNotFoundError(row["path"])
        file = directory / "contents"
        if not self._contents.link(found, file):
            self._make_room("sqlalchemy", size_of(row))
            try:
                self._contents.download(found, file)
            except NotFoundError:
                raise FileNotFoundError(row["path"]) from None
        sha256 = sha256_of(file)
        if found.sha256 and sha256 != found.sha256:
            raise OSError("PocketBase's storage is damaged, or somebody wrote to it: they have another checksum.")
        return file, sha256

    def _directory(self) -> tempfile.TemporaryDirectory[str]:
        self._working.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=self._working)

    def _clear(self) -> None:
        """Remove what commands that were killed have left."""
        for directory in self._working.glob("*"):
            if directory.stat().st_mtime < time.time() - OLD:
                shutil.rmtree(directory, ignore_errors=True)

    def _make_room(self, backend: str, size: int) -> None:
        free = self.free(backend)
        if free is not None and size > free:
            raise ConfigurationError(
                f"There is no room for the contents of files: the next one has {size:,} bytes.",
                hint="Make room on that disk, and run the command again: it goes on with what is missing.",
            )
