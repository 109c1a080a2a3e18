"""The command ``openwebui-pocketbase``: parsing of arguments and printing, one module per command."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from openwebui_pocketbase import __version__
from openwebui_pocketbase.cli import (
    assets,
    backup,
    doctor,
    files,
    guard,
    init,
    leave,
    migrate,
    mirror,
    pocketbase,
    schema,
    search,
    serve,
    tail,
    user,
)
from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError

__all__ = ["app"]


class _Group(TyperGroup):
    """Prints our errors as what they are: messages to the user."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except OpenWebUIPocketBaseError as error:
            typer.echo(f"openwebui-pocketbase: {error}", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals can be passwords
    rich_markup_mode=None,
)
app.command()(serve.serve)
app.command()(init.init)
app.command()(doctor.doctor)
app.command()(tail.tail)
app.add_typer(schema.app, name="schema")
app.add_typer(search.app, name="search")
app.add_typer(user.app, name="user")
app.add_typer(files.app, name="files")
app.add_typer(migrate.app, name="migrate")
app.add_typer(backup.app, name="backup")
app.add_typer(mirror.app, name="mirror")
app.add_typer(assets.app, name="assets")
app.add_typer(guard.app, name="guard")
app.command()(leave.leave)
app.command(context_settings={"ignore_unknown_options": True})(pocketbase.pocketbase)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"openwebui-pocketbase {__version__}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Store Open WebUI's data in PocketBase."""
