"""``search rebuild``: the full-text indexes of chats and messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from openwebui_pocketbase.changes.indexer import AT_ONCE, INDEXING, indexed
from openwebui_pocketbase.cli.schema import server_of
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.codec.messages import folded_text

__all__ = ["app"]

_FOLDING = (
    ("get_foldings_of_chats", "refold_messages_of_chats", folded_text),
    ("get_foldings_of_channels", "refold_messages_of_channels", str.lower),
)
"""Of each table of messages the methods that read and write texts in lower case, and how a text becomes one."""

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

    Run it if the index is damaged, or after messages were changed by SQL: these are searched by their old text, or
    slowly. Until it has ended, searches find less. An embedded server is started for the duration if it does not run.
    """
    with server_of(Site.of(data_dir, config)) as (url, admin):
        admin.write("indexer/clear_indexes", {})
        for methods in _FOLDING:
            _refold_messages(admin, *methods)
        _index_chats(admin)
        number = sum(_index_messages(admin, *methods) for methods in _METHODS)
    typer.echo(f"{url}: {number:,} messages indexed.")


def _refold_messages(admin: AdminClient, get_foldings: str, refold: str, fold: Callable[[str], str]) -> None:
    """Correct the texts in lower case: who changes a message by SQL leaves the old one."""
    parameters: dict[str, Any] = {**AT_ONCE, "after": ""}
    while found := admin.read(f"indexer/{get_foldings}", parameters):
        wrong = [
            {"id": record, "text": text, "folded": wanted}
            for record, text, folded in found
            if folded != (wanted := fold(text))
        ]
        if wrong:
            admin.write(f"indexer/{refold}", {"messages": wrong})
        parameters["after"] = found[-1][0]


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
        admin.write(f"indexer/{index}", indexed(texts))
        parameters["after"] = texts[-1][0]
        before, total = total, total + len(texts)
        if before // SHOWN != total // SHOWN:
            typer.echo(f"{total:,} messages...")
    return total
