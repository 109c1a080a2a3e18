"""``migrate plan``."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from openwebui_pocketbase.cli.migrate.moving import GroupsArgument, Moving, Target, ToOption, run
from openwebui_pocketbase.cli.migrate.notes import print_notes
from openwebui_pocketbase.cli.migrate.progress import Bars
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.connection import embedded_data_dir
from openwebui_pocketbase.migrate.items import units_of

if TYPE_CHECKING:
    from openwebui_pocketbase.migrate.plan import Planned

__all__ = ["plan"]


@dataclass(frozen=True)
class Estimate:
    """What a copy needs.

    Attributes:
        seconds: How long it takes.
        bytes: How much room at the target.
        free: How much there is; None if that is another machine's.
    """

    seconds: int
    bytes: int
    free: int | None


def plan(
    groups: GroupsArgument = None,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    to: ToOption = Target.POCKETBASE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what there is to move, and which rows cannot move as they are; nothing is written.

    Every row is read. The JSON object has open_webui and revision (the versions of code and database), seconds and
    bytes (estimates), free (bytes on PocketBase's disk, null if that is another machine's), and tables: a list of
    objects with table, rows, bytes, there (rows at the target, null if there is none yet), dangling (references to what
    is not there, which move as they are), contents (files and bytes of contents that are copied), and notes: a list of
    objects with table, key, reason and is_left_out.
    """
    site = Site.of(data_dir, config)
    moving = Moving.of(site, groups, to)
    found, version, revision = run(_plan(moving))
    from openwebui_pocketbase.migrate.plan import FILES, ROOM, seconds_for

    rows = sum(number for each in found for number, _ in each.stored.values())
    size = sum(number for each in found for _, number in each.stored.values())
    notes = [note for each in found for note in each.notes]
    files, contents = next((each.contents for each in found if each.unit.name == "file"), (0, 0))
    seconds = seconds_for(rows, size) + files / FILES
    estimate = Estimate(round(seconds), round(size * ROOM) + contents, _free(moving))
    if as_json:
        summary = {"open_webui": version, "revision": revision, **asdict(estimate)}
        typer.echo(json.dumps({**summary, "tables": [_as_json(each) for each in found]}))
        return
    typer.echo(f"Open WebUI {version}, database revision {revision}: both are known.")
    _print(found)
    if files:
        where = "on this disk" if to == Target.POCKETBASE else "in PocketBase"
        typer.echo(f"Contents of files {where}, which are copied: {files:,}, {decimal(contents)}.")
    minutes = max(1, estimate.seconds // 60)
    typer.echo(f"Time: about {minutes} min; room at the target: about {decimal(estimate.bytes)}.")
    if estimate.free is not None and estimate.free < estimate.bytes:
        typer.echo(f"There is not enough room: {decimal(estimate.free)} are free.")
    print_notes(notes, everything="add --json")
    typer.echo("Nothing was written. To copy: openwebui-pocketbase migrate copy")


async def _plan(moving: Moving) -> tuple[list[Planned], str, str]:
    from openwebui_pocketbase.host.revision import require_revision
    from openwebui_pocketbase.migrate.plan import planned
    from openwebui_pocketbase.migrate.sides import planned_sides
    from openwebui_pocketbase.migrate.sql.conflicts import conflicts

    all_found = []
    async with planned_sides(moving.settings, moving.site.data_dir, moving.to) as (sides, is_there):
        with Bars("Reading") as bars:
            for unit in units_of(moving.groups):
                seen: dict[str, int] = {}
                async for found in planned(sides.source, sides.target, unit, sides.contents, is_there=is_there):
                    if not seen:
                        for name, (rows, _) in found.stored.items():
                            bars.begin(name, rows)
                    bars.advance({name: number - seen.get(name, 0) for name, number in found.read.items()})
                    seen = {**dict.fromkeys(found.stored, 0), **found.read}
                if moving.to == Target.POCKETBASE:
                    found.notes += await conflicts(unit)
                all_found.append(found)
    return (all_found, *require_revision())


def _free(moving: Moving) -> int | None:
    if moving.settings.pocketbase.url is not None or moving.to != Target.POCKETBASE:
        return None
    directory = embedded_data_dir(moving.settings.pocketbase, moving.site.data_dir)
    there = next((path for path in (directory, *directory.parents) if path.exists()), Path("/"))
    return shutil.disk_usage(there).free


def _print(found: list[Planned]) -> None:
    table = Table("Group", "Table", box=None, pad_edge=False)
    for title in ("Rows", "Size", "At the target", "Leading to nothing"):
        table.add_column(title, justify="right")
    for each in found:
        for name, (rows, size) in each.stored.items():
            there = f"{each.there[name]:,}" if name in each.there else "-"
            dangling = sum(number for reference, number in each.dangling.items() if reference.startswith(f"{name}."))
            table.add_row(each.unit.group, name, f"{rows:,}", decimal(size), there, f"{dangling:,}" if dangling else "")
    Console(highlight=False).print(table)


def _as_json(found: Planned) -> dict[str, Any]:
    return {
        "table": found.unit.name,
        "rows": {name: rows for name, (rows, _) in found.stored.items()},
        "bytes": {name: size for name, (_, size) in found.stored.items()},
        "there": dict(found.there) or None,
        "dangling": dict(found.dangling),
        "contents": {"files": found.contents[0], "bytes": found.contents[1]},
        "notes": [asdict(note) for note in found.notes],
    }
