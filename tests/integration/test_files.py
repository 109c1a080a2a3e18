"""Files in PocketBase: uploads that no row completes, contents, copies without texts, and what becomes of knowledge."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from open_webui.models.files import FileForm, Files, FileUpdateForm
from open_webui.models.knowledge import Knowledge, KnowledgeDirectory, KnowledgeFile, Knowledges
from open_webui.models.users import User
from open_webui.routers.files import _search_files
from open_webui.utils.access_control.files import has_access_to_file

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.client.transport import Answer, Transport
from openwebui_pocketbase.host.binding import bind
from openwebui_pocketbase.host.seams import replace_function
from tests.support.differential import IDS, pocketbase_rows, same
from tests.support.mirrors import Installation, client, database, no_sockets
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import StockDatabase

__all__ = ["client", "database", "no_sockets"]

A, B, C, D, E = IDS[:5]
CONTENTS = b"contents " * 1000
LONG = "word " * 1_000_000
MEMBERS = {"created_at": 1, "updated_at": 1}


@contextmanager
def bound(client: PocketBaseClient) -> Iterator[Installation]:
    """The host's files are in PocketBase, and its functions know it."""
    installation = Installation(client, ("files",))
    module = import_module("open_webui.models.files")
    with ExitStack() as undo:
        undo.callback(bind(module, "Files", CATALOG["files"].ours["Files"], {"pocketbase": installation.mirror}))
        for seam in CATALOG["files"].seams:
            undo.callback(replace_function(import_module(seam.module), seam.function, seam.replacement))
        yield installation


