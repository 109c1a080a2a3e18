"""Deleting chats: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.automations import AutomationRun
from sqlalchemy import select

from tests.support.chat_samples import ALL_OF_CHATS, NO_IDS, A, B, chats, seed_samples
from tests.support.chats import NOBODY, chat, entry, key, row, seed
from tests.support.differential import Opened, Pair, share_of_hostile_names


@pytest.fixture
async def on_sqlite(opened: Opened) -> AsyncIterator[Pair]:
    async with opened(ALL_OF_CHATS, "sqlite") as pair:
        yield pair


async def test_ids_of_no_chat(on_sqlite: Pair) -> None:
    await seed(on_sqlite, [chat(1, {"a": entry("a")})], [row(1, "a")])
    for chat_id in NO_IDS:
        for user in ["u1", None]:
            await on_sqlite.call("delete_chat_by_id_and_user_id", chat_id, user)
        await on_sqlite.call("delete_chat_by_id", chat_id)


async def test_no_user(on_sqlite: Pair) -> None:
    await seed(on_sqlite, [chat(n, user_id=user, folder_id="f") for n, user in enumerate(["u1", "", None], 1)])
    for user in ["", None]:
        await on_sqlite.call("delete_chats_by_user_id_and_folder_id", user, None)
    await on_sqlite.call("delete_chats_by_user_id", "")
    await on_sqlite.call("delete_chats_by_user_id", None)


NAMES = share_of_hostile_names(2, 6)


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
async def test_hostile_texts(on_sqlite: Pair, text: str) -> None:
    await seed(on_sqlite, [chat(1), chat(2, folder_id=text)])
    await on_sqlite.call("delete_chats_by_user_id_and_folder_id", "u1", text)


SEQUENCES: dict[str, list[tuple[Any, ...]]] = {
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


@pytest.mark.parametrize("name", SEQUENCES)
async def test_sequence(on_sqlite: Pair, name: str) -> None:
    await seed_samples(on_sqlite)
    for method, *arguments in SEQUENCES[name]:
        await on_sqlite.call(method, *arguments)


@pytest.mark.postgresql
async def test_sequence_on_postgresql(opened: Opened) -> None:
    async with opened(ALL_OF_CHATS, "postgresql") as pair:
        await seed(pair, chats())
        for method, *arguments in SEQUENCES["delete one"]:
            await pair.call(method, *arguments)


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
