"""One chat, and facts about chats whose ids are given: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from openwebui_pocketbase.repositories.chats import PocketBaseChats
from tests.support.chat_samples import ALL_OF_CHATS, NO_IDS, A, B, C
from tests.support.chats import NOBODY, chat, entry, key, row, seed
from tests.support.differential import JSON_OBJECTS, SURROGATES, Opened, Pair, public_methods, share_of_hostile_names

INHERITED = {
    "get_current_message_id",
    "require_chat_creation_permission",
    "get_unresolved_parent_ids",
    "merge_history",
    "delete_message_from_history",
    "upsert_message_to_history",
    "backfill_messages_by_chat_id",
    "get_messages_map_by_chat_id",
    "delete_shared_chat_by_chat_id",
    "get_shared_chat_list_by_user_id",
    "get_chat_by_share_id",
    "filter_task_ids_by_user_id",
    "count_chats_by_tag_name_and_user_id",
}
"""Methods that store nothing themselves: they work on what they are given, or call others."""


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(ALL_OF_CHATS, oracle) as pair:
        yield pair


@pytest.fixture
async def on_sqlite(opened: Opened) -> AsyncIterator[Pair]:
    async with opened(ALL_OF_CHATS, "sqlite") as pair:
        yield pair


def test_every_method_is_ours_or_inherited() -> None:
    ours = {
        name
        for kind in PocketBaseChats.__mro__
        if kind.__module__.startswith("openwebui_pocketbase.")
        for name in vars(kind)
    }
    stock = public_methods("Chats")
    assert stock - ours == INHERITED


MESSAGES = {
    "a": entry("a", files=[{"id": "f"}], user_id="u1"),
    "b": entry("b", "a", "assistant", sources=[1.0], embeds={}, timestamp=5),
    "c": entry("c", "b"),
    "only here": entry("only here", "c", files=["only"], content="x\x00y"),
}


async def test_one_chat(pair: Pair) -> None:
    await seed(pair, [chat(1, {"a": entry("a")}, folder_id="f"), chat(2, user_id="u2", title="")], [row(1, "a")])
    for chat_id in [A, B, NOBODY]:
        await pair.call("get_chat_by_id", chat_id)
        await pair.call("get_chat_title_by_id", chat_id)
        await pair.call("get_chat_tasks_by_id", chat_id)
        await pair.call("get_message_by_id_and_message_id", chat_id, "a")
        await pair.call("get_message_metadata", chat_id, "a", "files")
        for user in ["u1", "u2"]:
            await pair.call("get_chat_by_id_and_user_id", chat_id, user)
            await pair.call("is_chat_owner", chat_id, user)
            await pair.call("get_chat_folder_id", chat_id, user)


async def test_ids_of_no_chat(on_sqlite: Pair) -> None:
    await seed(on_sqlite, [chat(1, MESSAGES)], [row(1, "a")])
    for chat_id in NO_IDS:
        for user in ["u1", None]:
            for method in ["get_chat_by_id_and_user_id", "is_chat_owner", "get_chat_folder_id"]:
                await on_sqlite.call(method, chat_id, user)
        for method in ["get_chat_by_id", "get_chat_title_by_id", "get_chat_tasks_by_id"]:
            await on_sqlite.call(method, chat_id)
        await on_sqlite.call("get_message_by_id_and_message_id", chat_id, "a")
        await on_sqlite.call("get_message_metadata", chat_id, "a", "files")


async def test_no_user(on_sqlite: Pair) -> None:
    await seed(on_sqlite, [chat(n, user_id=user, folder_id="f") for n, user in enumerate(["u1", "", None], 1)])
    for user in ["", None]:
        for chat_id in [A, B, C]:
            await on_sqlite.call("is_chat_owner", chat_id, user)
            await on_sqlite.call("get_chat_folder_id", chat_id, user)


HISTORIES: dict[str, Any] = {
    "messages": {"history": {"messages": MESSAGES, "currentId": "a"}},
    "NULs": {"history": {"messages": {"a": entry("a", **{"key\x00": "\x00"})}}, "k\x00": ["\x00"]},
    "what looks like a NUL": {"history": {"messages": {"a": entry("a", text="\\u0000")}}},
    "no current message": {"history": {"messages": {"a": entry("a", timestamp=1), "b": entry("b", "a", timestamp=2)}}},
    "entries that are none": {"history": {"messages": {"a": None, "b": "x", "c": [1]}, "currentId": "a"}},
    "null": {"history": None},
    "a list": {"history": {"messages": [1]}},
    "no history": {"messages": [entry("a")]},
    "empty": {},
    "is a list": [],
    "is null": None,
    **JSON_OBJECTS,
}


@pytest.mark.parametrize("body", HISTORIES.values(), ids=HISTORIES)
async def test_bodies(on_sqlite: Pair, body: Any) -> None:
    await seed(on_sqlite, [chat(1, chat=body)])
    await on_sqlite.call("get_chat_by_id", A)
    await on_sqlite.call("get_chat_by_id_and_user_id", A, "u1")
    await on_sqlite.call("toggle_chat_pinned_by_id", A)
    await on_sqlite.call("get_chats_by_user_id", "u1")


@pytest.mark.parametrize("column", ["title", "created_at", "updated_at", "archived", "user_id"])
async def test_chats_that_the_host_refuses(on_sqlite: Pair, column: str) -> None:
    await seed(on_sqlite, [chat(1, **{column: None})])
    await on_sqlite.call("get_chat_by_id", A)
    await on_sqlite.call("get_chat_title_by_id", A)


NAMES = share_of_hostile_names(0, 6)


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
async def test_hostile_texts(on_sqlite: Pair, text: str) -> None:
    clean = text.replace("\x00", "")  # as the host stores it
    await seed(on_sqlite, [chat(1, {clean: entry(clean)}, title=clean)])
    await on_sqlite.call("get_chat_by_id", A)
    await on_sqlite.call("get_message_by_id_and_message_id", A, clean)
    await on_sqlite.call("get_message_by_id_and_message_id", A, text)


@pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
async def test_surrogates(on_sqlite: Pair, text: str) -> None:
    await seed(on_sqlite, [chat(1)])
    await on_sqlite.call("get_chat_by_id", text)
    await on_sqlite.call("get_chat_title_by_id", text)


QUESTIONS: dict[str, Any] = {
    "questions": {
        "history": {
            "messages": {
                "a": entry("a", user_id="u2"),
                "b": entry("b", user_id="u2"),
                "c": entry("c", role="assistant", user_id="u3"),
                "d": entry("d", user={"id": "u4"}),
                "e": entry("e", user_id=" ", user={"id": ""}),
                "f": entry("f", user_id=5, user={"id": None}),
                "g": entry("g", user="u5"),
                "i": None,
                "j": "user",
                "k": ["user"],
                "l": {"role": ["user"]},
            }
        },
        "messages": [entry("z", user_id="u9")],
    },
    "an empty history": {"history": {"messages": {}}, "messages": [entry("z", user_id="u9")]},
    "no history": {"messages": [entry("z", user_id="u9"), 5, None, "x", [], {"role": "user"}]},
    "no messages": {"history": {"messages": [entry("z")]}, "messages": {"a": entry("a")}},
    "nothing": {},
    "a list": [entry("a")],
    "null": None,
}


async def test_participants(opened: Opened) -> None:
    async with opened(ALL_OF_CHATS, "sqlite") as pair:
        await seed(pair, [chat(n, chat=body) for n, body in enumerate(QUESTIONS.values())])
        await seed(pair, [chat(30, {"a": entry("a")}, user_id=None), chat(31, {"a": entry("a")}, user_id=" ")])
        ids = [key(n) for n in [*range(len(QUESTIONS)), 30, 31]]
        found = await pair.call("get_participant_ids_by_chat_ids", ids)
        assert found[key(0)] == ["u1", "u2", "u4"]
        for some in [[], ["x"], [key(1), key(1)], [""]]:
            await pair.call("get_participant_ids_by_chat_ids", some)
