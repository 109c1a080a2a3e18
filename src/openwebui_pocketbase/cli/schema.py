"""``schema status`` and ``schema apply``: comparing the PocketBase server with what this version needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.client import AdminClient, Authenticator
from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.schema.bootstrap import inspect

__all__ = ["app", "connected", "server_of"]

app = typer.Typer(no_args_is_help=True, help="Look at, or bring up, the schema of the PocketBase server.")


@app.command()
def status(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare schema and hooks with the needed ones.

    An embedded server is started for the duration. The JSON object has url, schema (null without hooks), wanted,
    differs (triggers, search tables or collections are not those of this package), hooks_missing, hooks_different,
    hooks_left_over (files of earlier versions, which do no harm), and problems: a list of objects with detail and
    remedy. The exit code is 1 if there are problems.
    """
    with server_of(Site.of(data_dir, config)) as (url, admin):
        state = inspect(admin)
    problems = state.problems()
    if as_json:
        listed = [{"detail": detail, "remedy": remedy} for detail, remedy in problems]
        typer.echo(json.dumps({"url": url, **asdict(state), "problems": listed}))
    else:
        version = "unknown" if state.schema is None else str(state.schema)
        typer.echo(f"{url}: schema version {version}, needed {state.wanted}")
        for detail, remedy in (*problems, *state.advice()):
            typer.echo(f"{detail}\n  What to do: {remedy}")
        if not problems:
            typer.echo("Schema and hooks fit.")
    raise typer.Exit(1 if problems else 0)


@app.command()
def apply(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    create: Annotated[bool, typer.Option("--create", help="Make the embedded server if there is none yet.")] = False,
) -> None:
    """Bring the server's schema up to date.

    Safe to repeat. An embedded server is started for the duration.
    """
    with connected(Site.of(data_dir, config), create=create) as (connection, authenticator):
        connection.bring_up(authenticator)
        with connection.admin(authenticator) as admin:
            state = inspect(admin)
        typer.echo(f"{connection.url}: schema version {state.schema}. Schema and hooks fit.")


@contextmanager
def server_of(site: Site) -> Iterator[tuple[str, AdminClient]]:
    """Reach the server, starting it for the duration if it is ours; one that has no data yet is an error.

    Args:
        site: Which server.
    """
    with connected(site) as (connection, authenticator), connection.admin(authenticator) as admin:
        yield connection.url, admin


@contextmanager
def connected(site: Site, *, create: bool = False) -> Iterator[tuple[Connection, Authenticator]]:
    """Open a connection to the server for the duration.

    Args:
        site: Which server.
        create: Whether one of ours that has no data yet is made.
    """
    connection = Connection(site.settings().pocketbase, site.data_dir)
    try:
        yield connection, connection.open(create=create)
    finally:
        connection.close()
