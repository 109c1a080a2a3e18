"""A filled server gets another schema, by migrations and over the admin API: its data stay, and nothing is missed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.exceptions import ResponseError, SchemaError
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.schema.apply import apply_schema
from openwebui_pocketbase.schema.bootstrap import bring_up, inspect
from openwebui_pocketbase.schema.tables import SCHEMA_VERSION
from tests.support.chats import index_all
from tests.support.former_schema import CHATS, GROUPS, NEW, NEW_VERSION, OLD, as_now, data, fill, of_administrator
from tests.support.pocketbase import PocketBaseProcess
from tests.support.schema import MIGRATIONS, StartServer, changes, copied_migrations, migrate, snapshot
from tools.generate_migration import loaded, migration


async def found(server: PocketBaseProcess, text: str) -> list[int]:
    chats = object.__new__(PocketBaseChats)
    chats.pocketbase = server.client()
    try:
        return [chat.updated_at for chat in await chats.get_chats_by_user_id_and_search_text("u1", text)]
    finally:
        await chats.pocketbase.aclose()


async def assert_searches_are_exact(server: PocketBaseProcess) -> None:
    everything = sorted(CHATS.values(), reverse=True)
    assert await found(server, "needle") == everything
    assert await found(server, "stacks and") == everything  # words from their middle on
    assert await found(server, "forgettable") == everything
    assert await found(server, "needles Nr. 3") == [3]
    assert await found(server, "nowhere") == []


def schema_of(server: PocketBaseProcess) -> dict[str, Any]:
    """The schema, whatever the order in which columns came."""
    found = snapshot(server)
    for definition in found["collections"].values():
        definition["fields"].sort(key=lambda field: field["name"])
        definition["indexes"].sort()
    names = set(found["collections"])
    found["objects"] = [row for row in found["objects"] if (row["type"], row["name"] in names) != ("table", True)]
    for row in found["objects"]:
        if "`" in (row["sql"] or ""):  # an index of PocketBase's, which lays its text out
            row["sql"] = "".join(row["sql"].split())
    return found


@pytest.fixture
async def filled(start: StartServer) -> PocketBaseProcess:
    """A server with the former schema, data, and what an administrator added."""
    server = start()
    with server.admin() as admin:
        assert apply_schema(admin, OLD)
        assert not inspect(admin, OLD).is_behind
        of_administrator(admin)
    await fill(server)
    return server


def by_admin_api(server: PocketBaseProcess, start: StartServer, tmp_path: Path) -> PocketBaseProcess:
    with server.admin() as admin:
        bring_up(admin, NEW)
    return server


def by_migrations(server: PocketBaseProcess, start: StartServer, tmp_path: Path) -> PocketBaseProcess:
    server.stop()
    released = tmp_path / "released.json"
    released.write_text(json.dumps([asdict(table) for table in OLD.tables]))
    directory = copied_migrations(tmp_path / "altering", MIGRATIONS)
    for number, group in enumerate(GROUPS, start=1):
        text = migration(group, SCHEMA_VERSION + number, loaded(released), NEW.tables)
        (directory / f"{1800000000 + number}_{group}.js").write_text(text)
    server.migrations_dir = directory
    return server.start()


WAYS = {"admin API": by_admin_api, "migrations": by_migrations}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_a_filled_server_is_altered(
    way: Callable[..., PocketBaseProcess], filled: PocketBaseProcess, start: StartServer, tmp_path: Path
) -> None:
    with filled.admin() as admin:
        before, seen = data(admin), changes(admin)
        assert inspect(admin, NEW).is_behind
    server = way(filled, start, tmp_path)
    (folders,) = (table for table in NEW.tables if table.collection == "owui_folders")
    with server.admin() as admin:
        assert not inspect(admin, NEW).is_behind
        assert data(admin) == as_now(before)
        assert changes(admin) == seen  # for its readers nothing has changed
        assert admin.sql("SELECT is_expanded FROM owui_folders") == [{"is_expanded": "0"}] * 2
        fields = {field["name"]: field for field in admin.collections()["owui_folders"]["fields"]}
        assert "old_note" not in fields
        assert fields["name"]["max"] > 500
        assert fields["updated_at"]["type"] == "number"
        assert list(fields) == [field["name"] for field in folders.definition["fields"]]
        await assert_searches_are_exact(server)  # while everything waits for the index
        client = server.client()
        await index_all(client)
        await client.aclose()
        assert admin.sql("SELECT id FROM owui_chats WHERE doc < 0") == []
        assert admin.sql("SELECT id FROM owui_chat_messages WHERE doc < 0 OR waits = TRUE") == []
        await assert_searches_are_exact(server)
        seen = changes(admin)
        admin.sql("UPDATE owui_tags SET name = 'B'")
        admin.sql("UPDATE owui_folders SET name = 'B' WHERE id = 'f-1'")
        assert changes(admin) == [
            *seen,
            ("owui_tags", "0123456789abcdef", "update"),
            ("owui_folders", "f-1", "update"),
        ]
    fresh = start()
    with fresh.admin() as admin:
        of_administrator(admin)
        apply_schema(admin, NEW)
    assert schema_of(server) == schema_of(fresh)


async def test_altering_is_undone(filled: PocketBaseProcess, start: StartServer, tmp_path: Path) -> None:
    """By PocketBase's own command; the values of a field that comes back are gone."""
    expected = schema_of(filled)
    with filled.admin() as admin:
        before, seen = data(admin), changes(admin)
    server = by_migrations(filled, start, tmp_path)
    server.stop()
    migrate(server, "down", str(len(GROUPS)))
    server.migrations_dir = copied_migrations(tmp_path / "again", MIGRATIONS)
    server.start()
    assert schema_of(server) == expected
    with server.admin() as admin:
        assert not inspect(admin, OLD).is_behind
        assert data(admin) == before
        assert changes(admin) == seen
        assert admin.sql("SELECT DISTINCT old_note FROM owui_folders") == [{"old_note": ""}]


