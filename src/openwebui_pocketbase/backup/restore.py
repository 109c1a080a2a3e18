"""The restore. Whatever interrupts it, after the next command either the restore or the former state is complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openwebui_pocketbase.backup import sqlite
from openwebui_pocketbase.backup.archive import Archive
from openwebui_pocketbase.backup.extract import Planned, extract, steps_of
from openwebui_pocketbase.backup.journal import Journal
from openwebui_pocketbase.backup.places import Places
from openwebui_pocketbase.backup.server import Server, has_key
from openwebui_pocketbase.backup.switch import back, forward, keep, switch
from openwebui_pocketbase.backup.work import enough_room, explained
from openwebui_pocketbase.exceptions import BackupError
from openwebui_pocketbase.last_start import RESTORE, RUNNING
from openwebui_pocketbase.server.locks import FileLock
from openwebui_pocketbase.server.permissions import make_directory
from openwebui_pocketbase.server.rundir import RunDir

__all__ = ["recover", "restore", "stopped"]

AGAIN = "Stop it, and run this again."


@contextmanager
def stopped(places: Places) -> Iterator[None]:
    """Keep Open WebUI, and the embedded PocketBase, from being started meanwhile.

    Raises:
        BackupError: One of them is running, or the SQL database is open.
    """
    running = FileLock.take(places.data_dir / RUNNING)
    if running is None:
        raise BackupError(f"Open WebUI is running on {places.data_dir}, or a command that uses its data.", hint=AGAIN)
    with running:
        _require_closed(places)
        with _without_pocketbase(places):
            yield


@contextmanager
def _without_pocketbase(places: Places) -> Iterator[None]:
    if places.pocketbase is None or not places.pocketbase.is_dir():
        yield
        return
    run_dir = RunDir(places.pocketbase)
    run_dir.create()
    lease = FileLock.take(run_dir.leases_lock)
    if lease is None:
        raise BackupError(f"Open WebUI is running, or a command that uses {places.pocketbase}.", hint=AGAIN)
    with lease:
        yield


def restore(
    archive: Archive, members: dict[str, str], plan: list[Planned], places: Places, stamp: str, server: Server | None
) -> Journal:
    """Replace everything by what is in the archive; what was there is kept aside.

    To be called by whoever is alone, with Open WebUI stopped.

    Args:
        archive: The archive.
        members: What is in it.
        plan: What goes where.
        places: The site.
        stamp: Tells this restore from others.
        server: A PocketBase that is not on this disk.

    Raises:
        BackupError: Something is damaged, there is not enough room, or a program failed; nothing has changed then.
    """
    first = places.private.resolve() / f"restore-{stamp}"
    areas = sorted({each.area for each in plan if each.files or each.before is not None} - {first})
    journal = Journal(places.data_dir / RESTORE, "", archive.path.name, stamp, [str(first), *map(str, areas)])
    with explained():
        enough_room(_needed(plan))
        journal.begin()
        try:
            if places.pocketbase and any(area.is_relative_to(places.pocketbase.resolve()) for area in areas):
                make_directory(places.pocketbase, 0o700)
            journal.make_areas()
            extract(archive, members, plan, places, journal)
            keep(journal, places, server)
            _require_key(archive, journal)
            os.sync()  # each file by itself would take far longer
            _require_closed(places)  # unpacking has taken its time
            journal.steps = steps_of(plan)
            aside = {str(each.area) for each in plan if each.place is not None and each.place.exists()}
            journal.areas += sorted(aside - set(journal.areas))
            journal.make_areas()
        except BaseException:
            journal.forget()
            raise
        switch(journal, places, server)
    return journal


def recover(places: Places, server: Server | None) -> str:
    """Finish or undo what was cut off; return what was done, or ``""``."""
    journal = Journal.read(places)
    if journal is None:
        return ""
    if journal.state == "done":
        journal.tidy()
        return ""
    named = f"{'The undoing of the' if journal.is_undoing else 'The'} restore of {journal.archive} was cut off"
    with explained():
        if journal.state == "unpacking":
            journal.forget()
            return f"{named} before it had changed anything; its files are removed."
        if journal.state == "undoing":
            back(journal, places, server)
            return f"{named}; now everything is as it was before. {journal.note}".rstrip()
        forward(journal, places, server)
    return f"{named}; now it is complete. {journal.note}".rstrip()


def _require_key(archive: Archive, journal: Journal) -> None:
    if journal.server and archive.manifest.is_encrypted and not has_key(Path(journal.server[1])):
        raise BackupError(
            "PocketBase's settings in the archive are encrypted, and those of the PocketBase here are not: it would not"
            " start again.",
            hint="Start it with --encryptionEnv and the key that the other one had, and save its settings once. Nothing"
            " was changed.",
        )


def _needed(plan: list[Planned]) -> dict[Path, int]:
    needed: dict[Path, int] = {}
    for each in plan:
        # What has no place on this disk is packed again to be sent, or dumped before it is replaced.
        needed[each.area] = needed.get(each.area, 0) + each.bytes * (1 if each.place else 2)
    return needed


def _require_closed(places: Places) -> None:
    database = places.database
    if database.kind == "sqlite" and database.path.is_file() and sqlite.is_open_elsewhere(database.path):
        raise BackupError(f"Open WebUI is running, or another program has {database.path} open.", hint=AGAIN)
