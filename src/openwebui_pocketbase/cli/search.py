"""``search rebuild``: the full-text indexes of chats."""

from __future__ import annotations

from typing import Any

import typer

from openwebui_pocketbase.changes.indexer import AT_ONCE, indexed
from openwebui_pocketbase.cli.schema import server_of
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.client import AdminClient

__all__ = ["app"]

SHOWN = 10_000
"""Messages after which it says how far it is."""

app = typer.Typer(no_args_is_help=True, help="Look after the search index of chats.")


@app.callback()
def main() -> None:
    """Make `rebuild` a command of its own even while it is the only one."""


@app.command()
def rebuild(data_dir: DataDirOption = None, config: ConfigOption = None) -> None:
    """Make the index of all chats and messages anew.

    For messages that were changed past Open WebUI, which are found, but slowly, and for a damaged index. Until it has
    ended, searches find less. An embedded server is started for the duration if it does not run.
    """
    with server_of(Site.of(data_dir, config)) as (url, admin):
        admin.write("chats/clear_indexes", {})
        _index_chats(admin)
        number = _index_messages(admin)
    typer.echo(f"{url}: {number:,} messages indexed.")


def _index_chats(admin: AdminClient) -> None:
    after: int | None = 0
    while after is not None:
        after = admin.write("chats/index_chats", {**AT_ONCE, "after": after})
    while admin.write("chats/index_waiting_chats", AT_ONCE):
        pass


def _index_messages(admin: AdminClient) -> int:
    parameters: dict[str, Any] = {**AT_ONCE, "after": ""}
    total = 0
    while texts := admin.read("chats/get_texts", parameters):
        admin.write("chats/index_messages", {"messages": [indexed(*text) for text in texts]})
        parameters["after"] = texts[-1][0]
        before, total = total, total + len(texts)
        if before // SHOWN != total // SHOWN:
            typer.echo(f"{total:,} messages...")
    return total
