"""Rows as real sites have them, to PocketBase and back: nothing stops the copy, and nothing is lost unnamed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from openwebui_pocketbase.migrate.comparison import Comparison
from openwebui_pocketbase.migrate.copy import Copy
from openwebui_pocketbase.migrate.items import UNITS, Note
from openwebui_pocketbase.migrate.pocketbase.store import PocketBaseStore
from openwebui_pocketbase.migrate.sql.store import SqlStore
from openwebui_pocketbase.migrate.verify import Verification, Verified
from tests.support.pocketbase import PocketBaseProcess
from tests.support.sql_side import database, execute, insert
from tests.support.stock import StockDatabase

__all__ = ["database"]

USER = {"role": "user", "profile_image_url": "", "last_active_at": 1, "updated_at": 1, "created_at": 1}
DOCUMENTS = ("null", '"null"', '""', '"{}"', '"{\\"a\\": 1}"', "-1", "300", "3.14", "true", '"123"', "9007199254740993")
BODIES = {
    "without-history": {"title": "x"},
    "flat": {"messages": [{"id": "m", "role": "user", "content": "flat"}]},
    "loop": {"history": {"currentId": "a", "messages": {"a": {"id": "a", "parentId": "b"}, "b": {"parentId": "a"}}}},
    "lost-children": {"history": {"messages": {"a": {"id": "a", "childrenIds": ["gone"], "role": "user"}}}},
    "proto": {"history": {"messages": {"__proto__": {"id": "__proto__", "role": "user", "content": "p"}}}},
    "list": {"history": {"messages": ["a"]}},
}


@pytest.fixture
async def store(own_pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseStore]:
    client = own_pocketbase.client()
    yield PocketBaseStore(client)
    await client.aclose()


async def fill(database: StockDatabase) -> None:
    """Insert what people report of their databases."""
    await insert(database, "user", {"id": "u1", "name": "Ada", "email": "Ada@example.org", **USER})
    await insert(database, "user", {"id": "u2", "name": "Bob", "email": "bob@example.org", **USER})
    await insert(database, "auth", {"id": "u1", "email": "ada@example.org", "password": "$2b$x", "active": True})
    for number, document in enumerate((None, *DOCUMENTS)):
        row = {"id": f"f{number}", "user_id": "u1", "name": "n", "is_expanded": False, "meta": document}
        await insert(database, "folder", {**row, "created_at": 1700000000123, "updated_at": 1})
    await insert(database, "folder", {**row, "id": "twice", "created_at": 1, "updated_at": 1})
    await insert(database, "folder", {**row, "id": "twice", "user_id": "u2", "created_at": 1, "updated_at": 1})
    await insert(database, "tag", {"id": "not the slug", "name": "Name", "user_id": "u1", "meta": "null"})
    for name, body in BODIES.items():
        meta = json.dumps({"tags": ["not the slug"]})
        await insert(
            database, "chat", {"id": name, "user_id": "u1", "title": "t", "meta": meta, "chat": json.dumps(body)}
        )
    for key, chat in (("loop-a", "loop"), ("loop-extra", "loop"), ("odd id", "loop")):
        await insert(database, "chat_message", {"id": key, "chat_id": chat, "role": "user", "content": '"text"'})
    channel = {"user_id": "u1", "name": "c", "created_at": 1, "updated_at": 2**62}
    await insert(database, "channel", {"id": "c1", **channel})
    for number in range(2):
        member = {
            "id": f"cm{number}",
            "channel_id": "c1",
            "user_id": "u1",
            "role": "x",
            "status": "joined",
            "joined_at": 1,
        }
        flags = {"is_active": True, "is_channel_muted": False, "is_channel_pinned": False}
        await insert(database, "channel_member", {**member, **flags})
    if database.is_sqlite:  # PostgreSQL's foreign keys, types and texts refuse these
        await insert(database, "group_member", {"id": "gm", "group_id": "gone", "user_id": "u1"})
        await insert(database, "chat_message", {"id": "gone-m", "chat_id": "gone", "role": "user", "content": '"lost"'})
        await insert(
            database,
            "chat_file",
            {"id": "cf", "user_id": "u1", "chat_id": "loop", "file_id": "gone", "created_at": 1, "updated_at": 1},
        )
        await insert(database, "folder", {**row, "id": "float", "created_at": 1700000000.5, "updated_at": 1})
        await insert(database, "folder", {**row, "id": "nul", "name": "a\x00b", "created_at": 1, "updated_at": 1})
        await execute(database, "UPDATE \"user\" SET date_of_birth = '' WHERE id = 'u2'")
        await execute(database, "UPDATE folder SET meta = '[\"\\ud800\"]' WHERE id = 'f1'")
        await execute(database, "UPDATE folder SET meta = '{broken' WHERE id = 'f2'")


EXPECTED = {
    ("folder", "twice", True),
    ("chat_message", "odd id", True),
}
ON_SQLITE = {
    ("folder", "float", False),
    ("folder", "f1", False),
    ("folder", "f2", True),
    ("user", "u2", False),
}


async def copy_all(source: Any, target: Any, kept: Any = None) -> list[Note]:
    notes: list[Note] = []
    copy = Copy(Comparison(source, target, kept=kept), contents=None)  # type: ignore[arg-type]  # there are no files
    for unit in UNITS.values():
        if unit.name != "file":
            notes += [note async for copied in copy.of_unit(unit) for note in copied.notes]
    return notes


async def verified(source: Any, target: Any, kept: Any = None) -> list[Verified]:
    verification = Verification(Comparison(source, target, kept=kept), contents=None)  # type: ignore[arg-type]
    units = [unit for unit in UNITS.values() if unit.name != "file"]
    return [[found async for found in verification.of_unit(unit)][-1] for unit in units]


async def test_everything_moves_or_is_named_and_comes_back(database: StockDatabase, store: PocketBaseStore) -> None:
    await fill(database)
    sql = SqlStore()
    names = [name for unit in UNITS.values() for name in unit.tables]
    unreadable = {"user", "folder"} if database.is_sqlite else set()
    before = {name: await database.rows(name) for name in names if name not in unreadable}

    notes = await copy_all(sql, store)
    found = {(note.table, note.key.rpartition("/")[2], note.is_left_out) for note in notes}
    assert found == EXPECTED | (ON_SQLITE if database.is_sqlite else set())
    assert [each for each in await verified(sql, store) if not each.is_equal] == []
    assert {name: await database.rows(name) for name in before} == before  # the source is as it was
    chat = (await store.load(UNITS["chat"], [("proto",)]))["proto",].rows["chat"][0]["chat"]
    assert chat == BODIES["proto"]

    # The way back does not touch what never came along, and brings what is new.
    left_out: dict[str, set[str]] = {}
    for note in notes:
        if note.is_left_out:
            left_out.setdefault(note.table, set()).add(note.key)
    await store.remove(UNITS["chat"], [("flat",)])
    await copy_all(store, sql, left_out)
    assert [each for each in await verified(store, sql, left_out) if not each.is_equal] == []
    rows = {row["id"] for row in await database.rows("chat")}
    assert rows == {*BODIES} - {"flat"}
    assert "odd id" in {row["id"] for row in await database.rows("chat_message")}
    async with database.engine.connect() as connection:
        count = await connection.execute(text("SELECT count(*) FROM folder WHERE id IN ('twice', 'f2')"))
        assert count.scalar() == 3


async def test_unique_values_can_change_places(database: StockDatabase, store: PocketBaseStore) -> None:
    for number in range(3):
        await insert(database, "user", {"id": f"u{number}", "name": "n", "email": f"{number}@example.org", **USER})
    sql = SqlStore()
    assert await copy_all(sql, store) == []
    # Two exchange their addresses; a third gives its own up, and somebody new takes it.
    for number, email in ((0, "x"), (1, "0@example.org"), (0, "1@example.org"), (2, "free@example.org")):
        await execute(database, f"UPDATE \"user\" SET email = '{email}' WHERE id = 'u{number}'")
    await insert(database, "user", {"id": "a-new-one", "name": "n", "email": "2@example.org", **USER})
    copy = Copy(Comparison(sql, store), contents=None)  # type: ignore[arg-type]  # there are no files
    done = await copy.of_keys(UNITS["user"], [("a-new-one",), ("u0",), ("u1",)])
    assert [note.key for note in done.notes] == ["a-new-one"]
    assert done.refused == [("a-new-one",)]
    assert await copy_all(sql, store) == []
    assert [each for each in await verified(sql, store) if not each.is_equal] == []
