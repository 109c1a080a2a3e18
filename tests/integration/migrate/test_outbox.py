"""The outbox: every change of the host's SQL database is noted, and no note is lost, whoever writes and reads."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from sqlalchemy import delete, insert, text

from openwebui_pocketbase.changes.sql import begin, close_guard, open_guard
from openwebui_pocketbase.changes.state import create_state
from openwebui_pocketbase.guard import triggers as guard
from openwebui_pocketbase.migrate.items import UNITS, Key, Unit
from openwebui_pocketbase.migrate.sql import outbox as outbox_module
from openwebui_pocketbase.migrate.sql.outbox import Outbox, install, is_installed, remove
from openwebui_pocketbase.migrate.sql.outbox_triggers import OUTBOX
from tests.support.sql_side import SQLITE, database, execute
from tests.support.sql_side import insert as insert_rows
from tests.support.stock import StockDatabase

__all__ = ["database"]

CHAT, TAG, FOLDER, FILE = (UNITS[name] for name in ("chat", "tag", "folder", "file"))
ALL = (CHAT, TAG, FOLDER, FILE)


@pytest.fixture(autouse=True)
async def no_outbox(database: StockDatabase) -> Any:
    await remove()
    yield
    await remove()


@pytest.fixture
async def outbox(database: StockDatabase) -> Outbox:
    await install(ALL)
    return Outbox(UNITS.values())


def chat(chat_id: str, **values: Any) -> dict[str, Any]:
    return {"id": chat_id, "user_id": "u", "title": "t", "meta": "{}", "chat": "{}", **values}


def message(message_id: str, chat_id: str) -> dict[str, Any]:
    return {"id": message_id, "chat_id": chat_id, "role": "user"}


async def taken(outbox: Outbox) -> dict[Unit, set[Key]]:
    """Return what was noted, and forget it."""
    some = await outbox.some()
    assert some is not None
    await outbox.forget()
    return {unit: set(keys) for unit, keys in some.items()}


async def test_every_kind_of_write_is_noted_once(database: StockDatabase, outbox: Outbox) -> None:
    assert await taken(outbox) == {}
    await insert_rows(database, "chat", chat("a"), chat("b"))
    await insert_rows(database, "tag", {"id": "t/1", "user_id": 'u"', "name": "T"})
    assert await outbox.waiting() == 3
    assert await taken(outbox) == {CHAT: {("a",), ("b",)}, TAG: {('u"', "t/1")}}
    await execute(database, "UPDATE chat SET title = 'x' WHERE id = 'a'")
    await insert_rows(database, "chat_message", message("a-1", "a"), message("b-1", "b"))
    assert await taken(outbox) == {CHAT: {("a",), ("b",)}}
    await execute(database, "UPDATE tag SET user_id = 'v'")
    assert await taken(outbox) == {TAG: {('u"', "t/1"), ("v", "t/1")}}
    await execute(database, "UPDATE chat_message SET chat_id = 'b' WHERE id = 'a-1'")
    assert await taken(outbox) == {CHAT: {("a",), ("b",)}}
    await execute(database, "DELETE FROM chat_message WHERE id = 'b-1'")
    assert await taken(outbox) == {CHAT: {("b",)}}
    await execute(database, "DELETE FROM chat WHERE id = 'a'")
    assert await taken(outbox) == {CHAT: {("a",)}}
    assert (await taken(outbox), await outbox.waiting()) == ({}, 0)


async def test_a_note_per_key_and_transaction(database: StockDatabase, outbox: Outbox) -> None:
    await insert_rows(database, "chat", chat("a"))
    await taken(outbox)
    await insert_rows(database, "chat_message", *(message(f"a-{number}", "a") for number in range(500)))
    assert await outbox.waiting() == 1


async def test_what_is_rolled_back_is_not_noted(database: StockDatabase, outbox: Outbox) -> None:
    async with database.engine.connect() as connection:
        await connection.execute(text("INSERT INTO folder VALUES ('f', NULL, 'u', 'n', NULL, NULL, false, 1, 1, NULL)"))
        await connection.rollback()
    assert await outbox.waiting() == 0


async def test_a_change_while_its_note_is_handled_is_not_lost(database: StockDatabase, outbox: Outbox) -> None:
    await insert_rows(database, "chat", chat("a"))
    assert await outbox.some() == {CHAT: {("a",)}}
    await execute(database, "UPDATE chat SET title = 'later'")
    await outbox.forget()
    assert await taken(outbox) == {CHAT: {("a",)}}
    await outbox.forget()  # twice does no harm
    assert await outbox.waiting() == 0


@SQLITE
async def test_ignoring_conflicts_does_not_ignore_notes(database: StockDatabase, outbox: Outbox) -> None:
    """A statement's own OR IGNORE or OR REPLACE holds within its triggers too."""
    await insert_rows(database, "chat", chat("a"))
    assert await outbox.some() == {CHAT: {("a",)}}
    await execute(database, "UPDATE OR IGNORE chat SET title = 'later'")
    await execute(database, "INSERT OR REPLACE INTO chat (id, meta) VALUES ('a', '{}')")
    await outbox.forget()
    assert await taken(outbox) == {CHAT: {("a",)}}


