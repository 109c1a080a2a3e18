"""PocketBase as one side of a move: what is saved is loaded as it was, and nothing else changes."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openwebui_pocketbase.migrate.items import UNITS, Item, Unit
from openwebui_pocketbase.migrate.pocketbase.store import PocketBaseStore
from openwebui_pocketbase.repositories.base import JSON
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.chats import chat, entry, key, message, row
from tests.support.differential import HOSTILE_NAMES, JSON_OBJECTS, clear
from tests.support.machines import examples
from tests.support.moved_rows import CHAT, DAMAGED, any_row, as_bytes, chat_item, item_of, one_row
from tests.support.pocketbase import PocketBaseProcess

SINGLE = [unit for unit in UNITS.values() if not unit.parts]
USER, TAG, MODEL, FILE = (UNITS[name] for name in ("user", "tag", "model", "file"))


def stored(server: PocketBaseProcess, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(server.data_dir / "data.db")) as connection:
        return connection.execute(sql, parameters).fetchall()


def seq(server: PocketBaseProcess) -> int:
    (found,) = stored(server, "SELECT max(seq) FROM owui_changes")
    return int(found[0] or 0)


async def put(store: PocketBaseStore, unit: Unit, *items: Item) -> None:
    """Save items of which nothing is there; none is refused."""
    assert await store.save(unit, [(item, None) for item in items]) == []


async def keys(store: PocketBaseStore, unit: Unit) -> list[tuple[str, ...]]:
    return [each.key async for page in store.keys(unit) for each in page]


async def replace(store: PocketBaseStore, unit: Unit, item: Item) -> None:
    """Save an item in place of what is there."""
    before = await store.load(unit, [item.key])
    assert await store.save(unit, [(item, before.get(item.key))]) == []


async def assert_same(store: PocketBaseStore, unit: Unit, *items: Item) -> None:
    found = await store.load(unit, [item.key for item in items])
    for item in items:
        assert as_bytes(found.get(item.key)) == as_bytes(item)


@pytest.mark.parametrize("unit", SINGLE, ids=lambda unit: unit.name)
def test_any_row_comes_back_as_it_was(unit: Unit, fresh_pocketbase: PocketBaseProcess) -> None:
    with asyncio.Runner() as runner:
        client = fresh_pocketbase.client()
        store = PocketBaseStore(client)

        @examples(40)
        @given(any_row(unit.name))
        def check(values: dict[str, Any]) -> None:
            item = store.fitted(unit, item_of(unit, values))
            assert not any(note.is_left_out for note in item.notes)
            runner.run(clear(client, unit.name))
            assert runner.run(store.save(unit, [(item, None)])) == []
            runner.run(assert_same(store, unit, item))
            assert store.fitted(unit, item) is item or store.fitted(unit, item).notes == item.notes

        check()
        runner.run(client.aclose())


@pytest.mark.parametrize("unit", SINGLE, ids=lambda unit: unit.name)
async def test_rows_of_each_table(unit: Unit, store: PocketBaseStore) -> None:
    """Keys come in the order in which rows were inserted; what is saved anew keeps its place."""
    items = [item_of(unit, one_row(unit.name, name)) for name in ("c", "a", "b")]
    await put(store, unit, *items)
    assert await keys(store, unit) == [item.key for item in items]
    assert await store.known(unit, [items[1].key, ("x",) * len(unit.key)]) == {items[1].key}
    changed = item_of(unit, {**items[0].rows[unit.name][0], TABLES[unit.name].columns[-1].name: None})
    changed = store.fitted(unit, changed)
    await replace(store, unit, changed)
    await assert_same(store, unit, changed, *items[1:])
    assert await keys(store, unit) == [item.key for item in items]
    assert (await store.count(unit))[unit.name][0] == 3
    await store.remove(unit, [items[1].key])
    assert await keys(store, unit) == [items[0].key, items[2].key]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
async def test_texts_of_all_kinds(name: str, store: PocketBaseStore) -> None:
    text = HOSTILE_NAMES[name]
    tag = item_of(TAG, one_row("tag", text, user_id=text, name=text))
    user = item_of(USER, one_row("user", "u", name=text, email=text))
    file = item_of(FILE, one_row("file", "f", filename=text, data={"content": text, "a": 1}))
    for unit, item in ((TAG, tag), (USER, user), (FILE, file)):
        assert store.fitted(unit, item).notes == ()
        await put(store, unit, item)
        await assert_same(store, unit, item)


@pytest.mark.parametrize("name", JSON_OBJECTS)
async def test_documents_of_all_kinds(name: str, store: PocketBaseStore) -> None:
    document = JSON.loads(JSON.dumps(JSON_OBJECTS[name]))
    item = item_of(USER, one_row("user", "u", settings=document))
    assert store.fitted(USER, item) is item
    await put(store, USER, item)
    await assert_same(store, USER, item)


@pytest.mark.parametrize("name", DAMAGED)
async def test_damaged_chats(name: str, store: PocketBaseStore) -> None:
    item = store.fitted(CHAT, DAMAGED[name])
    await put(store, CHAT, item)
    await assert_same(store, CHAT, item)
    assert {note.is_left_out for note in item.notes} <= {False}


async def test_what_does_not_fit_is_said(store: PocketBaseStore) -> None:
    user = one_row("user", "u", name="a\ud800b", settings=1.0, created_at=5.0, date_of_birth="", info={"\udc00": 2**70})
    fitted = store.fitted(USER, item_of(USER, user))
    assert len(fitted.notes) == 4
    assert fitted.rows["user"][0] == {
        **user,
        "name": "a\ufffdb",
        "settings": 1,
        "created_at": 5,
        "date_of_birth": None,
    } | {"info": {"\ufffd": 2**70}}
    item = chat_item(chat(1, {"a": 1.0, "b": 2**64}), [row(1, "a"), row(2, "x")])
    fitted = store.fitted(CHAT, item)
    assert [(note.table, note.key, note.is_left_out) for note in fitted.notes] == [
        ("chat_message", f"{key(2)}-x", True),
        ("chat", key(1), False),
        ("chat", key(1), False),
    ]
    await put(store, CHAT, fitted)
    await assert_same(store, CHAT, fitted)


async def test_two_rows_with_one_key(store: PocketBaseStore) -> None:
    folder = UNITS["folder"]
    rows = [one_row("folder", "f", user_id=user) for user in ("u1", "u2")]
    fitted = store.fitted(folder, Item(("f",), {"folder": rows}))
    assert fitted.rows["folder"] == rows[:1]
    assert [note.is_left_out for note in fitted.notes] == [True]


async def test_secrets_are_in_no_note(store: PocketBaseStore) -> None:
    fitted = store.fitted(UNITS["auth"], item_of(UNITS["auth"], one_row("auth", "u", password=b"secret")))
    assert len(fitted.notes) == 1
    assert "secret" not in fitted.notes[0].reason


async def test_messages_without_chat(store: PocketBaseStore) -> None:
    orphans = chat_item(chat(1), [row(1, "a"), row(1, "b")])
    orphans = Item(orphans.key, {**orphans.rows, "chat": []})
    whole = chat_item(chat(2, {"a": entry("a")}), [row(2, "a")])
    await put(store, CHAT, orphans, whole)
    await assert_same(store, CHAT, orphans, whole)
    assert await keys(store, CHAT) == [whole.key, orphans.key]
    assert await store.known(CHAT, [orphans.key, whole.key, ("x",)]) == {orphans.key, whole.key}
    assert {name: rows for name, (rows, _) in (await store.count(CHAT)).items()} == {"chat": 1, "chat_message": 3}
    await store.remove(CHAT, [orphans.key, whole.key])
    assert await keys(store, CHAT) == []


async def test_only_messages_that_differ_are_written(
    store: PocketBaseStore, fresh_pocketbase: PocketBaseProcess
) -> None:
    entries = {name: message(name, None, "user") for name in ("a", "b", "c", "d")}
    before = chat_item(chat(1, entries), [row(1, name) for name in entries])
    await put(store, CHAT, before)
    begun = seq(fresh_pocketbase)
    changed = {name: entries[name] for name in ("a", "c", "d")} | {"e": message("e", "d", "user")}
    changed["c"] = {**changed["c"], "content": "another text"}
    after = chat_item(chat(1, changed), [row(1, "a"), row(1, "c"), row(1, "d", done=False), row(1, "e")])
    await replace(store, CHAT, after)
    await assert_same(store, CHAT, after)
    changes = stored(
        fresh_pocketbase, "SELECT collection, op FROM owui_changes WHERE seq > ? ORDER BY collection, op", begun
    )
    messages = [op for collection, op in changes if collection == "owui_chat_messages"]
    assert messages == ["create", "delete", "update", "update"]
    assert [op for collection, op in changes if collection == "owui_chats"] == ["update"]


@pytest.mark.parametrize(
    "order", ["dcba", "", "a", "abcdx", "xabcd", "axbcd", "bacd"], ids=lambda order: order or "none"
)
async def test_messages_in_another_order(order: str, store: PocketBaseStore) -> None:
    entries = {name: entry(name) for name in "abcdx"}
    await put(store, CHAT, chat_item(chat(1, {name: entries[name] for name in "abcd"}), [row(1, "a")]))
    after = chat_item(chat(1, {name: entries[name] for name in order}), [row(1, "a"), row(1, "b")])
    await replace(store, CHAT, after)
    await assert_same(store, CHAT, after)
    back = chat_item(chat(1, {name: entries[name] for name in "abcd"}))
    await replace(store, CHAT, back)
    await assert_same(store, CHAT, back)


async def test_chat_becomes_none(store: PocketBaseStore) -> None:
    item = chat_item(chat(1, {"a": entry("a")}), [row(1, "a"), row(1, "b")])
    await put(store, CHAT, item)
    orphans = Item(item.key, {**item.rows, "chat": []})
    await replace(store, CHAT, orphans)
    await assert_same(store, CHAT, orphans)
    await replace(store, CHAT, item)
    await assert_same(store, CHAT, item)


@examples(60)
@given(before=any_row("chat_message"), after=any_row("chat_message"), content=st.text())
def test_rows_of_messages(
    before: dict[str, Any], after: dict[str, Any], content: str, fresh_pocketbase: PocketBaseProcess
) -> None:
    async def check() -> None:
        client = fresh_pocketbase.client()
        store = PocketBaseStore(client)
        try:
            await clear(client, "chat")
            for values in (before, after):
                made = {**values, "id": f"{key(1)}-a", "chat_id": key(1)}
                plain = chat_item(chat(1, {"a": entry("a", content=content, meta=values["meta"])}))
                item = store.fitted(CHAT, Item(plain.key, {**plain.rows, "chat_message": [made]}))
                await replace(store, CHAT, item)
                await assert_same(store, CHAT, item)
        finally:
            await client.aclose()

    asyncio.run(check())


async def test_what_is_refused_leaves_the_others(store: PocketBaseStore) -> None:
    users = [item_of(USER, one_row("user", f"u{n}", email=f"{n}@example.com")) for n in range(20)]
    taken = item_of(USER, one_row("user", "other", email="7@EXAMPLE.com"))
    other_case = item_of(USER, one_row("user", "U3", email="third@example.com"))
    notes = await store.save(USER, [(item, None) for item in [*users, taken, other_case]])
    assert [(note.table, note.key, note.is_left_out) for note in notes] == [
        ("user", "other", True),
        ("user", "U3", True),
    ]
    assert "email" in notes[0].reason
    assert "case" in notes[1].reason
    assert await keys(store, USER) == [item.key for item in users]
    await assert_same(store, USER, *users)


async def test_messages_whose_keys_begin_alike(store: PocketBaseStore) -> None:
    """The id of one chat is the beginning of the other's."""
    items = [chat_item(chat(chat_id, {name: entry(name)})) for chat_id, name in (("a", "b-c"), ("a-b", "c"))]
    notes = await store.save(CHAT, [(item, None) for item in items])
    assert [(note.table, note.key) for note in notes] == [("chat_message", "a-b-c")]
    await assert_same(store, CHAT, items[0])


