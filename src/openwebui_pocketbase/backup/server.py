"""PocketBase's own backup routes: for a server that is not on this disk, and as a place to keep archives."""

from __future__ import annotations

import os
import secrets
import time
import zipfile
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from urllib.parse import quote

from openwebui_pocketbase.backup import sqlite
from openwebui_pocketbase.backup.contents import settings_of
from openwebui_pocketbase.backup.links import files_below
from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.exceptions import (
    BackupError,
    OpenWebUIPocketBaseError,
    RequestError,
    UnavailableError,
)

__all__ = ["Server", "has_key"]

PIECE = 1 << 20

# All in seconds.
PATIENCE = 6 * 3600.0
AGAIN = 120.0
PAUSE = 0.2


class Server:
    """A PocketBase, as far as its backups go.

    Args:
        admin: A superuser's client.
    """

    def __init__(self, admin: AdminClient) -> None:
        self._admin = admin

    @property
    def version(self) -> str:
        """Version of PocketBase."""
        return str(self._admin.version().get("pocketbase", ""))

    def backups(self) -> list[tuple[str, int]]:
        """Return names and sizes of all its backups."""
        return [(str(each["key"]), int(each["size"])) for each in self._admin.send("GET", "/api/backups")]

    def backup(self, name: str) -> None:
        """Have it make a backup of its own; its writers wait until that is done."""
        with self._admin.patience(PATIENCE):
            self._admin.send("POST", "/api/backups", {"name": name})

    @property
    def has_bucket(self) -> bool:
        """Whether it has its files in a bucket."""
        return bool(self._admin.send("GET", "/api/settings")["s3"]["enabled"])

    def put(self, path: Path, name: str = "") -> None:
        """Upload a backup; it is there under the file's name, or another one.

        Raises:
            BackupError: It did not arrive as a whole.
        """
        name = name or path.name
        with path.open("rb") as file, self._admin.patience(PATIENCE):
            self._admin.upload("/api/backups/upload", name, file)
        arrived = dict(self.backups()).get(name)
        if arrived != path.stat().st_size:
            raise BackupError(
                f"Of {name} {arrived or 0:,} of {path.stat().st_size:,} bytes have arrived in PocketBase.",
                hint="Look at PocketBase's disk, or at its settings of S3 (dashboard, Settings, Backups).",
            )

    def fetch(self, name: str, path: Path) -> None:
        """Download a backup into a file, which must not be there yet."""
        token = self._admin.send("POST", "/api/files/token")["token"]
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with (
            os.fdopen(descriptor, "wb") as file,
            self._admin.stream(f"/api/backups/{quote(name)}?token={token}", {}) as reply,
        ):
            for piece in reply.iter_raw(PIECE):
                file.write(piece)

    def remove(self, name: str) -> None:
        """Delete a backup."""
        self._admin.send("DELETE", f"/api/backups/{quote(name)}")

    def backup_to(self, path: Path) -> float:
        """Have it make a backup, and download that into a file; nothing of it stays on the server.

        Returns:
            For how many seconds its writers waited.
        """
        name = f"owui_{secrets.token_hex(8)}.zip"
        began = time.monotonic()
        self.backup(name)
        waited = time.monotonic() - began
        try:
            self.fetch(name, path)
        finally:
            self.remove(name)
        return waited

    def backup_into(self, directory: Path) -> float:
        """Have it make a backup, and unpack that: ``data.db`` and ``storage``; nothing of it stays on the server.

        Returns:
            For how many seconds its writers waited.
        """
        directory.mkdir(0o700)
        archive = directory / "backup.zip"
        waited = self.backup_to(archive)
        with zipfile.ZipFile(archive) as opened:
            for member in opened.namelist():
                parts = PurePosixPath(member).parts
                # Its logs stay where they are.
                if member == "data.db" or (parts[:1] == ("storage",) and ".." not in parts and member[-1] != "/"):
                    opened.extract(member, directory)
        archive.unlink()
        return waited

    def restore_from(self, source: Path, name: str) -> bool:
        """Have it restore a backup, or what is in a directory, ``data.db`` and ``storage``, and wait until it has.

        Args:
            source: The backup's file, or the directory.
            name: Of the backup while it is there.

        Returns:
            Whether nothing of it stays on the server. By the restored data its backups may be kept elsewhere than where
            this one is, or another superuser is in charge.

        Raises:
            BackupError: It did not within two minutes, or did not take it.
        """
        archive = _packed(source, source.parent / name) if source.is_dir() else source
        if name in dict(self.backups()):
            self.remove(name)
        self.put(archive, name)
        self.restore(name)
        if archive is not source:
            archive.unlink()
        try:
            is_there = name in dict(self.backups())
            if is_there:
                self.remove(name)
        except RequestError:
            return False
        return is_there

    def restore(self, name: str) -> None:
        """Have it restore one of its backups, and wait until it has.

        Raises:
            BackupError: It did not within two minutes.
        """
        before = self._admin.version().get("run")
        self._admin.send("POST", f"/api/backups/{quote(name)}/restore")
        deadline = time.monotonic() + AGAIN
        while time.monotonic() < deadline:
            time.sleep(PAUSE)
            try:
                now = self._admin.version().get("run")
            except UnavailableError:
                continue  # it starts itself anew
            except OpenWebUIPocketBaseError:
                # It runs, and this superuser's token is none of the restored data.
                return
            if now != before:
                return
        raise BackupError(
            f"PocketBase has not restored {name} within {AGAIN:g} seconds.", hint="See its log, and its dashboard."
        )


def has_key(backup: Path) -> bool:
    """Tell whether the PocketBase that has made a backup encrypts its settings."""
    with (
        TemporaryDirectory(dir=backup.parent) as directory,
        zipfile.ZipFile(backup) as opened,
        sqlite.read(Path(opened.extract("data.db", directory))) as connection,
    ):
        return settings_of(connection) is None


def _packed(directory: Path, archive: Path) -> Path:
    archive.unlink(missing_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED, allowZip64=True) as opened:
        for path in files_below(directory):
            opened.write(path, path.relative_to(directory).as_posix())
    return archive
