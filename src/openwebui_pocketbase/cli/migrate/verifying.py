"""``migrate verify``."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openwebui_pocketbase.cli.migrate.moving import GroupsArgument, Moving, Target, ToOption, run
from openwebui_pocketbase.cli.migrate.notes import print_without_contents
from openwebui_pocketbase.cli.migrate.progress import Bars
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.migrate.items import units_of
from openwebui_pocketbase.migrate.journal import Report

if TYPE_CHECKING:
    from openwebui_pocketbase.migrate.sides import Sides
    from openwebui_pocketbase.migrate.verify import Verified

__all__ = ["print_found", "verified", "verify", "without_contents"]

Settle = Callable[[], Awaitable[None]]

SETTLED = 1.0
"""Seconds in which a follower carries over what differs."""

SHOWN = 10
"""Most keys that are listed of a table."""


def verify(
    groups: GroupsArgument = None,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    to: ToOption = Target.POCKETBASE,
    sample: Annotated[
        int, typer.Option("--sample", metavar="N", min=0, help="Compare N items of each table, taken at random.")
    ] = 0,
    live: Annotated[
        bool, typer.Option("--live", help="Give a running `copy --follow` time to carry over what differs.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare every row of both sides, references, and the contents of files; nothing is written.

    The JSON object has equal (boolean), seconds, rows (a number), and tables: a list of objects with table, rows (by
    table), missing, different and extra: lists of keys, contents: a list of texts, without_contents: keys of files that
    have contents on neither side, severed (reference -> number of rows that lead to nothing), and left_out (a number).
    The exit code is 1 if something differs. What was reported as left out is no difference, nor are files whose
    contents were gone before.
    """
    moving = Moving.of(Site.of(data_dir, config), groups, to)
    settle = partial(asyncio.sleep, SETTLED) if live else None
    began = time.monotonic()
    found = run(_verify(moving, sample=sample, settle=settle))
    seconds = time.monotonic() - began
    rows = sum(sum(each.rows.values()) for each in found)
    is_equal = all(each.is_equal for each in found)
    if as_json:
        listed = [_as_json(each) for each in found]
        typer.echo(json.dumps({"equal": is_equal, "seconds": round(seconds, 2), "rows": rows, "tables": listed}))
    else:
        print_found(found)
        print_without_contents(without_contents(found))
        typer.echo(f"{rows:,} rows compared in {seconds:.1f} s: {'equal' if is_equal else 'they differ'}.")
    raise typer.Exit(0 if is_equal else 1)


async def _verify(moving: Moving, *, sample: int, settle: Settle | None) -> list[Verified]:
    from openwebui_pocketbase.migrate.sides import open_sides

    async with open_sides(moving.settings, moving.site.data_dir, moving.to) as sides:
        return await verified(moving, sides, sample=sample, settle=settle)


async def verified(moving: Moving, sides: Sides, *, sample: int = 0, settle: Settle | None = None) -> list[Verified]:
    """Compare both sides; return what was found of each unit. See `Verification`."""
    from openwebui_pocketbase.migrate.verify import Verification

    all_found = []
    kept = Report(moving.site.data_dir, Target.POCKETBASE).left_out() if moving.to == Target.SQLALCHEMY else {}
    known = Report(moving.site.data_dir, moving.to).left_out()
    async with sides.comparison(kept=kept) as comparison:
        verification = Verification(comparison, sides.contents, sample, settle, known)
        with Bars("Comparing") as bars:
            for unit in units_of(moving.groups):
                for name, (rows, _) in (await sides.source.count(unit)).items():
                    bars.begin(name, rows)
                seen: dict[str, int] = {}
                async for found in verification.of_unit(unit):
                    bars.advance({name: number - seen.get(name, 0) for name, number in found.rows.items()})
                    seen = dict(found.rows)
                all_found.append(found)
    return all_found


def without_contents(found: Iterable[Verified]) -> list[str]:
    """Return the ids of the files that have contents on neither side."""
    return [key for each in found for key in each.without_contents]


def print_found(found: Iterable[Verified]) -> None:
    """Print what was found."""
    for each in found:
        _print(each)


def _print(found: Verified) -> None:
    counted = ", ".join(f"{name}: {number:,}" for name, number in found.rows.items()) or f"{found.unit.name}: 0"
    left_out = sum(note.is_left_out for note in found.left_out)
    parts = [
        f"{counted}{' equal' if found.is_equal else ''}",
        *([f"left out: {left_out:,}"] if left_out else []),
        *([f"not as they were: {len(found.left_out) - left_out:,}"] if len(found.left_out) > left_out else []),
    ]
    typer.echo("; ".join(parts))
    for keys, what in (
        (found.missing, "are missing at the target"),
        (found.different, "differ"),
        (found.extra, "are only at the target"),
    ):
        if keys:
            typer.echo(f"  {len(keys):,} {what}: {', '.join(keys[:SHOWN])}{', ...' if len(keys) > SHOWN else ''}")
    for note in found.contents:
        typer.echo(f"  {note.table} {note.key}: {note.reason}")
    for name, number in found.severed.items():
        typer.echo(f"  {number:,} rows lead to nothing by {name}, which do not at the source")


def _as_json(found: Verified) -> dict[str, Any]:
    return {
        "table": found.unit.name,
        "rows": dict(found.rows),
        "missing": found.missing,
        "different": found.different,
        "extra": found.extra,
        "contents": [f"{note.key}: {note.reason}" for note in found.contents],
        "without_contents": found.without_contents,
        "severed": found.severed,
        "left_out": sum(note.is_left_out for note in found.left_out),
    }