@pytest.mark.postgresql
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_a_transaction_with_a_lower_number_is_not_lost(database: StockDatabase, outbox: Outbox) -> None:
    async with database.engine.connect() as slow:
        await slow.execute(text("INSERT INTO chat (id, meta) VALUES ('slow', '{}')"))
        await insert_rows(database, "chat", chat("fast"))
        assert await taken(outbox) == {CHAT: {("fast",)}}
        assert await outbox.some() == {}
        await slow.commit()
        await outbox.forget()
    assert await taken(outbox) == {CHAT: {("slow",)}}


@pytest.mark.postgresql
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_writers_of_one_chat_do_not_wait_for_each_other(database: StockDatabase, outbox: Outbox) -> None:
    await insert_rows(database, "chat", chat("a"))
    async with database.engine.connect() as one, database.engine.connect() as other:
        for number, connection in enumerate((one, other)):
            await connection.execute(text("SET LOCAL lock_timeout = '1s'"))
            statement = "INSERT INTO chat_message (id, chat_id, role) VALUES (:id, 'a', 'user')"
            await connection.execute(text(statement), {"id": f"a-{number}"})
        await one.commit()
        await other.commit()
    assert await taken(outbox) == {CHAT: {("a",)}}


@pytest.mark.postgresql
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", ["chat CASCADE", "chat_message"])
async def test_after_truncate_nobody_knows(table: str, database: StockDatabase, outbox: Outbox) -> None:
    await insert_rows(database, "chat", chat("a"))
    await execute(database, f"TRUNCATE {table}")
    assert await outbox.some() is None
    await insert_rows(database, "tag", {"id": "t", "user_id": "u"})
    await outbox.forget()
    assert await taken(outbox) == {TAG: {("u", "t")}}


@pytest.mark.postgresql
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_other_search_paths_find_the_outbox(database: StockDatabase, outbox: Outbox) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text("SET LOCAL search_path TO pg_catalog"))
        await connection.execute(text("INSERT INTO public.chat (id, meta) VALUES ('a', '{}')"))
    assert await taken(outbox) == {CHAT: {("a",)}}


async def test_too_many_notes_are_none(
    database: StockDatabase, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "MANY", 10)
    await insert_rows(database, "chat", *(chat(str(number)) for number in range(11)))
    assert await outbox.some() is None
    await insert_rows(database, "chat", chat("later"))
    await outbox.forget()
    assert await taken(outbox) == {CHAT: {("later",)}}


async def test_some_are_a_thousand_and_the_oldest(database: StockDatabase, outbox: Outbox) -> None:
    await insert_rows(database, "chat", *(chat(f"{number:05}") for number in range(2500)))
    found = [await taken(outbox) for _ in range(4)]
    assert [len(each.get(CHAT, ())) for each in found] == [1000, 1000, 500, 0]
    assert max(found[0][CHAT]) == ("00999",)


