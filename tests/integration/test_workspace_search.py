"""The host's unified search finds the same with folders, chats and messages from PocketBase as with its own tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from open_webui.internal.db import get_async_db
from open_webui.models.access_grants import AccessGrant
from open_webui.models.channels import Channel, ChannelMember
from open_webui.models.chats import Chat, Chats
from open_webui.models.folders import Folder, Folders
from open_webui.models.groups import Group, GroupMember
from open_webui.models.messages import Message
from open_webui.models.notes import Note
from open_webui.models.shared_chats import SharedChat
from open_webui.models.users import User
from open_webui.routers.search import search_workspace
from sqlalchemy import delete

from openwebui_pocketbase.catalog import CATALOG, spec_of
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.host.binding import bind
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.chats.snapshots import PocketBaseSharedChats
from openwebui_pocketbase.seams import workspace_search
from tests.support import channel_messages
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
# id -> type, name, members: those which Ann can read, and one that she cannot.
CHANNELS: dict[str, tuple[str | None, str, list[str]]] = {
    "general": (None, "general", []),
    "of-team": (None, "Of team", []),
    "closed": (None, "closed", ["bob"]),
    "group": ("group", "Group", ["ann", "bob"]),
    "direct": ("dm", "", ["ann", "zoe", "bob", "gone", "bob"]),
    "alone": ("dm", "", ["ann"]),
    "named": ("dm", "Named", ["ann", "zoe"]),
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
    *({"scope": f"channel:{name}", "query": query} for name in [*CHANNELS, "missing"] for query in ("", "needle")),
    {"kind": "note"},
    {"kind": "chat", "query": "needle"},
    *({"kind": "message", "query": query} for query in QUERIES),
    *({"kind": "message", "sharing": sharing, "query": query} for sharing in ("mine", "shared") for query in ("", "e")),
    *({"kind": "message", "query": query, "page": page} for query in ("", "needle") for page in (2, 3, 9)),
    {"query": "needle", "enabled": ("chat", "note")},
    {"enabled": ("message",)},
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


def channels() -> list[Channel]:
    made = {"user_id": "bob", "created_at": 1, "updated_at": 1}
    return [Channel(id=key, type=kind, name=name, **made) for key, (kind, name, _) in CHANNELS.items()]


def members() -> list[ChannelMember]:
    flags = {"is_active": True, "is_channel_muted": False, "is_channel_pinned": False, "joined_at": 1}
    return [
        ChannelMember(id=f"{channel}-{number}", channel_id=channel, user_id=user, **flags)
        for channel, (_, _, users) in CHANNELS.items()
        for number, user in enumerate(users)
    ]


def messages() -> list[Message]:
    authors: list[dict[str, Any]] = [
        {"user_id": "ann"},
        {"user_id": "bob"},
        {"user_id": "gone"},
        {"user_id": None, "app_id": "app"},
    ]
    texts = ["a needle in own", "100% _ \\ e", "Ünd GRÖßE", "Needle of the thread", "hay old number 7", "", None]
    return [
        channel_messages.message(
            number,
            texts[number % len(texts)],
            channel_id=[*CHANNELS][number % 8 % len(CHANNELS)],
            parent_id=channel_messages.message(number - 8, None).id if number > 70 else None,
            updated_at=(number % 50) * channel_messages.SECOND + number * 7 % 13,
            **authors[number % len(authors)],
        )
        for number in range(120)
    ]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def database(request: pytest.FixtureRequest, tmp_path: Any) -> AsyncIterator[StockDatabase]:
    database = sqlite_database(tmp_path) if request.param == "sqlite" else await postgresql_database()
    user = {"last_active_at": 1, "updated_at": 1, "created_at": 1, "role": "user"}
    await database.add(
        *(User(id=name, name=name, email=f"{name}@example.org", **user) for name in ("ann", "bob", "zoe"))
    )
    await database.add(*channels(), *members(), *messages())
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
        grant("channel", "general", "*"),
        grant("channel", "of-team", "team"),
    )
    await database.add(
        *(grant("shared_chat", key(200 + n), "team" if n % 2 else "ann") for n in range(4)),
        grant("shared_chat", key(104), "ann"),
        grant("shared_chat", key(2), "ann"),
        grant("shared_chat", key(205), "*"),
    )
    yield database
    async with database.sessions() as session:
        for table in (
            Message,
            ChannelMember,
            Channel,
            SharedChat,
            Chat,
            Note,
            GroupMember,
            Group,
            AccessGrant,
            Folder,
            User,
        ):
            await session.execute(delete(table))
        await session.commit()
    await database.clear()
    await database.close()


SHARES = {200: None, 201: "continue", 202: "continue", 203: None, 104: None, 2: "continue", 205: None, 204: "continue"}
"""Number of a shared chat -> share mode."""


EVERYTHING = ("chat", "message", "note")


async def answers(database: StockDatabase, search: Any) -> list[Any]:
    with database.active():
        found = []
        for parameters in SEARCHES:
            async with get_async_db() as session:
                found.append((await search(session, USER, **{"enabled": EVERYTHING, **parameters})).model_dump())
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


COLLECTIONS = ("chat", "chat_message", "shared_chat", "folder", "channel", "channel_member", "message")


@pytest.fixture
async def client(pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseClient]:
    client = pocketbase.client()
    await clear(client, *COLLECTIONS)
    yield client
    await clear(client, *COLLECTIONS)
    await client.aclose()


TABLES: dict[str, list[Any]] = {
    "folders": [Folder],
    "chats": [SharedChat, Chat],
    "messages": [Message, ChannelMember, Channel],
}
"""Group -> tables, those which refer to others first."""

GROUPS = [("folders",), ("chats",), ("messages",), ("folders", "chats", "messages")]


async def fill(client: PocketBaseClient) -> None:
    """Put chats, channels and messages into PocketBase; some of them wait for the index."""
    for number, each in enumerate(chats()):
        if number % 2:
            await index_all(client)
        await insert(client, each)
    rows = [
        [item.__tablename__, codec_of(item.__tablename__).encode(columns_of(item))]
        for item in (*channels(), *members())
    ]
    await client.write("changes/adopt_rows", {"rows": rows})
    for number, message in enumerate(messages()):
        if number == 80:
            await index_all(client)
        await channel_messages.insert(client, columns_of(message))


@pytest.mark.parametrize("groups", GROUPS, ids=" ".join)
async def test_the_same_is_found(database: StockDatabase, client: PocketBaseClient, groups: tuple[str, ...]) -> None:
    await fill(client)
    await share(database, client)
    expected = await answers(database, search_workspace)
    contexts = {item["context"] for answer in expected for item in answer["items"] if item["id"].startswith(("c", "s"))}
    names = {name for _, _, name in FOLDERS.values()} - {"Hidden", "Only to be written to"}
    assert contexts == {"Shared snapshot", "Shared chat", "Personal chat", *names}
    contexts = {item["context"] for answer in expected for item in answer["items"] if item["kind"] == "message"}
    assert contexts == {"#general", "#Of team", "#Group", "bob, bob, zoe", "Ann", "Named"}
    assert max(len(answer["items"]) for answer in expected) == 24

    with ExitStack() as undo:
        for group in groups:
            for name, ours in CATALOG[group].ours.items():
                if name != "ChatMessages":
                    undo.callback(bind(import_module(spec_of(name).module), name, ours, {"pocketbase": client}))
        with database.active():
            async with get_async_db() as session:
                for table in (table for group in groups for table in TABLES[group]):
                    await session.execute(delete(table))
                await session.commit()
        if "folders" in groups:
            for name in FOLDERS:
                assert await Folders._insert(columns_of(folder(name))) is not None
        replaced = workspace_search.over_repositories(search_workspace)
        actual = await answers(database, replaced)
        for parameters, ours, theirs in zip(SEARCHES, actual, expected, strict=True):
            assert ours == theirs, parameters
        assert await answers(database, search_workspace) != expected  # so the replacement is needed
    assert type(Chats).__module__ == "open_webui.models.chats"
