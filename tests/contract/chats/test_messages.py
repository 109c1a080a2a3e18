"""A chat's messages: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import HTTPException
from open_webui.models.chats import ChatForm

from tests.support.chats import CHAT as C
from tests.support.chats import CHATS, NOBODY, body, chain, chat, entry, key, message, row, seed, unlinked
from tests.support.differential import Opened, Pair, same
from tests.support.json_counts import counted_json

Message = dict[str, Any]
Call = tuple[Any, ...]

MOST_LOADS, MOST_DUMPS = 1, 3
"""For one piece of an answer: the reply; the host's look for NULs, the entry, and the request."""


@pytest.fixture
async def pair(oracle: str, opened: Opened, may_create_chats: None) -> AsyncIterator[Pair]:
    async with opened(CHATS, oracle) as pair:
        yield pair


def new(*ids: str, id: str = C, user: str = "u1", **more: Any) -> Call:
    return "insert_new_chat", id, user, ChatForm(chat=body(*ids, **more))


def upsert(id: str, data: Message, *, chat: str = C) -> Call:
    return "upsert_message_to_chat_by_id_and_message_id", chat, id, data


def status(id: str, data: Message) -> Call:
    return "add_message_status_to_chat_by_id_and_message_id", C, id, data


def files(id: str, *names: str) -> Call:
    return "add_message_files_by_id_and_message_id", C, id, [{"id": name} for name in names]


def delete(id: str) -> Call:
    return "delete_message_from_chat_by_id_and_message_id", C, id


def change(**members: Any) -> Call:
    return "update_chat_by_id", C, members


def odd(*messages: Message) -> Call:
    return "insert_new_chat", C, "u1", ChatForm(chat=unlinked(*messages))


def saved(*messages: Message) -> Call:
    """What the browser sends: messages of its own among those which there are."""
    return change(history={"messages": {each["id"]: each for each in messages}, "currentId": messages[-1]["id"]})


SEQUENCES: dict[str, list[Call]] = {
    "a piece at a time": [
        new("a", "b"),
        upsert("b", {"content": "one"}),
        upsert("b", {"content": "one two", "done": False}),
        upsert("b", {"content": "one two three", "done": True, "usage": {"prompt_tokens": 3, "completion_tokens": 4}}),
        upsert("b", {"content": "one two three", "done": True, "usage": {"prompt_tokens": 3, "completion_tokens": 4}}),
        upsert("b", {"usage": {"prompt_tokens": 1, "completion_tokens": 1}}),
        status("b", {"action": "search", "done": False}),
        status("b", {"action": "search", "done": True}),
        files("b", "f1"),
        files("b", "f2", "f3"),
        upsert("c", {"parentId": "b", "role": "user", "content": "next"}),
        upsert("d", {"parentId": "c", "content": "answer", "model": "m"}),
    ],
    "no such chat": [
        upsert("a", {"content": "x"}),
        status("a", {}),
        files("a", "f"),
        delete("a"),
        change(history={"messages": {}}),
    ],
    "no such message": [new("a", "b"), status("x", {}), files("x", "f"), delete("x"), upsert("x", {"content": "x"})],
    "branches": [
        new("a", "b", "c", "d"),
        upsert("e", {"parentId": "b", "role": "user", "content": "another"}),
        upsert("f", {"parentId": "e", "role": "assistant", "content": "answer"}),
        upsert("g", {"parentId": "a", "role": "assistant", "content": "again"}),
        delete("e"),
        delete("b"),
        delete("a"),
    ],
    "empty chats": [new(), upsert("a", {"content": "first"}), upsert("b", {"parentId": "a", "content": "second"})],
    "no history": [("insert_new_chat", C, "u1", ChatForm(chat={})), upsert("a", {"content": "first"}), delete("a")],
    "links that are wrong": [
        (
            "insert_new_chat",
            C,
            "u1",
            ChatForm(
                chat=body(
                    history={
                        "currentId": "x",
                        "messages": {**chain("a", "b"), "c": message("c", "b", "user"), "d": message("d", "?", "user")},
                    }
                )
            ),
        ),
        upsert("b", {"content": "x"}),
        upsert("e", {"parentId": "d", "content": "x"}),
        upsert("?", {"content": "found"}),
    ],
}


@pytest.mark.parametrize("name", SEQUENCES)
async def test_sequence(pair: Pair, name: str) -> None:
    for method, *arguments in SEQUENCES[name]:
        await pair.call(method, *arguments)


