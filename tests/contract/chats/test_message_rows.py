"""Rows of messages: what the stock class does, ours does."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.chat_messages import ChatMessage

from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.repositories.chats.message_rows import PocketBaseChatMessages
from tests.support.chats import CHAT as C
from tests.support.chats import NOBODY, add_rows, chat, entry, key, seed
from tests.support.differential import HOSTILE_NAMES, JSON_OBJECTS, START, SURROGATES, Contract, Opened, Pair
from tests.support.stock import skip_postgresql

MESSAGES = Contract(
    name="ChatMessages",
    tables=("chat", "chat_message"),
    subject=PocketBaseChatMessages,
    bound={"Chats": PocketBaseChats},
)

D = key(2)

Message = dict[str, Any]
Call = tuple[Any, ...]


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(MESSAGES, oracle) as pair:
        yield pair


@pytest.fixture
async def on_sqlite(opened: Opened) -> AsyncIterator[Pair]:
    async with opened(MESSAGES, "sqlite") as pair:
        yield pair


async def add_chat(pair: Pair, id: str, messages: dict[str, Message]) -> None:
    """Put a chat into both whose messages have no rows."""
    await seed(pair, [chat(id, messages, title="t")])


async def seed_rows(pair: Pair, *rows: dict[str, Any]) -> None:
    """Put rows into both; of every other one the chat's body has an entry as well."""
    usual = {"role": "user", "created_at": START, "updated_at": START, "done": True}
    names = {"status_history": "statusHistory", "parent_id": "parentId", "model_id": "model"}
    pairs = []
    for given in rows:
        members = {names.get(name, name): value for name, value in given.items()}
        message_id = given["id"].removeprefix(f"{given['chat_id']}-")
        pairs.append((ChatMessage(**{**usual, **given}), members | {"id": message_id}))
    await add_rows(pair, pairs)


def upsert(id: str, data: Message) -> Call:
    return "upsert_message", id, C, "u1", data


def backfill(*messages: Message, chat: str = C) -> Call:
    return "upsert_messages", chat, "u1", {message["id"]: message for message in messages}


def by_id(id: str, chat: str = C) -> Call:
    return "get_message_by_id", f"{chat}-{id}"


def delete(*ids: str, chat: str = C) -> Call:
    return "delete_message_ids_by_chat_id", chat, set(ids)


LOOKS: list[Call] = [
    ("get_messages_by_chat_id", C),
    ("get_messages_map_by_chat_id", C),
    ("has_unfinished_assistant_by_chat_id", C),
    by_id("a"),
]
"""What is asked after each call."""

SEQUENCES: dict[str, list[Call]] = {
    "nothing there": [
        by_id("x", NOBODY),
        ("get_message_by_id", ""),
        ("get_messages_by_chat_id", NOBODY),
        ("get_messages_map_by_chat_id", NOBODY),
        ("has_unfinished_assistant_by_chat_id", NOBODY),
        ("get_messages_by_user_id", "nobody"),
        ("get_messages_by_model_id", "none"),
        ("get_chat_ids_by_model_id", "none"),
        ("delete_messages_by_chat_id", NOBODY),
        ("delete_message_ids_by_chat_id", NOBODY, {"x"}),
        ("delete_message_ids_by_chat_id", NOBODY, set()),
        ("upsert_messages", NOBODY, "u1", {}),
    ],
    "missing rows": [
        backfill(entry("a", timestamp=5), entry("b", "a", "assistant", done=False)),
        backfill(entry("a", content="newer is kept"), entry("b", "a", "user"), entry("c", "b", model="m")),
        backfill(entry("c"), entry("d", "c", "assistant", user_id="u2", usage={"prompt_tokens": 1}, files=[{"id": 1}])),
        delete("c"),
        ("delete_messages_by_chat_id", C),
        ("delete_messages_by_chat_id", C),
    ],
    "missing rows of no chat": [
        backfill(entry("a"), chat=NOBODY),
        backfill(entry("a", content="x"), entry("b", role="assistant", done=False), chat=NOBODY),
        ("has_unfinished_assistant_by_chat_id", NOBODY),
        by_id("a", NOBODY),
        ("delete_messages_by_chat_id", NOBODY),
    ],
    "a piece at a time": [
        upsert("a", entry("a")),
        upsert("b", entry("b", "a", "assistant", content="", done=False, model="m")),
        upsert("b", {"content": "one", "output": [{"type": "message", "content": []}]}),
        upsert("b", {"content": "one two", "status_history": [{"done": True}], "done": True}),
        upsert("b", {"usage": {"prompt_tokens": 3, "completion_tokens": 4}, "context_summary": "short"}),
        upsert("b", {"error": {"content": "failed"}, "sources": [{}], "embeds": ["x"], "meta": {"a": 1.0}}),
        delete("b"),
        upsert("b", entry("b", "a", "assistant", content="again")),
        delete("a", "b", "nothing"),
    ],
    "links": [
        backfill(entry("a", timestamp=1), entry("b", "a"), entry("c", "a"), entry("d", "nothing"), entry("e", "e")),
        backfill(entry("f", ""), entry("g", "c", timestamp=1), entry("h", "a", timestamp=2)),
    ],
    "neither done nor not": [
        upsert("a", entry("a", done=None)),
        upsert("b", entry("b", role="assistant", done=False)),
        upsert("b", {"done": None}),
        backfill(entry("c", role="assistant", done=None), entry("d", role="assistant")),
    ],
    "what no row may be": [
        backfill(entry("a"), {**entry("b"), "role": None}),
        backfill({**entry("a"), "usage": 5}),
        ("upsert_messages", C, "u1", {"a": None}),
    ],
}


