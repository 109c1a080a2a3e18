"""Where archives are kept: a directory, or wherever PocketBase keeps its own backups, such as an S3 bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from openwebui_pocketbase.backup.links import size_of
from openwebui_pocketbase.backup.manifest import Manifest, name_of, read_name
from openwebui_pocketbase.backup.partial import partial
from openwebui_pocketbase.backup.server import Server
from openwebui_pocketbase.backup.work import give_to_owner, synced

__all__ = ["Directory", "InPocketBase", "Store", "Stored"]


@dataclass(frozen=True)
class Stored:
    """An archive that is kept.

    Attributes:
        name: Its name.
        made_at: When it was made, by its name.
        bytes: Its size.
        site: Of which site it is, by its name; ``""`` if that does not say.
    """

    name: str
    made_at: datetime
    bytes: int
    site: str


class Store(Protocol):
    """Where archives are kept."""

    @property
    def where(self) -> str:
        """What to call the place."""

    def stored(self) -> list[Stored]:
        """Return the archives of all sites, the newest first."""

    def opened(self, name: str) -> AbstractContextManager[Path]:
        """Give the file of an archive."""

    def remove(self, name: str) -> None:
        """Remove an archive."""


class Directory:
    """A directory.

    Args:
        path: The directory, which need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def where(self) -> str:
        """See `Store`."""
        return str(self.path)

    def stored(self) -> list[Stored]:
        """See `Store`."""
        return _newest_first((path.name, size_of(path)) for path in self.path.glob("*.zip") if path.is_file())

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        """See `Store`."""
        yield self.path / name

    def remove(self, name: str) -> None:
        """See `Store`."""
        (self.path / name).unlink(missing_ok=True)

    def publish(self, made: Path, manifest: Manifest) -> Path:
        """Give a complete archive, which is on the same disk, its name; return where it is then."""
        at = datetime.fromisoformat(manifest.made_at).astimezone(UTC)
        names = (name_of(at, manifest.site, number) for number in range(1000))
        path = next(path for name in names if not (path := self.path / name).exists())
        give_to_owner(made, self.path)
        made.rename(path)
        synced(self.path)
        return path


class InPocketBase:
    """Beside PocketBase's own backups, which its dashboard lists as well; it does not restore ours.

    Args:
        server: The server.
        work: Directory in which archives are looked at.
    """

    def __init__(self, server: Server, work: Path) -> None:
        self._server = server
        self._work = work
        self.where = "PocketBase"

    def stored(self) -> list[Stored]:
        """See `Store`."""
        return _newest_first(self._server.backups())

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        """See `Store`."""
        with partial("fetched", self._work) as directory:
            yield self.fetch(name, directory)

    def fetch(self, name: str, directory: Path) -> Path:
        """Download an archive; return its file."""
        path = directory / name
        self._server.fetch(name, path)
        return path

    def remove(self, name: str) -> None:
        """See `Store`."""
        self._server.remove(name)

    def put(self, path: Path) -> None:
        """Keep an archive.

        Raises:
            BackupError: It did not arrive as a whole.
        """
        self._server.put(path)


def _newest_first(names: Iterable[tuple[str, int]]) -> list[Stored]:
    found = [Stored(name, read[0], size, read[1]) for name, size in names if (read := read_name(name))]
    return sorted(found, key=lambda each: (each.made_at, len(each.name), each.name), reverse=True)
