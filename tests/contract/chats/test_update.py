"""Changing chats: their titles and parameters, marks and places; what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.chats import ChatForm

from tests.support.chat_samples import ALL_OF_CHATS, NO_IDS, A, B, C, D, chats, seed_samples
from tests.support.chats import CHATS, NOBODY, body, chat, entry, message, row, seed
from tests.support.differential import SURROGATES, Opened, Pair, share_of_hostile_names


@pytest.fixture
async def on_sqlite(opened: Opened) -> AsyncIterator[Pair]:
    async with opened(ALL_OF_CHATS, "sqlite") as pair:
        yield pair


async def test_ids_of_no_chat(on_sqlite: Pair) -> None:
    await seed(on_sqlite, [chat(1, {"a": entry("a")})], [row(1, "a")])
    for chat_id in NO_IDS:
        for user in ["u1", None]:
            for method in ["update_chat_last_read_at_by_id", "mark_chat_unread_by_id"]:
                await on_sqlite.call(method, chat_id, user)
            await on_sqlite.call("update_chat_folder_id_by_id_and_user_id", chat_id, user, "f")
        for method in ["toggle_chat_pinned_by_id", "toggle_chat_archive_by_id"]:
            await on_sqlite.call(method, chat_id)
        await on_sqlite.call("update_chat_variables_by_id", chat_id, {"a": 1})
        await on_sqlite.call("update_chat_share_id_by_id", chat_id, "s")
        await on_sqlite.call("update_chat_tasks_by_id", chat_id, [])


async def test_no_user(on_sqlite: Pair) -> None:
    await seed(on_sqlite, [chat(n, user_id=user, folder_id="f") for n, user in enumerate(["u1", "", None], 1)])
    for user in ["", None]:
        for chat_id in [A, B, C]:
            await on_sqlite.call("update_chat_last_read_at_by_id", chat_id, user)
        for method in ["mark_chats_read_by_user_id", "archive_all_chats_by_user_id", "unarchive_all_chats_by_user_id"]:
            await on_sqlite.call(method, user)
        await on_sqlite.call("mark_chats_read_by_folder_ids", user, ["f"])


@pytest.mark.parametrize("column", ["title", "created_at", "updated_at", "archived", "user_id"])
async def test_chats_that_the_host_refuses(on_sqlite: Pair, column: str) -> None:
    """Changes are made all the same; only what is returned is None."""
    await seed(on_sqlite, [chat(1, **{column: None})])
    await on_sqlite.call("mark_chat_unread_by_id", A, "u1")
    await on_sqlite.call("update_chat_variables_by_id", A, {"a": 1}, touch=False)
    await on_sqlite.call("toggle_chat_pinned_by_id", A)
    await on_sqlite.call("toggle_chat_archive_by_id", A)


NAMES = share_of_hostile_names(1, 6)


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
async def test_hostile_texts(on_sqlite: Pair, text: str) -> None:
    await seed(on_sqlite, [chat(1), chat(2, folder_id=text)])
    await on_sqlite.call("update_chat_variables_by_id", A, {text: text})
    await on_sqlite.call("update_chat_tasks_by_id", A, [{text: text}])
    await on_sqlite.call("update_chat_share_id_by_id", A, text or None)
    await on_sqlite.call("move_chats_by_folder_id", text, f"{text}x")
    await on_sqlite.call("update_chat_folder_id_by_id_and_user_id", A, "u1", text)
    await on_sqlite.call("mark_chats_read_by_folder_ids", "u1", [text])


@pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
async def test_surrogates(on_sqlite: Pair, text: str) -> None:
    """They cannot be sent to any database; nothing is stored."""
    await seed(on_sqlite, [chat(1)])
    await on_sqlite.call("update_chat_share_id_by_id", A, text)
    await on_sqlite.call("move_chats_by_folder_id", text, "f")


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
    ],
}


@pytest.mark.parametrize("name", SEQUENCES)
async def test_sequence(on_sqlite: Pair, name: str) -> None:
    await seed_samples(on_sqlite)
    for method, *arguments in SEQUENCES[name]:
        await on_sqlite.call(method, *arguments)


@pytest.mark.postgresql
@pytest.mark.parametrize("name", ["pin", "archive", "columns"])
async def test_sequence_on_postgresql(opened: Opened, name: str) -> None:
    async with opened(ALL_OF_CHATS, "postgresql") as pair:
        await seed(pair, chats())
        for method, *arguments in SEQUENCES[name]:
            await pair.call(method, *arguments)


def change(**members: Any) -> tuple[Any, ...]:
    return "update_chat_by_id", A, members


CHANGES_OF_BODIES: list[tuple[Any, ...]] = [
    ("insert_new_chat", A, "u1", ChatForm(chat=body("a", "b"))),
    change(title="Other"),
    change(params={"temperature": 1.0}, models=["x", "y"]),
    change(
        history={
            "messages": {"b": message("b", "a", "assistant", content="changed"), "z": message("z", "b", "user")},
            "currentId": "z",
        }
    ),
    change(history={"messages": {}, "currentId": None}),
    ("update_chat_title_by_id", A, "Titles \x00 clean"),
    ("update_chat_params_by_id", A, {"a": 1}),
    ("update_chat_params_by_id", A, {"b": 2.0}),
    change(params={"b": 2.0, "a": 1, "temperature": 1.0}),  # equal, in another order
    change(title=None),
    change(title=5),
]


async def test_bodies(oracle: str, opened: Opened, may_create_chats: None) -> None:
    async with opened(CHATS, oracle) as pair:
        for method, *arguments in CHANGES_OF_BODIES:
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
