"""The places where contents of files can be: this machine's disk, a bucket, PocketBase.

Which one it is follows from a file's path alone. Buckets are reached through the clients of the host's own providers,
so with the host's own settings; see `openwebui_pocketbase.storage.buckets`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from openwebui_pocketbase.exceptions import NotFoundError
from openwebui_pocketbase.storage.paths import SCHEME, StoredPath, parse

if TYPE_CHECKING:
    from openwebui_pocketbase.storage.contents import Contents
    from openwebui_pocketbase.storage.rows import FileRow, PocketBaseRows

__all__ = ["PARTIAL", "LocalPlace", "Place", "Places", "PocketBasePlace", "Stored", "place_of", "sha256_of"]

SCHEMES = {SCHEME: "pocketbase", "s3://": "s3", "gs://": "gcs", "https://": "azure", "http://": "azure"}
PARTIAL = ".owui-move-"
"""How names of files begin that are not complete yet."""


@dataclass(frozen=True)
class Stored:
    """Contents that a place has.

    Attributes:
        path: Their path.
        size: Bytes; 0 if the place does not tell.
        modified: When they were written, epoch seconds; of PocketBase's, when the record was made.
        has_row: Whether a row leads to them, if the place knows.
    """

    path: str
    size: int
    modified: float
    has_row: bool = False


class Place(Protocol):
    """One place. Paths are those of rows; a directory to work in is empty, and is emptied by the caller."""

    def fetch(self, path: str, directory: Path) -> Path:
        """Return a local file with the contents, one in the directory if there is none yet.

        Raises:
            FileNotFoundError: There are no contents.
        """

    def put(self, row: FileRow, name: str, source: Path, sha256: str) -> str:
        """Store contents of a row under the host's name for them; return their path.

        Nothing but the row's own contents is replaced. They are there for good when this returns.

        Raises:
            FileExistsError: There is something else of this name.
            FileNotFoundError: The row is gone.
        """

    def remove(self, path: str) -> None:
        """Remove contents; nothing if there are none."""

    def __iter__(self) -> Iterator[Stored]:
        """Give all that is stored, under whatever name."""


Places = Mapping[str, Place]
"""Places by their names."""


def place_of(path: str) -> str:
    """Return the name of the place that a path leads to."""
    return next((place for scheme, place in SCHEMES.items() if path.startswith(scheme)), "local")


def sha256_of(path: Path) -> str:
    """Return the checksum of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class LocalPlace:
    """The host's directory for uploads.

    Args:
        directory: That directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def fetch(self, path: str, directory: Path) -> Path:
        """Return the file itself."""
        file = Path(path)
        if not file.is_file():
            raise FileNotFoundError(path)
        return file

    def put(self, row: FileRow, name: str, source: Path, sha256: str) -> str:
        """Write a file, which is seen as a whole or not at all."""
        target = self._directory / name
        if target.exists():
            if sha256_of(target) == sha256:
                return str(target)
            if not name.startswith(row.id):
                raise FileExistsError(f"There is another file {target}.")
        partial = self._directory / f"{PARTIAL}{row.id}"
        with source.open("rb") as old, partial.open("wb") as new:
            shutil.copyfileobj(old, new, 1 << 20)
            new.flush()
            os.fsync(new.fileno())
        partial.replace(target)
        _sync(self._directory)
        return str(target)

    def remove(self, path: str) -> None:
        """Remove a file of this directory; those elsewhere are not the host's."""
        file = self._directory / os.path.basename(path)  # noqa: PTH119 - as the host does
        if Path(path).parent.resolve() == self._directory.resolve():
            file.unlink(missing_ok=True)

    def __iter__(self) -> Iterator[Stored]:
        with os.scandir(self._directory) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat()
                    yield Stored(str(self._directory / entry.name), status.st_size, status.st_mtime)


class PocketBasePlace:
    """The field ``contents`` of the files' own records.

    Args:
        contents: The contents of all files.
        rows: Their rows.
    """

    def __init__(self, contents: Contents, rows: PocketBaseRows) -> None:
        self._contents = contents
        self._rows = rows

    def fetch(self, path: str, directory: Path) -> Path:
        """Download the contents; their checksum is verified."""
        stored = parse(path)
        found = self._contents.describe(stored.id) if stored else None
        if stored is None or found is None or not found.name:
            raise FileNotFoundError(path)
        file = directory / "contents"
        try:
            self._contents.download(found, file)
        except NotFoundError:
            raise FileNotFoundError(path) from None
        return file

    def put(self, row: FileRow, name: str, source: Path, sha256: str) -> str:
        """Upload the contents into the row's record, unless it has them."""
        try:
            self._contents.attach(row.id, source, name.removeprefix(f"{row.id}_"), sha256)
        except NotFoundError:
            raise FileNotFoundError(row.id) from None
        return str(StoredPath(row.id, name))

    def remove(self, path: str) -> None:
        """Remove the contents, and with them a record that no row has completed; not if a row leads to them."""
        if stored := parse(path):
            self._rows.drop_contents(stored.id)

    def __iter__(self) -> Iterator[Stored]:
        """Give pending records and those with contents; PocketBase tells no sizes."""
        after = ""
        while page := self._contents.list(after):
            for found in page:
                if found.pending or found.name:
                    has_row = not found.pending and found.path.startswith(SCHEME)
                    yield Stored(str(StoredPath(found.id, found.name or "contents")), 0, found.created, has_row)
            after = page[-1].id


def _sync(directory: Path) -> None:
    """Have the names in a directory survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
