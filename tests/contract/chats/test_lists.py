"""Lists of chats and numbers of them: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from importlib import import_module
from typing import Any

import pytest
from open_webui.models.chats import Chat
from open_webui.models.users import User

from openwebui_pocketbase.host.binding import bind
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.chats import PocketBaseChats, _base
from openwebui_pocketbase.repositories.users.users import PocketBaseUsers
from tests.support.chats import chat, entry, key, row, seed
from tests.support.differential import START, Contract, Opened, Pair, share_of_hostile_names

LISTS = Contract(
    name="Chats",
    tables=("chat", "chat_message", "user"),
    subject=PocketBaseChats,
    ordered=frozenset(
        {
            "get_chat_title_id_list_by_user_id",
            "get_chats_by_folder_id_and_user_id",
            "get_all_chats_by_folder_id",
            "get_pinned_chats_by_user_id",
        }
    ),
)

INTERNAL = {"internal": True, "type": "note", "note_id": "n", "parent_chat_id": "p"}

CHATS = [
    chat(1, title="b"),
    chat(2, title="a", updated_at=START + 1),
    chat(3, title="B", folder_id="f1", last_read_at=None),
    chat(4, title="a", folder_id="f2", pinned=True),
    chat(5, title="100% sure_thing", pinned=True, updated_at=START + 4),
    chat(6, title="İstanbul Größe", archived=True, share_id="s6"),
    chat(7, title="archived", archived=True, pinned=True, folder_id="f1", updated_at=START + 6),
    chat(8, meta=INTERNAL, last_read_at=0),
    chat(9, meta={**INTERNAL, "internal": 1, "note_id": "m"}, folder_id="f1"),
    chat(10, meta={**INTERNAL, "internal": False}, folder_id="f1", pinned=None),
    chat(11, meta={"internal": "true", "a": "internal"}, folder_id=""),
    chat(12, meta=[], variables=None, tasks=[], summary="", updated_at=START - 5, last_read_at=-9),
    chat(13, meta={"tags": ["x"], "internal": None}, timer_at=-5, current_message_id="m", share_id=""),
    chat(14, user_id="u2", folder_id="f1"),
    chat(15, user_id="u2", folder_id="f1", last_read_at=START + 15),
    chat(16, user_id="u2", archived=True, meta={**INTERNAL, "parent_chat_id": None}),
    chat(17, user_id="", title=""),
    chat(18, meta=INTERNAL, updated_at=START + 8, created_at=START + 8),
    chat(19, meta={**INTERNAL, "parent_chat_id": 5, "note_id": 5}),
    chat(20, updated_at=START - 5, last_read_at=None, timer_at=7),
]
ROWS = [
    row(3, "a", role="user", model_id="m", created_at=START + 3),
    row(3, "b", role="assistant", done=False, model_id="m", created_at=START + 9),
    row(10, "a", role="assistant", done=True, model_id="m", created_at=START),
    row(11, "a", role="assistant", done=None, model_id="M"),
    row(14, "a", role="user", done=False, user_id="u2", model_id="m"),
    row(15, "a", role="assistant", done=False, user_id="u2", created_at=None, model_id="m"),
    row(16, "a", role="assistant", done=False, user_id=None, model_id=""),
    row(8, "a", role="assistant", model_id="m"),
    row(17, "a", role="assistant", model_id="m"),
]
BROKEN = [
    chat(50, user_id="u3", title=None),
    chat(51, user_id="u4", created_at=None),
    chat(52, user_id="u5", updated_at=None),
    chat(53, user_id="u6", archived=None, folder_id="f1"),
    chat(54, user_id=None),
    chat(55, user_id="u7", chat=None),
    chat(56, user_id="u8", chat=[]),
]
"""What the host's models refuse, each of a user of its own."""

USERS = ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "", "nobody", None]
FOLDERS = ["f1", "f2", "", "nowhere", None]
PAGES: list[tuple[Any, Any]] = [(None, None), (0, 0), (1, 3), (3, 0), (-1, 2), (2, -1), (100, 5)]
SORTS = [("updated_at", "desc"), ("updated_at", "asc"), ("title", "asc"), ("title", "desc"), ("x", "x")]
UNREAD = ("unread_updated_at", "desc")


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(LISTS, oracle) as pair:
        yield pair