class Failing(AdminClient):
    """One whose server is gone after some requests."""

    left = 0

    def send(self, *arguments: Any, **more: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise ResponseError("PocketBase is gone.", url=self._url, status=503)
        return super().send(*arguments, **more)


async def test_whatever_step_fails_the_next_call_completes_it(filled: PocketBaseProcess, start: StartServer) -> None:
    failing = Failing(filled.url, token=filled.login())
    with filled.admin() as admin, failing:
        before = data(admin)
        expected = None
        for steps in range(6, 40):  # the first ones make tables that are there
            failing.left = steps
            try:
                is_done = apply_schema(failing, NEW)
            except ResponseError:
                is_done = False
            assert inspect(admin, NEW).is_behind or failing.left == -1 or is_done
            admin.sql("DELETE FROM owui_meta WHERE key = 'changing'")  # as if its lease were over
            bring_up(admin, NEW)
            expected = expected or schema_of(filled)
            assert schema_of(filled) == expected
            assert data(admin) == as_now(before)
            if is_done:
                break
            admin.sql(f"UPDATE owui_meta SET value = '{SCHEMA_VERSION}' WHERE key = 'schema'")
            bring_up(admin, OLD)
            assert data(admin) == before
        else:
            pytest.fail("It never ends.")
    await assert_searches_are_exact(filled)


async def test_writers_meanwhile_lose_nothing(filled: PocketBaseProcess) -> None:
    """A write is in the feed, or it is refused."""
    written: list[str] = []
    done = threading.Event()

    def write() -> None:
        number = 0
        with filled.admin() as admin:
            while not done.is_set():
                number += 1
                admin.sql(f"INSERT INTO owui_tags (id, key, user_id) VALUES ('w{number:014d}', 'w{number}', 'u2')")
                written.append(f"w{number:014d}")
                try:
                    admin.sql(f"INSERT INTO owui_folders (id, name, user_id) VALUES ('w{number}', 'W', 'u2')")
                except ResponseError:
                    continue
                written.append(f"w{number}")

    writer = threading.Thread(target=write)
    writer.start()
    with filled.admin() as admin:
        for schema in (NEW, OLD, NEW):
            if schema is OLD:
                admin.sql(f"UPDATE owui_meta SET value = '{SCHEMA_VERSION}' WHERE key = 'schema'")
            bring_up(admin, schema)
        done.set()
        writer.join()
        seen = {record_id for _, record_id, op in changes(admin) if op == "create"}
        assert len(written) > 10
        assert set(written) <= seen
        rows = admin.sql("SELECT id, user_id FROM owui_tags UNION ALL SELECT id, user_id FROM owui_folders LIMIT 1000")
    assert {row["id"] for row in rows} >= set(written[:900])


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER owui_tags_update",
        "DROP TRIGGER owui_tags_update; CREATE TRIGGER owui_tags_update AFTER UPDATE ON owui_tags BEGIN SELECT 1; END",
        "CREATE TRIGGER owui_tags_more AFTER UPDATE ON owui_tags BEGIN SELECT 1; END",
        "DROP INDEX idx_owui_chat_tags_chat_id",
        "DROP TABLE owui_chats_search",
    ],
)
def test_what_somebody_has_altered_is_set_right(statement: str, own_pocketbase: PocketBaseProcess) -> None:
    expected = schema_of(own_pocketbase)
    with own_pocketbase.admin() as admin:
        assert not inspect(admin).is_behind
        admin.sql(statement)
        state = inspect(admin)
        assert state.is_behind
        assert "are not those of this package" in state.problems()[0][0]
        bring_up(admin)
        assert inspect(admin).problems() == []
    assert schema_of(own_pocketbase) == expected


def test_triggers_of_others_stay(own_pocketbase: PocketBaseProcess) -> None:
    mine = "CREATE TRIGGER mine AFTER UPDATE ON owui_tags BEGIN SELECT 1; END"
    with own_pocketbase.admin() as admin:
        admin.sql(mine)
        assert not inspect(admin).is_behind
        apply_schema(admin)
        assert admin.sql("SELECT sql FROM sqlite_master WHERE name = 'mine'") == [{"sql": mine}]


def test_one_process_at_a_time(own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    with own_pocketbase.admin() as admin:
        admin.sql("INSERT INTO owui_meta (key, value) VALUES ('changing', '9999999999 another')")
        assert not apply_schema(admin)
        admin.sql("UPDATE owui_meta SET value = '1000000000 another' WHERE key = 'changing'")  # long ago
        assert apply_schema(admin)
        assert admin.sql("SELECT value FROM owui_meta WHERE key = 'changing'") == []


def test_an_older_package_refuses_the_newer_schema(own_pocketbase: PocketBaseProcess) -> None:
    with own_pocketbase.admin() as admin:
        bring_up(admin, NEW)
        expected = schema_of(own_pocketbase)
        with pytest.raises(SchemaError, match=f"version {NEW_VERSION}"):
            bring_up(admin)
    assert schema_of(own_pocketbase) == expected
