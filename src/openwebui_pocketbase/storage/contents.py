"""Contents of files in PocketBase: sent, fetched and removed, without holding any of them in memory.

All of it blocks; Open WebUI calls its storage in threads. The requests are few and long, so they go over the
``pocketbase`` client and httpx, and not over the connections of the hot path.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pocketbase.models import FileUpload

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.exceptions import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    RequestError,
    UnauthorizedError,
    UnavailableError,
)
from openwebui_pocketbase.storage import disk

__all__ = ["Contents", "StoredContents"]

RECORDS = "/api/collections/owui_files/records"
PAUSE = 0.2
"""Seconds before a request is repeated."""
PIECE = 1 << 20
"""Bytes that are read at once."""

T = TypeVar("T")


@dataclass(frozen=True)
class StoredContents:
    """What PocketBase has of a file.

    Attributes:
        id: Id of the record.
        collection: Id of the collection, PocketBase's directory for its files.
        name: PocketBase's name for the contents, another one whenever they are replaced; empty if there are none.
        sha256: Their checksum, in hex; empty if it is not known, as after an upload in the dashboard.
        pending: Whether no row has completed the record yet.
        path: The row's path, which names where the contents are; empty if pending.
        created: When the record was made, epoch seconds.
    """

    id: str
    collection: str
    name: str
    sha256: str
    pending: bool
    path: str
    created: int

    def file_in(self, data_dir: Path) -> Path:
        """Return where PocketBase with this directory of data has the contents, if it has them on its disk."""
        return data_dir / "storage" / self.collection / self.id / self.name


class Contents:
    """The contents of files in one PocketBase.

    Args:
        connect: Returns an open connection; called before each use, so cheap if there is one.
        retry: Seconds for which a request that got no usable answer is repeated.
    """

    def __init__(self, connect: Callable[[], Connection], *, retry: float) -> None:
        self._connect = connect
        self._retry = retry

    def describe(self, id: str) -> StoredContents | None:
        """Return what there is of a file; None if there is no record.

        Raises:
            RequestError: PocketBase did not answer.
        """
        return self._repeat(lambda admin: _describe(admin, id))

    def list(self, after: str = "", limit: int = 1000) -> list[StoredContents]:
        """Return a page of what there is of all files, by id.

        Args:
            after: Id behind which the page begins.
            limit: Size of the page.

        Raises:
            RequestError: PocketBase did not answer.
        """
        found = self._repeat(lambda admin: admin.read("contents/list", {"after": after, "limit": limit}))
        return [StoredContents(**each) for each in found]

    def upload(self, id: str, path: Path, name: str, sha256: str) -> StoredContents:
        """Send a file as a new record that no row completes yet.

        Whatever fails, nothing stays: an answer that was lost is asked for again.

        Args:
            id: Id of the new record.
            path: The file.
            name: What PocketBase makes its name from.
            sha256: Checksum of the file, in hex.

        Raises:
            ConflictError: There is a record with this id and other contents.
            RequestError: PocketBase did not take it.
        """
        is_shared = disk.is_shared(self._connect().data_dir, path)
        version = f"{_slug(name)}_{secrets.token_hex(5)}{_suffix(name)}"

        def send(admin: AdminClient) -> StoredContents:
            nonlocal is_shared
            # The attempt before may have made it, though its answer was lost.
            there = _describe(admin, id)
            if is_shared and (there is None or there.name == version):
                there = self._adopted(admin, there, id, path, version, sha256)
                is_shared = there is not None
            if there is None:
                try:
                    _send(admin, "POST", RECORDS, path, name, {"id": id, "pending": "true", "sha256": sha256})
                except InvalidRequestError:
                    if (there := _describe(admin, id)) is None:
                        raise
                else:
                    there = _describe(admin, id)
            if there is None or there.sha256 != sha256 or not there.pending:
                url = f"{RECORDS}/{id}"
                raise ConflictError(f"There are other contents of the file {id}.", url=url, status=409)
            return there

        try:
            return self._repeat(send)
        except ConflictError:
            raise
        except BaseException:
            self._discard(id)
            raise

    def attach(self, id: str, path: Path, name: str, sha256: str) -> StoredContents:
        """Send a file as the contents of a record that is there; what it had before is replaced.

        Args:
            id: Id of the record.
            path: The file.
            name: What PocketBase makes its name from.
            sha256: Checksum of the file, in hex.

        Raises:
            NotFoundError: There is no such record.
            RequestError: PocketBase did not take it.
        """

        def send(admin: AdminClient) -> StoredContents:
            there = _describe(admin, id)
            if there is None or not there.name or there.sha256 != sha256:
                _send(admin, "PATCH", f"{RECORDS}/{quote(id)}", path, name, {"sha256": sha256})
                there = _describe(admin, id)
            if there is None:
                raise NotFoundError(f"The file {id} is gone.", url=f"{RECORDS}/{id}", status=404)
            return there

        return self._repeat(send)

    def download(self, contents: StoredContents, path: Path) -> None:
        """Fetch contents into a new file; goes on where a connection broke.

        Args:
            contents: What to fetch.
            path: The file, in a directory that is there.

        Raises:
            NotFoundError: They are gone, or were replaced.
            RequestError: PocketBase did not send them all, or sent others than were stored.
            OSError: The file cannot be written.
        """
        address = f"/api/files/owui_files/{quote(contents.id)}/{quote(contents.name)}"
        path.touch(0o600, exist_ok=False)
        with path.open("wb") as file:
            digest = hashlib.sha256()

            def fetch(admin: AdminClient) -> None:
                token = admin.send("POST", "/api/files/token")["token"]  # valid for three minutes
                begin = {"Range": f"bytes={file.tell()}-"} if file.tell() else {}
                with admin.stream(f"{address}?token={token}", begin) as response:
                    if response.status_code != httpx.codes.PARTIAL_CONTENT and file.tell():
                        raise UnavailableError("PocketBase does not go on with a download.", url=address)
                    for piece in response.iter_raw(PIECE):
                        file.write(piece)
                        digest.update(piece)

            self._repeat(fetch, progress=file.tell)
        if contents.sha256 and digest.hexdigest() != contents.sha256:
            raise UnavailableError(
                f"The contents of the file {contents.id} are not those that were stored: their checksum differs.",
                url=address,
                hint="PocketBase's storage is damaged, or somebody wrote to it: restore the file from a backup.",
            )

    def remove(self, id: str) -> None:
        """Remove the contents of a file, with the record if no row has completed it; nothing if there are none.

        Raises:
            RequestError: PocketBase did not answer.
        """
        self._repeat(lambda admin: admin.write("contents/remove", {"id": id}))

    def collect(self, older_than: float) -> int:
        """Delete records that no row has completed for so many seconds; return how many.

        Raises:
            RequestError: PocketBase did not answer.
        """
        before = int(time.time() - older_than)
        return int(self._repeat(lambda admin: admin.write("contents/collect", {"before": before})))

    def link(self, contents: StoredContents, path: Path) -> bool:
        """Make a new file of PocketBase's own one, if that is on our disk; tell whether it was possible.

        Args:
            contents: Whose file is wanted.
            path: The new file, in a directory that is there.
        """
        data_dir = self._connect().data_dir
        return data_dir is not None and disk.link(contents.file_in(data_dir), path)

    def _adopted(
        self, admin: AdminClient, there: StoredContents | None, id: str, path: Path, version: str, sha256: str
    ) -> StoredContents | None:
        """Make a file PocketBase's own; None, and no record, if that is not possible.

        The record is there first: without one nobody would ever remove the file.

        Args:
            admin: Asks PocketBase.
            there: The record, if an attempt before has made it.
            id: Id of the record.
            path: The file.
            version: PocketBase's name for the contents.
            sha256: Checksum of the file, in hex.
        """
        data_dir = self._connect().data_dir
        made = there or _adopt(admin, id, version, sha256)
        if data_dir is None or made is None:
            return None
        if disk.link(path, made.file_in(data_dir)):
            return made
        admin.write("contents/remove", {"id": id})
        return None

    def _discard(self, id: str) -> None:
        """Delete what a failed upload may have left, if PocketBase answers; what stays is collected later."""
        connection = self._connect()
        with contextlib.suppress(RequestError), connection.admin(connection.authenticator) as admin:
            admin.write("contents/remove", {"id": id})

    def _repeat(self, request: Callable[[AdminClient], T], progress: Callable[[], Any] = lambda: None) -> T:
        """Send a request until it is answered, or nothing has come of it for too long."""
        renewed = False
        so_far = progress()
        give_up_at = time.monotonic() + self._retry
        while True:
            connection = self._connect()
            try:
                with connection.admin(connection.authenticator) as admin:
                    return request(admin)
            except UnauthorizedError:
                if renewed or not connection.authenticator.can_renew:
                    raise
                renewed = True
                connection.authenticator.renew_blocking(connection.authenticator.current)
            except UnavailableError as error:
                if progress() != so_far:
                    so_far, give_up_at = progress(), time.monotonic() + self._retry
                pause = max(PAUSE, error.retry_after)
                if time.monotonic() + pause > give_up_at:
                    raise
                time.sleep(pause)
                connection.recover()


def _describe(admin: AdminClient, id: str) -> StoredContents | None:
    found = admin.read("contents/describe", {"id": id})
    return StoredContents(**found) if found else None


def _adopt(admin: AdminClient, id: str, version: str, sha256: str) -> StoredContents | None:
    """Make a record for a file that is put into PocketBase's storage next; None if that is on S3."""
    made = admin.write("contents/adopt", {"id": id, "name": version, "sha256": sha256})
    return StoredContents(**made) if made else None


def _send(admin: AdminClient, method: str, address: str, path: Path, name: str, fields: dict[str, str]) -> None:
    with path.open("rb") as file:
        upload = FileUpload((name.encode(errors="replace").decode(), file))
        admin.send(method, f"{address}?fields=id", {**fields, "contents": upload})


def _slug(name: str) -> str:
    """Return the beginning of a name in letters that PocketBase takes, for people who look at the record."""
    return re.sub(r"[^a-z0-9]+", "_", Path(name).stem.lower())[:60].strip("_") or "contents"


def _suffix(name: str) -> str:
    suffix = Path(name).suffix
    return suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,16}", suffix) else ""