@pytest.fixture
async def seeded(opened: Opened) -> AsyncIterator[Pair]:
    """Ours and SQLite with chats of all kinds."""
    async with opened(LISTS, "sqlite") as pair:
        await seed(pair, CHATS + BROKEN, ROWS)
        yield pair


async def call(pair: Pair, method: str, *args: Any, **kwargs: Any) -> Any:
    return await pair.call(method, *args, rows=False, **kwargs)


async def test_on_both_databases(pair: Pair) -> None:
    chats = [chat(n, folder_id=folder, pinned=n > 4) for n, folder in enumerate([None, "f1", "f2", "f1", None, None])]
    await seed(
        pair, [*chats, chat(6, title="100% SURE größe")], [row(3, "b", role="assistant", done=False, model_id="m")]
    )
    for sort_by, sort_dir in [*SORTS[:2], UNREAD]:
        sort = {"sort_by": sort_by, "sort_dir": sort_dir}
        assert await call(pair, "get_chat_title_id_list_by_user_id", "u1", True, True, True, limit=50, **sort)
        assert await call(pair, "get_chats_by_folder_id_and_user_id", "f1", "u1", **sort)
        assert await call(pair, "get_all_chats_by_folder_id", "f1", **sort)
    for query in ["a", "SURE", "größe", "%su%", "_00"]:
        await call(pair, "get_chat_list_by_user_id", "u1", True, {"query": query})
    assert await call(pair, "get_pinned_chats_by_user_id", "u1")
    assert (await call(pair, "get_chats_by_user_id", "u1")).total == 7
    assert await call(pair, "count_unread_by_folder_ids", "u1", ["f1", "f2"]) == {"f1": 1, "f2": 1}
    assert (await call(pair, "get_chats_by_model_id", "m"))["total"] == 1


@pytest.mark.parametrize("user", USERS)
async def test_the_sidebar(seeded: Pair, user: str | None) -> None:
    for shown in [(False, False, False), (True, False, False), (False, True, False), (False, False, True), (1, 1, 1)]:
        for sort_by, sort_dir in [*SORTS, UNREAD]:
            sort = {"sort_by": sort_by, "sort_dir": sort_dir}
            await call(seeded, "get_chat_title_id_list_by_user_id", user, *shown, **sort)
    for skip, limit in PAGES:
        for sort_by in ["updated_at", "title", "unread_updated_at"]:
            await call(
                seeded, "get_chat_title_id_list_by_user_id", user, True, True, True, sort_by, skip=skip, limit=limit
            )
    await call(seeded, "get_pinned_chats_by_user_id", user)


async def test_lists_are_not_empty(seeded: Pair) -> None:
    assert len(await call(seeded, "get_chat_title_id_list_by_user_id", "u1", True, True, True)) == 12
    assert len(await call(seeded, "get_pinned_chats_by_user_id", "u1")) == 2
    assert len(await call(seeded, "get_archived_chat_list_by_user_id", "u1")) == 2
    assert len(await call(seeded, "get_chats_by_folder_id_and_user_id", "f1", "u1")) == 2
    assert len(await call(seeded, "get_all_chats_by_folder_id", "f1")) == 4
    assert len(await call(seeded, "get_internal_chats_by_note_id", "n", "u1")) == 2
    assert len(await call(seeded, "get_internal_chat_ids_by_parent_id", "p", "u1")) == 3


@pytest.mark.parametrize("folder", FOLDERS)
async def test_folders(seeded: Pair, folder: str | None) -> None:
    for sort_by, sort_dir in [*SORTS, UNREAD]:
        sort = {"sort_by": sort_by, "sort_dir": sort_dir}
        for user in ["u1", "u2", "u6", "", None]:
            await call(seeded, "get_chats_by_folder_id_and_user_id", folder, user, **sort)
            await call(seeded, "get_all_chats_by_folder_id", folder, unread_for_user_id=user, **sort)
    for skip, limit in PAGES:
        await call(seeded, "get_chats_by_folder_id_and_user_id", folder, "u1", skip, limit)
        await call(seeded, "get_all_chats_by_folder_id", folder, skip, limit)
    for user in USERS:
        await call(seeded, "count_chats_by_folder_id_and_user_id", folder, user)
    await call(seeded, "count_all_chats_by_folder_id", folder)