async def test_notes_of_keys_that_no_text_can_be_are_passed_over(database: StockDatabase, outbox: Outbox) -> None:
    """Neither does the write fail, nor does its note stop the reader."""
    async with begin() as connection:
        await connection.execute(insert(OUTBOX).values(unit="chat", key="[null]"))
        await connection.execute(insert(OUTBOX).values(unit="of another version", key='["x"]'))
    assert await taken(outbox) == {}
    assert await outbox.waiting() == 0


@SQLITE
async def test_blobs_and_bytes_as_keys_do_no_harm(database: StockDatabase, outbox: Outbox) -> None:
    await execute(database, "INSERT INTO chat (id, meta) VALUES (x'ff00', '{}'), (CAST(x'c3' AS TEXT), '{}')")
    assert len((await taken(outbox))[CHAT]) > 0
    assert await outbox.waiting() == 0


async def test_installing_and_removing_again_changes_nothing(database: StockDatabase) -> None:
    assert not await is_installed([CHAT])
    assert await install([CHAT])
    assert not await install([CHAT])
    assert await is_installed([CHAT])
    assert not await is_installed(ALL)
    assert await install([TAG])
    assert not await is_installed([CHAT])
    await insert_rows(database, "chat", chat("a"))
    await insert_rows(database, "tag", {"id": "t", "user_id": "u"})
    assert await taken(Outbox(UNITS.values())) == {TAG: {("u", "t")}}
    await remove()
    await remove()
    assert await leftovers(database) == []
    await insert_rows(database, "tag", {"id": "t2", "user_id": "u"})


async def leftovers(database: StockDatabase) -> Collection[str]:
    if database.is_sqlite:
        query = "SELECT name FROM sqlite_master WHERE name LIKE 'owui!_%outbox%' ESCAPE '!'"
    else:
        query = (
            "SELECT tgname::text FROM pg_trigger WHERE tgname LIKE 'owui_outbox%' UNION ALL "
            "SELECT proname::text FROM pg_proc WHERE proname LIKE 'owui_outbox%' UNION ALL "
            "SELECT relname::text FROM pg_class WHERE relname LIKE 'owui_pocketbase_outbox%'"
        )
    async with database.engine.connect() as connection:
        return list((await connection.execute(text(query))).scalars())


async def test_installing_does_not_lock_when_all_is_there(database: StockDatabase, outbox: Outbox) -> None:
    async with database.engine.connect() as writer:
        await writer.execute(text("INSERT INTO chat (id, meta) VALUES ('a', '{}')"))
        assert not await install(ALL)
        await writer.rollback()


async def test_a_lost_or_altered_trigger_is_missed(database: StockDatabase, outbox: Outbox) -> None:
    if database.is_sqlite:
        await execute(database, "CREATE TABLE other AS SELECT * FROM tag")
        await execute(database, "DROP TABLE tag")
        await execute(database, "ALTER TABLE other RENAME TO tag")
    else:
        await execute(database, "ALTER TABLE tag DISABLE TRIGGER owui_outbox_tag_row")
    assert not await is_installed(ALL)
    assert await is_installed([CHAT])
    assert await install(ALL)
    assert await is_installed(ALL)
    await insert_rows(database, "tag", {"id": "t", "user_id": "u"})
    assert await taken(outbox) == {TAG: {("u", "t")}}


async def test_writes_past_the_guard_are_noted(database: StockDatabase, outbox: Outbox) -> None:
    await create_state()
    refusing = [guard.Refusing("chat", "moved")]
    async with begin() as connection:
        await connection.run_sync(lambda c: guard.install(c, refusing, schema=None))
    try:
        async with begin() as connection:
            await open_guard(connection)
            await connection.execute(text("INSERT INTO chat (id, meta) VALUES ('a', '{}')"))
            await close_guard(connection)
        assert await taken(outbox) == {CHAT: {("a",)}}
    finally:
        async with begin() as connection:
            await connection.run_sync(lambda c: guard.remove(c, schema=None))
            await connection.execute(delete(OUTBOX))
