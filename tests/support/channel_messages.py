"""Messages of channels for tests: rows, and putting them where stock and ours find them."""

from __future__ import annotations

from typing import Any

from open_webui.models.messages import Message

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.repositories.messages.messages import _record
from tests.support.chats import index_all
from tests.support.differential import IDS, START, Pair

__all__ = ["SECOND", "insert", "message", "seed_waiting"]

SECOND = 10**9
"""Nanoseconds."""


def message(number: int, content: str | None, **columns: Any) -> Message:
    """A message of channel ``c1``, written ``number`` seconds after the first."""
    time = START * SECOND + number * SECOND + 7
    usual = {
        "id": IDS[-1 - number],
        "user_id": "u1",
        "channel_id": "c1",
        "is_pinned": False,
        "content": content,
        "created_at": time,
        "updated_at": time,
    }
    return Message(**usual | columns)


async def insert(client: PocketBaseClient, row: dict[str, Any]) -> None:
    """Put a row into PocketBase."""
    asked = {"id": row["id"], "with_replies": False, "with_users": False}
    await client.write("messages/insert_new_app_message", {**asked, "messages": [_record(row)]})


async def seed_waiting(pair: Pair, *messages: Message) -> None:
    """Put messages into both; half of them wait for the full-text index."""

    async def write(row: dict[str, Any]) -> None:
        await insert(pair.client, row)

    for some in (messages[::2], messages[1::2]):
        await index_all(pair.client)
        if some:
            await pair.seed([*some], write)
