"""Opening everything that is in an archive."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

from openwebui_pocketbase.backup import postgresql, sqlite
from openwebui_pocketbase.backup.archive import Archive
from openwebui_pocketbase.backup.contents import referenced
from openwebui_pocketbase.backup.manifest import Manifest
from openwebui_pocketbase.backup.names import printable
from openwebui_pocketbase.backup.partial import partial
from openwebui_pocketbase.backup.work import enough_room, explained
from openwebui_pocketbase.exceptions import BackupError

__all__ = ["Verified", "verify"]

DUMP = "database/postgresql.dump"
DATABASES = (".db", ".sqlite3")


@dataclass(frozen=True)
class Verified:
    """What was found.

    Attributes:
        manifest: What the archive says of itself.
        members: How many files it has.
        problems: What is wrong; nothing if the archive is good.
    """

    manifest: Manifest
    members: int
    problems: list[str]


def verify(path: Path) -> Verified:
    """Read an archive through, and open the databases in it.

    Raises:
        BackupError: It is no archive, or one that was cut off.
    """
    with Archive(path) as archive:
        members = archive.members()
        return Verified(archive.manifest, len(members), list(_problems(archive, members)))


def _problems(archive: Archive, members: dict[str, str]) -> Iterator[str]:
    beside = archive.path.parent if os.access(archive.path.parent, os.W_OK) else Path(gettempdir())
    to_open = {name for name in members if name == DUMP or _is_database(name)}
    with explained(), partial("verified", beside) as directory:
        enough_room({directory: max((archive.size_of(name) for name in to_open), default=0)})
        opened = directory / "opened"
        for name, checksum in members.items():
            try:
                if name not in to_open:
                    with archive.checked(name, checksum) as pieces:
                        for _ in pieces:
                            pass
                    continue
                archive.extract(name, checksum, opened)
            except BackupError as error:
                yield str(error.args[0])
            else:
                yield from (
                    f"{printable(name)}: {problem}" for problem in _problems_of(name, opened, members, archive.manifest)
                )
            opened.unlink(missing_ok=True)


def _is_database(name: str) -> bool:
    return name.startswith(("pocketbase/data.db", "database/", "vector_db/")) and name.endswith(DATABASES)


def _problems_of(name: str, path: Path, members: dict[str, str], manifest: Manifest) -> list[str]:
    if name == DUMP:
        return postgresql.problems_of(path)
    if name.startswith("vector_db/") and not sqlite.is_sqlite(path):
        return []
    problems = sqlite.problems_of(path)
    if problems or name != "pocketbase/data.db":
        return problems
    if manifest.has_bucket:
        return []
    with sqlite.read(path) as connection:
        named = {f"pocketbase/storage/{each}" for each in referenced(connection)}
    known = " ".join(manifest.notes)
    return [f"{printable(each)} is missing" for each in sorted(named - set(members)) if printable(each) not in known]
