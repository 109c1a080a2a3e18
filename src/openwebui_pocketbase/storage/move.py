"""Moving the contents of files to another place, while Open WebUI runs.

For each file: copy, read the copy back, switch the row's path if it is still the one that was copied, and remove the
source some time after that, as somebody may have read the row just before. So whenever this ends, each row leads to
complete contents, and the next run goes on with those that are not at the target yet.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError
from openwebui_pocketbase.storage.places import place_of, sha256_of

if TYPE_CHECKING:
    from openwebui_pocketbase.storage.places import Place, Places
    from openwebui_pocketbase.storage.rows import FileRow, Rows

__all__ = ["Move", "Moved", "Plan", "plan"]

GRACE = 10.0
"""Seconds between the switch of a path and the removal of what it led to."""


@dataclass
class Plan:
    """What there is to move.

    Attributes:
        to_move: Place -> number of files and their bytes, as the rows say.
        at_target: Files that are there.
        without_contents: Rows that lead nowhere.
    """

    to_move: dict[str, tuple[int, int]] = field(default_factory=dict)
    at_target: int = 0
    without_contents: int = 0

    @property
    def files(self) -> int:
        """Number of files to move."""
        return sum(number for number, _ in self.to_move.values())

    @property
    def size(self) -> int:
        """Their bytes."""
        return sum(size for _, size in self.to_move.values())


@dataclass(frozen=True)
class Moved:
    """What became of one file.

    Attributes:
        row: The file, as it was.
        failure: Why its contents are where they were; empty if they were moved.
        is_gone: Whether somebody deleted it meanwhile, so that there was nothing left to move.
    """

    row: FileRow
    failure: str = ""
    is_gone: bool = False


def plan(rows: Rows, target: str) -> Plan:
    """Count what is to be moved to a place."""
    found = Plan()
    for row in rows:
        if not row.path:
            found.without_contents += 1
        elif (place := place_of(row.path)) == target:
            found.at_target += 1
        else:
            number, size = found.to_move.get(place, (0, 0))
            found.to_move[place] = number + 1, size + row.size
    return found


class Move:
    """One run.

    Args:
        rows: The files.
        places: Places by name; a file in another one fails.
        target: Name of the place to move to.
        directory: Directory for contents on their way, of this run alone; it is made and removed.
        keep: Whether sources stay.
        grace: Seconds that a source stays; default: `GRACE`.
        sleep: Waits.

    Attributes:
        left: Sources that could not be removed; nothing leads to them.
    """

    def __init__(
        self,
        rows: Rows,
        places: Places,
        target: str,
        directory: Path,
        *,
        keep: bool = False,
        grace: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rows = rows
        self._places = places
        self._target = target
        self._directory = directory
        self._keep = keep
        self._grace = GRACE if grace is None else grace
        self._sleep = sleep
        self.left: list[str] = []
        self._users: Counter[str] = Counter()
        self._sources: deque[tuple[float, str]] = deque()

    def run(self) -> Iterator[Moved]:
        """Move all files, those that are uploaded meanwhile as well; give each as it is done."""
        seen: set[str] = set()
        try:
            while todo := [row for row in self._elsewhere() if row.id not in seen]:
                for row in todo:
                    seen.add(row.id)
                    yield self._move(row)
                    self._remove_sources(wait=False)
        finally:
            # Also if whoever asks has had enough: what has moved is complete.
            self._remove_sources(wait=True)
            shutil.rmtree(self._directory, ignore_errors=True)

    def _elsewhere(self) -> list[FileRow]:
        rows = list(self._rows)
        self._users = Counter(row.path for row in rows if row.path)
        return [row for row in rows if row.path and place_of(row.path) != self._target]

    def _move(self, row: FileRow) -> Moved:
        try:
            return self._moved(row)
        except (OSError, OpenWebUIPocketBaseError) as error:
            return Moved(row, failure=str(error).partition("\n")[0] or type(error).__name__)

    def _moved(self, row: FileRow) -> Moved:
        known = row.path or ""
        source = self._places.get(place_of(known))
        if source is None:
            return Moved(row, failure=f"This Open WebUI is not set up for {place_of(known)}: {known}")
        try:
            path = self._copied(row, known, source)
        except FileNotFoundError:
            return self._gone(row) or Moved(row, failure=f"There are no contents: {known}")
        if not path:
            return Moved(row, failure=f"The copy differs from the source, and was removed: {known}")
        if not self._rows.switch(row, path):
            self._discard(row, path)
            return self._gone(row) or Moved(row, failure="Its path has changed meanwhile.")
        self._users[known] -= 1
        if not (self._keep or self._users[known]):
            self._sources.append((time.monotonic() + self._grace, known))
        return Moved(row)

    def _copied(self, row: FileRow, known: str, source: Place) -> str:
        """Copy contents to the target; return their path there, "" if they arrived as others.

        Raises:
            FileNotFoundError: The source is missing, or somebody has just deleted the file.
        """
        target = self._places[self._target]
        file = source.fetch(known, self._emptied())
        sha256 = sha256_of(file)
        path = target.put(row, known.rsplit("/", 1)[-1], file, sha256)
        if sha256_of(target.fetch(path, self._emptied())) == sha256:
            return path
        self._discard(row, path)
        return ""

    def _gone(self, row: FileRow) -> Moved | None:
        return Moved(row, is_gone=True) if self._rows.get(row.id) is None else None

    def _discard(self, row: FileRow, path: str) -> None:
        """Remove a copy, unless the row leads to it: another run, elsewhere, may have been faster."""
        now = self._rows.get(row.id)
        if now is None or now.path != path:
            self._places[self._target].remove(path)

    def _remove_sources(self, *, wait: bool) -> None:
        while self._sources and (wait or self._sources[0][0] <= time.monotonic()):
            due, path = self._sources.popleft()
            self._sleep(max(0.0, due - time.monotonic()))
            try:
                self._places[place_of(path)].remove(path)
            except (OSError, OpenWebUIPocketBaseError):
                self.left.append(path)

    def _emptied(self) -> Path:
        """Return the directory, empty: one file is on its way at a time."""
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(mode=0o700, parents=True)
        return self._directory
