"""The steps of a restore, written down before they are done: an interruption neither loses a step nor repeats it.

A step moves what is in a place aside and puts something new there. Both are renames on the same disk, so there is
never half a file. The state of the disk tells which steps are done.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from openwebui_pocketbase.backup.places import Places
from openwebui_pocketbase.backup.work import synced
from openwebui_pocketbase.exceptions import BackupError
from openwebui_pocketbase.last_start import RESTORE
from openwebui_pocketbase.server.permissions import make_directory, open_private

__all__ = ["Journal", "Step", "areas_of"]

AREAS = "areas.json"


@dataclass(frozen=True)
class Step:
    """One place.

    Attributes:
        place: The file or directory.
        new: Where what is to be there was unpacked.
        aside: Where what was there is put.
        had: Whether there was anything.
        has_new: Whether there is to be anything.
    """

    place: str
    new: str
    aside: str
    had: bool
    has_new: bool

    def forward(self) -> None:
        """Put aside what was there, and the new in its place; what is done already is not done again."""
        if self.had and not os.path.lexists(self.aside):
            _rename(self.place, self.aside)
        if self.has_new and os.path.lexists(self.new):
            _rename(self.new, self.place)

    def backward(self) -> None:
        """Put back what was there."""
        if self.had and os.path.lexists(self.aside):
            if os.path.lexists(self.place):
                _remove(Path(self.new))
                _rename(self.place, self.new)
            _rename(self.aside, self.place)
        elif not self.had and os.path.lexists(self.place) and not os.path.lexists(self.new):
            _rename(self.place, self.new)


@dataclass
class Journal:
    """A restore.

    Attributes:
        path: The file.
        state: ``unpacking`` (nothing has changed), ``switching``, ``done`` or ``undoing``.
        archive: Name of the archive.
        at: When it began, as in the names of its directories.
        areas: Its directories.
        steps: What is put where.
        dumps: PostgreSQL: the file that replaces the tables, and the one with what was there, which has rights on them
            beside it; or nothing.
        server: A PocketBase elsewhere: the directory with its new data, or the backup that is undone to, and the backup
            that it made before. Or nothing.
        spent: Directories of a restore that is undone: what was in them is back in its places at the end.
        is_turned: Whether it puts back what was kept aside here, as opposed to an archive.
        is_undoing: Whether it takes a restore back; undoing that does not.
        left: The backup that stays on a PocketBase elsewhere; ``""`` if none does.
    """

    path: Path
    state: str
    archive: str
    at: str
    areas: list[str]
    steps: list[Step] = field(default_factory=list)
    dumps: list[str] = field(default_factory=list)
    server: list[str] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)
    is_turned: bool = False
    is_undoing: bool = False
    left: str = ""

    @classmethod
    def read(cls, places: Places) -> Self | None:
        """Return the last restore of a site, or None.

        Raises:
            BackupError: The file is damaged.
        """
        path = places.data_dir / RESTORE
        try:
            values: dict[str, Any] = json.loads(path.read_bytes())
            steps = [Step(**each) for each in values.pop("steps")]
            return cls(path=path, steps=steps, **values)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise BackupError(
                f"{path} is damaged.", hint="Look into the directories restore-... beside it, then remove it."
            ) from None

    def write(self, state: str) -> None:
        """Keep it, and on the disk, before anything is done that it tells."""
        self.state = state
        values = {name: value for name, value in asdict(self).items() if name != "path"}
        _write(self.path, json.dumps(values, indent=2).encode())

    def begin(self) -> None:
        """Begin, keeping an earlier restore's journal until this one has changed something."""
        if self.path.exists():
            _write(self._earlier, self.path.read_bytes())
        self.write("unpacking")

    def make_areas(self) -> None:
        """Make the directories; the first one knows the others, also when this is not the last restore any more."""
        first, *others = map(Path, self.areas)
        make_directory(first, 0o700)
        _write(first / AREAS, json.dumps([*map(str, others)]).encode())
        for area in others:
            make_directory(area, 0o700)

    def tidy(self) -> None:
        """Remove what is left of the unpacked, which is in its places now."""
        for path in (*(Path(area) / "new" for area in self.areas), *map(Path, self.spent)):
            _remove(path)
        self._earlier.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove the directories, then the file; an earlier restore can be undone again if this one changed nothing."""
        for area in self.areas:
            _remove(Path(area))
        if self._earlier.exists():
            self._earlier.replace(self.path)
        else:
            self.path.unlink(missing_ok=True)

    @property
    def note(self) -> str:
        """What whoever restores has to know behind it; ``""`` if there is nothing."""
        return self.left and f"{self.left} is still among the backups that PocketBase had until now: remove it there."

    @property
    def _earlier(self) -> Path:
        return self.path.with_suffix(".earlier.json")


def areas_of(first: Path) -> list[Path]:
    """Return the other directories of a restore, which are wherever the parts of the site were at that time.

    Args:
        first: The one in our own directory.
    """
    try:
        return [Path(area) for area in json.loads((first / AREAS).read_bytes())]
    except (FileNotFoundError, ValueError):
        return []


def _write(path: Path, content: bytes) -> None:
    make_directory(path.parent, 0o700)
    temporary = path.with_suffix(".tmp")
    with os.fdopen(open_private(temporary, os.O_WRONLY | os.O_TRUNC), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    synced(path.parent)


def _rename(source: str, target: str) -> None:
    make_directory(Path(target).parent)
    try:
        Path(source).rename(target)
    except FileNotFoundError:
        return  # of a file that SQLite makes and removes as it likes
    for directory in {Path(source).parent, Path(target).parent}:
        synced(directory)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
