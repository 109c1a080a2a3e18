"""``backup prune``."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.filesize import decimal

from openwebui_pocketbase.backup.identity import known_site
from openwebui_pocketbase.backup.links import size_of
from openwebui_pocketbase.backup.places import Places
from openwebui_pocketbase.backup.prune import prune as pruned
from openwebui_pocketbase.backup.undo import kept_aside
from openwebui_pocketbase.backup.work import alone, clear, explained
from openwebui_pocketbase.cli.backup.kept import (
    DirOption,
    InPocketBaseOption,
    directory_of,
    finish_cut_off,
    places_of,
    store_of,
)
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.last_start import RESTORE

__all__ = ["prune"]


def prune(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    directory: DirOption = None,
    in_pocketbase: InPocketBaseOption = False,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, show_default=False, help="Keep so many of the newest.")
    ] = None,
    days: Annotated[
        float | None, typer.Option("--keep-days", min=0, show_default=False, help="Keep those of so many days.")
    ] = None,
    aside: Annotated[
        bool, typer.Option("--kept-aside", help="Remove what restores have kept aside; they cannot be undone then.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
) -> None:
    """Remove old archives, and what runs that were cut off have left.

    What either --keep or --keep-days keeps is kept; without both no archive is removed. One of those that are kept is
    read through before; if none of them is good, the newest good one stays as well. Archives of other sites in the same
    directory do not count and stay.
    """
    site = Site.of(data_dir, config).existing()
    target = directory_of(site, directory)
    places = places_of(site)
    verb = "Would remove" if dry_run else "Removed"
    with alone(places):
        if not dry_run:
            finish_cut_off(site, places)
            for path in clear(places, target):
                typer.echo(f"Removed what a run that was cut off has left: {path}")
        with store_of(site, target, in_pocketbase=in_pocketbase) as store:
            result = pruned(
                store, known_site(site.data_dir), keep=keep, days=days, now=datetime.now(UTC), dry_run=dry_run
            )
        if aside:
            _remove_aside(places, verb, dry_run=dry_run)
    for each in result.removed:
        typer.echo(f"{verb} {each.name}, {decimal(each.bytes)}.")
    for each in result.damaged:
        typer.echo(f"{each.name} is damaged: see backup verify {each.name}", err=True)
    if result.spared:
        typer.echo(f"Kept {result.spared.name} as well: it is the newest good one.", err=True)
    if keep is None and days is None and not aside:
        typer.echo("Nothing is removed without --keep, --keep-days or --kept-aside.")
    if not in_pocketbase and not target.is_dir():
        typer.echo(f"There is no directory {target}, where archives would be.", err=True)
    typer.echo(f"Archives kept: {len(result.kept) + (result.spared is not None):,}.")
    if result.foreign:
        typer.echo(f"Left alone: {result.foreign:,} archives that are not of this site.")


def _remove_aside(places: Places, verb: str, *, dry_run: bool) -> None:
    for path in kept_aside(places):
        size = size_of(path, follow=False)
        if not dry_run:
            (places.data_dir / RESTORE).unlink(missing_ok=True)  # nothing could be undone with a part of it
            with explained():
                shutil.rmtree(path)
        typer.echo(f"{verb} {path}, {decimal(size)}.")
