"""The host's SQL database as one side of a move: what is read, a moment of it, and what is written."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from open_webui.internal import db as host
from open_webui.utils.json_codec import JSONCodec
from sqlalchemy import event, text

from openwebui_pocketbase.migrate.items import UNITS, Item, Key, Note, Row, canonical
from openwebui_pocketbase.migrate.sql import store as sql_module
from openwebui_pocketbase.migrate.sql.store import SqlStore
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.sql_side import SQLITE, all_items, all_keys, database, execute, insert, notes
from tests.support.stock import StockDatabase

__all__ = ["database"]

POSTGRESQL = pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
CHAT, FOLDER, USER, TAG = (UNITS[name] for name in ("chat", "folder", "user", "tag"))


def folder(folder_id: str, **values: Any) -> dict[str, Any]:
    return {
        "id": folder_id, "user_id": "u", "name": "n", "is_expanded": False, "created_at": 1, "updated_at": 1, **values
    }  # fmt: skip


def chat(chat_id: str, **values: Any) -> dict[str, Any]:
    return {"id": chat_id, "user_id": "u", "title": "t", "meta": "{}", "chat": "{}", **values}


def message(message_id: str, chat_id: str, **values: Any) -> dict[str, Any]:
    return {"id": message_id, "chat_id": chat_id, "role": "user", **values}


@pytest.fixture
def store(database: StockDatabase) -> SqlStore:
    return SqlStore()


async def one(store: SqlStore, table: str, *key: str) -> tuple[Row, list[str]]:
    """Return the row of an item, and the reasons of its notes."""
    (item,) = (await store.load(UNITS[table], [key])).values()
    (row,) = item.rows[table]
    return row, [note.reason for note in item.notes]


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        (None, None),
        ("null", None),
        ('"null"', "null"),
        ('""', ""),
        ('"{}"', "{}"),
        (json.dumps(json.dumps({"a": 1})), '{"a": 1}'),
        ("-1", -1),
        ("300", 300),
        ("3.14", 3.14),
        ("true", True),
        ('"123"', "123"),
        ("9007199254740993", 9007199254740993),
        ('{"b": 1.0, "a": [1, {"": null}]}', {"b": 1.0, "a": [1, {"": None}]}),
    ],
)
async def test_json_of_every_kind_is_what_the_host_reads(
    stored: str | None, value: Any, database: StockDatabase, store: SqlStore
) -> None:
    await insert(database, "folder", folder("f", meta=stored))
    row, reasons = await one(store, "folder", "f")
    assert (row["meta"], type(row["meta"]), reasons) == (value, type(value), [])
    await insert(database, "model", {"id": "m", "is_active": True, "meta": stored})
    row, reasons = await one(store, "model", "m")
    assert (row["meta"], type(row["meta"]), reasons) == (value, type(value), [])


async def test_columns_come_in_the_order_of_the_declaration(database: StockDatabase, store: SqlStore) -> None:
    await insert(database, "user", {"id": "u", "name": "N", "email": "A@x", "date_of_birth": date(2000, 2, 29)})
    await insert(database, "tag", {"id": "other than its slug", "user_id": "u", "name": "Tag"})
    for table, key in (("user", ("u",)), ("tag", ("u", "other than its slug"))):
        row, reasons = await one(store, table, *key)
        assert ([*row], reasons) == ([column.name for column in TABLES[table].columns], [])
    assert (await one(store, "user", "u"))[0]["date_of_birth"] == date(2000, 2, 29)


@SQLITE
async def test_values_that_only_sqlite_holds(database: StockDatabase, store: SqlStore) -> None:
    rows = {
        "float": ("updated_at", "1700000000.5", 1700000000, ["updated_at: 1700000000.5 became 1700000000"]),
        "milliseconds": ("updated_at", "1700000000123", 1700000000123, []),
        "word": ("name", "x'ff61'", "\ufffda", ["name: bytes that are no UTF-8 became U+FFFD"]),
        "bytes": ("name", "CAST(x'61ff' AS TEXT)", "a\ufffd", ["name: bytes that are no UTF-8 became U+FFFD"]),
        "surrogate": ("name", "CAST(x'61eda080' AS TEXT)", "a\ufffd", ["name: bytes that are no UTF-8 became U+FFFD"]),
        "NUL": ("name", "'a' || char(0) || 'b'", "a\x00b", []),
        "lone": ("meta", "'[\"\\ud800\"]'", ["\ufffd"], ["meta: a surrogate without its other half became U+FFFD"]),
        "empty": ("meta", "''", None, ["meta: an empty text, which is no JSON, became null"]),
        "blob": ("meta", "x'7b7d'", {}, []),
        "truth": ("is_expanded", "'false'", False, ["is_expanded: 'false' became false"]),
    }
    for key, (column, stored, _, _) in rows.items():
        await insert(database, "folder", folder(key))
        await execute(database, f"UPDATE folder SET {column} = {stored.replace(':', chr(92) + ':')} WHERE id = '{key}'")
    for key, (column, _, value, reasons) in rows.items():
        row, found = await one(store, "folder", key)
        assert (key, row[column], found) == (key, value, reasons)
    assert len(await all_items(store, FOLDER)) == len(rows)


@SQLITE
@pytest.mark.parametrize(
    ("stored", "value"), [("", None), ("2000-13-01", None), ("2000-01-02 03:04", date(2000, 1, 2))]
)
async def test_dates_that_are_none(stored: str, value: Any, database: StockDatabase, store: SqlStore) -> None:
    await insert(database, "user", {"id": "u", "name": "N", "date_of_birth": stored})
    row, reasons = await one(store, "user", "u")
    assert (row["date_of_birth"], len(reasons)) == (value, 1)


@SQLITE
async def test_a_row_that_the_host_cannot_read_is_only_a_note(database: StockDatabase, store: SqlStore) -> None:
    await insert(database, "chat", chat("bad", chat="{"), chat("good"))
    await insert(
        database, "chat_message", message("bad-1", "bad", content=None), message("good-1", "good", content="nothing")
    )
    items = await all_items(store, CHAT)
    assert {key: [*map(len, item.rows.values())] for key, item in items.items()} == {
        ("bad",): [0, 1],
        ("good",): [1, 0],
    }
    assert notes(items.values()) == [
        Note("chat", "bad", "chat: '{' is no JSON that Open WebUI can read", is_left_out=True),
        Note("chat_message", "good-1", "content: 'nothing' is no JSON that Open WebUI can read", is_left_out=True),
    ]


async def test_the_first_of_two_folders_with_one_id_stays(database: StockDatabase, store: SqlStore) -> None:
    await insert(database, "folder", folder("z", user_id="z"), folder("f", user_id="b"), folder("f", user_id="a"))
    assert await all_keys(store, FOLDER) == [("z",), ("f",)]
    items = await store.load(FOLDER, [("f",), ("z",)])
    assert items["f",].rows["folder"][0]["user_id"] == "b"
    (note,) = notes(items.values())
    assert (note.table, note.key, note.is_left_out) == ("folder", "f", True)
    assert "f/a" in note.reason


async def test_messages_come_with_their_chat_and_orphans_last(database: StockDatabase, store: SqlStore) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL's foreign keys leave no orphans")
    await insert(database, "chat", chat("b"), chat("a", chat=json.dumps({"x": "y" * 5000})))
    await insert(database, "chat_message", message("o-2", "o"), message("o-1", "o"), message("b-1", "b"))
    sized = [each async for page in store.keys(CHAT) for each in page]
    assert [each.key for each in sized] == [("b",), ("a",), ("o",)]
    assert sized[0].size < 100
    assert sized[1].size in range(5000, 6000)
    items = await store.load(CHAT, [("o",), ("b",), ("missing",)])
    assert [row["id"] for row in items["o",].rows["chat_message"]] == ["o-1", "o-2"]
    assert (items["o",].rows["chat"], items["o",].notes) == ([], ())
    assert len(items) == 2
    assert await store.known(CHAT, [("o",), ("b",), ("missing",), ("a\x00",)]) == {("o",), ("b",)}


async def test_messages_are_in_the_order_of_their_ids_whatever_the_collation(
    database: StockDatabase, store: SqlStore
) -> None:
    ids = ["a-b", "a-B", "a-_", "a-é", "a-1", "a-Z"]
    await insert(database, "chat", chat("a"))
    await insert(database, "chat_message", *(message(each, "a") for each in ids))
    (item,) = (await store.load(CHAT, [("a",)])).values()
    assert [row["id"] for row in item.rows["chat_message"]] == sorted(ids)


@SQLITE
async def test_rows_without_a_key_are_passed_over(database: StockDatabase, store: SqlStore) -> None:
    await execute(database, "DROP TABLE chat_file")
    await execute(database, "CREATE TABLE chat_file (id TEXT, user_id, chat_id, message_id, file_id)")
    await execute(database, "INSERT INTO chat_file (id) VALUES (NULL), ('x'), (x'ff')")
    assert await all_keys(store, UNITS["chat_file"]) == [("x",)]
    assert [note.key for note in store.skipped(UNITS["chat_file"])] == ["None", "\ufffd"]


async def test_keys_come_in_bounded_pages_and_order(database: StockDatabase, store: SqlStore) -> None:
    await insert(database, "tag", *({"id": f"t{number * 7919 % 50_000}", "user_id": "u"} for number in range(50_000)))
    pages = [[sized.key for sized in page] async for page in store.keys(TAG)]
    assert [len(page) for page in pages] == [sql_module.PAGE] * 25
    rows = await database.rows("tag")
    assert [key for page in pages for key in page] == [(row["user_id"], row["id"]) for row in rows]
    some = pages[10][:700]
    assert (await store.load(TAG, some)).keys() == set(some)
    counted = (await store.count(TAG))["tag"]
    assert (counted[0], counted[1] > 50_000) == (50_000, True)


async def test_an_abandoned_stream_holds_nothing(database: StockDatabase, store: SqlStore) -> None:
    await insert(database, "tag", *({"id": f"t{number}", "user_id": "u"} for number in range(5_000)))
    async for _ in (pages := store.keys(TAG)):
        break
    await pages.aclose()
    assert host.engine.pool.checkedout() == 0


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("mode", ["wal", "delete"])
async def test_a_snapshot_sees_one_moment_and_keeps_nobody_waiting(
    mode: str, connections: int, database: StockDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_sqlite:
        for engine in (host.engine, database.engine.sync_engine):
            event.listen(engine, "connect", lambda raw, _: raw.execute(f"PRAGMA journal_mode={mode}"))
        await database.engine.dispose()
        host.engine.dispose()
        await execute(database, f"PRAGMA journal_mode={mode}")
    elif mode == "delete":
        pytest.skip("SQLite's")
    await insert(database, "chat", *(chat(f"c{number}") for number in range(30)))
    await insert(database, "chat_message", message("m", "c1"))
    monkeypatch.setattr(sql_module, "PAGE", 10)
    directory = Path(database.engine.url.database or "").parent
    async with SqlStore.snapshot(connections) as store:
        keys: list[Key] = []
        async for page in store.keys(CHAT):
            keys += [sized.key for sized in page]
            await execute(database, f"INSERT INTO chat (id, meta) VALUES ('later {len(keys)}', '{{}}')")
            await execute(database, "UPDATE chat SET title = 'later'")
            await execute(database, "DELETE FROM chat_message")
            items = await store.load(CHAT, keys)
            assert {item.rows["chat"][0]["title"] for item in items.values()} == {"t"}
        assert keys == [(f"c{number}",) for number in range(30)]
        assert len((await store.load(CHAT, [("c1",)]))["c1",].rows["chat_message"]) == 1
        assert (await store.count(CHAT))["chat"][0] == 30
        if database.is_sqlite:
            copies = [*directory.glob("*.copy")]
            assert (len(copies), {path.stat().st_mode & 0o777 for path in copies}) == (
                (0, set()) if mode == "wal" else (1, {0o600})
            )
    if database.is_sqlite:
        assert [*directory.glob("*.copy*")] == []
    assert (await SqlStore().count(CHAT))["chat"][0] == 33
    assert host.engine.pool.checkedout() == 0


async def test_the_identity_names_database_and_revision(database: StockDatabase, store: SqlStore) -> None:
    identity = await store.identity()
    name, _, revision = identity.partition(", revision ")
    async with database.engine.connect() as connection:
        assert revision == (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()
    assert name == identity.partition(",")[0]
    assert str(Path(database.engine.url.database or "").name) in name


# --- what is written ---


async def save(store: SqlStore, table: str, *rows: Row, parts: dict[str, list[Row]] | None = None) -> list[Note]:
    """Write rows of a table over what is there, each of them an item."""
    unit = UNITS[table]
    items = [Item(tuple(row[name] for name in unit.key), {table: [row], **(parts or {})}) for row in rows]
    there = await store.load(unit, [item.key for item in items])
    return await store.save(unit, [(item, there.get(item.key)) for item in items])


def whole(table: str, **values: Any) -> Row:
    """Return a row with all columns; None in those that are not given."""
    return {column.name: None for column in TABLES[table].columns} | values


TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-(2.0**50), 2.0**50, width=32) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
KINDS = {
    "text": TEXTS,
    "json": VALUES,
    "bool": st.booleans(),
    "int": st.integers(-(2**53), 2**53),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "date": st.dates(),
}


def rows_of(table: str, **fixed: Any) -> st.SearchStrategy[Row]:
    """Rows of a table; JSON columns that must not be empty are objects."""
    return st.fixed_dictionaries(
        {
            column.name: st.just(fixed[column.name])
            if column.name in fixed
            else st.none() | KINDS[column.type]
            if column.null
            else KINDS[column.type].filter(lambda value: value is not None)
            for column in TABLES[table].columns
        }
    ).map(lambda row: {column.name: row[column.name] for column in TABLES[table].columns})


async def test_what_was_saved_is_loaded(database: StockDatabase, store: SqlStore) -> None:
    kept: dict[str, Row] = {
        "user": {"email": None},
        "chat": {"share_id": None, "meta": {}},
        "model": {"is_active": True},
    }
    loop = asyncio.get_running_loop()

    async def check(items: dict[str, Row], messages: list[Row]) -> None:
        for table, row in items.items():
            unit = UNITS[table]
            key = tuple(row[name] for name in unit.key)
            parts = {"chat_message": messages} if table == "chat" else {}
            item = store.fitted(unit, Item(key, {table: [row], **parts}))
            there = (await store.load(unit, [key])).get(key)
            assert await store.save(unit, [(item, there)]) == []
            (found,) = (await store.load(unit, [key])).values()
            assert (found.rows, found.notes) == (item.rows, ())
            assert canonical(found.rows, JSONCodec.dumps) == canonical(item.rows, JSONCodec.dumps)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.fixed_dictionaries({t: rows_of(t, id="i", **kept.get(t, {})) for t in ("user", "folder", "chat", "model")}),
        st.lists(rows_of("chat_message", chat_id="i"), max_size=3, unique_by=lambda row: row["id"].replace("\x00", "")),
    )
    def run(items: dict[str, Row], messages: list[Row]) -> None:
        messages.sort(key=lambda row: row["id"])
        asyncio.run_coroutine_threadsafe(check(items, messages), loop).result(60)

    await asyncio.to_thread(run)


async def test_messages_become_those_of_the_item(database: StockDatabase, store: SqlStore) -> None:
    await insert(database, "chat", chat("a"), chat("b"))
    await insert(database, "chat_message", *(message(f"a-{number}", "a", content='"old"') for number in range(400)))
    await insert(database, "chat_message", message("b-1", "b"))
    written: list[str] = []
    event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda *args: written.append(str(args[2]) + str(args[3]))
    )
    rows = [whole("chat_message", id=f"a-{n}", chat_id="a", role="user", content="old") for n in range(100, 500)]
    rows.sort(key=lambda row: row["id"])
    rows[0]["content"] = ["new"]
    there = (await store.load(CHAT, [("a",)]))["a",]
    item = Item(("a",), {"chat": there.rows["chat"], "chat_message": rows})
    assert await store.save(CHAT, [(item, there)]) == []
    assert (await store.load(CHAT, [("a",)]))["a",].rows == item.rows
    assert (await store.load(CHAT, [("b",)]))["b",].rows["chat_message"][0]["id"] == "b-1"
    assert not any("a-200'" in each or '"a-200"' in each for each in written)  # it was the same


async def test_a_refused_row_does_not_keep_the_others(database: StockDatabase, store: SqlStore) -> None:
    names = [f"u{number}" for number in range(60)]
    users = [whole("user", id=name, name=name, email=f"{name}@x") for name in names]
    users[30]["email"] = "U7@X"  # of another user, but for case
    (note,) = await save(store, "user", *users)
    assert (note.table, note.key, note.is_left_out) == ("user", "u30", True)
    assert "u7@x" not in note.reason.lower()  # reasons name no values
    assert await store.known(USER, [(name,) for name in names]) == {(name,) for name in names if name != "u30"}


@POSTGRESQL
async def test_members_of_missing_groups_are_refused_one_by_one(database: StockDatabase, store: SqlStore) -> None:
    await save(store, "user", whole("user", id="u", name="n"))
    await save(store, "group", whole("group", id="g"))
    members = [whole("group_member", id=f"m{g}", group_id=g, user_id="u") for g in ("g", "missing")]
    (note,) = await save(store, "group_member", *members)
    assert (note.key, "foreign key" in note.reason) == ("mmissing", True)
    assert await store.known(UNITS["group_member"], [("mg",), ("mmissing",)]) == {("mg",)}


async def test_a_value_can_go_from_a_later_row_to_an_earlier_one(database: StockDatabase, store: SqlStore) -> None:
    emails = {"a": "one@x", "b": "two@x"}
    assert await save(store, "user", *(whole("user", id=k, name=k, email=v) for k, v in emails.items())) == []
    swapped = {"a": "two@x", "b": "three@x"}
    assert await save(store, "user", *(whole("user", id=k, name=k, email=v) for k, v in swapped.items())) == []
    assert {k: (await one(store, "user", k))[0]["email"] for k in "ab"} == swapped


async def test_a_folder_that_changes_its_owner_is_one_row(database: StockDatabase, store: SqlStore) -> None:
    await insert(database, "folder", folder("f", user_id="a"))
    assert await save(store, "folder", whole("folder", **folder("f", user_id="b"))) == []
    assert [row["user_id"] for row in await database.rows("folder")] == ["b"]


async def test_empty_json_is_null_in_sql(database: StockDatabase, store: SqlStore) -> None:
    await save(store, "folder", whole("folder", **folder("f")))
    async with database.engine.connect() as connection:
        found = await connection.execute(text("SELECT count(*) FROM folder WHERE meta IS NULL AND data IS NULL"))
        assert found.scalar_one() == 1


async def test_what_is_removed_goes_with_its_parts(database: StockDatabase, store: SqlStore) -> None:
    await insert(database, "chat", chat("a"), chat("b"))
    await insert(database, "chat_message", message("a-1", "a"), message("b-1", "b"))
    await insert(database, "tag", {"id": "t", "user_id": "u"}, {"id": "t", "user_id": "v"})
    await store.remove(CHAT, [("a",), ("missing",)])
    await store.remove(TAG, [("u", "t")])
    assert await all_keys(store, CHAT) == [("b",)]
    assert await all_keys(store, TAG) == [("v", "t")]
    assert [row["id"] for row in await database.rows("chat_message")] == ["b-1"]


async def test_what_a_database_cannot_hold_is_made_to_fit(database: StockDatabase, store: SqlStore) -> None:
    row = whole(
        "user", id="u", name="a\x00b", username="n" * 60, info={"a\x00": "\\u0000 \x00"}, settings=1.0, oauth=2.5
    )
    item = store.fitted(USER, Item(("u",), {"user": [row]}))
    fitting = item.rows["user"][0]
    if database.is_sqlite:
        assert (fitting, type(fitting["settings"])) == ({**row, "settings": 1}, int)
        assert [note.reason for note in item.notes] == ["settings: 1.0 became 1"]
    else:
        assert fitting == {**row, "name": "ab", "username": "n" * 50, "info": {"a": "\\u0000 "}}
        assert [note.reason for note in item.notes] == [
            "username: cut to 50 characters", "name: NUL characters were removed", "info: NUL characters were removed"
        ]  # fmt: skip
    assert await store.save(USER, [(item, None)]) == []
    assert (await store.load(USER, [("u",)]))["u",].rows == item.rows