async def both(pair: Pair, what: str, run: Callable[[Any], Awaitable[Any]]) -> Any:
    """Do the same with the stock repository and with ours, and compare."""
    pair.clock.now += 1

    async def outcome(repository: Any) -> Any:
        try:
            return await run(repository)
        except Exception as error:  # noqa: BLE001 - any is a result
            return error

    with pair.database.active():
        expected = await outcome(pair.oracle)
        with pair.bound():
            actual = await outcome(pair.subject)
    same(what, expected, actual)
    await pair._compare_rows(what)
    return expected


def edited(id: str, edit: Callable[[Message], None], *, chat: str = C) -> Callable[[Any], Awaitable[Any]]:
    async def run(repository: Any) -> Any:
        async with repository.edit_message_output(chat, id) as found:
            if found is not None:
                edit(found)
        return found

    return run


def fail(_message: Message) -> None:
    raise HTTPException(409, "not now")


EDITS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "a change": edited("b", lambda found: found.update(output=[{"type": "x"}], done=False)),
    "a member of a list": edited("b", lambda found: found["output"].append({"type": "y\x00"})),
    "no change": edited("b", lambda _found: None),
    "an exception": edited("b", fail),
    "no such message": edited("x", fail),
    "no such chat": edited("b", fail, chat=NOBODY),
}


async def test_edit_message_output(pair: Pair) -> None:
    await pair.call(*new("a", "b", "c"))
    for name, run in EDITS.items():
        await both(pair, name, run)
    await pair.call("ChatMessages.upsert_message", "row", C, "u2", {"role": "assistant", "content": "only a row"})
    await both(pair, "a row without entry", edited("row", lambda found: found.update(content="both")))
    await pair.call(*upsert("d", {"parentId": "c", "content": "after that"}))


def owner(id: str = "u1", role: str = "user") -> Any:
    return SimpleNamespace(id=id, name=id.upper(), role=role)


def turn(user_message: Message, *answers: str, user: str = "u1", chat: str = C) -> Call:
    entries = [{"message_id": each, "model_id": "m", "modelIdx": number} for number, each in enumerate(answers)]
    return "insert_chat_turn", chat, owner(user), user_message, entries


TURNS: dict[str, list[Call]] = {
    "turns": [
        new(),
        turn({"id": "a", "parentId": None, "content": "first", "files": [], "models": ["m"]}, "b"),
        upsert("b", {"content": "answer", "done": True}),
        turn({"id": "c", "parentId": "b", "content": "second"}, "d", "e"),
        turn({"id": "c", "models": ["n"]}, "f"),
        turn({}, "g"),
        turn({"id": "h", "parentId": "nothing", "content": "x"}, "i"),
        turn({"id": "d", "content": "to an answer"}, "j"),
        turn({"id": "k", "parentId": "f"}, "k"),
        turn({"id": "k", "parentId": "f"}, "b"),
        turn({"id": "l", "parentId": "f"}, ""),
        turn({"id": "l", "parentId": "f", "content": "by another"}, "m", user="u2"),
        turn({"id": "l"}, "m", chat=NOBODY),
    ],
    "a prepared answer": [
        new("a", "b"),
        change(
            history={
                "messages": {"c": message("c", "b", "user"), "d": message("d", "c", "assistant", content="")},
                "currentId": "d",
            }
        ),
        turn({"id": "c"}, "d"),
        turn({"id": "c"}, "d"),
    ],
    "a chat that is not tidy": [
        (
            "insert_new_chat",
            C,
            "u1",
            ChatForm(
                chat=body(
                    history={
                        "currentId": "x",
                        "messages": {"a": message("a", None, "user"), "b": message("b", "a", "assistant")},
                    }
                )
            ),
        ),
        turn({"id": "c", "parentId": "b", "content": "x"}, "d"),
    ],
}


@pytest.mark.parametrize("name", TURNS)
async def test_turns(pair: Pair, name: str) -> None:
    for method, *arguments in TURNS[name]:
        await pair.call(method, *arguments)


@asynccontextmanager
async def another_process(pair: Pair) -> AsyncIterator[None]:
    """Within the block, ours knows nothing of what it knew, and what it writes the first process does not know."""
    known = pair.client
    pair.client = pair.subject.pocketbase = pair.server.client()
    try:
        yield
    finally:
        await pair.client.aclose()
        pair.client = pair.subject.pocketbase = known


