"""Sharing chats: what the stock classes do, ours do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.chats import Chat
from open_webui.models.shared_chats import ShareChatForm

from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.repositories.chats._draft import Draft
from openwebui_pocketbase.repositories.chats.snapshots import PocketBaseSharedChats
from tests.support import chats as chats_support
from tests.support.differential import JSON_OBJECTS, Contract, Opened, Pair, public_methods, share_of_hostile_names

SHARED = Contract(
    name="SharedChats",
    tables=("shared_chat", "chat", "chat_message"),
    subject=PocketBaseSharedChats,
    bound={"Chats": PocketBaseChats},
    ordered=frozenset({"get_by_chat_id", "get_by_user_id"}),
)
A, B, C, MISSING = (f"c0000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3, 9))
OTHER = "50000000-0000-4000-8000-000000000001"

MESSAGES = {
    "z": {"id": "z", "role": "user", "content": "first", "numbers": [1.0, 2**60]},
    "a": {"id": "a", "role": "assistant", "content": 'ü "quoted" \\ \u2028', "parentId": "z"},
}
BODIES: dict[str, dict[str, Any]] = {
    "with messages": {"title": "t", "history": {"currentId": "a", "messages": MESSAGES}, "params": {"x": 1.0}},
    "without messages": {"history": {"messages": {}, "currentId": None}},
    "messages in a list": {"history": {"messages": [1, 2]}, "messages": [MESSAGES["z"]]},
    "history is null": {"history": None},
    "empty": {},
    "with a share mode": {"share_mode": "continue", "title": "t"},
    "a member that looks like the messages": {"history.messages": {}, "history": {"x": {"messages": {}}}},
    # A snapshot has an integer beyond 64 bits as the chat has it; stock's has the float as which it reads the chat.
    **{name: value for name, value in JSON_OBJECTS.items() if name != "beyond 64 bits"},
}


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(SHARED, oracle) as pair:
        yield pair


@pytest.fixture
async def on_sqlite(opened: Opened) -> AsyncIterator[Pair]:
    async with opened(SHARED, "sqlite") as pair:
        yield pair


def chat(id: str = A, body: Any = None, title: str | None = "A chat", **more: Any) -> Chat:
    return chats_support.chat(id, title=title, chat=BODIES["with messages"] if body is None else body, **more)


async def seed(pair: Pair, *rows: Chat) -> None:
    await chats_support.seed(pair, [*rows])


def test_every_method_is_ours() -> None:
    assert public_methods("SharedChats") <= {*vars(PocketBaseSharedChats)}


@pytest.mark.parametrize("name", BODIES)
async def test_a_snapshot_is_the_whole_chat(on_sqlite: Pair, name: str) -> None:
    await seed(on_sqlite, chat(body=BODIES[name]))
    for mode in (None, "continue"):
        shared = await on_sqlite.call("create", A, "u2", share_mode=mode)
        assert shared.chat["share_mode"] == mode
        await on_sqlite.call("update", shared.id)
        await on_sqlite.call("get_by_id", shared.id)


NAMES = share_of_hostile_names(5, 6)


@pytest.mark.parametrize("name", NAMES)
async def test_names(on_sqlite: Pair, name: str) -> None:
    title = NAMES[name].replace("\0", "")  # the host takes NULs out before it stores a title
    await seed(on_sqlite, chat(title=title))
    await on_sqlite.call("create", A, title)
    await on_sqlite.call("get_by_user_id", title)
    await on_sqlite.call("get_by_user_id", title, {"query": title})
    await on_sqlite.call("get_by_user_id", title, {"query": title.upper()})
    await on_sqlite.call("get_by_user_id", title, {"query": "nothing"})


async def test_a_title_that_is_none(pair: Pair) -> None:
    await seed(pair, chat(title=None))
    await pair.call("create", A, "u1")
    await pair.call("get_by_chat_id", A)
    await pair.call("get_by_user_id", "u1")


async def test_what_is_missing(on_sqlite: Pair) -> None:
    await seed(on_sqlite, chat(), chat(B))
    await on_sqlite.call("create", MISSING, "u1")
    for method in ("update", "get_by_id", "get_by_chat_id", "get_by_user_id", "delete_by_id", "delete_by_chat_id"):
        await on_sqlite.call(method, MISSING)
    await on_sqlite.call("delete_all_by_user_id", MISSING)
    await on_sqlite.call("set_share_mode", MISSING, "continue")
    shared = await on_sqlite.call("create", A, "u1", share_mode="continue")
    await delete_chat(on_sqlite, A)
    await on_sqlite.call("update", shared.id)
    await on_sqlite.call("set_share_mode", shared.id, None)


async def delete_chat(pair: Pair, id: str) -> None:
    async with pair.database.sessions() as session:
        await session.delete(await session.get(Chat, id))
        await session.commit()
    await pair.client._send(
        "POST", "/api/sql", f'{{"query": "DELETE FROM owui_chats WHERE id = \'{id}\'"}}'.encode(), ""
    )


async def change_chat(pair: Pair, id: str, title: str) -> None:
    """Give the chat another title and another body."""
    body = {"title": title, "share_mode": "of the chat", "history": {"messages": {}}}
    async with pair.database.sessions() as session:
        item = await session.get(Chat, id)
        assert item is not None
        item.title, item.chat = title, body
        await session.commit()
    ours = object.__new__(PocketBaseChats)
    ours.pocketbase = pair.client

    def edit(draft: Draft) -> None:
        draft.edited = draft.chat()
        draft.edited.title, draft.edited.chat = title, body

    await ours._edit(id, list(MESSAGES), edit)


MODES: list[str | None] = ["continue", None]


@pytest.mark.parametrize("before", MODES)
@pytest.mark.parametrize("after", MODES)
async def test_modes(pair: Pair, before: Any, after: Any) -> None:
    await seed(pair, chat(), chat(B))
    shared = await pair.call("create", A, "u1", share_mode=before)
    other = await pair.call("create", B, "u1", share_mode=before)
    await change_chat(pair, A, "changed")
    await pair.call("set_share_mode", shared.id, after)
    await pair.call("update", shared.id, ShareChatForm(share_mode=before))
    await pair.call("update", shared.id, ShareChatForm())
    await pair.call("update", shared.id, ShareChatForm(share_mode=after))
    await pair.call("get_by_id", other.id)


async def test_the_latest_of_a_chat(pair: Pair) -> None:
    await seed(pair, chat())
    first = await pair.call("create", A, "u1")
    second = await pair.call("create", A, "u2")
    assert (await pair.call("get_by_chat_id", A)).id == second.id
    await pair.call("update", first.id)
    assert (await pair.call("get_by_chat_id", A)).id == first.id


FILTERS: list[dict[str, Any] | None] = [
    None,
    {},
    {"query": ""},
    {"query": "a"},
    {"query": "A%T"},
    {"query": "_ chat"},
    {"query": "ÜBER"},
    {"query": 1},
    {"other": 1},
    *(
        {"order_by": column, "direction": direction}
        for column in ("id", "chat_id", "title", "updated_at", "created_at")
        for direction in ("asc", "DESC")
    ),
    {"order_by": "title", "direction": "up"},
    {"order_by": "title"},
    {"order_by": "colour", "direction": "asc"},
    {"query": "chat", "order_by": "title", "direction": "asc"},
]


async def test_lists(on_sqlite: Pair) -> None:
    await seed(on_sqlite, chat(), chat(B, title="über a 1"), chat(C, title="Zulu"))
    on_sqlite.step = 0
    for chat_id in (B, A, C, A):
        await on_sqlite.call("create", chat_id, "u1")
    on_sqlite.step = 5
    await on_sqlite.call("create", A, "u1")
    await on_sqlite.call("create", B, "u2")
    for wanted in FILTERS:
        await on_sqlite.call("get_by_user_id", "u1", wanted, rows=False)
    for skip, limit in ((0, 0), (0, None), (1, 1), (2, 50), (99, 1), (None, 2), (0, -1)):
        await on_sqlite.call("get_by_user_id", "u1", None, skip, limit, rows=False)
    await on_sqlite.call("get_by_user_id", "nobody", rows=False)


async def test_deleting(pair: Pair) -> None:
    await seed(pair, chat(), chat(B), chat(C))
    shared = [
        await pair.call("create", chat_id, user) for chat_id, user in ((A, "u1"), (A, "u2"), (B, "u1"), (C, "u2"))
    ]
    await pair.call("delete_by_id", shared[0].id)
    await pair.call("delete_by_chat_id", A)
    await pair.call("delete_all_by_user_id", "u2")
    assert [row.chat_id for row in await pair.call("get_by_user_id", "u1")] == [B]
