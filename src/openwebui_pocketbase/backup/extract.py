"""Unpacking an archive beside what it is going to replace."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from openwebui_pocketbase.backup import relocate
from openwebui_pocketbase.backup.archive import Archive
from openwebui_pocketbase.backup.journal import Journal, Step
from openwebui_pocketbase.backup.links import size_of
from openwebui_pocketbase.backup.places import Places
from openwebui_pocketbase.backup.work import give_to_owner
from openwebui_pocketbase.exceptions import BackupError
from openwebui_pocketbase.last_start import LAST_START, LastStart
from openwebui_pocketbase.settings import environment_names

__all__ = ["Planned", "extract", "new_stamp", "planned", "steps_of"]

TREES = ("pocketbase/storage", "uploads", "vector_db")
TABLES = {"pocketbase/data.db": "owui_files", "database/webui.db": "file"}
"""The tables of files, by the database that they are in."""

BACKENDS = ("storage_backend", "groups")

DUMP = "database/postgresql.dump"


@dataclass(frozen=True)
class Planned:
    """What a restore does with one part.

    Attributes:
        name: The file or directory of the archive.
        files: How many files it has there.
        bytes: Their size.
        place: Where they go; None if that is no place on this disk.
        area: Directory on the same disk, for what is unpacked and what is put aside; without a place the first one.
        before: Size of what is there now; None if there is nothing.
    """

    name: str
    files: int
    bytes: int
    place: Path | None
    area: Path
    before: int | None

    @property
    def new(self) -> Path:
        """Where it is unpacked."""
        return self.area / "new" / self.name


def new_stamp() -> str:
    """Return what tells a restore that begins now from all others, also from those of sites with parts beside ours."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def planned(archive: Archive, members: dict[str, str], places: Places, stamp: str) -> list[Planned]:
    """Return what is going to be done; nothing is done.

    Args:
        archive: The archive.
        members: What is in it.
        places: Where it goes.
        stamp: Tells this restore from others.

    Raises:
        BackupError: A directory is a disk of its own, and cannot be replaced.
    """
    grouped: dict[str, list[str]] = {}
    for name in members:
        grouped.setdefault(_top(name), []).append(name)
    # All data are of that moment: what the archive has not, was not there. Settings stay if it has none.
    for name in (*TREES, "pocketbase/data.db", "config/migrate.json"):
        if places.place_of(name):
            grouped.setdefault(name, [])
    found = []
    # Settings come last: until then they lead to the same places as before.
    for name, names in sorted(grouped.items(), key=lambda item: (item[0].startswith("config/"), item[0])):
        place = places.place_of(name)
        before = None
        area = places.private.resolve() / f"restore-{stamp}"
        if place is not None:
            place = place.resolve()
            area = _area(place, places, stamp)
            before = size_of(place, follow=False) if place.exists() else None
        found.append(Planned(name, len(names), sum(map(archive.size_of, names)), place, area, before))
    return found


def extract(archive: Archive, members: dict[str, str], plan: list[Planned], places: Places, journal: Journal) -> None:
    """Unpack everything; note in the journal what goes elsewhere than to this disk.

    Raises:
        BackupError: Something is damaged.
    """
    by_name = {each.name: each for each in plan}
    for name, checksum in members.items():
        each = by_name[_top(name)]
        archive.extract(name, checksum, each.new / Path(name).relative_to(each.name))
    for each in plan:
        if each.name in TABLES and each.files:
            relocate.in_sqlite(each.new, TABLES[each.name], places.data_dir / "uploads")
        if each.place is None:
            continue
        if each.name == "config/last-start.json" and each.files:
            _adapt(each.new, places)
        if each.name in TREES and each.place.is_dir():
            each.new.mkdir(parents=True, exist_ok=True)  # an empty one as well: a link may lead to it
        if each.new.exists():
            _keep_modes(each.new, each.place)
            give_to_owner(each.new, _there(each.place))
    elsewhere = Path(journal.areas[0]) / "new"
    if (elsewhere / DUMP).exists():
        journal.dumps = [str(elsewhere / DUMP), str(Path(journal.areas[0]) / "before" / DUMP)]
    if (elsewhere / "pocketbase").exists():
        journal.server = [str(elsewhere / "pocketbase"), str(Path(journal.areas[0]) / "before" / "pocketbase.zip")]


def steps_of(plan: list[Planned]) -> list[Step]:
    """Return what is to be put where, given what there is by now."""
    return [step for each in plan if each.place is not None for step in _steps(each, each.place)]


def _steps(each: Planned, place: Path) -> Iterator[Step]:
    before = each.area / "before" / each.name
    yield Step(str(place), str(each.new), str(before), had=place.exists(), has_new=each.new.exists())
    if each.name.endswith(".db"):
        # What SQLite has beside the old file is no part of the new one.
        for suffix in ("-wal", "-shm", "-journal"):
            beside, new, aside = (f"{path}{suffix}" for path in (place, each.new, before))
            yield Step(beside, new, aside, had=Path(beside).exists(), has_new=False)


def _top(name: str) -> str:
    """Return the file or directory that has a place of its own."""
    return next((tree for tree in TREES if name.startswith(f"{tree}/")), name)


def _area(place: Path, places: Places, stamp: str) -> Path:
    pocketbase = places.pocketbase.resolve() if places.pocketbase else None
    name = f"restore-{stamp}"
    if pocketbase and place.is_relative_to(pocketbase):
        area = pocketbase / ".owui" / name  # PocketBase's own backups leave it out
    elif place.is_relative_to(places.data_dir.resolve()):
        area = places.private.resolve() / name
    else:
        area = place.parent / f".openwebui-{name}"
    if place.exists() and place.stat().st_dev != _there(area).stat().st_dev:
        raise BackupError(
            f"{place} is on a disk of its own, where it cannot be replaced in one step.",
            hint="Mount that disk one directory higher, with all that is beside it, or restore into another data"
            " directory and copy it from there. Nothing was changed.",
        )
    return area


def _keep_modes(new: Path, place: Path) -> None:
    """Have new directories as open as the one that they replace, or closed: archives have the modes of files only."""
    mode = place.stat().st_mode & 0o777 if place.is_dir() else 0o700
    for directory, _, _ in os.walk(new):
        Path(directory).chmod(mode)


def _there(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


def _adapt(path: Path, places: Places) -> None:
    """Have the notes of the last start speak of this machine; commands believe them."""
    named = path.rename(path.with_name(LAST_START))
    if (last := LastStart.read(path.parent)) is not None:
        names = environment_names()
        # Which group is where is part of the data; directories, servers and the like are those of the other machine.
        kept = {name: value for name, value in last.variables.items() if names.get(name, ("",))[0] in BACKENDS}
        here = replace(last, database=places.name, package_dir=str(places.package_dir), variables=kept, secret_key=None)
        here.write(path.parent)
    named.rename(path)