async def test_a_refused_chat_has_no_messages(store: PocketBaseStore, fresh_pocketbase: PocketBaseProcess) -> None:
    items = [chat_item(chat(n, {"a": entry("a")}, share_id="same"), [row(n, "a")]) for n in (1, 2)]
    items.append(chat_item(chat(3, {"a": entry("a")}), [row(3, "a")]))
    notes = await store.save(CHAT, [(item, None) for item in items])
    assert [(note.table, note.key) for note in notes] == [("chat", key(2))]
    assert await keys(store, CHAT) == [(key(1),), (key(3),)]
    assert stored(fresh_pocketbase, "SELECT count(*) FROM owui_chat_messages") == [(2,)]


@pytest.mark.parametrize("levels", [900, 995, 1000, 1010, 1020, 3000])
async def test_too_many_levels(levels: int, store: PocketBaseStore) -> None:
    """Whether PocketBase refuses it or nobody can write it, this is said, and the others are there."""
    deep: Any = "x"
    for _ in range(levels):
        deep = [deep]
    items = [item_of(USER, one_row("user", name, info=info)) for name, info in (("u1", deep), ("u2", None))]
    fitted = [store.fitted(USER, item) for item in items]
    notes = [*fitted[0].notes, *await store.save(USER, [(item, None) for item in fitted])]
    assert [(note.key, note.is_left_out) for note in notes] == ([("u1", True)] if levels > 900 else [])
    assert all("levels" in note.reason for note in notes)
    assert (("u2",) in await keys(store, USER)) is True