@pytest.mark.parametrize("user", USERS)
async def test_several_folders(seeded: Pair, user: str | None) -> None:
    for folders in [["f1"], ["f2", "f1", "f1"], ["", "nowhere"], FOLDERS, [None], []]:
        await call(seeded, "count_chats_by_folder_ids_and_user_id", folders, user)
        await call(seeded, "count_unread_by_folder_ids", user, folders)
        await call(seeded, "get_chats_by_folder_ids_and_user_id", folders, user)


@pytest.mark.parametrize("method", ["get_chat_list_by_user_id", "get_archived_chat_list_by_user_id"])
async def test_filtered_lists(seeded: Pair, method: str) -> None:
    more: list[dict[str, Any]] = [{}, {"include_archived": True}] if method == "get_chat_list_by_user_id" else [{}]
    filters: list[dict[str, Any] | None] = [None, {}, {"query": ""}, {"query": None}, {"other": 1}]
    filters += [
        {"query": query} for query in ["a", "A", "größe", "istanbul", "İSTANBUL", "%", "_", "0%s", "a_c", "\\", 1]
    ]
    filters += [
        {"query": "a", "order_by": order_by, "direction": direction}
        for order_by in ["title", "nope", "", None, 5, "metadata", "__tablename__", "__class__", "registry"]
        for direction in ["asc", "DESC", "sideways", "", None, 5]
    ]
    for wanted in filters:
        for options in more:
            await call(seeded, method, "u1", filter=wanted, **options)
    for user in USERS:
        for options in more:
            await call(seeded, method, user, **options)
    for skip, limit in PAGES:
        for wanted in [{"order_by": "title", "direction": "asc"}, {"query": "a"}, None]:
            await call(seeded, method, "u1", filter=wanted, skip=skip, limit=limit)


DOCUMENTS = ["chat", "meta", "variables", "tasks"]
SORTABLE = [column.name for column in Chat.__table__.columns if column.name not in DOCUMENTS]


@pytest.mark.parametrize("order_by", SORTABLE)
async def test_every_column_sorts(seeded: Pair, order_by: str) -> None:
    for direction in ["asc", "desc"]:
        wanted = {"order_by": order_by, "direction": direction}
        await call(seeded, "get_chat_list_by_user_id", "u1", True, wanted)
        await call(seeded, "get_archived_chat_list_by_user_id", "u1", wanted)
        await call(seeded, "get_chats_by_user_id", "u1", wanted)


@pytest.mark.parametrize("order_by", DOCUMENTS)
async def test_documents_sort_somehow(seeded: Pair, order_by: str) -> None:
    """By their texts, of which the chat's is another one here: its messages are not in it."""
    found = await seeded.subject.get_chat_list_by_user_id("u1", True, {"order_by": order_by, "direction": "asc"})
    assert {item.id for item in found} == {
        item.id for item in await seeded.subject.get_chat_list_by_user_id("u1", True)
    }


@pytest.mark.parametrize("user", USERS)
async def test_whole_chats(seeded: Pair, user: str | None) -> None:
    filters: list[dict[str, Any] | None] = [
        *({"updated_at": after} for after in [START + 5, START - 6, 0, -9, None]),
        *({"order_by": "title", "direction": direction} for direction in ["asc", "DESC", "x", 5]),
        {"order_by": "nope", "direction": "asc"},
        {"order_by": "updated_at", "direction": "asc", "updated_at": START + 3},
        None,
    ]
    for wanted in filters:
        await call(seeded, "get_chats_by_user_id", user, wanted)
    for skip, limit in PAGES:
        await call(seeded, "get_chats_by_user_id", user, None, skip, limit)
    await call(seeded, "get_archived_chats_by_user_id", user)
    await call(seeded, "count_archived_chats_by_user_id", user)


async def test_chats_of_everybody(opened: Opened) -> None:
    async with opened(LISTS, "sqlite") as pair:
        await seed(pair, [item for item in CHATS if item.meta != []])
        assert len(await call(pair, "get_chats")) == 14
        await call(pair, "get_chats", 1, 1)


