"""``guard status`` and ``guard remove``: the SQL tables that refuse changes."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from openwebui_pocketbase.cli.hosted import load_host
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Look at, or remove, the guard of SQL tables.")


@app.command()
def status(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell which SQL tables refuse changes, because their rows are in PocketBase.

    The JSON object has tables: a list of names.
    """
    load_host(Site.of(data_dir, config))
    from openwebui_pocketbase.host.guard import guarded  # noqa: PLC0415 - imports the host

    tables = guarded()
    if as_json:
        typer.echo(json.dumps({"tables": tables}))
    elif tables:
        typer.echo(f"The SQL database refuses changes of {', '.join(tables)}.")
    else:
        typer.echo("The SQL database takes changes of every table.")


@app.command()
def remove(data_dir: DataDirOption = None, config: ConfigOption = None) -> None:
    """Let every SQL table take changes again.

    What is in PocketBase stays there. An Open WebUI that starts with groups in PocketBase puts the guard back.
    """
    load_host(Site.of(data_dir, config))
    from openwebui_pocketbase.host.guard import remove_guard  # noqa: PLC0415 - imports the host

    tables = remove_guard()
    if tables:
        typer.echo(f"The SQL database takes changes of {', '.join(tables)} again.")
    else:
        typer.echo("The SQL database takes changes of every table already.")
