"""Bringing a real PocketBase to the schema: by migrations, over the admin API, from every older version."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.exceptions import SchemaError
from openwebui_pocketbase.schema.apply import apply_schema
from openwebui_pocketbase.schema.bootstrap import bring_up, inspect
from openwebui_pocketbase.schema.tables import SCHEMA_VERSION, TABLES
from tests.support.pocketbase import PocketBaseProcess
from tests.support.schema import (
    COLLECTIONS,
    INSERTS,
    MIGRATIONS,
    OBJECTS,
    VERSION,
    StartServer,
    changes,
    collections,
    insert_rows,
    migrate,
    rows,
    snapshot,
    tables,
)

CORE_TABLES = {"owui_meta", "owui_changes", "owui_idempotency"}


def test_there_is_one_migration_per_schema_version() -> None:
    assert len(MIGRATIONS) == SCHEMA_VERSION
    assert set(INSERTS) == set(COLLECTIONS)


def test_migrations_and_admin_api_give_the_same_schema(start: StartServer) -> None:
    migrated, applied = start(), start(0)
    with applied.admin() as admin:
        assert tables(admin) == set()
        apply_schema(admin)
    expected = snapshot(migrated)
    assert set(expected["collections"]) == set(COLLECTIONS)
    assert expected["version"] == [{"value": str(SCHEMA_VERSION)}]
    assert snapshot(applied) == expected


def test_applying_again_changes_nothing(start: StartServer) -> None:
    server = start(0)
    with server.admin() as admin:
        bring_up(admin)
        expected, kept = snapshot(server), insert_rows(admin)
        seen = changes(admin)
        apply_schema(admin)
        assert rows(admin) == kept
        assert changes(admin) == seen
    assert snapshot(server) == expected


def test_applying_after_migrations_changes_nothing(start: StartServer) -> None:
    server = start()
    with server.admin() as admin:
        expected, kept = snapshot(server), insert_rows(admin)
        apply_schema(admin)
        assert rows(admin) == kept
    assert snapshot(server) == expected


def test_applying_keeps_what_an_administrator_opened(start: StartServer) -> None:
    server = start()
    with server.admin() as admin:
        opened = {
            "otp": {"enabled": True, "duration": 180, "length": 8},
            "authRule": "",
            "viewRule": "id = @request.auth.id",
        }
        admin.send("PATCH", "/api/collections/owui_users", opened)
        expected = snapshot(server)
        admin.sql("UPDATE owui_meta SET value = '3' WHERE key = 'schema'")
        bring_up(admin)
    assert snapshot(server) == expected
    assert expected["collections"]["owui_users"]["otp"]["enabled"]


def test_migrating_after_applying_changes_nothing(start: StartServer) -> None:
    """The assets were exported later, into the migrations directory of a server in use."""
    server = start(0)
    with server.admin() as admin:
        bring_up(admin)
        expected, kept = snapshot(server), insert_rows(admin)
        epoch = admin.version()["epoch"]
    server.stop()
    server = start(data_dir=server.data_dir)
    with server.admin() as admin:
        assert rows(admin) == kept
        assert admin.version()["epoch"] == epoch
        bring_up(admin)
    assert snapshot(server) == expected


@pytest.mark.parametrize("steps", [1, 2, 3, SCHEMA_VERSION])
def test_reverting_and_migrating_again(steps: int, start: StartServer) -> None:
    server = start()
    expected = snapshot(server)
    with server.admin() as admin:
        insert_rows(admin)
    server.stop()
    for migration in reversed(MIGRATIONS[-steps:]):
        assert migration.name in migrate(server, "down", "1")
    left = SCHEMA_VERSION - steps
    server = start(left, data_dir=server.data_dir)
    with server.admin() as admin:
        wanted = TABLES_AFTER[left]
        assert tables(admin) == wanted
        assert set(collections(admin)) == wanted & set(COLLECTIONS)
        if left:
            assert admin.sql(VERSION) == [{"value": str(left)}]
        else:
            assert admin.sql(OBJECTS) == []
    server.stop()
    server = start(data_dir=server.data_dir)
    assert snapshot(server) == expected


def test_reverting_all_at_once(start: StartServer) -> None:
    server = start()
    with server.admin() as admin:
        insert_rows(admin)
    server.stop()
    output = migrate(server, "down", str(SCHEMA_VERSION))
    assert [migration.name for migration in MIGRATIONS if migration.name not in output] == []
    server = start(0, data_dir=server.data_dir)
    with server.admin() as admin:
        assert admin.sql(OBJECTS) == []


SEARCH_PARTS = ("", "_config", "_data", "_docsize", "_idx")
"""What SQLite makes for a full-text index."""
ADDED = [
    CORE_TABLES,
    {"owui_tags"},
    {"owui_folders"},
    {"owui_users", "owui_api_keys", "owui_auths", "owui_oauth_sessions"},
    {"owui_groups", "owui_group_members"},
    {"owui_access_grants"},
    {
        *("owui_chats", "owui_chat_messages", "owui_shared_chats", "owui_chat_files"),
        *("owui_chat_tags", "owui_chat_locks", "owui_stale_tags"),
        *(f"owui_{name}_search{part}" for name in ("chats", "chat_messages") for part in SEARCH_PARTS),
        "owui_chat_messages_words",
    },
    {"owui_models", "owui_model_histories"},
    {"owui_files"},
    {
        *("owui_channels", "owui_channel_members", "owui_channel_files", "owui_channel_webhooks"),
        *("owui_messages", "owui_message_reactions", "owui_messages_words"),
        *(f"owui_messages_search{part}" for part in SEARCH_PARTS),
    },
    set(),
    set(),
    {"owui_data_urls", "owui_data_url_parts", "owui_data_url_uses", "owui_data_url_unsure"},
    {"owui_config"},
    {table.collection for table in TABLES.values() if table.through},
    set(),
]
"""Tables which each version of the schema added."""
TABLES_AFTER = [set[str]().union(*ADDED[:version]) for version in range(SCHEMA_VERSION + 1)]
"""Tables of each version of the schema."""


@pytest.mark.parametrize("version", [1, 7, *range(10, SCHEMA_VERSION)])
def test_bring_up_from_an_older_version_keeps_rows(version: int, start: StartServer) -> None:
    server = start(version)
    with server.admin() as admin:
        assert tables(admin) == TABLES_AFTER[version]
        kept = insert_rows(admin)
        seen, epoch = changes(admin), admin.version()["epoch"]
        assert inspect(admin).schema == version
        bring_up(admin)
        assert _lasting({name: found for name, found in rows(admin).items() if name in kept}) == _lasting(kept)
        assert changes(admin) == seen
        assert admin.version()["epoch"] == epoch
    brought_up = snapshot(server)
    server.stop()
    server = start(data_dir=server.data_dir)  # with the migrations of this version, too
    assert snapshot(server) == brought_up == snapshot(start())


def test_a_migration_that_only_arranges_fields_leaves_all_else_alone(start: StartServer) -> None:
    """The index of words is not made anew, and what an administrator has set or removed stays so."""
    server = start(15)
    with server.admin() as admin:
        kept, seen = insert_rows(admin), changes(admin)
        admin.sql("INSERT INTO owui_messages_search (rowid, words) VALUES (1, 'hello')")
        title = {"name": "title", "hidden": True}
        _alter_fields(admin, "owui_chats", title, without="summary")
        _alter_fields(admin, "owui_tags", {"name": "mine", "type": "text"}, without="name")
    server.stop()
    server = start(data_dir=server.data_dir)
    with server.admin() as admin:
        found = rows(admin)
        assert found["owui_messages"] == kept["owui_messages"]
        assert found["owui_chats"] == [
            {name: value for name, value in row.items() if name != "summary"} for row in kept["owui_chats"]
        ]
        assert admin.sql("SELECT rowid FROM owui_messages_search('hello')") == [{"rowid": "1"}]
        assert changes(admin) == seen
        for _ in range(2):  # after the migration, and with what was missing made good
            chats, tags = (admin.collections()[name]["fields"] for name in ("owui_chats", "owui_tags"))
            (named,) = (field for field in chats if field["name"] == "title")
            assert (named["hidden"], named["presentable"]) == (True, True)
            assert tags[-1]["name"] == "mine"
            bring_up(admin)
        names = [field["name"] for field in admin.collections()["owui_tags"]["fields"]]
        assert names[:3] == ["name", "user_id", "id"]


def _alter_fields(admin: AdminClient, name: str, change: dict[str, Any], *, without: str) -> None:
    """Remove a field, and change or add another, as the dashboard does."""
    fields = {field["name"]: field for field in admin.collections()[name]["fields"] if field["name"] != without}
    fields[change["name"]] = fields.get(change["name"], {}) | change
    admin.send("PATCH", f"/api/collections/{name}", {"fields": list(fields.values())})


def _lasting(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Rows without what says that they are in a full-text index, which may have been made anew."""
    return {
        name: [{key: value for key, value in row.items() if key not in ("doc", "waits")} for row in rows]
        for name, rows in found.items()
    }