@pytest.mark.parametrize("name", SEQUENCES)
async def test_sequence(on_sqlite: Pair, name: str) -> None:
    await add_chat(on_sqlite, C, {key: entry(key) for key in ("a", "b", "c", "x")})
    for method, *arguments in SEQUENCES[name]:
        await on_sqlite.call(method, *arguments)
        for look, *more in LOOKS:
            await on_sqlite.call(look, *more, rows=False)


async def test_both_databases(pair: Pair) -> None:
    """What PostgreSQL and SQLite agree on."""
    await add_chat(pair, C, {"a": entry("a")})
    await pair.call(*backfill(entry("a", timestamp=5), entry("b", "a", "assistant", done=False, timestamp=7)))
    await pair.call(*backfill(entry("a", content="x"), entry("c", "b", "assistant", model="m", timestamp=6)))
    for look, *more in [
        *LOOKS,
        ("get_messages_by_user_id", "u1", 1, 1),
        ("get_messages_by_model_id", "m"),
        ("get_chat_ids_by_model_id", "m"),
    ]:
        await pair.call(look, *more, rows=False)
    await pair.call("delete_messages_by_chat_id", C)


async def test_body_keeps_what_loses_its_row(on_sqlite: Pair) -> None:
    """And a write by another process, which knows the chat as it was, does not bring the row back."""
    other = object.__new__(PocketBaseChatMessages)
    other.pocketbase = on_sqlite.client
    await add_chat(on_sqlite, C, {"a": entry("a")})
    await on_sqlite.call(*upsert("a", {"content": "first", "sources": [{"id": 1}]}))
    await other.delete_messages_by_chat_id(C)
    with on_sqlite.database.active():
        await on_sqlite.oracle.delete_messages_by_chat_id(C)
    await on_sqlite.call(*upsert("a", {"content": "second"}))
    assert (await on_sqlite.call(*by_id("a"))).sources is None


async def test_missing_rows_do_not_overwrite_those_written_meanwhile(on_sqlite: Pair) -> None:
    other = object.__new__(PocketBaseChatMessages)
    other.pocketbase = on_sqlite.client
    await add_chat(on_sqlite, C, {"a": entry("a"), "b": entry("b")})
    await on_sqlite.call(*upsert("b", {"content": "begun"}))
    await other.upsert_message("a", C, "u1", {"content": "newer"})
    with on_sqlite.database.active():
        await on_sqlite.oracle.upsert_message("a", C, "u1", {"content": "newer"})
    await on_sqlite.call(*backfill(entry("a"), entry("b")))


COLUMNS: dict[str, list[Any]] = {
    "user_id": ["u1", ""],
    "role": ["user", "assistant", "system", ""],
    "parent_id": [None, "", "m3", "none"],
    "content": [None, "", "text", "a\x00b", [{"type": "text", "text": "x"}]],
    "output": [None, [], [{"type": "message"}]],
    "model_id": [None, "", "m"],
    "files": [None, [], [{"id": "f"}]],
    "sources": [None, [{"a": 1.0}]],
    "embeds": [None, ["e"]],
    "meta": [None, {}, {"z": 1, "a": 2}],
    "done": [True, False],
    "status_history": [None, [{"done": True}]],
    "error": [None, "text", {"content": "x"}],
    "usage": [None, {}, {"input_tokens": 2**53 + 1}],
    "context_summary": [None, "", "short"],
    "created_at": [START, START + 1, 5, 1_650_000_000_123],
    "updated_at": [START],
}


