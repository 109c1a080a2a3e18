"""What a start tells of rows in SQL tables whose group is in PocketBase."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from open_webui.models.chat_messages import ChatMessage
from open_webui.models.chats import Chat
from open_webui.models.folders import Folder
from open_webui.models.tags import Tag
from sqlalchemy import event

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.host import unused_rows
from openwebui_pocketbase.host.installation import Installation
from openwebui_pocketbase.host.unused_rows import warn_of_unused_rows
from openwebui_pocketbase.last_start import LastStart
from tests.support.mirrors import client, database
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import StockDatabase

__all__ = ["client", "database"]

BACKENDS = {"tags": "pocketbase"}
TOLD = (
    "{} rows of the SQL table {} are not in PocketBase, and are not shown: {}.\n  What to do: openwebui-pocketbase "
    "migrate copy {} (unless they were deleted in the meantime)"
)


@pytest.fixture(autouse=True)
def information(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="openwebui_pocketbase")


def told(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    found = [record.getMessage() for record in caplog.records if record.levelno == level]
    caplog.clear()
    return [each for each in found if "SQL" in each]


def tag(name: str, user: str = "u") -> dict[str, Any]:
    return {"id": name, "name": name, "user_id": user}


async def put(server: PocketBaseProcess, *tags: dict[str, Any]) -> None:
    with server.admin() as admin:
        for each in tags:
            admin.send("POST", "/api/collections/owui_tags/records", {**each, "id": "", "key": each["id"]})


async def add(database: StockDatabase, *tags: dict[str, Any]) -> None:
    await database.add(*(Tag(**each) for each in tags))


async def test_copies_are_no_matter(
    client: PocketBaseClient,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await warn_of_unused_rows(BACKENDS, client, before=())
    assert (told(caplog), told(caplog, logging.INFO)) == ([], [])
    tags = [tag("a"), tag("ü 'q'"), tag("a", "v")]
    await put(own_pocketbase, *tags, tag("only there"))
    await add(database, *tags)
    await warn_of_unused_rows(BACKENDS, client, before=())
    assert told(caplog, logging.INFO) == ["The 3 rows of the SQL table tag are copies of what is in PocketBase."]
    assert told(caplog) == []
    await warn_of_unused_rows(BACKENDS, client, before=BACKENDS)
    assert (told(caplog), told(caplog, logging.INFO)) == ([], [])


async def test_rows_that_were_not_copied_are_named_at_the_first_start(
    client: PocketBaseClient,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In any page; later they may have been deleted in PocketBase."""
    monkeypatch.setattr(unused_rows, "PAGE", 2)
    monkeypatch.setattr(unused_rows, "BUDGET", 60.0)
    tags = [tag(f"t{number}", user) for number in range(5) for user in ("u", "v")]
    await put(own_pocketbase, *tags[:3], *tags[4:9])
    await add(database, *tags)
    await warn_of_unused_rows(BACKENDS, client, before=["chats"])
    assert told(caplog) == [TOLD.format(2, "tag", "v/t1, v/t4", "tags")]
    monkeypatch.setattr(unused_rows, "PAGE", 2_000)
    await warn_of_unused_rows(BACKENDS, client, before=BACKENDS)
    assert told(caplog) == []


async def test_a_group_that_was_not_copied_is_told_of_at_each_start(
    client: PocketBaseClient, database: StockDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    await database.add(
        Folder(id="f", user_id="u", name="n", created_at=1, updated_at=1),
        Chat(id="c", user_id="u", title="t", chat={}, created_at=1, updated_at=1, meta={}),
    )
    await database.add(ChatMessage(id="c-m", chat_id="c", user_id="u", role="user", created_at=1, updated_at=1))
    for before in ((), ("folders", "chats")):
        await warn_of_unused_rows({"folders": "pocketbase", "chats": "pocketbase"}, client, before=before)
        assert told(caplog) == [
            TOLD.format(1, "folder", "f", "folders"),
            TOLD.format(1, "chat", "c", "chats"),
            TOLD.format(1, "chat_message", "c-m", "chats"),
        ]


async def test_a_start_looks_at_one_page_when_time_is_up(
    client: PocketBaseClient,
    database: StockDatabase,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unused_rows, "PAGE", 3)
    monkeypatch.setattr(unused_rows, "BUDGET", 0.0)
    await add(database, *(tag(f"t{number}") for number in range(10)))
    await warn_of_unused_rows(BACKENDS, client, before=())
    assert told(caplog) == ["At least " + TOLD.format(3, "tag", "u/t0, u/t1, u/t2", "tags")]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_keys_are_read_from_an_index(client: PocketBaseClient, database: StockDatabase) -> None:
    """No row is read for it, however large; PostgreSQL's planner goes by statistics, which a test's table has not."""
    statements: list[tuple[str, Any]] = []
    event.listen(
        database.engine.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, values, *_: statements.append((statement, values)),
    )
    groups = ("tags", "folders", "chats", "models", "messages")
    await warn_of_unused_rows(dict.fromkeys(groups, "pocketbase"), client, before=())
    looked = [(statement, values) for statement, values in statements if "LIMIT" in statement]
    assert len(looked) > 10
    async with database.engine.connect() as connection:
        for statement, values in looked:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            (step,) = [row[3] for row in plan]
            assert "COVERING INDEX" in step, step


async def test_rows_of_another_backend_are_counted(
    client: PocketBaseClient, database: StockDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    await add(database, tag("a"))
    await warn_of_unused_rows({"tags": "other"}, client, before=())
    assert told(caplog) == ["1 rows of the table tag stay in the SQL database and are not shown: tags are in other."]


async def test_a_start_that_cannot_ask_goes_on(
    own_pocketbase: PocketBaseProcess, database: StockDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    await add(database, tag("a"))
    client = own_pocketbase.client(retry=0.0)
    own_pocketbase.kill()
    await warn_of_unused_rows(BACKENDS, client, before=())
    (said,) = told(caplog)
    assert said.startswith("PocketBase could not be asked for the rows of the SQL table tag: ")
    await client.aclose()


def test_only_a_start_that_served_has_looked(tmp_path: Path) -> None:
    """After one that failed the next one looks as if it was the first."""
    installation = object.__new__(Installation)
    installation._data_dir = tmp_path
    assert installation._groups_before() == []
    groups = {"tags": "pocketbase", "folders": "other"}
    LastStart(groups, {}, "", "", at=1, failure="PocketBase does not answer").write(tmp_path)
    assert installation._groups_before() == []
    LastStart(groups, {}, "", "", at=1).write(tmp_path)
    assert installation._groups_before() == ["tags"]
