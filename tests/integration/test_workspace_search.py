"""The host's unified search finds the same with folders and chats from PocketBase as with its own tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from open_webui.internal.db import get_async_db
from open_webui.models.access_grants import AccessGrant
from open_webui.models.chats import Chat, Chats
from open_webui.models.folders import Folder, Folders
from open_webui.models.groups import Group, GroupMember
from open_webui.models.notes import Note
from open_webui.models.shared_chats import SharedChat
from open_webui.models.users import User
from open_webui.routers.search import search_workspace
from sqlalchemy import delete

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.host.binding import bind
from openwebui_pocketbase.repositories.chats.snapshots import PocketBaseSharedChats
from openwebui_pocketbase.seams import workspace_search
from tests.support import chats as chats_support
from tests.support.chats import columns_of, index_all, insert, key
from tests.support.differential import clear
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import StockDatabase, postgresql_database, sqlite_database

USER = SimpleNamespace(id="ann", name="Ann")
# id -> parent, owner, name: Ann's tree, Bob's shared one with an unshared child, and one she must not see.
FOLDERS = {
    "own": (None, "ann", "Own 'quoted' \\ ünicode"),
    "child": ("own", "ann", "Child"),
    "shared": (None, "bob", "Shared"),
    "below": ("shared", "bob", "Below"),
    "public": (None, "bob", "Public"),
    "hidden": (None, "bob", "Hidden"),
    "written": (None, "bob", "Only to be written to"),
}
QUERIES = [
    "",
    "needle",
    "NEEDLE in",
    "in own",
    "Needle Own",
    "nothing there",
    "ünd größe",
    "GRÖSSE",
    "100%",
    "_",
    "\\",
    "e",
    "title 7",
    "hay old",
    "number",
    "  own  chat ",
]
SEARCHES: list[dict[str, Any]] = [
    *({"query": query} for query in QUERIES),
    *({"query": "needle", "page": page} for page in (1, 2, 3, 4)),
    *({"page": page} for page in (2, 3, 9)),
    *({"sharing": sharing, "query": query} for sharing in ("mine", "shared") for query in ("", "needle")),
    *({"scope": f"folder:{name}"} for name in [*FOLDERS, "missing"]),
    {"scope": "folder:shared", "query": "needle"},
    {"scope": "channel:missing"},
    {"kind": "note"},
    {"kind": "chat", "query": "needle"},
    {"kind": "message"},
]


def folder(name: str) -> Folder:
    parent, owner, title = FOLDERS[name]
    return Folder(id=name, parent_id=parent, user_id=owner, name=title, is_expanded=False, created_at=1, updated_at=1)


def chat(number: int, title: str | None, *contents: Any, **more: Any) -> Chat:
    messages = {f"m{n}": {"id": f"m{n}", "content": content} for n, content in enumerate(contents)}
    columns = {"user_id": "ann", "title": title, "chat": {"history": {"messages": messages}}, "updated_at": 2}
    return chats_support.chat(number, **columns | more)


def grant(resource_type: str, resource_id: str, principal: str, permission: str = "read") -> AccessGrant:
    return AccessGrant(
        id=f"{resource_type} {resource_id} {principal}",
        resource_type=resource_type,
        resource_id=resource_id,
        principal_type="group" if principal == "team" else "user",
        principal_id=principal,
        permission=permission,
        created_at=1,
    )


def chats() -> list[Chat]:
    owners = {name: owner for name, (_, owner, _) in FOLDERS.items()}
    legacy = {"messages": [{"id": "l", "content": "an old needle"}, {"content": ["hay"]}, {"content": "hay"}]}
    return [
        *(
            chat(number, f"in {name}", f"a needle in {name}", folder_id=name, user_id=owners[name], updated_at=number)
            for number, name in enumerate(FOLDERS)
        ),
        *(chat(20 + n, f"title {n}", "some text", f"needle number {n}", updated_at=n % 5) for n in range(60)),
        chat(100, "pinned needle", "hay", pinned=True),
        chat(101, "needle", "archived", archived=True),
        chat(102, "needle", "internal", meta={"internal": True}),
        chat(103, "Own  chat", "needle", {"no": "needle"}, 5, None),
        chat(104, "own chat", "100% \\ under_score", "Ünd GRÖßE"),
        chat(105, "GRÖSSE", "x", share_id=key(905)),
        chat(106, "legacy", chat=legacy),
        chat(107, "split", "needle", "own"),
        chat(108, "empty", chat={}),
        *(
            chat(200 + n, f"of Bob {n}", f"needle of Bob {n}", "Ünd größe", user_id="bob", updated_at=50 + n)
            for n in range(6)
        ),
    ]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def database(request: pytest.FixtureRequest, tmp_path: Any) -> AsyncIterator[StockDatabase]:
    database = sqlite_database(tmp_path) if request.param == "sqlite" else await postgresql_database()
    user = {"last_active_at": 1, "updated_at": 1, "created_at": 1, "role": "user"}
    await database.add(*(User(id=name, name=name, email=f"{name}@example.org", **user) for name in ("ann", "bob")))
    await database.add(
        *(folder(name) for name in FOLDERS),
        *chats(),
        Group(id="team", user_id="bob", name="Team", description="", created_at=1, updated_at=1),
        GroupMember(id="member", group_id="team", user_id="ann", created_at=1, updated_at=1),
        Note(id="note", user_id="ann", title="needle", data={"content": {"md": "hay"}}, created_at=1, updated_at=10**9),
        Note(
            id="other", user_id="ann", title="t", data={"content": {"md": "needle"}}, created_at=1, updated_at=3 * 10**9
        ),
        grant("folder", "shared", "ann"),
        grant("folder", "public", "*"),
        grant("folder", "written", "ann", "write"),
    )
    await database.add(
        *(grant("shared_chat", key(200 + n), "team" if n % 2 else "ann") for n in range(4)),
        grant("shared_chat", key(104), "ann"),
        grant("shared_chat", key(2), "ann"),
        grant("shared_chat", key(205), "*"),
    )
    yield database
    async with database.sessions() as session:
        for table in (SharedChat, Chat, Note, GroupMember, Group, AccessGrant, Folder, User):
            await session.execute(delete(table))
        await session.commit()
    await database.clear()
    await database.close()


SHARES = {200: None, 201: "continue", 202: "continue", 203: None, 104: None, 2: "continue", 205: None, 204: "continue"}
"""Number of a shared chat -> share mode."""


async def answers(database: StockDatabase, search: Any) -> list[Any]:
    with database.active():
        found = []
        for parameters in SEARCHES:
            async with get_async_db() as session:
                found.append((await search(session, USER, **{"enabled": ("chat", "note"), **parameters})).model_dump())
        return found


async def share(database: StockDatabase, client: PocketBaseClient) -> None:
    """Share the same chats in both, with the same ids, and let those go on that are shared since."""
    ours = object.__new__(PocketBaseSharedChats)
    ours.pocketbase = client
    for number, mode in SHARES.items():
        shared = await ours.create(key(number), "bob", share_mode=mode)
        assert shared is not None
        columns = shared.model_dump()
        await database.add(SharedChat(**columns))


@pytest.fixture
async def client(pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseClient]:
    client = pocketbase.client()
    await clear(client, "chat", "chat_message", "shared_chat", "folder")
    yield client
    await clear(client, "chat", "chat_message", "shared_chat", "folder")
    await client.aclose()


GROUPS = [("folders",), ("chats",), ("folders", "chats")]


@pytest.mark.parametrize("groups", GROUPS, ids=" ".join)
async def test_the_same_is_found(database: StockDatabase, client: PocketBaseClient, groups: tuple[str, ...]) -> None:
    for number, each in enumerate(chats()):
        if number % 2:  # half of them wait for the index
            await index_all(client)
        await insert(client, each)
    await share(database, client)
    expected = await answers(database, search_workspace)
    contexts = {item["context"] for answer in expected for item in answer["items"] if item["id"].startswith(("c", "s"))}
    names = {name for _, _, name in FOLDERS.values()} - {"Hidden", "Only to be written to"}
    assert contexts == {"Shared snapshot", "Shared chat", "Personal chat", *names}
    assert max(len(answer["items"]) for answer in expected) == 24

    undo = [
        bind(__import__(module, fromlist=["_"]), name, CATALOG[group].ours[name], {"pocketbase": client})
        for group, module, name in (
            ("folders", "open_webui.models.folders", "Folders"),
            ("chats", "open_webui.models.chats", "Chats"),
        )
        if group in groups
    ]
    try:
        with database.active():
            async with get_async_db() as session:
                if "folders" in groups:
                    await session.execute(delete(Folder))
                if "chats" in groups:
                    await session.execute(delete(SharedChat))
                    await session.execute(delete(Chat))
                await session.commit()
        if "folders" in groups:
            for name in FOLDERS:
                assert await Folders._insert(columns_of(folder(name))) is not None  # type: ignore[attr-defined]
        replaced = workspace_search.over_repositories(search_workspace)
        actual = await answers(database, replaced)
        for parameters, ours, theirs in zip(SEARCHES, actual, expected, strict=True):
            assert ours == theirs, parameters
        assert await answers(database, search_workspace) != expected  # so the replacement is needed
    finally:
        for each in undo:
            each()
    assert type(Chats).__module__ == "open_webui.models.chats"
