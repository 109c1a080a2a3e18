"""The restore: whatever ends it, it or what was there before is complete after the next command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openwebui_pocketbase.backup import postgresql, relocate, sqlite
from openwebui_pocketbase.backup.archive import Archive
from openwebui_pocketbase.backup.extract import Planned, extract, steps_of
from openwebui_pocketbase.backup.journal import Journal
from openwebui_pocketbase.backup.places import Places
from openwebui_pocketbase.backup.server import Server
from openwebui_pocketbase.backup.work import enough_room, explained
from openwebui_pocketbase.exceptions import BackupError
from openwebui_pocketbase.last_start import RESTORE, RUNNING
from openwebui_pocketbase.server.locks import FileLock
from openwebui_pocketbase.server.permissions import make_directory
from openwebui_pocketbase.server.rundir import RunDir

__all__ = ["back", "flat", "forward", "needed_server", "recover", "restore", "stopped"]

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
            if journal.dumps:
                Path(journal.dumps[1]).parent.mkdir(0o700, parents=True, exist_ok=True)
                postgresql.dump(places.database, Path(journal.dumps[1]))
            if journal.server and server:
                journal.server[1] = f"owui_before_{flat(journal)}.zip"
                server.backup(journal.server[1])
            os.sync()  # each file by itself would take far longer
            _require_closed(places)  # unpacking has taken its time
            journal.steps = steps_of(plan)
            aside = {str(each.area) for each in plan if each.place is not None and each.place.exists()}
            journal.areas += sorted(aside - set(journal.areas))
            journal.make_areas()
        except BaseException:
            journal.forget()
            raise
        journal.write("switching")
        try:
            forward(journal, places, server)
        except Exception:
            back(journal, places, server)
            raise
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
            return f"{named}; now everything is as it was before."
        forward(journal, places, server)
    return f"{named}; now it is complete."


def forward(journal: Journal, places: Places, server: Server | None) -> None:
    """Do what the journal says, from wherever it was cut off, until it is done."""
    # What can fail comes first; renaming cannot, but for a disk that breaks.
    if journal.dumps:
        # What was here names places that are here.
        then = "" if journal.is_turned else relocate.in_postgresql(places.data_dir / "uploads")
        postgresql.replace(places.database, Path(journal.dumps[0]), then)
    if journal.server and journal.server[0]:
        if journal.is_turned:
            needed_server(server).restore(journal.server[0])
        else:
            needed_server(server).restore_from(Path(journal.server[0]), f"owui_restore_{flat(journal)}.zip")
    for step in journal.steps:
        step.forward()
    journal.write("done")
    journal.tidy()


def back(journal: Journal, places: Places, server: Server | None) -> None:
    """Put back what was there before the journal's steps, and forget these."""
    journal.write("undoing")
    for step in reversed(journal.steps):
        step.backward()
    if journal.server and journal.server[1]:
        needed_server(server).restore(journal.server[1])
    if journal.dumps:
        postgresql.replace(places.database, Path(journal.dumps[1]))
    journal.forget()


def needed_server(server: Server | None) -> Server:
    """Return the PocketBase that is not on this disk.

    Raises:
        BackupError: There is none.
    """
    if server is None:
        raise BackupError("The restore needs the PocketBase of [pocketbase] url.", hint="Set it as it was.")
    return server


def flat(journal: Journal) -> str:
    """Return when a restore began as PocketBase takes it in the name of a backup."""
    return journal.at.replace("-", "_")


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
