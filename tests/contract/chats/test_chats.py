"""One chat, its marks and places, its files and its end: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.automations import AutomationRun
from open_webui.models.chats import Chat
from open_webui.models.shared_chats import SharedChat
from sqlalchemy import select

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.repositories.chats.message_rows import PocketBaseChatMessages
from openwebui_pocketbase.repositories.chats.snapshots import PocketBaseSharedChats
from openwebui_pocketbase.repositories.tags import PocketBaseTags
from tests.support.chat_rows import chat, entry, key, row, seed
from tests.support.differential import (
    HOSTILE_NAMES,
    JSON_OBJECTS,
    START,
    SURROGATES,
    Contract,
    Opened,
    Pair,
    public_methods,
)

CHATS = Contract(
    name="Chats",
    tables=("chat", "chat_message", "chat_file", "shared_chat"),
    subject=PocketBaseChats,
    bound={
        "ChatMessages": PocketBaseChatMessages,
        "SharedChats": PocketBaseSharedChats,
        "Tags": PocketBaseTags,
    },
)

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
    "get_accessible_chat_by_id",
    "filter_task_ids_by_user_id",
    "count_chats_by_tag_name_and_user_id",
}
"""Methods that store nothing themselves: they work on what they are given, or call others."""

A, B, C, D = (key(number) for number in range(1, 5))
NOBODY = key(99)
NO_IDS: list[Any] = ["", "x", A.upper(), f"{A} ", "' OR 1=1 --", "a\x00b", None, NOBODY]


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(CHATS, oracle) as pair:
        yield pair


@pytest.fixture
async def on_sqlite(opened: Opened) -> AsyncIterator[Pair]:
    async with opened(CHATS, "sqlite") as pair:
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
ROWS = [
    row(1, "a", files=[{"id": "f"}], embeds=["of the row"], usage={"a": 1}),
    row(1, "b", parent_id="a", role="assistant", sources=None, content=None, model_id="m", status_history=[{"x": 1}]),
    row(1, "c", parent_id="b", meta={"k": 1.0}, context_summary="s", error="e"),
    row(1, "no entry", parent_id="a", output=[{"type": "x"}], done=None, created_at=None),
    row(1, "own parent", parent_id="own parent"),
]


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
    await seed(on_sqlite, [chat(1, MESSAGES)], ROWS)
    for chat_id in NO_IDS:
        for user in ["u1", None]:
            for method in ["get_chat_by_id_and_user_id", "is_chat_owner", "get_chat_folder_id"]:
                await on_sqlite.call(method, chat_id, user)
            for method in ["update_chat_last_read_at_by_id", "mark_chat_unread_by_id"]:
                await on_sqlite.call(method, chat_id, user)
            await on_sqlite.call("update_chat_folder_id_by_id_and_user_id", chat_id, user, "f")
            await on_sqlite.call("delete_chat_by_id_and_user_id", chat_id, user)
        for method in ["get_chat_by_id", "get_chat_title_by_id", "get_chat_tasks_by_id"]:
            await on_sqlite.call(method, chat_id)
        await on_sqlite.call("get_message_by_id_and_message_id", chat_id, "a")
        await on_sqlite.call("get_message_metadata", chat_id, "a", "files")
        for method in ["toggle_chat_pinned_by_id", "toggle_chat_archive_by_id", "delete_chat_by_id"]:
            await on_sqlite.call(method, chat_id)
        await on_sqlite.call("update_chat_variables_by_id", chat_id, {"a": 1})
        await on_sqlite.call("update_chat_share_id_by_id", chat_id, "s")
        await on_sqlite.call("update_chat_tasks_by_id", chat_id, [])


async def test_no_user(on_sqlite: Pair) -> None:
    chats = [chat(n, user_id=user, folder_id="f") for n, user in enumerate(["u1", "", None], 1)]
    for item in chats[1:]:
        item.title = "x"
    await seed(on_sqlite, chats)
    for user in ["", None]:
        for chat_id in [A, B, C]:
            await on_sqlite.call("is_chat_owner", chat_id, user)
            await on_sqlite.call("get_chat_folder_id", chat_id, user)
            await on_sqlite.call("update_chat_last_read_at_by_id", chat_id, user)
        for method in ["mark_chats_read_by_user_id", "archive_all_chats_by_user_id", "unarchive_all_chats_by_user_id"]:
            await on_sqlite.call(method, user)
        await on_sqlite.call("mark_chats_read_by_folder_ids", user, ["f"])
        await on_sqlite.call("delete_chats_by_user_id_and_folder_id", user, None)
    await on_sqlite.call("delete_chats_by_user_id", "")
    await on_sqlite.call("delete_chats_by_user_id", None)


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
    """Changes are made all the same; only the answer is None."""
    await seed(on_sqlite, [chat(1, **{column: None})])
    await on_sqlite.call("get_chat_by_id", A)
    await on_sqlite.call("get_chat_title_by_id", A)
    await on_sqlite.call("mark_chat_unread_by_id", A, "u1")
    await on_sqlite.call("update_chat_variables_by_id", A, {"a": 1}, touch=False)
    await on_sqlite.call("toggle_chat_pinned_by_id", A)
    await on_sqlite.call("toggle_chat_archive_by_id", A)


async def test_messages(on_sqlite: Pair) -> None:
    await seed(on_sqlite, [chat(1, MESSAGES), chat(2, {}), chat(3, {"a": entry("a")})], ROWS)
    for message in [*MESSAGES, "no entry", "own parent", "nothing", "", "a-b"]:
        for chat_id in [A, B, C, NOBODY]:
            await on_sqlite.call("get_message_by_id_and_message_id", chat_id, message, rows=False)
            for name in ["files", "sources", "embeds"]:
                await on_sqlite.call("get_message_metadata", chat_id, message, name, rows=False)
    found = await on_sqlite.call("get_message_by_id_and_message_id", A, "a")
    assert found["childrenIds"] == ["b", "no entry"]
    assert await on_sqlite.call("get_message_metadata", A, "a", "embeds") == ["of the row"]
    assert await on_sqlite.call("get_message_metadata", A, "only here", "files") == ["only"]


@pytest.mark.parametrize("text", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
async def test_hostile_texts(on_sqlite: Pair, text: str) -> None:
    clean = text.replace("\x00", "")  # as the host stores it
    await seed(on_sqlite, [chat(1, {clean: entry(clean)}, title=clean), chat(2, folder_id=text)])
    await on_sqlite.call("get_chat_by_id", A)
    await on_sqlite.call("get_message_by_id_and_message_id", A, clean)
    await on_sqlite.call("get_message_by_id_and_message_id", A, text)
    await on_sqlite.call("update_chat_variables_by_id", A, {text: text})
    await on_sqlite.call("update_chat_tasks_by_id", A, [{text: text}])
    await on_sqlite.call("update_chat_share_id_by_id", A, text or None)
    await on_sqlite.call("move_chats_by_folder_id", text, f"{text}x")
    await on_sqlite.call("update_chat_folder_id_by_id_and_user_id", A, "u1", text)
    await on_sqlite.call("mark_chats_read_by_folder_ids", "u1", [text])
    await on_sqlite.call("delete_chats_by_user_id_and_folder_id", "u1", text)


@pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
async def test_surrogates(on_sqlite: Pair, text: str) -> None:
    """They cannot be sent to any database; nothing is stored."""
    await seed(on_sqlite, [chat(1)])
    await on_sqlite.call("get_chat_by_id", text)
    await on_sqlite.call("update_chat_share_id_by_id", A, text)
    await on_sqlite.call("move_chats_by_folder_id", text, "f")
    await on_sqlite.call("get_chat_title_by_id", text)


SEQUENCES: dict[str, list[tuple[Any, ...]]] = {
    "pin": [("toggle_chat_pinned_by_id", chat_id) for chat_id in [A, A, B, D, D, NOBODY]],
    "archive": [("toggle_chat_archive_by_id", chat_id) for chat_id in [A, A, B, D, D, NOBODY]],
    "archive all": [
        ("archive_all_chats_by_user_id", "u1"),
        ("archive_all_chats_by_user_id", "u1"),
        ("unarchive_all_chats_by_user_id", "u2"),
        ("unarchive_all_chats_by_user_id", "u1"),
        ("archive_all_chats_by_user_id", "nobody"),
    ],
    "folders": [
        ("update_chat_folder_id_by_id_and_user_id", A, "u1", "g"),
        ("update_chat_folder_id_by_id_and_user_id", A, "u2", "h"),
        ("update_chat_folder_id_by_id_and_user_id", A, "u1", None),
        ("update_chat_folder_id_by_id_and_user_id", B, "u1", None),
        ("update_chat_folder_id_by_id_and_user_id", D, None, ""),
        ("move_chats_by_folder_id", "f", "g"),
        ("move_chats_by_folder_id", "g", None),
        ("move_chats_by_folder_id", "", "x"),
        ("move_chats_by_folder_id", None, "f"),
        ("move_chats_by_folder_id", "nowhere", "f"),
    ],
    "read": [
        ("update_chat_last_read_at_by_id", A, "u1"),
        ("update_chat_last_read_at_by_id", A, "u1"),
        ("toggle_chat_pinned_by_id", A),
        ("update_chat_last_read_at_by_id", A, "u2"),
        ("mark_chat_unread_by_id", A, "u2"),
        ("mark_chat_unread_by_id", A, "u1"),
        ("update_chat_last_read_at_by_id", A, "u1"),
        ("mark_chat_unread_by_id", D, "u1"),
        ("mark_chats_read_by_folder_ids", "u1", ["f", "", "f"]),
        ("mark_chats_read_by_folder_ids", "u1", [None]),
        ("mark_chats_read_by_folder_ids", "u1", []),
        ("mark_chats_read_by_user_id", "u1"),
        ("mark_chats_read_by_user_id", "u1"),
        ("mark_chats_read_by_user_id", "u2"),
        ("mark_chats_read_by_user_id", "nobody"),
    ],
    "columns": [
        ("update_chat_variables_by_id", A, {"b": 1.0, "a": [None]}),
        ("update_chat_variables_by_id", A, {}),
        ("update_chat_variables_by_id", A, None),
        ("update_chat_variables_by_id", A, ["x"]),
        ("update_chat_variables_by_id", A, {"a": {1}}),
        ("update_chat_tasks_by_id", A, [{"b": 1.0, "a": None}]),
        ("get_chat_tasks_by_id", A),
        ("update_chat_tasks_by_id", A, []),
        ("get_chat_tasks_by_id", A),
        ("update_chat_tasks_by_id", A, None),
        ("get_chat_tasks_by_id", A),
        ("update_chat_share_id_by_id", A, "s"),
        ("update_chat_share_id_by_id", B, "s"),
        ("update_chat_share_id_by_id", A, "s"),
        ("update_chat_share_id_by_id", A, None),
        ("update_chat_share_id_by_id", B, "s"),
        ("delete_shared_chats_by_user_id", "nobody"),
        ("delete_shared_chats_by_user_id", "u1"),
        ("delete_shared_chats_by_user_id", "u1"),
    ],
    "delete one": [
        ("delete_chat_by_id", A),
        ("delete_chat_by_id", A),
        ("delete_chat_by_id_and_user_id", B, "u1"),
        ("get_chat_by_id", B),
        ("get_message_by_id_and_message_id", B, "a"),
        ("delete_chat_by_id_and_user_id", B, "u1"),
        ("delete_chat_by_id_and_user_id", B, "u2"),
        ("delete_chat_by_id_and_user_id", NOBODY, "u2"),
    ],
    "delete a user's": [("delete_chats_by_user_id", user) for user in ["nobody", "u2", "u1", "u1"]],
    "delete a folder's": [
        ("delete_chats_by_user_id_and_folder_id", user, folder)
        for user, folder in [("u2", "x"), ("u1", "f"), ("u1", ""), ("u1", None), ("u2", "f")]
    ],
}


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


@pytest.mark.parametrize("name", SEQUENCES)
async def test_sequence(on_sqlite: Pair, name: str) -> None:
    await seed(on_sqlite, chats(), rows())
    await seed_shares(on_sqlite)
    for method, *arguments in SEQUENCES[name]:
        await on_sqlite.call(method, *arguments)


@pytest.mark.postgresql
@pytest.mark.parametrize("name", ["pin", "archive", "columns", "delete one"])
async def test_sequence_on_postgresql(opened: Opened, name: str) -> None:
    async with opened(CHATS, "postgresql") as pair:
        await seed(pair, chats())
        for method, *arguments in SEQUENCES[name]:
            await pair.call(method, *arguments)


async def test_a_change_leaves_writers_alone(on_sqlite: Pair) -> None:
    """Who is writing a message meanwhile need not begin again, and loses nothing."""
    await seed(on_sqlite, [chat(1, {"a": entry("a", done=False)})], [row(1, "a", done=False)])
    subject = on_sqlite.subject
    async with subject.edit_message_output(A, "a") as message:
        message["content"] = "written"
        await subject.toggle_chat_pinned_by_id(A)
        await subject.update_chat_tasks_by_id(A, [{"x": 1}])
    found = await subject.get_chat_by_id(A)
    assert found.chat["history"]["messages"]["a"]["content"] == "written"
    assert (found.pinned, found.tasks) == (True, [{"x": 1}])


async def test_automations_forget_deleted_chats(on_sqlite: Pair) -> None:
    many = [chat(n, folder_id="f" if n % 2 else None) for n in range(5, 250)]
    await seed(on_sqlite, [*chats()[:4], *many])
    runs = [
        AutomationRun(id=f"r{n}", automation_id="x", chat_id=key(n), status="success", created_at=n)
        for n in (1, 2, 7, 8, 400)
    ]
    await on_sqlite.database.add(*runs)

    async def named() -> list[str]:
        async with on_sqlite.database.sessions() as session:
            return sorted(filter(None, (await session.execute(select(AutomationRun.chat_id))).scalars()))

    with on_sqlite.database.active():
        assert await on_sqlite.subject.delete_chat_by_id(A)
        assert await named() == [key(n) for n in (2, 7, 8, 400)]
        assert await on_sqlite.subject.delete_chats_by_user_id_and_folder_id("u1", "f")
        assert await named() == [key(n) for n in (2, 8, 400)]
        assert await on_sqlite.subject.delete_chats_by_user_id("u1")
        assert await named() == [key(n) for n in (2, 400)]
        assert await on_sqlite.subject.delete_chat_by_id_and_user_id(B, "u1")
        assert await named() == [key(400)]
        assert [item.id for item in (await on_sqlite.subject.get_chats())] == [B]


async def test_many_chats_are_deleted_in_parts(on_sqlite: Pair) -> None:
    await seed(
        on_sqlite, [chat(n, {"a": entry("a")}, folder_id="f") for n in range(201)], [row(n, "a") for n in range(201)]
    )
    await on_sqlite.call("delete_chats_by_user_id_and_folder_id", "u1", "f")
    await seed(on_sqlite, [chat(n, {"a": entry("a")}) for n in range(200)])
    await on_sqlite.call("delete_chats_by_user_id", "u1")
