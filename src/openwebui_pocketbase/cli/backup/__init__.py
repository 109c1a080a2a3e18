"""``backup``: one archive of everything, and the way back."""

from __future__ import annotations

import typer

from openwebui_pocketbase.cli.backup.creating import create
from openwebui_pocketbase.cli.backup.listing import list_archives
from openwebui_pocketbase.cli.backup.pruning import prune
from openwebui_pocketbase.cli.backup.restoring import restore
from openwebui_pocketbase.cli.backup.verifying import verify

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Back up everything in one archive, and restore it.")
app.command()(create)
app.command("list")(list_archives)
app.command()(verify)
app.command()(restore)
app.command()(prune)
