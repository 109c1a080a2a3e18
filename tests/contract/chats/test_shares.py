"""Sharing chats: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from open_webui.models.chats import ChatFile

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from tests.support.chat_samples import ALL_OF_CHATS, A, B, C, seed_samples
from tests.support.chats import NOBODY, chat, entry, key, seed
from tests.support.differential import IDS, Contract, Opened, Pair

OTHER = "50000000-0000-4000-8000-000000000001"
FILES = Contract(name="Chats", tables=("chat", "chat_file"), subject=PocketBaseChats)


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(ALL_OF_CHATS, oracle) as pair:
        yield pair


@pytest.mark.parametrize("method", ["insert_shared_chat_by_chat_id", "update_shared_chat_by_chat_id"])
async def test_sharing_a_chat(pair: Pair, method: str) -> None:
    chats = [chat(1, {"z": entry("z", numbers=[1.0, 2**60])}), chat(2, share_id=OTHER), chat(3, share_id="")]
    await seed(pair, chats)
    for chat_id in (A, B, C, NOBODY):
        await pair.call(method, chat_id)
    await pair.call("update_chat_by_id", A, {"title": "changed", "share_mode": "of the chat"})
    await pair.call(method, A)
    await pair.call("delete_shared_chat_by_chat_id", A)
    await pair.call(method, A)


async def test_deleting_the_snapshots_of_a_user(opened: Opened) -> None:
    async with opened(ALL_OF_CHATS, "sqlite") as pair:
        await seed_samples(pair)
        for user in ["nobody", "u1", "u1"]:
            await pair.call("delete_shared_chats_by_user_id", user)


async def test_chats_with_a_file_that_others_may_see(opened: Opened) -> None:
    async with opened(FILES, "sqlite") as pair:
        await seed(pair, [chat(1, folder_id="x"), chat(2, share_id="s"), chat(3)])
        times = {"created_at": 5, "updated_at": 5}
        files = [
            ChatFile(id=IDS[n], user_id="u", chat_id=key(n), message_id="m", file_id="f1", **times) for n in range(1, 4)
        ]
        record = codec_of("chat_file").record
        await pair.seed(files, lambda row: pair.client.write("chats/insert_chat_files", {"files": [record(row)]}))
        for file in ["f1", "nothing", None]:
            await pair.call("get_shared_chat_ids_by_file_id", file)
        assert await pair.call("get_shared_chat_ids_by_file_id", "f1") == [A, B]