@pytest.mark.parametrize("threads", [2, 8])
def test_bring_up_in_threads_at_once(threads: int, start: StartServer) -> None:
    server = start(0)
    together = threading.Barrier(threads)
    token = server.login()

    def work(_: int) -> None:
        with AdminClient(server.url, token=token) as admin:
            together.wait()
            bring_up(admin)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    assert snapshot(server) == snapshot(start())


WORKER = """
import sys
from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.schema.bootstrap import bring_up

with AdminClient(sys.argv[1], token=sys.argv[2]) as admin:
    print("ready", flush=True)
    sys.stdin.readline()
    bring_up(admin)
"""


@pytest.mark.parametrize("processes", [2, 8])
def test_bring_up_in_processes_at_once(processes: int, start: StartServer) -> None:
    server = start(0)
    command = [sys.executable, "-c", WORKER, server.url, server.login()]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    errors = [worker.communicate(timeout=60)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * processes, errors
    assert snapshot(server) == snapshot(start())


def test_newer_schema_is_refused(own_pocketbase: PocketBaseProcess) -> None:
    newer = SCHEMA_VERSION + 1
    with own_pocketbase.admin() as admin:
        admin.sql(f"INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '{newer}')")
        with pytest.raises(SchemaError) as raised:
            bring_up(admin)
        assert admin.sql(VERSION) == [{"value": str(newer)}]
    assert f"version {newer}" in str(raised.value)
    assert f"up to {SCHEMA_VERSION}" in str(raised.value)
    assert "Upgrade openwebui-pocketbase" in raised.value.hint
