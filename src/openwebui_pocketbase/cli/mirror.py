"""``mirror``: where the SQL database's copy of users, groups and grants differs from PocketBase, and who is right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openwebui_pocketbase.changes.reports import named
from openwebui_pocketbase.cli.hosted import load_host
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.plugin import plugin

if TYPE_CHECKING:
    from openwebui_pocketbase.changes.mirror import Mirror
    from openwebui_pocketbase.changes.status import MirrorStatus

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Compare the SQL database's copy of users, groups and grants with PocketBase."
)


@app.command()
def status(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what differs, and which rows are kept aside.

    An embedded server is started for the duration. The JSON object has settled and follows (booleans), is_mirrored,
    behind (changes not copied yet), and tables: a list of objects with table, equal (a number) and missing,
    different, extra, aside: lists of ids. The exit code is 1 if something has to be settled.
    """
    with _mirror(Site.of(data_dir, config)) as (mirror, commands):
        found: MirrorStatus = commands.mirror_status(mirror)
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    else:
        _print(found)
    raise typer.Exit(0 if found.is_settled else 1)


@app.command()
def accept(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """PocketBase is right: make the SQL database's copy equal to it, and drop what is kept aside.

    Open WebUI may run meanwhile. An embedded server is started for the duration.
    """
    with _mirror(Site.of(data_dir, config)) as (mirror, commands):
        if not yes:
            _print(commands.mirror_status(mirror))
            typer.confirm("Shall rows that PocketBase does not have be dropped?", abort=True)
        number = commands.accept(mirror)
    typer.echo(f"The SQL database's copy is as PocketBase; {number:,} rows that were kept aside are dropped.")


@app.command()
def adopt(data_dir: DataDirOption = None, config: ConfigOption = None) -> None:
    """Take the rows that are kept aside into PocketBase: users with their passwords, groups, members, grants.

    Open WebUI may run meanwhile. An embedded server is started for the duration. The exit code is 1 if PocketBase
    refused a row; it stays aside.
    """
    with _mirror(Site.of(data_dir, config)) as (mirror, commands):
        taken, refused = commands.adopt(mirror)
    for row in taken:
        typer.echo(f"{row.name} {row.row_id}: taken into PocketBase.")
    for row, reason in refused:
        typer.echo(f"{row.name} {row.row_id}: not taken. {reason}")
    if taken or refused:
        typer.echo(f"Rows taken into PocketBase: {len(taken):,}; not taken: {len(refused):,}.")
    else:
        typer.echo("No rows are kept aside.")
    raise typer.Exit(1 if refused else 0)


@contextmanager
def _mirror(site: Site) -> Iterator[tuple[Mirror, Any]]:
    load_host(site)
    # The host's singletons, and so the mirror behind them, are made when their modules are loaded.
    for module in ("users", "groups", "access_grants"):
        import_module(f"open_webui.models.{module}")
    if plugin.mirror is None:
        raise ConfigurationError(
            "The settings keep users, groups and access in the SQL database: there is no copy of them.",
            hint="Run it with the settings that Open WebUI has, such as: STORAGE_BACKEND=pocketbase "
            "openwebui-pocketbase mirror status",
        )
    try:
        yield plugin.mirror, import_module("openwebui_pocketbase.changes.status")
    finally:
        plugin.close()


def _print(found: MirrorStatus) -> None:
    if not found.is_mirrored:
        typer.echo("Nothing was copied yet: it is at the first start.")
        return
    if not found.follows:
        typer.echo("PocketBase was restored or replaced: the next start or write compares all rows.")
    for table in found.tables:
        typer.echo(f"{table.table}: {table.equal:,} equal")
        for ids, what in (
            (table.missing, "are only in PocketBase"),
            (table.different, "differ"),
            (table.extra, "are only in the SQL table"),
            (table.aside, "were written by something else and are kept aside"),
        ):
            if ids:
                typer.echo(f"  {len(ids):,} {what}: {named(ids)}")
    if found.is_without_users:
        typer.echo(
            "PocketBase has none of these users: whoever signs up first would become the administrator.\n"
            "What to do: look whether [pocketbase] url or data_dir is right, and restore PocketBase's backup. Only if "
            "it is meant to be another one: openwebui-pocketbase mirror accept"
        )
    elif not found.is_settled:
        typer.echo(
            "What to do: openwebui-pocketbase mirror accept (PocketBase is right), or mirror adopt (take what is kept "
            "aside into PocketBase)"
        )
