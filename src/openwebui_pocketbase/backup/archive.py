"""Writing and reading the ZIP file, piece by piece, however large its members are."""

from __future__ import annotations

import hashlib
import os
import stat
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Self

from openwebui_pocketbase.backup.manifest import CHECKSUMS, MANIFEST, Manifest, Part
from openwebui_pocketbase.backup.names import Member, entry_of, line_of, name_of_member, printable
from openwebui_pocketbase.exceptions import BackupError

__all__ = ["Archive", "Writer"]

PIECE = 1 << 20
DAMAGED = "Take another archive: openwebui-pocketbase backup list"


class Writer:
    """An archive that is being written.

    Args:
        path: The file, which must not be there yet.

    Attributes:
        parts: What is in it so far.
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", allowZip64=True)
        self._sums: list[str] = []
        self._modes = hashlib.sha256()
        self.parts: dict[str, Part] = {}

    def add(self, name: str, path: Path, *, compressed: bool = False) -> None:
        """Add a file.

        Args:
            name: Its name in the archive, which begins with that of its part.
            path: The file.
            compressed: Whether it is worth to be compressed.
        """
        with path.open("rb") as source:
            found = os.fstat(source.fileno())
            self.add_stream(name, source, found.st_size, stat.S_IMODE(found.st_mode), compressed=compressed)

    def add_stream(self, name: str, source: IO[bytes], size: int, mode: int, *, compressed: bool = False) -> None:
        """Add what can be read; see `add`."""
        info = Member(name, time.gmtime()[:6])
        info.external_attr = (stat.S_IFREG | mode) << 16
        info.file_size = size
        info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
        info._compresslevel = 1  # type: ignore[attr-defined]  # noqa: SLF001 - 3.13 has a public name for it
        digest, written = hashlib.sha256(), 0
        # Somebody may be writing to it: how much it is going to be is not known for sure.
        with self._zip.open(info, "w", force_zip64=True) as target:
            while piece := source.read(PIECE):
                digest.update(piece)
                target.write(piece)
                written += len(piece)
        self._sums.append(line_of(digest.hexdigest(), name))
        self._modes.update(_mode_line(info))
        part = self.parts.setdefault(name.partition("/")[0], Part())
        part.files += 1
        part.bytes += written

    def finish(self, manifest: Callable[[str], Manifest]) -> Manifest:
        """Write the manifest, and everything to the disk.

        Args:
            manifest: Makes it, given the checksum of the list of checksums.
        """
        sums = "".join(self._sums).encode(errors="surrogateescape")
        made = replace(manifest(hashlib.sha256(sums).hexdigest()), modes=self._modes.hexdigest())
        for name, content in ((CHECKSUMS, sums), (MANIFEST, made.dump())):
            info = zipfile.ZipInfo(name, time.gmtime()[:6])
            info.external_attr = (stat.S_IFREG | 0o600) << 16
            self._zip.writestr(info, content, zipfile.ZIP_DEFLATED)
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return made

    def abandon(self) -> None:
        """Close the file as it is."""
        self._zip.fp = None  # else it would write its directory, to a disk that may be full
        self._file.close()


class Archive:
    """An archive that is there.

    Args:
        path: The file.

    Attributes:
        path: The file.
        manifest: What it says of itself.

    Raises:
        BackupError: It is none, or was cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise BackupError(f"There is no archive {path}.", hint=DAMAGED) from None
        except PermissionError as error:
            raise BackupError(
                f"{path} cannot be read: {error.strerror}.",
                hint="An archive is for its owner alone: have it belong to the user who runs Open WebUI (chown).",
            ) from None
        except Exception as error:  # noqa: BLE001 - see `_reading`
            raise BackupError(f"{path} cannot be opened: {_said(error)}.", hint=DAMAGED) from None
        self._infos = {name_of_member(info): info for info in self._zip.infolist()}
        try:
            self.manifest = Manifest.load(self._read(MANIFEST))
        except BackupError:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def members(self) -> dict[str, str]:
        """Return the checksum of each member, by its name.

        Raises:
            BackupError: The list is damaged, or does not list what is there.
        """
        sums = self._read(CHECKSUMS)
        if hashlib.sha256(sums).hexdigest() != self.manifest.checksums:
            raise BackupError(f"The list of checksums in {self.path} is damaged.", hint=DAMAGED)
        # Only "\n" ends a line: names may have what else is taken for an end, such as U+2028.
        found = dict(map(entry_of, sums.decode(errors="surrogateescape").split("\n")[:-1]))
        if {*found, CHECKSUMS, MANIFEST} != self._infos.keys() or len(self._infos) != len(self._zip.infolist()):
            raise BackupError(f"{self.path} has other files than it lists.", hint=DAMAGED)
        unsafe = [name for name in found if name.startswith("/") or ".." in Path(name).parts]
        if unsafe:
            raise BackupError(f"{self.path} would write outside of its places: {printable(unsafe[0])}.", hint=DAMAGED)
        modes = hashlib.sha256(b"".join(_mode_line(self._infos[name]) for name in found)).hexdigest()
        if self.manifest.modes not in {"", modes}:
            raise BackupError(f"The modes of the files in {self.path} are damaged.", hint=DAMAGED)
        return found

    @contextmanager
    def checked(self, name: str, checksum: str) -> Iterator[Iterator[bytes]]:
        """Give the contents of a member; they are as they were written if all are read without an error.

        Raises:
            BackupError: They are not.
        """

        def pieces(source: IO[bytes]) -> Iterator[bytes]:
            digest = hashlib.sha256()
            while True:
                with self._reading(name):
                    piece = source.read(PIECE)
                if not piece:
                    break
                digest.update(piece)
                yield piece
            if digest.hexdigest() != checksum:
                raise BackupError(f"{printable(name)} in {self.path} is damaged: its checksum differs.", hint=DAMAGED)

        with self._reading(name):
            source = self._zip.open(self._infos[name])
        with source:
            yield pieces(source)

    def check(self) -> int:
        """Read everything; return how many members there are.

        Raises:
            BackupError: Something is damaged.
        """
        members = self.members()
        for name, checksum in members.items():
            with self.checked(name, checksum) as pieces:
                for _ in pieces:
                    pass
        return len(members)

    def extract(self, name: str, checksum: str, path: Path) -> None:
        """Write a member to a file, which must not be there yet.

        Raises:
            BackupError: It is damaged.
        """
        mode = _mode_of(self._infos[name]) or 0o600
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as target, self.checked(name, checksum) as pieces:
            for piece in pieces:
                target.write(piece)
            os.fchmod(descriptor, mode)

    def text_of(self, name: str) -> str:
        """Return the text of a small member; ``""`` if there is none."""
        with self._reading(name):
            return self._zip.read(self._infos[name]).decode("utf-8-sig") if name in self._infos else ""

    def size_of(self, name: str) -> int:
        """Return the size of a member, unpacked."""
        return self._infos[name].file_size

    def _read(self, name: str) -> bytes:
        if name not in self._infos:
            raise BackupError(f"{self.path} is not one of these archives: it has no {name}.", hint=DAMAGED)
        with self._reading(name):
            return self._zip.read(name)

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            yield
        except BackupError:
            raise
        except Exception as error:  # noqa: BLE001 - of damaged bytes zipfile, and what unpacks for it, raise all kinds
            raise BackupError(f"{printable(name)} in {self.path} is damaged: {_said(error)}.", hint=DAMAGED) from None


def _mode_of(info: zipfile.ZipInfo) -> int:
    return info.external_attr >> 16 & 0o777


def _mode_line(info: zipfile.ZipInfo) -> bytes:
    return f"{_mode_of(info):o}\n".encode()


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
