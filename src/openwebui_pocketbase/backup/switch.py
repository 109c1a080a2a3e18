"""The moment in which a site becomes another one: all of it, or, if something fails, nothing of it."""

from __future__ import annotations

from pathlib import Path

from openwebui_pocketbase.backup import postgresql, relocate
from openwebui_pocketbase.backup.grants import given_again
from openwebui_pocketbase.backup.journal import Journal
from openwebui_pocketbase.backup.places import Places
from openwebui_pocketbase.backup.server import Server
from openwebui_pocketbase.exceptions import BackupError, UnchangedError

__all__ = ["back", "forward", "keep", "switch"]


def keep(journal: Journal, places: Places, server: Server | None) -> None:
    """Keep what cannot be put aside by a new name: PostgreSQL's tables, and the data of a PocketBase elsewhere."""
    if journal.dumps:
        Path(journal.dumps[1]).parent.mkdir(0o700, parents=True, exist_ok=True)
        postgresql.keep(places.database, Path(journal.dumps[1]))
    if journal.server:
        journal.server[1] = f"owui_before_{_flat(journal)}.zip"
        _needed(server).backup(journal.server[1])


def switch(journal: Journal, places: Places, server: Server | None) -> None:
    """Do what the journal says, or put back what was there.

    Raises:
        BackupError: A program failed.
    """
    journal.write("switching")
    try:
        forward(journal, places, server)
    except UnchangedError:  # the tables come first
        journal.forget()
        raise
    except Exception:
        back(journal, places, server)
        raise


def forward(journal: Journal, places: Places, server: Server | None) -> None:
    """Do what the journal says, from wherever it was cut off, until it is done."""
    # What can fail comes first; renaming cannot, but for a disk that breaks.
    if journal.dumps:
        new, before = map(Path, journal.dumps)
        # What was here names places that are here, and knows who may do what; an archive leaves that as it is.
        then = "" if journal.is_turned else relocate.in_postgresql(places.data_dir / "uploads")
        postgresql.replace(places.database, new, then + given_again(new if journal.is_turned else before))
    if journal.server and journal.server[0]:
        if journal.is_turned:
            _needed(server).restore(journal.server[0])
        else:
            _needed(server).restore_from(Path(journal.server[0]), f"owui_restore_{_flat(journal)}.zip")
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
        _needed(server).restore(journal.server[1])
    if journal.dumps:
        before = Path(journal.dumps[1])
        postgresql.replace(places.database, before, given_again(before))
    journal.forget()


def _needed(server: Server | None) -> Server:
    """Return the PocketBase that is not on this disk.

    Raises:
        BackupError: There is none.
    """
    if server is None:
        raise BackupError("The restore needs the PocketBase of [pocketbase] url.", hint="Set it as it was.")
    return server


def _flat(journal: Journal) -> str:
    """Return when a restore began as PocketBase takes it in the name of a backup."""
    return journal.at.replace("-", "_")