@pytest.fixture
def ours(client: PocketBaseClient, database: StockDatabase) -> Iterator[Installation]:
    with bound(client) as installation:
        yield installation


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of what PocketBase answers."""
    lengths: list[int] = []
    send = Transport.send

    async def count(self: Transport, head: bytes, body: bytes, **more: bool) -> Answer:
        answer = await send(self, head, body, **more)
        lengths.append(len(answer[1]))
        return answer

    monkeypatch.setattr(Transport, "send", count)
    return lengths


def upload(server: PocketBaseProcess, key: str) -> None:
    """Make a pending record with contents."""
    httpx.post(
        f"{server.url}/api/collections/owui_files/records",
        headers={"Authorization": server.login()},
        data={"id": key, "pending": "true", "sha256": hashlib.sha256(CONTENTS).hexdigest()},
        files={"contents": ("a.txt", CONTENTS)},
    ).raise_for_status()


def stored(server: PocketBaseProcess) -> set[str]:
    """Return the ids of the records that have contents on the disk."""
    return {path.parent.name for path in (server.data_dir / "storage").glob("*/*/*") if path.suffix == ".txt"}


async def add(key: str, user: str = "u1", **form: Any) -> Any:
    return await Files.insert_new_file(user, FileForm(id=key, path=f"/{key}", **{"filename": "a.txt", **form}))


async def test_pending_records_are_no_rows(
    ours: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    upload(own_pocketbase, A)
    upload(own_pocketbase, B)
    await add(C)
    await ours.mirror.catch_up()
    assert [row["id"] for row in await database.rows("file")] == [C]
    assert await Files.get_file_by_id(A) is None
    assert await Files.get_file_metadata_by_id(A) is None
    assert await Files.get_file_by_id_and_user_id(A, "") is None
    assert not await Files.check_access_by_user_id(A, "")
    assert await Files.count_files_by_user_id() == 1
    lists = [Files.get_files(), Files.get_files_by_ids([A, C]), Files.get_file_metadatas_by_ids([A, C])]
    assert [[file.id for file in await found] for found in lists] == [[C]] * 3
    assert await Files.get_files_by_user_id("") == []
    assert [file.id for file in (await Files.get_file_list()).items] == [C]
    assert [file.id for file in await Files.search_files()] == [C]
    assert await Files.get_pending_files_for_knowledge("") == []
    updates = [
        Files.update_file_by_id(A, FileUpdateForm(hash="h")),
        Files.update_file_name_by_id(A, "b"),
        Files.update_file_data_by_id(A, {"a": 1}),
    ]
    assert [await update for update in updates] == [None] * 3
    await Files.delete_file_by_id(A)
    await Files.delete_all_files()
    assert stored(own_pocketbase) == {A, B}

    made = await add(A, data={"status": "pending"})
    assert made is not None
    assert await add(A) is None
    assert [row["id"] for row in await database.rows("file")] == [A]
    with own_pocketbase.admin() as admin:
        [record] = admin.sql(f"SELECT pending, contents, sha256 FROM owui_files WHERE id = '{A}'")
    assert record["pending"] == "0"
    assert record["contents"].endswith(".txt")
    assert record["sha256"] == hashlib.sha256(CONTENTS).hexdigest()


async def test_contents_go_with_their_rows(ours: Installation, own_pocketbase: PocketBaseProcess) -> None:
    for key in (A, B, C, D):
        upload(own_pocketbase, key)
    for key in (A, B, E):
        await add(key, data={"content": "text"})
    assert await Files.delete_file_by_id(A)
    await becomes({B, C, D}, own_pocketbase)
    assert await Files.delete_all_files()
    await becomes({C, D}, own_pocketbase)
    assert pocketbase_rows(own_pocketbase.data_dir, "file") == []


async def becomes(ids: set[str], server: PocketBaseProcess) -> None:
    """Wait until only these have contents: PocketBase deletes them after it has answered."""
    for _ in range(1000):
        if stored(server) == ids:
            return
        await asyncio.sleep(0.02)
    assert stored(server) == ids


async def test_copies_have_no_texts(
    ours: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    await add(A, data={"content": "first", "z": 1}, meta={"name": "a"})
    await Files.update_file_data_by_id(A, {"content": "second", "status": "completed"})
    [row] = await database.rows("file")
    assert row["data"] == {"content": "", "z": 1, "status": "completed"}
    assert row["meta"] == {"name": "a"}
    await Files.update_file_name_by_id(A, "b")
    [row] = await database.rows("file")
    assert (row["filename"], row["meta"]) == ("b", {"name": "b"})
    await Files.delete_file_by_id(A)
    assert await database.rows("file") == []


async def test_who_does_not_look_at_a_text_does_not_get_it(ours: Installation, received: list[int]) -> None:
    await add(A, data={"content": LONG})
    user = User(id="u1", name="u1", email="", role="user")
    received.clear()
    assert await Files.check_access_by_user_id(A, "u1")
    assert await Files.get_file_metadata_by_id(A)
    assert await Files.get_file_metadatas_by_ids([A])
    assert await Files.count_files_by_user_id("u1") == 1
    assert await import_module(has_access_to_file.__module__).has_access_to_file(A, "read", user)
    search = import_module(_search_files.__module__)._search_files
    [found] = await search("*", False, 0, 10, "u1", None)
    assert found.data == {}
    status = import_module("open_webui.routers.files").get_file_process_status
    assert await status(A, stream=False, user=user) == {"status": "pending"}
    assert await Files.seen().update_file_data_by_id(A, {"status": "completed"})
    assert await Files.seen(reads_text=True).update_file_name_by_id(A, "b")
    assert max(received) < 2000
    [found] = await search("*", True, 0, 10, "u1", None)
    assert found.data == {"content": LONG, "status": "completed"}


Call = Callable[[], Awaitable[Any]]

SEARCHES = [
    "alpha",
    "ALPHA",
    "größe",
    "GRÖSSE",
    "ÄÖ",
    "100%",
    "a_p",
    "_stanbul",
    "İ",
    "kelvin",
    "name",
    "%",
    "жи",
    "no",
]


def searches(wanted: dict[str, object]) -> list[Call]:
    """Return the searches with a filter."""
    return [
        lambda: Knowledges.search_files_by_id("k", "u1", filter=wanted),
        lambda: Knowledges.search_files_by_id("k", "u1", filter={**wanted, "directory_id": "d"}),
        lambda: Knowledges.search_files_by_id("k", "u1", wanted, skip=1, limit=2),
        lambda: Knowledges.search_knowledge_files({**wanted, "user_id": "u1"}),
        lambda: Knowledges.search_knowledge_files({**wanted, "user_id": "u2"}, skip=1, limit=1),
    ]


def knowledge_calls() -> list[Call]:
    """Return what is asked of the knowledge ``k``."""
    calls: list[Call] = [
        lambda: Knowledges.get_files_by_id("k"),
        lambda: Knowledges.get_file_metadatas_by_id("k"),
        lambda: Knowledges.get_files_with_directory_ids("k"),
        lambda: Knowledges.get_files_by_id_and_directory_id("k", "d"),
        lambda: Knowledges.get_files_by_id("none"),
        lambda: Files.get_pending_files_for_knowledge("k"),
    ]
    for query in SEARCHES:
        for content in (True, False):
            calls += searches({"query": query, "include_content": content})
    calls.append(lambda: Knowledges.search_knowledge_files({"user_id": "u1"}))
    calls.append(lambda: Knowledges.search_files_by_id("k", "u1", {}))
    return calls


TEXTS = {
    A: "Alpha, Größe",
    B: "ÄÖÜ 100 %",
    C: "apple İstanbul istanbul",
    D: "\u212aELVIN ЖИ",
    E: "",
}


async def fill(database: StockDatabase) -> None:
    await database.add(
        *(User(id=f"u{n}", name=f"U{n}", email=f"u{n}@x", role="user", last_active_at=1, **MEMBERS) for n in (1, 2)),
        Knowledge(id="k", user_id="u1", name="K", description="", **MEMBERS),
        Knowledge(id="l", user_id="u2", name="L", description="", **MEMBERS),
    )
    await database.add(KnowledgeDirectory(id="d", knowledge_id="k", name="d", user_id="u1", **MEMBERS))
    for number, (key, text) in enumerate(TEXTS.items()):
        data = {"status": "pending" if key == E else "completed", "content": text}
        await add(key, filename=f"name {number}.txt", data=data, meta={"data": {"knowledge_id": "k"}})
        if key != E:
            knowledge, directory = ("l" if key == D else "k"), ("d" if key == B else None)
            link = KnowledgeFile(id=key, knowledge_id=knowledge, file_id=key, user_id="u1", **MEMBERS)
            link.directory_id = directory
            await database.add(link)


async def test_knowledge_is_as_in_stock(
    database: StockDatabase, client: PocketBaseClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("open_webui.models.files.time", SimpleNamespace(time=lambda: 1_700_000_000))
    monkeypatch.setattr("openwebui_pocketbase.repositories.files.time", SimpleNamespace(time=lambda: 1_700_000_000))
    await fill(database)
    expected = [await call() for call in knowledge_calls()]
    await database.clear()
    with bound(client):
        await fill(database)
        for number, (call, wanted) in enumerate(zip(knowledge_calls(), expected, strict=True)):
            # PostgreSQL folds otherwise, and knows a backslash in a pattern.
            if database.is_sqlite or number < 6:
                same(f"call {number}", wanted, await call(), sort=True)
