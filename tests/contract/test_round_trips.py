"""One call of a repository is one request to PocketBase, or none where the stock method asks nothing either."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from open_webui.models.folders import FolderForm, FolderUpdateForm

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.client.transport import Answer, Transport
from openwebui_pocketbase.repositories.folders import PocketBaseFolders
from openwebui_pocketbase.repositories.tags import PocketBaseTags
from tests.support.differential import clear, public_methods
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import sqlite_database

TAGS: list[tuple[Any, ...]] = [
    (1, "insert_new_tag", "a", "u1"),
    (1, "insert_new_tag", "a", "u1"),
    (1, "ensure_tags_exist", ["a", "b", "c"], "u1"),
    (1, "ensure_tags_exist", ["a", "b", "c"], "u1"),
    (0, "ensure_tags_exist", [], "u1"),
    (1, "get_tag_by_name_and_user_id", "a", "u1"),
    (1, "get_tag_by_name_and_user_id", "x", "u1"),
    (1, "get_tags_by_user_id", "u1"),
    (1, "get_tags_by_ids_and_user_id", ["a", "b"], "u1"),
    (1, "get_tags_by_ids_and_user_id", [], "u1"),
    (1, "delete_tag_by_name_and_user_id", "a", "u1"),
    (1, "delete_tag_by_name_and_user_id", "a", "u1"),
    (1, "delete_tags_by_ids_and_user_id", ["b", "c"], "u1"),
    (0, "delete_tags_by_ids_and_user_id", [], "u1"),
]

FOLDERS: list[tuple[Any, ...]] = [
    (1, "insert_new_folder", "u1", FolderForm(name="b"), "id of a"),
    (1, "get_folder_by_id", "id of a"),
    (1, "get_folder_by_id", "x"),
    (1, "get_folder_by_id_and_user_id", "id of a", "u1"),
    (1, "get_folders_by_ids", ["id of a", "x"]),
    (1, "get_folders_by_ids", []),
    (1, "get_shared_folder_ids_for_user", "u1", {"g1"}),
    (1, "get_children_folders_by_id_and_user_id", "id of a", "u1"),
    (1, "get_children_folders_by_id_and_user_id", "x", "u1"),
    (1, "get_folders_by_user_id", "u1"),
    (1, "get_folder_by_parent_id_and_user_id_and_name", None, "u1", "a"),
    (1, "get_folders_by_parent_id_and_user_id", "id of a", "u1"),
    (1, "get_folder_ids_by_id_and_user_id_in_subtree", "id of a", "u1"),
    (1, "update_folder_parent_id_by_id_and_user_id", "id of a", "u1", None),
    (1, "update_folder_by_id_and_user_id", "id of a", "u1", FolderUpdateForm(name="c", data={"a": 1})),
    (1, "update_folder_by_id_and_user_id", "x", "u1", FolderUpdateForm(name="c")),
    (1, "update_folder_is_expanded_by_id_and_user_id", "id of a", "u1", True),
    (1, "search_folders_by_names", "u1", ["c", "b"]),
    (0, "search_folders_by_names", "u1", []),
    (1, "search_folders_by_name_contains", "u1", "c"),
    (1, "delete_folder_by_id_and_user_id", "id of a", "u1"),
    (1, "delete_folder_by_id_and_user_id", "id of a", "u1"),
    (0, "normalize_folder_name", "a"),
]


@pytest.fixture
async def client(pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseClient]:
    client = pocketbase.client()
    for table in ("tag", "folder"):
        await clear(client, table)  # and signs in
    yield client
    await client.aclose()


@pytest.fixture
def requests(client: PocketBaseClient, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The requests that were sent."""
    sent: list[bytes] = []
    send = Transport.send

    async def count(self: Transport, head: bytes, body: bytes) -> Answer:
        sent.append(head)
        return await send(self, head, body)

    monkeypatch.setattr(Transport, "send", count)
    return sent


async def measure(repository: Any, calls: list[tuple[Any, ...]], requests: list[bytes]) -> list[tuple[Any, ...]]:
    counted = []
    for _, method, *args in calls:
        requests.clear()
        result = getattr(repository, method)(*args)
        if method != "normalize_folder_name":
            await result
        counted.append((len(requests), method, *args))
    return counted


async def test_tags(client: PocketBaseClient, requests: list[bytes]) -> None:
    tags = PocketBaseTags()
    tags.pocketbase = client
    assert await measure(tags, TAGS, requests) == TAGS


async def test_folders(client: PocketBaseClient, requests: list[bytes], tmp_path: Path) -> None:
    folders = PocketBaseFolders()
    folders.pocketbase = client
    requests.clear()
    parent = await folders.insert_new_folder("u1", FolderForm(name="a"))
    assert len(requests) == 1
    calls = [tuple(parent.id if item == "id of a" else item for item in call) for call in FOLDERS]
    database = sqlite_database(tmp_path)
    try:
        with database.active():
            assert await measure(folders, calls, requests) == calls
    finally:
        await database.close()


@pytest.mark.parametrize(("name", "calls"), [("Tags", TAGS), ("Folders", FOLDERS)])
def test_every_method_is_counted(name: str, calls: list[tuple[Any, ...]]) -> None:
    assert {method for _, method, *_ in calls} == public_methods(name)