async def test_turns_of_several_processes(pair: Pair) -> None:
    await pair.call(*new("a", "b"))
    await pair.call(*turn({"id": "c", "parentId": "b", "content": "x"}, "d"))
    await pair.call(*upsert("d", {"content": "y", "done": True}))
    async with another_process(pair):
        await pair.call(*delete("d"))
    await pair.call(*turn({"id": "c"}, "d"))  # as far as the first process knows, there is an answer
    async with another_process(pair):
        await pair.call(*upsert("d", {"content": "y", "done": True}))
    await pair.call(*turn({"id": "c"}, "d"))  # as far as it knows, there is none
    async with another_process(pair):
        await pair.call("delete_chat_by_id", C)
    await pair.call(*turn({"id": "c"}, "d"))


def under_lock(change: Callable[[Any], None]) -> Callable[[Any], Awaitable[Any]]:
    """What the host's subagents do."""

    async def run(repository: Any) -> Any:
        async with repository._chat_transaction(C) as (_, chat):
            if chat is None:
                return None
            change(chat)
            return chat.title

    return run


def add_entry(chat: Any) -> None:
    changed = deepcopy(chat.chat)
    changed["history"]["messages"]["z"] = message("z", "b", "user")
    changed["history"]["messages"]["b"]["childrenIds"].append("z")
    chat.chat = {**changed, "history": changed["history"]}
    chat.updated_at = 77


def reorder(chat: Any) -> None:
    history = deepcopy(chat.chat["history"])
    history["messages"] = dict(reversed(history["messages"].items()))
    chat.chat = {**chat.chat, "history": history}


def set_columns(chat: Any) -> None:
    chat.meta = {**(chat.meta or {}), "tags": ["a"], "x": 1.0}
    chat.folder_id = "f"
    chat.tasks = [{"id": 1}]
    chat.timer_at = 2**62 + 1


async def test_chat_transaction(pair: Pair) -> None:
    await both(pair, "no chat", under_lock(add_entry))
    await pair.call(*new("a", "b"))
    for change_it in (add_entry, reorder, set_columns, lambda _chat: fail({})):
        await both(pair, str(change_it), under_lock(change_it))
    await pair.call(*upsert("c", {"parentId": "z", "content": "x"}))


ENTRIES = {
    "a": entry("a", files=[{"id": "f"}], user_id="u1"),
    "b": entry("b", "a", "assistant", sources=[1.0], embeds={}, timestamp=5),
    "c": entry("c", "b"),
    "only here": entry("only here", "c", files=["only"], content="x\x00y"),
}
ROWS = [
    row(1, "a", files=[{"id": "f"}], embeds=["of the row"], usage={"a": 1}),
    row(1, "b", parent_id="a", role="assistant", sources=None, content=None, model_id="m", status_history=[{"x": 1}]),
    row(1, "c", parent_id="b", meta={"k": 1.0}, context_summary="s", error="e"),
    row(1, "no entry", parent_id="a", output=[{"type": "x"}], done=None, created_at=None),
    row(1, "own parent", parent_id="own parent"),
]


async def test_reading(opened: Opened) -> None:
    async with opened(CHATS, "sqlite") as pair:
        await seed(pair, [chat(1, ENTRIES), chat(2, {}), chat(3, {"a": entry("a")})], ROWS)
        for message in [*ENTRIES, "no entry", "own parent", "nothing", "", "a-b"]:
            for chat_id in [key(1), key(2), key(3), NOBODY]:
                await pair.call("get_message_by_id_and_message_id", chat_id, message, rows=False)
                for name in ["files", "sources", "embeds"]:
                    await pair.call("get_message_metadata", chat_id, message, name, rows=False)
        found = await pair.call("get_message_by_id_and_message_id", C, "a")
        assert found["childrenIds"] == ["b", "no entry"]
        assert await pair.call("get_message_metadata", C, "a", "embeds") == ["of the row"]
        assert await pair.call("get_message_metadata", C, "only here", "files") == ["only"]


async def test_a_piece_of_an_answer_is_hardly_parsed_or_encoded(pair: Pair) -> None:
    """The whole way to PocketBase and back, with the request and its reply."""
    await pair.call(*new("a", "b"))
    await pair.call("get_chat_by_id", C)
    text = ""
    for number in range(6):
        text += f"word {number} "
        data = {"content": text, "done": False, "model": "m", "output": [{"type": "message", "n": 1.0}]}
        with pair.bound(), counted_json() as counts:
            assert await pair.subject.upsert_message_to_chat_by_id_and_message_id(C, "b", data) is not None
        if number:  # the first one reads the message
            assert len(counts.loads) <= MOST_LOADS, counts.loads
            assert len(counts.dumps) <= MOST_DUMPS, counts.dumps
