"""Reads whose statements PocketBase keeps prepared: nothing that happens meanwhile makes their answers old."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing

import pytest

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import ResponseError
from tests.support.pocketbase import PocketBaseProcess

OFTEN = 12
"""More than it takes until the statement is prepared."""


@pytest.fixture
async def client(own_pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseClient]:
    client = own_pocketbase.client()
    yield client
    await client.aclose()


async def names(client: PocketBaseClient) -> list[str]:
    """Return a user's tags, read often."""
    for _ in range(OFTEN):
        rows = await client.read("tags/get_tags_by_user_id", {"user_id": "u"})
    return [row[1] for row in rows]


async def tag(client: PocketBaseClient, name: str) -> None:
    row = {"id": name, "name": name, "user_id": "u", "meta": None}
    await client.write("tags/insert_new_tag", {"tag": row})


async def test_they_see_each_write(client: PocketBaseClient, own_pocketbase: PocketBaseProcess) -> None:
    assert await names(client) == []
    await tag(client, "a")
    assert await names(client) == ["a"]
    with closing(sqlite3.connect(own_pocketbase.data_dir / "data.db")) as database:
        with database:
            database.execute("UPDATE owui_tags SET name = 'b'")
        assert await names(client) == ["b"]
        assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "a reader is in the way"


async def test_the_schema_may_change(client: PocketBaseClient, own_pocketbase: PocketBaseProcess) -> None:
    await tag(client, "a")
    assert await names(client) == ["a"]
    with own_pocketbase.admin() as admin:
        admin.sql("CREATE INDEX of_a_test ON owui_tags (user_id, name)")
        assert await names(client) == ["a"]
        admin.sql("ALTER TABLE owui_tags RENAME TO elsewhere")
        with pytest.raises(ResponseError):
            await client.read("tags/get_tags_by_user_id", {"user_id": "u"})
        admin.sql("ALTER TABLE elsewhere RENAME TO owui_tags")
    assert await names(client) == ["a"]


async def test_many_at_once(client: PocketBaseClient) -> None:
    """Those for whom PocketBase makes a JavaScript runtime of their own get their answers as well."""
    await tag(client, "a")
    assert await asyncio.gather(*(names(client) for _ in range(60))) == [["a"]] * 60
