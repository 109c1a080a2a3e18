"""``files``: moving the contents of files to another place, and finding contents that nothing refers to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.cli.stored_files import StoredFiles, stored_files
from openwebui_pocketbase.exceptions import ConfigurationError, OpenWebUIPocketBaseError
from openwebui_pocketbase.storage import gc as leftovers
from openwebui_pocketbase.storage.move import Move, Moved, Plan, plan

if TYPE_CHECKING:
    from openwebui_pocketbase.storage.gc import Leftovers
    from openwebui_pocketbase.storage.places import Places

__all__ = ["app"]

EVERY = 100
"""Files after which it says how far it is, without a terminal."""

app = typer.Typer(no_args_is_help=True, help="Look after the contents of files.")


class Target(StrEnum):
    """Where contents can be moved to."""

    POCKETBASE = "pocketbase"
    LOCAL = "local"
    S3 = "s3"


@app.command()
def move(
    to: Annotated[
        Target, typer.Option("--to", help="Where to: PocketBase, Open WebUI's uploads directory, its bucket.")
    ],
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the contents where they were as well.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be moved.")] = False,
) -> None:
    """Move the contents of all files to another place.

    Open WebUI may run meanwhile. Each file is copied, the copy is read back and compared, then the file leads to it,
    and ten seconds later the source is removed. It can be stopped and repeated: what has moved is skipped. The bucket
    is that of Open WebUI's S3_ variables. The exit code is 1 if a file could not be moved; it stays as it was.
    """
    with stored_files(Site.of(data_dir, config)) as files:
        files.required(to)
        found = plan(files.rows, to)
        _print_plan(found, to)
        if dry_run or not found.files:
            return
        run = Move(files.rows, files.places({to, *found.to_move}), to, files.directory, keep=keep)
        failed = _report(run.run(), found)
    for path in run.left:
        typer.echo(f"Not removed, though nothing leads there any more: {path}")
    if run.left:
        typer.echo("What to do: openwebui-pocketbase files gc")
    raise typer.Exit(1 if failed else 0)


@app.command()
def gc(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    older_than: Annotated[
        float, typer.Option("--older-than", metavar="HOURS", min=1, help="Leave alone what is younger.")
    ] = 24,
    s3: Annotated[
        bool, typer.Option("--s3", help="Look at the bucket too: all under its prefix must be this Open WebUI's.")
    ] = False,
    rows: Annotated[bool, typer.Option("--rows", help="Remove files whose contents are gone, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Find, and remove, contents that no file leads to, and files whose contents are gone.

    Such are left by uploads and moves that broke off. Only what has a name that Open WebUI gives is touched. Files
    whose contents are gone may still have their text, which chats use: they are only listed, unless --rows says so.
    The JSON object has orphans: a list of objects with place, path, bytes (0 if unknown) and modified; files: a list of
    objects with id, user_id and path; bytes; removed and failed (numbers). The exit code is 1 if something could not
    be removed.
    """
    if as_json and not (dry_run or yes):
        raise ConfigurationError("With --json nothing can be asked.", hint="Add --dry-run or --yes.")
    with stored_files(Site.of(data_dir, config)) as files:
        names = {"local", "pocketbase"} | ({"s3"} if s3 else set())
        if s3:
            files.required("s3")
        places = files.places(names)
        found = leftovers.find(files.rows, places, before=time.time() - older_than * 3600)
        wanted = len(found.orphans) + (len(found.rows) if rows else 0)
        if not as_json:
            _print_leftovers(found)
        removed = failed = 0
        if wanted and not dry_run:
            if not yes:
                typer.confirm(f"Remove {wanted:,} of these?", abort=True)
            removed, failed = _removed(found, files, places, rows=rows)
    if as_json:
        typer.echo(json.dumps(_as_json(found) | {"removed": removed, "failed": failed}))
    elif removed or failed:
        typer.echo(f"Removed: {removed:,}; failed: {failed:,}.")
    raise typer.Exit(1 if failed else 0)


def _print_plan(found: Plan, to: str) -> None:
    for place, (number, size) in sorted(found.to_move.items()):
        typer.echo(f"From {place} to {to}: {number:,} files, {decimal(size)}.")
    if not found.files:
        typer.echo(f"Nothing is to be moved to {to}.")
    typer.echo(f"There already: {found.at_target:,}; without contents: {found.without_contents:,}.")


def _report(results: Iterable[Moved], found: Plan) -> int:
    """Tell how it goes, with a bar on a terminal; return how many files failed."""
    moved = gone = failed = 0
    console = Console(highlight=False)
    columns = (TextColumn("Moving"), BarColumn(), DownloadColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=found.size)
        for done, result in enumerate(results, 1):
            bar.update(task, advance=result.row.size)
            if result.failure:
                failed += 1
                bar.print(f"{result.row.id}: {result.failure}", markup=False, soft_wrap=True)
            elif result.is_gone:
                gone += 1
            else:
                moved += 1
            if not console.is_terminal and done % EVERY == 0:
                typer.echo(f"{done:,} of {found.files:,} files...")
    typer.echo(f"Moved: {moved:,}; deleted meanwhile: {gone:,}; not moved: {failed:,}.")
    return failed


def _print_leftovers(found: Leftovers) -> None:
    if found.orphans:
        table = Table("Place", "Contents that no file leads to", "Size", "Written", box=None, pad_edge=False)
        for orphan in found.orphans:
            stored = orphan.stored
            written = time.strftime("%Y-%m-%d %H:%M", time.localtime(stored.modified))
            size = decimal(stored.size) if stored.size else "?"
            table.add_row(orphan.place, Text(stored.path, overflow="fold"), size, written)
        Console(highlight=False).print(table)
    typer.echo(f"Contents that no file leads to: {len(found.orphans):,}, {decimal(found.size)}.")
    for row in found.rows:
        typer.echo(f"{row.id}: its contents are gone: {row.path}")
    typer.echo(f"Files whose contents are gone: {len(found.rows):,}.")


def _as_json(found: Leftovers) -> dict[str, Any]:
    return {
        "orphans": [
            {"place": each.place, "path": each.stored.path, "bytes": each.stored.size, "modified": each.stored.modified}
            for each in found.orphans
        ],
        "files": [{"id": row.id, "user_id": row.user_id, "path": row.path} for row in found.rows],
        "bytes": found.size,
    }


def _removed(found: Leftovers, files: StoredFiles, places: Places, *, rows: bool) -> tuple[int, int]:
    """Remove what was found; return how much was, and how much could not be."""
    removed = failed = 0
    for orphan in found.orphans:
        try:
            removed += leftovers.remove(orphan, files.rows, places)
        except (OSError, OpenWebUIPocketBaseError) as error:
            failed += 1
            typer.echo(f"{orphan.stored.path}: {error}", err=True)
    if rows and found.rows:
        deleted = files.delete([row.id for row in found.rows])
        removed += deleted
        failed += len(found.rows) - deleted
    return removed, failed
