"""What restores have kept aside: where it is, and how it is put back, while the present state is kept aside in turn."""

from __future__ import annotations

import os
from pathlib import Path

from openwebui_pocketbase.backup.extract import new_stamp
from openwebui_pocketbase.backup.journal import Journal, Step, areas_of
from openwebui_pocketbase.backup.places import Places
from openwebui_pocketbase.backup.server import Server
from openwebui_pocketbase.backup.switch import back, keep, switch
from openwebui_pocketbase.backup.work import explained
from openwebui_pocketbase.exceptions import BackupError

__all__ = ["kept_aside", "undo"]


def undo(places: Places, server: Server | None) -> Journal:
    """Put back what the last restore, or the last undoing, has kept aside; what was there is kept aside in turn.

    To be called by whoever is alone, with Open WebUI stopped.

    Raises:
        BackupError: There is none, or a program failed; to be repeated then.
    """
    journal = Journal.read(places)
    if journal is None or journal.state not in {"done", "switching", "undoing"}:
        raise BackupError("There is no restore that could be undone.", hint="Restore an archive: backup list.")
    with explained():
        if journal.state != "done":
            # Open WebUI has not run since: there is nothing new to keep.
            back(journal, places, server)
            return journal
        turned = _turned(journal)
        turned.begin()
        try:
            turned.make_areas()
            keep(turned, places, server)
        except BaseException:
            turned.forget()
            raise
        switch(turned, places, server)
    return turned


def kept_aside(places: Places) -> list[Path]:
    """Return the directories with what restores have kept aside; those that list others come last."""
    own = list(places.private.resolve().glob("restore-*/"))
    found = {area for first in own for area in areas_of(first)}
    if (journal := Journal.read(places)) is not None:
        found.update(map(Path, journal.areas))
    if places.pocketbase is not None:
        found.update((places.pocketbase.resolve() / ".owui").glob("restore-*/"))
    return [*sorted(area for area in found - set(own) if area.is_dir()), *sorted(own)]


def _turned(journal: Journal) -> Journal:
    """Return the steps that put back what a restore has kept aside, in directories of their own."""
    stamp = new_stamp()

    def area_of(path: str) -> Path:
        return next(each for each in Path(path).parents if each.name.endswith(journal.at))

    def turned(area: Path) -> Path:
        return area.with_name(f"{area.name.removesuffix(journal.at)}{stamp}")

    def aside(path: str) -> str:
        return str(turned(area_of(path)) / Path(path).relative_to(area_of(path)))

    # What had no part on a disk then, such as PocketBase's data, may be there by now.
    added = {area_of(each.aside) for each in journal.steps if os.path.lexists(each.place)}
    areas = [*map(Path, journal.areas), *sorted(added - set(map(Path, journal.areas)))]
    return Journal(
        path=journal.path,
        state="",
        archive=journal.archive,
        at=stamp,
        areas=[str(turned(area)) for area in areas],
        steps=[
            Step(each.place, each.aside, aside(each.aside), had=os.path.lexists(each.place), has_new=each.had)
            for each in reversed(journal.steps)
        ],
        dumps=[journal.dumps[1], aside(journal.dumps[1])] if journal.dumps else [],
        server=[journal.server[1], aside(journal.server[1])] if journal.server else [],
        spent=journal.areas,
        is_turned=True,
        is_undoing=not journal.is_undoing,
    )
