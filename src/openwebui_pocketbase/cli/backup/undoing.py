"""``backup restore --undo``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer
from rich.filesize import decimal

from openwebui_pocketbase.backup.dependents import require_no_dependents
from openwebui_pocketbase.backup.journal import Journal
from openwebui_pocketbase.backup.links import size_of
from openwebui_pocketbase.backup.places import Places
from openwebui_pocketbase.backup.restore import stopped
from openwebui_pocketbase.backup.undo import undo as undone
from openwebui_pocketbase.cli.backup.kept import closing, finish_cut_off, outside_server, require_stopped
from openwebui_pocketbase.cli.site import Site

__all__ = ["undo"]

QUESTION = "Open WebUI must be stopped, on all machines. Put this back?"
BESIDE = ("-wal", "-shm", "-journal")


def undo(site: Site, places: Places, *, dry_run: bool, yes: bool) -> None:
    """Put back what the last restore, or the last undoing, has kept aside."""
    journal = Journal.read(places)
    if journal is None or journal.state == "unpacking":
        if dry_run:
            typer.echo("There is nothing to undo.")
        elif not finish_cut_off(site, places):
            undone(places, None)  # says so
        return
    if journal.dumps:
        require_no_dependents(places.database)
    if dry_run:
        _print(journal, places)
        return
    require_stopped(places)
    _print(journal, places)
    if not yes:
        typer.confirm(QUESTION, abort=True)
    with stopped(places), outside_server(site, needed=bool(journal.server)) as server:
        done = undone(places, server)
    ending = "in force again" if done.is_turned and not done.is_undoing else "undone"
    typer.echo(f"The restore of {done.archive} is {ending}.")
    for line in closing(places, done) if done.is_turned else ():
        typer.echo(line)


def _print(journal: Journal, places: Places) -> None:
    for line in _described(journal, places):
        typer.echo(line)


def _described(journal: Journal, places: Places) -> Iterator[str]:
    what = "undoing of the restore" if journal.is_undoing else "restore"
    yield f"To be put back: what was there before the {what} of {journal.archive} (begun at {journal.at[:15]}, UTC)."
    for step in journal.steps:
        if step.place.endswith(BESIDE) or not (step.had or Path(step.place).exists()):
            continue
        then, now = (decimal(size_of(Path(path), follow=False)) for path in (step.aside, step.place))
        yield f"  {step.place}: {then if step.had else 'nothing'}; what is there, {now}, is kept aside"
    if journal.dumps:
        yield f"  {places.name}"
    if journal.server:
        yield "  PocketBase, over its API"
    if journal.state == "done":
        yield "What was written since then is kept aside in turn, and a second --undo brings it back."
