"""The moment in which a restore takes effect: as a whole, or, if something fails, not at all."""

from __future__ import annotations

from pathlib import Path

from openwebui_pocketbase.backup import postgresql, relocate
from openwebui_pocketbase.backup.grants import given_again
from openwebui_pocketbase.backup.journal import Journal
from openwebui_pocketbase.backup.places import Places
from openwebui_pocketbase.backup.server import Server
from openwebui_pocketbase.exceptions import BackupError, RequestError, UnchangedError

__all__ = ["back", "forward", "keep", "switch"]


def keep(journal: Journal, places: Places, server: Server | None) -> None:
    """Keep what cannot be put aside by a new name: PostgreSQL's tables, and the data of a PocketBase elsewhere."""
    for path in (*journal.dumps[1:], *journal.server[1:]):
        Path(path).parent.mkdir(0o700, parents=True, exist_ok=True)
    if journal.dumps:
        postgresql.keep(places.database, Path(journal.dumps[1]))
    if journal.server:
        # Not among its own backups: by the restored settings those may be somewhere else.
        _needed(server).backup_to(Path(journal.server[1]))


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
    if journal.server:
        _restore_server(journal, journal.server[0], server)
    for step in journal.steps:
        step.forward()
    journal.write("done")
    journal.tidy()


def back(journal: Journal, places: Places, server: Server | None) -> None:
    """Put back what was there before the journal's steps, and forget these."""
    journal.write("undoing")
    for step in reversed(journal.steps):
        step.backward()
    if journal.server:
        try:
            _restore_server(journal, journal.server[1], server)
        except RequestError as error:
            raise BackupError(
                f"What PocketBase had could not be put back: {error.args[0]}",
                hint=f"It is in {journal.server[1]}. If PocketBase does not start any more, unpack that into its data"
                " directory. When it runs: openwebui-pocketbase backup restore --continue",
            ) from error
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


def _restore_server(journal: Journal, source: str, server: Server | None) -> None:
    name = f"owui_restore_{journal.at.replace('-', '_')}.zip"  # as PocketBase takes it
    journal.left = "" if _needed(server).restore_from(Path(source), name) else name
