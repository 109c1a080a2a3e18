"""The first start with files in PocketBase: copies that `migrate copy` has made, and rows of somebody else's."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from open_webui.models.files import File

from openwebui_pocketbase.changes import comparison
from openwebui_pocketbase.changes.settle import kept_aside
from openwebui_pocketbase.changes.status import _adopt, _status
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.repositories.files import stored_record
from tests.support.mirrors import Installation, client, database, no_sockets
from tests.support.stock import StockDatabase

__all__ = ["client", "database", "no_sockets"]

UPLOADS = "/data/uploads"


def file(number: int, **values: Any) -> dict[str, Any]:
    """Return a row as the host's SQL database has it."""
    row = {"id": f"f{number}", "user_id": "u", "hash": "h", "filename": "a ö.txt", "created_at": 5, "updated_at": 7}
    row |= {"path": f"{UPLOADS}/f{number}_a ö.txt", "meta": {"size": 3}}
    return row | {"data": {"status": "completed", "content": f"text {number}"}} | values


def moved(row: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Return a row with its contents in PocketBase."""
    return row | {"path": f"pb://{row['id']}/{row['path'].rsplit('/', 1)[-1]}"} | values


async def put(client: PocketBaseClient, *rows: dict[str, Any]) -> None:
    for row in rows:
        await client.write(
            "files/insert_new_file", {"id": row["id"], "files": [stored_record(row)], "with_text": False}
        )


async def check_copies(installation: Installation, number: int) -> None:
    """Check that all rows of the SQL table are as the mirror has them from PocketBase."""
    (found,) = (await _status(installation.mirror)).tables
    assert (found.equal, found.missing, found.different, found.extra) == (number, (), (), ())


@pytest.fixture
def one(client: PocketBaseClient, database: StockDatabase) -> Installation:
    return Installation(client, ("files",))


async def test_files_that_were_moved_are_copies(
    one: Installation,
    client: PocketBaseClient,
    database: StockDatabase,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They have another path, and their text is apart: nobody is told of it, and the table becomes as in PocketBase."""
    monkeypatch.setattr(comparison, "READ", 2)
    rows = [
        file(1),
        file(2, data={"content": ""}),
        file(3, data=None),
        file(4, data={"content": "with \0"} if database.is_sqlite else {"content": None}),
        file(5, path="s3://bucket/f5_a"),
        file(6, path=None),
        file(7, path="/gone/f7_a"),
    ]
    await put(client, *(moved(row) for row in rows[:4]), *rows[4:])
    await database.add(*(File(**row) for row in rows))
    await one.mirror.start()
    await check_copies(one, 7)
    assert {row["path"] for row in await database.rows("file")} == {
        *(f"pb://f{number}/f{number}_a ö.txt" for number in range(1, 5)),
        *(row["path"] for row in rows[4:]),
    }
    assert await kept_aside() == []
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {"status": "completed", "content": "another text"}},
        {"data": {"status": "completed", "content": ""}},
        {"data": {"status": "pending", "content": "text 1"}},
        {"path": f"{UPLOADS}/f1_another.txt"},
        {"path": "s3://bucket/f1_a ö.txt"},
        {"filename": "b"},
    ],
    ids=["text", "no text", "status", "contents", "bucket", "name"],
)
async def test_files_that_differ_are_kept_as_they_were(
    changes: dict[str, Any],
    one: Installation,
    client: PocketBaseClient,
    database: StockDatabase,
) -> None:
    await put(client, moved(file(1)), moved(file(2)))
    await database.add(File(**file(1, **changes)), File(**file(2)))
    await one.mirror.start()
    await check_copies(one, 2)
    (kept,) = await kept_aside()
    assert kept.row_id == "f1"
    assert kept.content["path"] == changes.get("path", f"{UPLOADS}/f1_a ö.txt")
    taken, ((_, reason),) = await _adopt(one.mirror)
    assert taken == []
    assert reason.startswith("PocketBase has it with another ")
    assert set(changes) <= set(reason.removeprefix("PocketBase has it with another ").split(".")[0].split(", "))
    await client.write("files/delete_all_files", {})
    await put(client, file(1, **changes))
    taken, refused = await _adopt(one.mirror)
    assert ([row.row_id for row in taken], refused, await kept_aside()) == (["f1"], [], [])


async def test_a_file_that_only_the_sql_database_has_is_adopted(
    one: Installation, client: PocketBaseClient, database: StockDatabase
) -> None:
    await put(client, moved(file(1)))
    await database.add(File(**file(1)), File(**file(2)))
    await one.mirror.start()
    assert [row["id"] for row in await database.rows("file")] == ["f1"]
    taken, refused = await _adopt(one.mirror)
    assert ([row.row_id for row in taken], refused) == (["f2"], [])
    await check_copies(one, 2)
    found = {row["id"]: row for row in await database.rows("file")}
    assert (found["f2"]["path"], found["f2"]["data"]["content"]) == (f"{UPLOADS}/f2_a ö.txt", "text 2")
