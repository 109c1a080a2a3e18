"""``search rebuild``: the full-text indexes of chats and messages."""

from __future__ import annotations

from typing import Any

import typer

from openwebui_pocketbase.changes.indexer import AT_ONCE, INDEXING, indexed
from openwebui_pocketbase.cli.schema import server_of
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.client import AdminClient

__all__ = ["app"]

_METHODS = (
    ("get_texts_of_chats", INDEXING["chat_message"]),
    ("get_texts_of_channels", INDEXING["message"]),
)
"""Of each table of messages the methods that read texts, and index them."""

SHOWN = 10_000
"""Messages after which it says how far it is."""

app = typer.Typer(no_args_is_help=True, help="Look after the search index of chats and messages.")


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
        admin.write("indexer/clear_indexes", {})
        _index_chats(admin)
        number = sum(_index_messages(admin, *methods) for methods in _METHODS)
    typer.echo(f"{url}: {number:,} messages indexed.")


def _index_chats(admin: AdminClient) -> None:
    after: int | None = 0
    while after is not None:
        after = admin.write("indexer/index_chats", {**AT_ONCE, "after": after})
    while admin.write("indexer/index_waiting_chats", AT_ONCE):
        pass


def _index_messages(admin: AdminClient, get_texts: str, index: str) -> int:
    parameters: dict[str, Any] = {**AT_ONCE, "after": ""}
    total = 0
    while texts := admin.read(f"indexer/{get_texts}", parameters):
        admin.write(f"indexer/{index}", {"messages": [indexed(*text) for text in texts]})
        parameters["after"] = texts[-1][0]
        before, total = total, total + len(texts)
        if before // SHOWN != total // SHOWN:
            typer.echo(f"{total:,} messages...")
    return total