async def test_a_record_keeps_what_is_not_the_hosts(
    store: PocketBaseStore, fresh_pocketbase: PocketBaseProcess
) -> None:
    """Contents of a file that came before its row, and credentials of PocketBase, unless the address changes."""
    with fresh_pocketbase.admin() as admin:
        admin.sql("INSERT INTO owui_files (id, pending, contents, sha256) VALUES ('f', TRUE, 'a.txt', 'abc')")
    assert await keys(store, FILE) == []
    await put(store, FILE, item_of(FILE, one_row("file", "f")))
    await put(store, USER, item_of(USER, one_row("user", "u", email="a@example.com")))
    read = "SELECT tokenKey, password, verified, emailVisibility FROM owui_users"
    [(token, *rest)] = stored(fresh_pocketbase, read)
    assert (len(token), rest) == (50, ["$2!", 0, 0])
    await replace(store, USER, item_of(USER, one_row("user", "u", email="a@example.com", name="b")))
    assert stored(fresh_pocketbase, read) == [(token, *rest)]
    await replace(store, USER, item_of(USER, one_row("user", "u", email="b@example.com")))
    assert stored(fresh_pocketbase, read)[0][0] != token
    assert stored(fresh_pocketbase, "SELECT contents, sha256, pending FROM owui_files") == [("a.txt", "abc", 0)]


