"""Making an archive."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from openwebui_pocketbase import __version__
from openwebui_pocketbase.backup import notes, postgresql, sqlite
from openwebui_pocketbase.backup.archive import Archive, Writer
from openwebui_pocketbase.backup.contents import (
    has_bucket,
    referenced,
    revision_of,
    schema_of,
    settings_of,
)
from openwebui_pocketbase.backup.held import STORAGE, Held, working
from openwebui_pocketbase.backup.identity import named_site
from openwebui_pocketbase.backup.links import files_below, notes_of_links
from openwebui_pocketbase.backup.manifest import Manifest
from openwebui_pocketbase.backup.moment import Moment, moment
from openwebui_pocketbase.backup.names import printable
from openwebui_pocketbase.backup.snapshots import Snapshot
from openwebui_pocketbase.backup.stores import Directory
from openwebui_pocketbase.backup.vectors import add_vectors
from openwebui_pocketbase.backup.work import enough_room, explained, room_for

if TYPE_CHECKING:
    from openwebui_pocketbase.backup.places import Places

__all__ = ["Made", "Outside", "create"]

ATTEMPTS = 3
"""So often a moment is chosen anew if files are deleted just then."""


class Outside(Protocol):
    """A PocketBase that is not on this disk."""

    @property
    def version(self) -> str:
        """Version of PocketBase."""

    @property
    def has_bucket(self) -> bool:
        """Whether it has its files in a bucket."""

    def backup_into(self, directory: Path) -> float:
        """Have it make a backup, and unpack that: ``data.db`` and ``storage``.

        Returns:
            For how many seconds its writers waited.
        """


@dataclass(frozen=True)
class Made:
    """A new archive.

    Attributes:
        path: Where it is.
        manifest: What it says of itself.
        bytes: Its size.
        seconds: How long it took.
    """

    path: Path
    manifest: Manifest
    bytes: int
    seconds: float


def create(places: Places, directory: Path, version: str, outside: Outside | None = None) -> Made:
    """Make an archive; nothing is left if that fails. To be called by whoever is alone.

    Args:
        places: The site.
        directory: Where the archive is to be; made if need be.
        version: Version of the embedded PocketBase.
        outside: A PocketBase that is not on this disk.

    Raises:
        BackupError: There is not enough room, a database is locked or damaged, or a program failed.
    """
    began = time.monotonic()
    if places.database.kind == "postgresql":
        postgresql.require_programs()
    with explained(), working(places, directory) as (work, held):
        enough_room({directory: room_for(places)})
        with ExitStack() as stack:
            run = _Run(places, work, held, stack)
            writer = run.writer
            stack.callback(writer.abandon)
            manifest = run.all(outside.version if outside else version, outside)
        with Archive(work / "archive.zip") as made:
            made.check()
        path = Directory(directory).publish(work / "archive.zip", manifest)
    return Made(path, manifest, path.stat().st_size, time.monotonic() - began)


class _Run:
    """One archive in the making."""

    def __init__(self, places: Places, work: Path, held: Held, stack: ExitStack) -> None:
        self._places = places
        self._work = work
        self._held = held
        self._stack = stack
        self._notes: list[str] = []
        self._has_bucket = False
        self._is_encrypted = False
        self.writer = Writer(work / "archive.zip")

    def all(self, version: str, outside: Outside | None) -> Manifest:
        """Write everything; return the manifest."""
        places = self._places
        # Twice: most files before anything else, so that the second time is short.
        self._held.hold()
        with ExitStack() as vectors:
            locked = time.monotonic()
            staged = add_vectors(places.vector_db, self._work, vectors)
            chosen = time.monotonic()
            taken = self._moment()
            waited = dict(taken.waited)
            if self._copied_database(taken):
                waited["database"] = time.monotonic() - chosen
            for name, path in staged.direct():
                with suppress(FileNotFoundError):  # Chroma removes the files of what it has deleted before
                    self.writer.add(name, path)
            staged.copy()
            vectors.close()
            if staged.any:
                waited["vector_db"] = time.monotonic() - locked
        for name, path in staged.copied():
            sqlite.quickly_checked(path, name)
            self._add_copy(name, path)
        if outside is not None:
            # After the SQL database: what PocketBase has since is copied from there at the next start, as ever.
            waited["pocketbase"] = outside.backup_into(self._work / "outside")
            self._has_bucket = outside.has_bucket
        revision = self._add_database(taken)
        schema = self._add_pocketbase(taken)
        for name, path in (*self._held.files(), *places.sources()):
            self.writer.add(name, path)
        self._notes += notes_of_links([*places.trees(), ("vector_db", places.vector_db)])
        has_key = places.secret_key is not None
        self._notes += notes.outside(
            has_bucket=self._has_bucket, is_encrypted=self._is_encrypted, has_secret_key=has_key
        )
        return self.writer.finish(
            lambda checksums: Manifest(
                made_at=taken.at.isoformat(timespec="milliseconds"),
                package=__version__,
                open_webui=places.open_webui,
                revision=revision,
                database=places.database.kind,
                schema_name=places.database.schema,
                schema=schema,
                pocketbase="" if schema is None else version,
                waited={name: round(seconds, 4) for name, seconds in waited.items()},
                notes=self._notes,
                parts=self.writer.parts,
                checksums=checksums,
                site=named_site(places.data_dir),
                has_bucket=self._has_bucket,
                is_encrypted=self._is_encrypted,
            )
        )

    def _moment(self) -> Moment:
        """Choose the moment, and hold all files that there are then."""
        places = self._places
        file = places.pocketbase / "data.db" if places.pocketbase and places.has_pocketbase else None
        for attempt in range(1, ATTEMPTS + 1):
            with ExitStack() as stack:
                taken = stack.enter_context(moment(file, places.database))
                self._has_bucket = taken.pocketbase is not None and has_bucket(taken.pocketbase)
                self._held.hold()
                lost = self._lost(taken.pocketbase)
                if not lost or attempt == ATTEMPTS:
                    # They were missing before, if they are missing each time.
                    self._notes += [f"Missing before the backup: {printable(f'{STORAGE}/{path}')}" for path in lost]
                    self._stack.push(stack.pop_all())
                    break
        return taken

    def _lost(self, reader: sqlite3.Connection | None) -> list[str]:
        """Return the files that records of that moment lead to, and that were deleted before they could be held."""
        if reader is None or self._has_bucket:
            return []
        return [path for path in referenced(reader) if not self._held.has(f"{STORAGE}/{path}")]

    def _copied_database(self, taken: Moment) -> bool:
        """Copy SQLite's database at once; return whether nobody could write to it since the moment: without its WAL."""
        if isinstance(taken.database, Snapshot):
            return False
        keeps_out = taken.database.execute("PRAGMA journal_mode").fetchone()[0] != "wal"
        sqlite.copy(taken.database, self._work / "webui.db")
        shutil.copymode(self._places.database.path, self._work / "webui.db")
        taken.database.rollback()
        return bool(keeps_out)

    def _add_database(self, taken: Moment) -> str:
        """Add the SQL database; return its Alembic revision."""
        if isinstance(taken.database, Snapshot):
            revision = taken.database.revision()
            path = self._work / "postgresql.dump"
            postgresql.dump(self._places.database, path, taken.database)
            self.writer.add("database/postgresql.dump", path)
            path.unlink()
            return revision
        path = self._work / "webui.db"
        sqlite.quickly_checked(path, "database/webui.db")
        with sqlite.read(path) as connection:
            revision = revision_of(connection)
        self._note(notes.other_storage(path, "file"))
        self._add_copy("database/webui.db", path)
        return revision

    def _add_pocketbase(self, taken: Moment) -> int | None:
        """Add PocketBase's database; return its schema version, None if there is none."""
        path = self._work / "data.db"
        outside = self._work / "outside"
        if taken.pocketbase is not None:
            sqlite.copy(taken.pocketbase, path)
            taken.pocketbase.rollback()  # its WAL can be emptied again
        elif outside.is_dir():
            (outside / "data.db").replace(path)
            for file in files_below(outside / "storage"):
                self.writer.add(f"pocketbase/{file.relative_to(outside).as_posix()}", file)
            shutil.rmtree(outside)
        else:
            return None
        sqlite.quickly_checked(path, "pocketbase/data.db")
        with sqlite.read(path) as connection:
            schema = schema_of(connection)
            self._is_encrypted = settings_of(connection) is None
        self._note(notes.other_storage(path, "owui_files"))
        self._add_copy("pocketbase/data.db", path)
        return schema or 0

    def _note(self, note: str) -> None:
        if note and note not in self._notes:  # both databases may have the rows
            self._notes.append(note)

    def _add_copy(self, name: str, path: Path) -> None:
        self.writer.add(name, path, compressed=True)
        path.unlink()