def generated(number: int, chat: str = C, **fixed: list[Any]) -> list[dict[str, Any]]:
    """Return rows of a chat whose columns have any of their values."""
    choose = random.Random(number)
    columns = COLUMNS | fixed
    return [
        {"id": f"{chat}-m{n}", "chat_id": chat, **{name: choose.choice(values) for name, values in columns.items()}}
        for n in range(number)
    ]


async def test_generated_rows(on_sqlite: Pair) -> None:
    """Every column with every kind of value, each way to read them, and ties of time."""
    await seed_rows(on_sqlite, *generated(60), *generated(40, D))
    calls: list[Call] = [
        *(("get_message_by_id", f"{C}-m{number}") for number in range(60)),
        *((method, chat) for method in ("get_messages_by_chat_id", "get_messages_map_by_chat_id") for chat in (C, D)),
        *(
            ("get_messages_by_user_id", user, skip, limit)
            for user in ("u1", "", "u2", None)
            for skip, limit in [(0, 50), (3, 5), (98, 50), (0, 0), (0, -1), (0, None)]
        ),
        *(
            (method, model, start, end, skip, limit)
            for method in ("get_messages_by_model_id", "get_chat_ids_by_model_id")
            for model in ("m", "", None, "none")
            for start, end in [(None, None), (START, None), (None, START), (1, START), (0, 0), (START + 1, START)]
            for skip, limit in [(0, 50), (1, 1), (2, None)]
        ),
    ]
    for method, *arguments in calls:
        await on_sqlite.call(method, *arguments, rows=False)


async def test_rows_without_what_the_models_need(on_sqlite: Pair) -> None:
    """What was made by older versions: the answers which need it are the same exceptions."""
    await seed_rows(
        on_sqlite,
        *generated(12, user_id=["u1", None], created_at=[START, None], updated_at=[None, 3], model_id=["m"]),
    )
    for number in range(12):
        await on_sqlite.call("get_message_by_id", f"{C}-m{number}", rows=False)
    for chat_id in (C, D):
        for method in ("get_messages_by_chat_id", "get_messages_map_by_chat_id", "has_unfinished_assistant_by_chat_id"):
            await on_sqlite.call(method, chat_id, rows=False)
    for dates in [(None, None), (None, START), (1, None)]:
        await on_sqlite.call("get_chat_ids_by_model_id", "m", *dates, rows=False)
        await on_sqlite.call("get_messages_by_model_id", "m", *dates, rows=False)
    await on_sqlite.call("get_messages_by_user_id", None, rows=False)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
async def test_hostile_text(on_sqlite: Pair, name: str) -> None:
    text = HOSTILE_NAMES[name]
    await add_chat(on_sqlite, C, {})
    await on_sqlite.call("upsert_messages", C, text, {text: entry(text, content=text, model=text, parentId=text)})
    await on_sqlite.call("upsert_message", f"{text}2", C, text, entry("x", text, content=text, model=text))
    for method, *arguments in [
        by_id(text),
        ("get_messages_map_by_chat_id", C),
        ("get_messages_by_user_id", text),
        ("get_messages_by_model_id", text),
        ("get_chat_ids_by_model_id", text),
        ("get_messages_by_chat_id", text),
        ("has_unfinished_assistant_by_chat_id", text),
        ("delete_message_ids_by_chat_id", C, {text}),
        ("delete_messages_by_chat_id", C),
    ]:
        await on_sqlite.call(method, *arguments)


@pytest.mark.parametrize("name", JSON_OBJECTS)
async def test_json(on_sqlite: Pair, name: str) -> None:
    """Key order, number spelling and types survive, in the entry as in the row."""
    value = JSON_OBJECTS[name]
    await seed_rows(
        on_sqlite,
        *({"id": f"{C}-{n}", "chat_id": C, "user_id": "u", "meta": value, "output": [value]} for n in range(2)),
    )
    await on_sqlite.call("get_messages_by_chat_id", C, rows=False)
    await on_sqlite.call("get_messages_map_by_chat_id", C, rows=False)


@pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
async def test_surrogates(pair: Pair, text: str) -> None:
    skip_postgresql(pair.database, "NUL")
    await add_chat(pair, C, {})
    for method, *arguments in [
        by_id(text),
        ("get_messages_by_chat_id", text),
        ("get_messages_by_user_id", text),
        ("get_messages_by_model_id", text),
    ]:
        await pair.call(method, *arguments)