async def test_many_whole_chats(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one request can hold."""
    monkeypatch.setattr(_base, "CHATS_AT_ONCE", 7)
    async with opened(LISTS, "sqlite") as pair:
        chats = [chat(n, {"a": entry("a")}, updated_at=START + n // 5, archived=n % 2 == 0) for n in range(130)]
        await seed(pair, chats)
        assert (await call(pair, "get_chats_by_user_id", "u1")).total == 130
        assert len((await call(pair, "get_chats_by_user_id", "u1", None, 20, 70)).items) == 70
        assert len(await call(pair, "get_archived_chats_by_user_id", "u1")) == 65


async def test_internal_chats(seeded: Pair) -> None:
    for user in USERS:
        for name in ["n", "m", "p", "", None, "5"]:
            await call(seeded, "get_internal_chat_ids_by_parent_id", name, user)
            await call(seeded, "get_internal_chats_by_note_id", name, user)
            await call(seeded, "get_internal_chat_by_note_id", name, user)


async def test_by_ids(seeded: Pair) -> None:
    everything = [item.id for item in CHATS]
    for ids in [everything, everything[::-1], [key(3), key(3), "x", ""], [key(50)], [key(54)], [None], []]:
        await call(seeded, "get_chat_list_by_chat_ids", ids)
        await call(seeded, "get_chat_metas_by_chat_ids", ids)
        await call(seeded, "get_chat_metas_by_chat_ids", ids, True)
        await call(seeded, "get_owner_ids_by_chat_ids", ids)
    assert len(await call(seeded, "get_owner_ids_by_chat_ids", everything)) == 20


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**63 - 1])
async def test_pages_beyond_what_can_be_counted(seeded: Pair, number: int) -> None:
    for page in [{"skip": number}, {"limit": number}]:
        await call(seeded, "get_chat_title_id_list_by_user_id", "u1", **page)
        await call(seeded, "get_chats_by_user_id", "u1", **page)
        await call(seeded, "get_chats_by_model_id", "m", **page)


NAMES = share_of_hostile_names(3, 6)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_hostile_names(opened: Opened, name: str) -> None:
    async with opened(LISTS, "sqlite") as pair:
        title = name.replace("\x00", "")
        await seed(
            pair, [chat(1, user_id=name, folder_id=name, title=title), chat(2, user_id=name, title=f"x{title}y")]
        )
        assert len(await call(pair, "get_chat_title_id_list_by_user_id", name, include_folders=True)) == 2
        await call(pair, "get_chats_by_folder_id_and_user_id", name, name)
        await call(pair, "count_unread_by_folder_ids", name, [name])
        for query in {title, title.upper(), title.lower(), title[1:-1]}:
            await call(pair, "get_chat_list_by_user_id", name, True, {"query": query})


@pytest.mark.parametrize("users", ["in SQL", "in PocketBase"])
async def test_chats_of_a_model(seeded: Pair, users: str) -> None:
    names = {"u1": "b", "u2": "a", "": "C"}
    times = {"last_active_at": 1, "updated_at": 1, "created_at": 1}
    rows = [
        User(id=user or "empty", email=f"{name}@x", username=None, role="user", name=name, **times)
        for user, name in names.items()
    ]
    encode = codec_of("user").encode
    await seeded.seed(rows, lambda row: seeded.client.write("users/insert_new_user", {"user": encode(row)}))
    with ExitStack() as stack:
        if users == "in PocketBase":
            path = f"{PocketBaseUsers.__module__}:{PocketBaseUsers.__qualname__}"
            undo = bind(import_module("open_webui.models.users"), "Users", path, {"pocketbase": seeded.client})
            stack.callback(undo)
        assert (await call(seeded, "get_chats_by_model_id", "m"))["total"] == 5
        for model in ["m", "M", "", "x", None]:
            for order_by in ["title", "user_name", "updated_at", "x", None]:
                for direction in ["asc", "desc", None]:
                    wanted = {"order_by": order_by, "direction": direction}
                    await call(seeded, "get_chats_by_model_id", model, wanted)
        for start, end in [(START, START + 5), (START + 4, None), (None, START), (0, 0), (START + 9, START)]:
            await call(seeded, "get_chats_by_model_id", "m", {"start_date": start, "end_date": end})
        for skip, limit in PAGES:
            for order_by in ["user_name", "title"]:
                await call(
                    seeded, "get_chats_by_model_id", "m", {"order_by": order_by, "direction": "asc"}, skip, limit
                )
