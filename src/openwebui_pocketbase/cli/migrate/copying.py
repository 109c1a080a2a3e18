"""``migrate copy``."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.filesize import decimal

from openwebui_pocketbase.cli.migrate.moving import GroupsArgument, Moving, Target, ToOption, run
from openwebui_pocketbase.cli.migrate.notes import print_notes
from openwebui_pocketbase.cli.migrate.progress import Bars
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.migrate.items import Note, units_of
from openwebui_pocketbase.migrate.journal import Report, journal_lock

if TYPE_CHECKING:
    from openwebui_pocketbase.migrate.run import Options, Run

__all__ = ["copy"]

BETWEEN = 10.0
"""Seconds between two lines of a copy that follows."""


def copy(
    groups: GroupsArgument = None,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    to: ToOption = Target.POCKETBASE,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on copying what changes, until `switch` takes over or Ctrl+C.")
    ] = False,
    on_error: Annotated[
        str, typer.Option("--on-error", metavar="skip|stop", help="What to do with a row that cannot be moved.")
    ] = "skip",
    workers: Annotated[int, typer.Option("--workers", min=1, max=16, help="Batches that are read ahead.")] = 2,
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete at the target what the source does not have, whoever made it.")
    ] = False,
    only_missing: Annotated[
        bool, typer.Option("--only-missing", help="Add what the target does not have, and change nothing else.")
    ] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="With --follow: compare everything first, though it was copied before.")
    ] = False,
    new_run: Annotated[bool, typer.Option("--new-run", help="Forget the journal of another copy.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object; not with --follow.")] = False,
) -> None:
    """Copy groups of data from the SQL database to PocketBase, or back; the source is not changed.

    Open WebUI may run meanwhile. It can be stopped and repeated at any time: only what differs is written. Rows that
    cannot be moved are left out and reported. With --follow the source notes what changes, by triggers in an SQL
    database, and this command carries it over. Nothing is used at the target before `switch`. The JSON object has bytes
    (compared), written and deleted (items), indexed (messages added to the search index), seconds and indexing (how
    long rows and index took), left_out (rows), and report: the file that has all rows which did not move as they are.
    The exit code is 1 if rows were left out.
    """
    if as_json and follow:
        raise typer.BadParameter("There is no end to tell of.", param_hint="--json")
    if on_error not in ("skip", "stop"):
        raise typer.BadParameter("It is skip or stop.", param_hint="--on-error")
    moving = Moving.of(Site.of(data_dir, config), groups, to)
    if not moving.groups:
        raise ConfigurationError(
            f"By the settings, all groups are in {to} already: there is nothing to copy.",
            hint=f"To add what it does not have: openwebui-pocketbase migrate copy --to {to} --only-missing chats ...",
        )
    from openwebui_pocketbase.migrate.run import Options

    options = Options(follow, replace, only_missing, on_error == "stop", workers, new_run, compare)
    with journal_lock(moving.site.data_dir), contextlib.suppress(KeyboardInterrupt):
        done = run(_copy(moving, options, quiet=as_json))
        if as_json:
            typer.echo(json.dumps(asdict(done)))
        raise typer.Exit(1 if done.left_out else 0)


@dataclass
class Done:
    """What a copy has done; see the command's help."""

    bytes: int = 0
    written: int = 0
    deleted: int = 0
    indexed: int = 0
    seconds: float = 0.0
    indexing: float = 0.0
    left_out: int = 0
    report: str = ""


async def _copy(moving: Moving, options: Options, *, quiet: bool) -> Done:
    from openwebui_pocketbase.migrate.run import Run
    from openwebui_pocketbase.migrate.sides import open_sides

    site = moving.site
    done = Done(report=str(Report(site.data_dir, moving.to).path))
    told: list[Note] = []
    async with open_sides(moving.settings, site.data_dir, moving.to, create=True) as sides:
        this = Run(sides, site.data_dir, units_of(moving.groups), moving.in_force, options)
        if await this.begin():
            typer.echo("Everything was copied before; what has changed since is carried over.")
            await this.refresh()
            tables = {name for unit in this.units for name in unit.tables}
            told = [note for note in Report(site.data_dir, moving.to) if note.table in tables]
        else:
            await _copy_all(this, done)
            if not quiet:
                _print(done)
            told = list(this.notes)
        if not quiet:
            print_notes(told, everything=done.report)
        if options.follow:
            await _follow(this)
    done.left_out = sum(note.is_left_out for note in this.notes)
    if not quiet and (new := [note for note in this.notes if note not in told]):
        print_notes(new, everything=done.report)
    return done


async def _copy_all(this: Run, done: Done) -> None:
    with Bars("Copying") as bars:
        for unit in this.units:
            for name, (rows, _) in (await this.source.count(unit)).items():
                bars.begin(name, rows)
        began = time.monotonic()
        async for copied in this.copy():
            bars.advance(copied.rows)
            done.bytes += copied.size
            done.written += copied.written
            done.deleted += copied.removed
        async for _ in this.catch_up():
            pass
        done.seconds = time.monotonic() - began
        began = time.monotonic()
        bars.begin("the search index", 0)
        async for number in this.index():
            bars.advance({"the search index": number})
            done.indexed += number
        done.indexing = time.monotonic() - began


def _print(done: Done) -> None:
    typer.echo(
        f"Compared: {decimal(done.bytes)}; written: {done.written:,}; deleted: {done.deleted:,}, in"
        f" {done.seconds:.0f} s. Messages added to the search index: {done.indexed:,}, in {done.indexing:.0f} s."
    )


async def _follow(this: Run) -> None:
    typer.echo("Following: what changes is carried over, until `openwebui-pocketbase migrate switch` or Ctrl+C.")
    written = told = 0
    tell_at = 0.0
    async for progress in this.follow():
        done = sum(copied.written + copied.removed for copied in progress.copied)
        written += done
        if written > told and time.monotonic() >= tell_at:
            tell_at, told = time.monotonic() + BETWEEN, written
            typer.echo(f"{written:,} changes carried over so far.")
    typer.echo("`switch` has taken over.")
