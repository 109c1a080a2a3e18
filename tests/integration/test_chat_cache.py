"""Chats that were read before: what has not changed is not sent again, and nobody sees anything old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models import chat_messages
from open_webui.models.chats import ChatForm, ChatModel

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.host.binding import bind
from openwebui_pocketbase.repositories.chats import PocketBaseChats, _cache
from openwebui_pocketbase.seams.saved_chats import reading_saved_chats
from tests.support.chats import CHAT as C
from tests.support.chats import body
from tests.support.pocketbase import PocketBaseProcess


class Counting(PocketBaseClient):
    """Notes how long the answers to reads are."""

    lengths: list[int]
    others: list[str]

    async def read_bytes(self, path: str, parameters: Any) -> bytes:
        raw = await super().read_bytes(path, parameters)
        self.lengths.append(len(raw))
        return raw

    async def read(self, path: str, parameters: Any, **kwargs: Any) -> Any:
        self.others.append(path)
        return await super().read(path, parameters, **kwargs)

    async def write(self, path: str, parameters: Any, **kwargs: Any) -> Any:
        self.others.append(path)
        return await super().write(path, parameters, **kwargs)


@pytest.fixture
async def chats(own_pocketbase: PocketBaseProcess, may_create_chats: None) -> AsyncIterator[PocketBaseChats]:
    client = own_pocketbase.client()
    client.__class__ = Counting
    client.lengths, client.others = [], []  # type: ignore[attr-defined]
    repository = "openwebui_pocketbase.repositories.chats.message_rows:PocketBaseChatMessages"
    undo = bind(chat_messages, "ChatMessages", repository, {"pocketbase": client})
    chats = PocketBaseChats()
    chats.pocketbase = client
    await chats.insert_new_chat(C, "u1", ChatForm(chat=body(*(f"m{number}" for number in range(100)))))
    yield chats
    undo()
    await client.aclose()


async def read(chats: PocketBaseChats) -> ChatModel:
    chat = await chats.get_chat_by_id(C)
    assert chat is not None
    return chat


async def test_an_unchanged_chat_is_not_sent_again(chats: PocketBaseChats) -> None:
    first = await read(chats)
    expected = first.model_dump()
    first.chat["history"]["messages"]["m1"]["content"] = "changed by who got it"
    second = await read(chats)
    assert second.model_dump() == expected
    long, short = chats.pocketbase.lengths  # type: ignore[attr-defined]
    assert short < long / 10


async def test_a_title_is_saved_without_reading_the_messages_again(chats: PocketBaseChats) -> None:
    expected = (await read(chats)).chat
    saved = await chats.update_chat_by_id(C, {"title": "Other"})
    assert saved is not None
    assert saved.chat == {**expected, "title": "Other"}
    assert saved.model_dump() == (await read(chats)).model_dump()
    long, short = chats.pocketbase.lengths  # type: ignore[attr-defined]
    assert short < long / 10


async def test_a_title_is_saved_in_one_request_by_who_has_read_the_chat(chats: PocketBaseChats) -> None:
    await read(chats)
    await read(chats)
    chats.pocketbase.others.clear()  # type: ignore[attr-defined]
    saved = await chats.update_chat_by_id(C, {"title": "Other"})
    assert saved is not None
    assert (saved.title, saved.chat["title"]) == ("Other", "Other")
    assert chats.pocketbase.others == ["chats/save_chat"]  # type: ignore[attr-defined]


async def test_a_title_is_saved_after_what_others_have_written(
    own_pocketbase: PocketBaseProcess, chats: PocketBaseChats
) -> None:
    await read(chats)
    other = PocketBaseChats()
    other.pocketbase = own_pocketbase.client()
    await other.update_chat_by_id(C, {"params": {"a": 1}})
    saved = await chats.update_chat_by_id(C, {"title": "Other"})
    assert saved is not None
    assert (saved.title, saved.chat["params"]) == ("Other", {"a": 1})
    assert saved.model_dump() == (await read(chats)).model_dump()
    await other.pocketbase.aclose()


async def test_the_title_of_a_chat_that_others_deleted(
    own_pocketbase: PocketBaseProcess, chats: PocketBaseChats
) -> None:
    await read(chats)
    other = own_pocketbase.client()
    await other.write("chats/delete_chat_by_id", {"id": C})
    assert await chats.update_chat_by_id(C, {"title": "Other"}) is None
    assert await chats.update_chat_params_by_id(C, {"a": 1}) is None
    await other.aclose()


async def test_a_title_s_answer_has_what_others_changed(
    own_pocketbase: PocketBaseProcess, chats: PocketBaseChats
) -> None:
    await chats.upsert_message_to_chat_by_id_and_message_id(C, "m5", {"content": "remembered"})
    await read(chats)
    other = PocketBaseChats()
    other.pocketbase = own_pocketbase.client()
    await other.toggle_chat_pinned_by_id(C)
    await other.upsert_message_to_chat_by_id_and_message_id(C, "m6", {"content": "by another process"})
    saved = await chats.update_chat_by_id(C, {"title": "Other"})
    assert saved is not None
    assert saved.pinned is True
    assert saved.chat["history"]["messages"]["m6"]["content"] == "by another process"
    await other.pocketbase.aclose()


async def test_changes_are_seen(own_pocketbase: PocketBaseProcess, chats: PocketBaseChats) -> None:
    await read(chats)
    other = PocketBaseChats()
    other.pocketbase = own_pocketbase.client()
    await other.upsert_message_to_chat_by_id_and_message_id(C, "m5", {"content": "by another process"})
    assert (await read(chats)).chat["history"]["messages"]["m5"]["content"] == "by another process"
    await other.toggle_chat_pinned_by_id(C)
    assert (await read(chats)).pinned is True
    await other.update_chat_title_by_id(C, "Other")
    chat = await read(chats)
    assert (chat.title, chat.chat["title"]) == ("Other", "Other")
    await other.pocketbase.write("chats/delete_chat_by_id", {"id": C})
    assert await chats.get_chat_by_id(C) is None
    await other.pocketbase.aclose()


async def test_only_so_many_bytes_are_kept(chats: PocketBaseChats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cache, "CACHE_BYTES", 1000)
    expected = (await read(chats)).model_dump()
    assert (await read(chats)).model_dump() == expected
    first, second = chats.pocketbase.lengths  # type: ignore[attr-defined]
    assert first == second > 1000


@pytest.mark.parametrize("looks", [False, True])
async def test_who_says_that_he_looks_at_the_answer_does_not_hold_the_event_loop(
    chats: PocketBaseChats, monkeypatch: pytest.MonkeyPatch, *, looks: bool
) -> None:
    """The chat is read on the event loop of the caller, which serves others meanwhile, and before the answer."""
    loops = []
    whole = PocketBaseChats._whole

    async def noted(self: PocketBaseChats, chat_id: str) -> ChatModel | None:
        loops.append(asyncio.get_running_loop())
        return await whole(self, chat_id)

    monkeypatch.setattr(PocketBaseChats, "_whole", noted)

    async def endpoint() -> list[tuple[ChatModel | None, int]]:
        message = await chats.upsert_message_to_chat_by_id_and_message_id(C, "m5", {"content": "new"})
        first = message, len(loops)
        return [first, (await chats.update_chat_variables_by_id(C, {"a": 1}), len(loops))]

    answers = await (reading_saved_chats(endpoint) if looks else endpoint)()
    expected = (await read(chats)).chat
    for answer, _ in answers:
        assert answer is not None
        assert answer.chat == expected
    assert [reads for _, reads in answers] == ([1, 2] if looks else [0, 0])
    assert [loop is asyncio.get_running_loop() for loop in loops] == [looks] * 2