@pytest.mark.parametrize("unit", [TAG, MODEL], ids=lambda unit: unit.name)
async def test_a_key_that_was_edited(unit: Unit, store: PocketBaseStore, fresh_pocketbase: PocketBaseProcess) -> None:
    """The record keeps its id, and whoever gets its former key has another one."""
    first, second = (item_of(unit, one_row(unit.name, name, user_id="u")) for name in ("a", "b"))
    await put(store, unit, first)
    ids = stored(fresh_pocketbase, f"SELECT id FROM {unit.table.collection}")
    with fresh_pocketbase.admin() as admin:
        admin.sql(f"UPDATE {unit.table.collection} SET key = 'b'")
    await replace(store, unit, second)
    await put(store, unit, first)
    await assert_same(store, unit, first, second)
    listed = stored(fresh_pocketbase, f"SELECT key, id FROM {unit.table.collection} ORDER BY rowid")
    assert [name for name, _ in listed] == ["b", "a"]
    assert (listed[0][1],) == ids[0]


async def test_records_of_the_dashboard(store: PocketBaseStore, fresh_pocketbase: PocketBaseProcess) -> None:
    """A record without a list of what is None, and JSON columns with what is no JSON."""
    with fresh_pocketbase.admin() as admin:
        admin.sql("INSERT INTO owui_tags (id, key, user_id) VALUES ('r1', 'one', 'u')")
        admin.sql("INSERT INTO owui_tags (id, key, user_id, meta) VALUES ('r2', 'two', 'u', '{broken')")
    found = await store.load(TAG, [("u", "one"), ("u", "two")])
    empty = {"name": None, "user_id": "u", "meta": None}
    assert [item.rows["tag"] for item in found.values()] == [[{"id": "one", **empty}], [{"id": "two", **empty}]]
    assert [len(item.notes) for item in found.values()] == [0, 1]


