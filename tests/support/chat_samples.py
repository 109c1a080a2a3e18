"""A few chats with messages and snapshots, of two users, for tests of what changes and deletes them."""

from __future__ import annotations

from typing import Any

from open_webui.models.chats import Chat
from open_webui.models.shared_chats import SharedChat

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.chats import PocketBaseChatMessages, PocketBaseChats, PocketBaseSharedChats
from openwebui_pocketbase.repositories.tags import PocketBaseTags
from tests.support.chats import chat, entry, key, row, seed
from tests.support.differential import START, Contract, Pair

__all__ = ["ALL_OF_CHATS", "NO_IDS", "A", "B", "C", "D", "chats", "seed_samples"]

ALL_OF_CHATS = Contract(
    name="Chats",
    tables=("chat", "chat_message", "chat_file", "shared_chat"),
    subject=PocketBaseChats,
    bound={"ChatMessages": PocketBaseChatMessages, "SharedChats": PocketBaseSharedChats, "Tags": PocketBaseTags},
)
"""Chats, with everything that goes with them."""

A, B, C, D = (key(number) for number in range(1, 5))
NO_IDS: list[Any] = ["", "x", A.upper(), f"{A} ", "' OR 1=1 --", "a\x00b", None, key(99)]
"""What is no chat's id."""


def chats() -> list[Chat]:
    messages = {"a": entry("a"), "b": entry("b", "a", "assistant", done=True)}
    return [
        chat(1, messages, folder_id="f", pinned=True),
        chat(2, messages, user_id="u2", folder_id="f", archived=True, share_id="s2", last_read_at=None),
        chat(3, folder_id="", last_read_at=START + 3, meta={"internal": True}),
        chat(4, pinned=None, last_read_at=None, archived=True, share_id="s4"),
        chat(5, folder_id="f", share_id="s5", last_read_at=0),
        chat(6, folder_id="", last_read_at=START + 6),
    ]


def rows() -> list[Any]:
    return [row(n, message) for n in (1, 2) for message in ("a", "b", "no entry")]


def shares() -> list[SharedChat]:
    made = [("s2", 2, "u2"), ("s4", 4, "u1"), ("s5", 5, "u2"), ("s6", 2, "u1")]
    times = {"created_at": 1, "updated_at": 2}
    return [SharedChat(id=share, chat_id=key(n), user_id=user, title="t", chat={}, **times) for share, n, user in made]


async def seed_shares(pair: Pair) -> None:
    encode = codec_of("shared_chat").encode

    async def write(share: dict[str, Any]) -> None:
        columns = ", ".join(share)
        values = ", ".join(f"'{value}'" for value in encode(share).values())
        await pair.client._send(
            "POST",
            "/api/sql",
            f'{{"query": "INSERT INTO owui_shared_chats ({columns}, nulls) VALUES ({values}, \'[]\')"}}'.encode(),
            "",
        )

    await pair.seed(shares(), write)


async def seed_samples(pair: Pair) -> None:
    """Put the chats, their rows and their snapshots into both."""
    await seed(pair, chats(), rows())
    await seed_shares(pair)
