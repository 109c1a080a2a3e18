"""``migrate``: from Open WebUI's SQL database to PocketBase, and back."""

from __future__ import annotations

import typer

from openwebui_pocketbase.cli.migrate.copying import copy
from openwebui_pocketbase.cli.migrate.planning import plan
from openwebui_pocketbase.cli.migrate.status import status
from openwebui_pocketbase.cli.migrate.switching import switch
from openwebui_pocketbase.cli.migrate.verifying import verify

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Move groups of data from Open WebUI's SQL database to PocketBase, and back."
)
for command in (plan, copy, verify, status, switch):
    app.command()(command)
