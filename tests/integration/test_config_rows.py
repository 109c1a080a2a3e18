"""Taking the configuration along: from the SQL database to PocketBase at the first start, and back."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.config import Config

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.host.config_rows import adopt_config, bring_config_back
from tests.support.pocketbase import PocketBaseProcess
from tests.support.sql_side import database, execute  # noqa: F401 - a fixture
from tests.support.stock import StockDatabase

ODD = {
    "ui.name": '"N"',
    "twice": '{"a": 1, "a": 2}',
    "surrogate": '"\\ud83d"',
    "deep": "[" * 900 + "]" * 900,
    "none": "null",
    "number": "5",
    "escaped": '"\\u00e9"',
}
"""JSON texts as scripts can leave them."""


@pytest.fixture
async def client(own_pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseClient]:
    client = own_pocketbase.client()
    yield client
    await client.aclose()


async def put(database: StockDatabase, texts: dict[str, str]) -> None:  # noqa: F811 - not the fixture
    rows = [{"key": key, "value": text, "at": 1_700_000_000 + at} for at, (key, text) in enumerate(texts.items())]
    await execute(database, "INSERT INTO config (key, value, updated_at) VALUES (:key, :value, :at)", *rows)


async def stored(database: StockDatabase) -> list[dict[str, Any]]:  # noqa: F811 - not the fixture
    return sorted(await database.rows("config"), key=lambda row: str(row["key"]))


async def entries(client: PocketBaseClient) -> dict[str, Any]:
    return dict((await client.read("config/get_entries", {"version": ""}))["entries"])


async def test_rows_are_taken_along_once(
    database: StockDatabase,  # noqa: F811
    client: PocketBaseClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await put(database, ODD)
    before = await stored(database)
    with caplog.at_level(logging.INFO, "openwebui_pocketbase"):
        await adopt_config(client)
    taken = await entries(client)
    assert [*taken] == [key for key in ODD if key != "surrogate"]
    assert (json.loads(taken["twice"]), taken["none"], taken["number"]) == ({"a": 2}, "null", 5)
    assert "6 rows of the SQL table config" in caplog.text
    assert "surrogate (" in caplog.text
    await client.write("config/clear", {})
    await adopt_config(client)
    assert await entries(client) == {}, "it was emptied on purpose"
    assert await stored(database) == before


async def test_what_another_process_has_taken_stays(database: StockDatabase, client: PocketBaseClient) -> None:  # noqa: F811
    await put(database, {"a": "1"})
    change = {"version": None, "set": [["a", "2"]], "added": [], "removed": [], "now": 1}
    await client.write("config/change", change)
    await adopt_config(client)
    assert await entries(client) == {"a": 2}


async def test_nothing_to_take(database: StockDatabase, client: PocketBaseClient) -> None:  # noqa: F811
    await adopt_config(client)
    assert await entries(client) == {}


async def test_rows_are_brought_back(
    database: StockDatabase,  # noqa: F811
    client: PocketBaseClient,
    own_pocketbase: PocketBaseProcess,
) -> None:
    await put(database, {"old": "1", "a": "1"})
    assert await bring_config_back(client) == 0
    assert [row["key"] for row in await stored(database)] == ["a", "old"], "PocketBase has never had any"
    change = {
        "version": None,
        "set": [["a", '{"b":[1.5,null]}'], ["c", "null"], ["d", '"é"']],
        "added": [],
        "removed": [],
        "now": 3,
    }
    await client.write("config/change", change)
    for _ in range(2):
        assert await bring_config_back(client) == 3
        rows = [(row["key"], row["value"], row["updated_at"]) for row in await stored(database)]
        assert rows == [("a", {"b": [1.5, None]}, 3), ("c", None, 3), ("d", "é", 3)]
        with own_pocketbase.admin() as admin:
            admin.sql("INSERT OR REPLACE INTO owui_config (id, key, value) VALUES ('0123456789abcdef', 'bad', '{')")
    with database.active():
        assert await Config.get_many("a", "c", "d") == {"a": {"b": [1.5, None]}, "c": None, "d": "é"}
