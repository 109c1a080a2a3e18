"""What the host's ``Storage`` becomes when files are in PocketBase.

The object stays, and its own class remains below ours: files that were stored before have paths of that class, which
goes on to read and delete them.
"""

from __future__ import annotations

import asyncio
import hashlib
import mmap
import os
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, cast

from fastapi import HTTPException
from open_webui.constants import ERROR_MESSAGES
from open_webui.storage.provider import StorageProvider

from openwebui_pocketbase.exceptions import NotFoundError
from openwebui_pocketbase.storage.cache import Cache
from openwebui_pocketbase.storage.contents import Contents, StoredContents
from openwebui_pocketbase.storage.paths import StoredPath, check_name, parse

__all__ = ["MappedContents", "PocketBaseStorage"]

PIECE = 1 << 20
"""Bytes that are read at once."""
MEGABYTE = 1 << 20
ATTEMPTS = 3
"""Of a read while somebody replaces the contents."""


class MappedContents(mmap.mmap):
    """The bytes of an uploaded file, of which the system keeps in memory only what somebody looks at.

    Attributes:
        sha256: Their checksum, in hex.
    """

    sha256: str


class PocketBaseStorage(StorageProvider):
    """Comes above the class of the host's provider; every method blocks.

    Attributes:
        contents: What is in PocketBase.
        cache: The local copies.
        max_size: Largest file, in bytes.
    """

    contents: Contents
    cache: Cache
    max_size: int

    def upload_file(self, file: BinaryIO, filename: str, tags: Mapping[str, str]) -> tuple[MappedContents, str]:
        """Store a new file; no row names it yet.

        Args:
            file: Read from where it stands.
            filename: Name in storage, such as ``<id>_report.pdf``.
            tags: ``OpenWebUI-File-Id`` is the id that the row is going to have.

        Returns:
            The contents, and the path for the row.

        Raises:
            ValueError: The file is empty, or its name leads to another directory.
            OSError: The name is too long for a file, or the disk is full.
            HTTPException: 413, the file is too large.
            RequestError: PocketBase did not take it.
        """
        check_name(filename)
        first = file.read(PIECE)
        if not first:
            raise ValueError(ERROR_MESSAGES.EMPTY_CONTENT)
        record = tags.get("OpenWebUI-File-Id") or str(uuid.uuid4())
        with self.cache.staging() as directory:
            staged = directory / filename
            sha256 = self._write(staged, first, file)
            stored = self.contents.upload(record, staged, filename.removeprefix(f"{record}_"), sha256)
            path = self._keep(staged, stored)
        return _mapped(path, sha256), str(StoredPath(record, filename))

    def get_file(self, file_path: str) -> str:
        """Return the path of a local file with the contents; of none, if they are gone.

        Raises:
            RequestError: PocketBase did not send them.
            OSError: There is no room for them.
        """
        stored = parse(file_path)
        if stored is None:
            return cast("str", self._stock.get_file(file_path))
        if _is_on_event_loop():
            # Of a file that was uploaded a moment ago; nothing else may stop everybody.
            return str(self.cache.newest(*stored) or self.cache.missing(*stored))
        for _ in range(ATTEMPTS):
            contents = self.contents.describe(stored.id)
            if contents is None or not contents.name:
                break
            try:
                return str(self._copy(contents, stored.name))
            except NotFoundError:
                continue  # removed or replaced meanwhile
        return str(self.cache.missing(*stored))

    def delete_file(self, file_path: str) -> None:
        """Remove contents; nothing happens if they are gone.

        Raises:
            RequestError: PocketBase did not answer.
        """
        stored = parse(file_path)
        if stored is None:
            self._stock.delete_file(file_path)
            return
        self.cache.drop(stored.id)
        self.contents.remove(stored.id)

    def delete_all_files(self) -> None:
        """Remove the local copies of all contents, and what the host's own provider has.

        The rows are gone by now, and their contents in PocketBase with them. Uploads that are going on go on.
        """
        self.cache.clear()
        self._stock.delete_all_files()

    @property
    def _stock(self) -> Any:
        """The host's own methods."""
        return super()

    def _write(self, path: Path, piece: bytes, file: BinaryIO) -> str:
        """Write a file; return its checksum."""
        digest = hashlib.sha256()
        size = 0
        path.touch(0o600, exist_ok=False)  # PocketBase's own mode: it may become PocketBase's
        with path.open("wb") as target:
            while piece:
                size += len(piece)
                if size > self.max_size:
                    raise HTTPException(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                        ERROR_MESSAGES.FILE_TOO_LARGE(size=f"{self.max_size // MEGABYTE} MB"),
                    )
                digest.update(piece)
                target.write(piece)
                piece = file.read(PIECE)
        return digest.hexdigest()

    def _copy(self, contents: StoredContents, name: str) -> Path:
        """Return the local copy of contents, made by one caller of all."""
        if found := self.cache.find(contents.id, contents.name, name):
            return found
        with self.cache.making(contents.id):
            if found := self.cache.find(contents.id, contents.name, name):
                return found
            with self.cache.staging() as directory:
                staged = directory / name
                if not self.contents.link(contents, staged):
                    self.contents.download(contents, staged)
                return self._keep(staged, contents)

    def _keep(self, staged: Path, contents: StoredContents) -> Path:
        """Add a copy; all copies of contents have the same time, from which the host makes the ETag."""
        if contents.sha256:  # they are those of the upload
            os.utime(staged, (contents.created, contents.created))
        return self.cache.add(staged, contents.id, contents.name)


def _mapped(path: Path, sha256: str) -> MappedContents:
    with path.open("rb") as file:
        contents = MappedContents(file.fileno(), 0, access=mmap.ACCESS_READ)
    contents.sha256 = sha256
    return contents


def _is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
