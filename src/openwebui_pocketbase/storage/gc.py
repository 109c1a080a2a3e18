"""Finding contents that no row refers to, and rows whose contents are gone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openwebui_pocketbase.storage.paths import parse
from openwebui_pocketbase.storage.places import PARTIAL, place_of

if TYPE_CHECKING:
    from openwebui_pocketbase.storage.places import Places, Stored
    from openwebui_pocketbase.storage.rows import FileRow, Rows

__all__ = ["Leftovers", "Orphan", "find", "remove"]

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
OF_THE_HOST = re.compile(rf"({UUID})(?:[_.].*)?", re.DOTALL)
"""Names that the host gives: id and name; id and suffix, or the id alone, if the name was too long."""


@dataclass(frozen=True)
class Orphan:
    """Contents that no row leads to.

    Attributes:
        place: Where they are.
        stored: The contents.
    """

    place: str
    stored: Stored


@dataclass(frozen=True)
class Leftovers:
    """What was found.

    Attributes:
        orphans: Contents without a row.
        rows: Rows without their contents.
    """

    orphans: list[Orphan]
    rows: list[FileRow]

    @property
    def size(self) -> int:
        """Bytes of the orphans, as far as they are known."""
        return sum(orphan.stored.size for orphan in self.orphans)


def find(rows: Rows, places: Places, *, before: float) -> Leftovers:
    """Look through places.

    Contents are listed before the rows are read: a row that is made meanwhile counts.

    Args:
        rows: All files.
        places: Where to look; rows that lead elsewhere count as complete.
        before: Epoch seconds; what is younger is left alone.
    """
    stored = {place: list(contents) for place, contents in places.items()}
    there = {place: {_key(place, each.path) for each in contents} for place, contents in stored.items()}
    known = [row for row in rows if row.path]
    wanted = _Wanted(known)
    orphans = [
        Orphan(place, each)
        for place, contents in stored.items()
        for each in contents
        if each.modified < before and not wanted.has(place, each)
    ]
    gone = [row for row in known if row.created_at < before and _is_gone(row.path or "", there)]
    return Leftovers(orphans, gone)


def remove(orphan: Orphan, rows: Rows, places: Places) -> bool:
    """Remove contents, unless a row leads to them by now; return whether they are removed.

    Raises:
        OSError: They cannot be removed.
        RequestError: PocketBase does not answer.
    """
    path = orphan.stored.path
    found = OF_THE_HOST.fullmatch(_key("", path))
    row = rows.get(found[1]) if found else None
    if row is not None and row.path == path:
        return False
    places[orphan.place].remove(path)
    return True


class _Wanted:
    """What rows lead to.

    What belongs to a file lies beside it, with its id: the host writes transcripts and compressed audio there. And it
    keeps local copies of what is in its bucket, which are its own business.
    """

    def __init__(self, rows: list[FileRow]) -> None:
        self._ids: set[tuple[str, str]] = set()
        self._names: set[tuple[str, str]] = set()
        for row in rows:
            place = place_of(row.path or "")
            for where in {place} if place == "pocketbase" else {place, "local"}:
                self._ids.add((where, row.id))
                self._names.add((where, _key(place, row.path or "")))

    def has(self, place: str, stored: Stored) -> bool:
        """Tell whether a row leads to contents, or they are none of the host's."""
        if place == "pocketbase":
            return stored.has_row
        name = _key(place, stored.path)
        if place == "local" and name.startswith(PARTIAL):
            return False
        found = OF_THE_HOST.fullmatch(name)
        return found is None or (place, name) in self._names or (place, found[1]) in self._ids


def _is_gone(path: str, there: dict[str, set[str]]) -> bool:
    place = place_of(path)
    if place == "local":  # it may be in another directory
        return not Path(path).is_file()
    return place in there and _key(place, path) not in there[place]


def _key(place: str, path: str) -> str:
    """Return by what contents are known in their place: the record, or the name."""
    stored = parse(path) if place == "pocketbase" else None
    return stored.id if stored else path.rsplit("/", 1)[-1]
