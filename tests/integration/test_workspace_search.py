"""The host's unified search finds the same with folders from PocketBase as with its own table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from open_webui.internal.db import get_async_db
from open_webui.models.access_grants import AccessGrant
from open_webui.models.chats import Chat
from open_webui.models.folders import Folder
from open_webui.routers.search import search_workspace
from sqlalchemy import delete

from openwebui_pocketbase.repositories import workspace_search
from openwebui_pocketbase.repositories.folders import PocketBaseFolders
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
}
SEARCHES: list[dict[str, Any]] = [
    {},
    {"query": "needle"},
    {"query": "nothing there"},
    {"sharing": "mine"},
    {"sharing": "shared"},
    *({"scope": f"folder:{name}"} for name in [*FOLDERS, "missing"]),
]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def database(request: pytest.FixtureRequest, tmp_path: Any) -> AsyncIterator[StockDatabase]:
    database = sqlite_database(tmp_path) if request.param == "sqlite" else await postgresql_database()
    await database.add(
        *(folder(name) for name in FOLDERS),
        *(chat(f"in {name}", name, owner) for name, (_, owner, _) in FOLDERS.items()),
        chat("loose", None, "ann"),
        grant("shared", "ann"),
        grant("public", "*"),
    )
    yield database
    async with database.sessions() as session:
        await session.execute(delete(Chat))
        await session.commit()
    await database.clear()
    await database.close()


def folder(name: str) -> Folder:
    parent, owner, title = FOLDERS[name]
    return Folder(id=name, parent_id=parent, user_id=owner, name=title, is_expanded=False, created_at=1, updated_at=1)


def chat(chat_id: str, folder_id: str | None, owner: str) -> Chat:
    history = {"messages": {"m": {"id": "m", "content": f"a needle in {chat_id}"}}}
    return Chat(
        id=chat_id,
        user_id=owner,
        title=chat_id,
        chat={"history": history},
        created_at=1,
        updated_at=2,
        archived=False,
        pinned=False,
        meta={},
        folder_id=folder_id,
    )


def grant(folder_id: str, principal: str) -> AccessGrant:
    return AccessGrant(
        id=folder_id,
        resource_type="folder",
        resource_id=folder_id,
        principal_type="user",
        principal_id=principal,
        permission="read",
        created_at=1,
    )


async def answers(database: StockDatabase, search: Any) -> list[Any]:
    with database.active():
        found = []
        for parameters in SEARCHES:
            async with get_async_db() as session:
                found.append((await search(session, USER, enabled=("chat",), **parameters)).model_dump())
        return found


async def test_the_same_is_found(
    database: StockDatabase, pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = await answers(database, search_workspace)
    assert {item["title"] for item in expected[0]["items"]} == {
        "loose",
        *(f"in {name}" for name in FOLDERS if name != "hidden"),
    }

    subject = object.__new__(PocketBaseFolders)
    subject.pocketbase = pocketbase.client()
    with database.active():
        async with get_async_db() as session:
            await session.execute(delete(Folder))
            await session.commit()
    for name in FOLDERS:
        row = {column.name: getattr(folder(name), column.name) for column in Folder.__table__.columns}
        assert await subject._insert(row) is not None
    monkeypatch.setattr(workspace_search, "Folders", subject)
    replaced = workspace_search.with_folders_from_repository(search_workspace)

    assert await answers(database, replaced) == expected
    assert await answers(database, search_workspace) != expected  # so the replacement is needed

    for owner in ("ann", "bob"):
        for row in await subject.get_folders_by_user_id(owner):
            await subject.delete_folder_by_id_and_user_id(row.id, owner)
    await subject.pocketbase.aclose()