async def test_tags_of_chats(store: PocketBaseStore, fresh_pocketbase: PocketBaseProcess) -> None:
    """Whichever come first; PocketBase's relation is that of the host's list."""
    chats = [chat_item(chat(n, meta={"tags": ["one", "two", "none"]})) for n in (1, 2)]
    tags = [item_of(TAG, one_row("tag", name, user_id="u1")) for name in ("one", "two")]
    await put(store, CHAT, chats[0])
    await put(store, TAG, *tags)
    await put(store, CHAT, chats[1])
    ids: dict[str, str] = dict(stored(fresh_pocketbase, "SELECT key, id FROM owui_tags"))
    await store.load(CHAT, [(key(1),)])
    relations = stored(fresh_pocketbase, "SELECT id, tags FROM owui_chats ORDER BY id")
    assert [JSON.loads(tags) for _, tags in relations] == [[ids["one"], ids["two"]]] * 2
    await replace(store, CHAT, chat_item(chat(1, meta={"tags": ["two"]})))
    assert stored(fresh_pocketbase, "SELECT tags FROM owui_chats WHERE id = ?", key(1)) == [(f'["{ids["two"]}"]',)]
    await assert_same(store, CHAT, chat_item(chat(1, meta={"tags": ["two"]})), chats[1])


async def test_long_chats(store: PocketBaseStore) -> None:
    """20,000 messages in one chat, and one message of 20 MB."""
    many = chat_item(
        chat(1, {str(n): entry(str(n)) for n in range(20_000)}), [row(1, str(n)) for n in range(0, 20_000, 2)]
    )
    large = chat_item(chat(2, {"a": entry("a", content="x " * (10 << 20))}))
    await put(store, CHAT, many, large)
    await assert_same(store, CHAT, many, large)
    sizes = {each.key: each.size async for page in store.keys(CHAT) for each in page}
    assert sizes[large.key] > 20 << 20
    await store.remove(CHAT, [many.key])
    assert await keys(store, CHAT) == [large.key]


async def test_a_setting_that_is_a_whole_number_is_no_reason_for_a_note(store: PocketBaseStore) -> None:
    unit = UNITS["config"]
    for value in (0.0, 1.0, 0.5, None, {"a": 1.0}):
        fitted = store.fitted(unit, item_of(unit, {"key": "rag.threshold", "value": value, "updated_at": 1}))
        assert fitted.notes == ()
        await put(store, unit, fitted)
        await assert_same(store, unit, fitted)
        await store.remove(unit, [("rag.threshold",)])
