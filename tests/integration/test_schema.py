"""Bringing a real PocketBase to the schema: by migrations, over the admin API, from every older version."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from openwebui_pocketbase.assets import HOOKS_DIR, MIGRATIONS_DIR, TABLES_FILE
from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.exceptions import ConflictError, SchemaError
from openwebui_pocketbase.schema.bootstrap import apply_schema, bring_up, hook_digests, inspect
from openwebui_pocketbase.schema.tables import SCHEMA_VERSION, TABLES, Table
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.settings import EmbeddedSettings
from tests.support.pocketbase import PocketBaseProcess, clone

if TYPE_CHECKING:
    from collections.abc import Iterator

MIGRATIONS = sorted(MIGRATIONS_DIR.glob("*.js"))
COLLECTIONS = sorted(table.collection for table in TABLES.values())
CORE_TABLES = {"owui_meta", "owui_changes", "owui_idempotency"}
OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE tbl_name LIKE 'owui%' ORDER BY type, name"
VERSION = "SELECT value FROM owui_meta WHERE key = 'schema'"
INSERTS = {
    "owui_chat_files": (
        "INSERT INTO owui_chat_files (id, user_id, chat_id, file_id) VALUES ('cf-1', 'u1', 'c-1', 'file-1')"
    ),
    "owui_chat_messages": (
        "INSERT INTO owui_chat_messages (id, key, chat_id, role, entry, position, doc) "
        "VALUES ('0123456789abcdef', 'c-1-m', 'c-1', 'user', '{\"content\":\"Hello\"}', 1, 1)"
    ),
    "owui_chats": (
        "INSERT INTO owui_chats (id, user_id, title, title_folded, meta, doc) "
        "VALUES ('c-1', 'u1', 'Chat', 'chat', '{\"tags\":[\"a\"]}', 1)"
    ),
    "owui_shared_chats": "INSERT INTO owui_shared_chats (id, chat_id, user_id) VALUES ('s-1', 'c-1', 'u1')",
    "owui_access_grants": (
        "INSERT INTO owui_access_grants (id, resource_type, resource_id, principal_type, principal_id, permission) "
        "VALUES ('a-1', 'model', 'm', 'user', 'u1', 'read')"
    ),
    "owui_api_keys": "INSERT INTO owui_api_keys (id, user_id, key) VALUES ('key_u1', 'u1', 'sk-1')",
    "owui_auths": "INSERT INTO owui_auths (id, email, password) VALUES ('u1', 'u1@example.com', '$2b$x')",
    "owui_folders": "INSERT INTO owui_folders (id, name, user_id) VALUES ('f-1', 'Folder', 'u1')",
    "owui_group_members": "INSERT INTO owui_group_members (id, group_id, user_id) VALUES ('m-1', 'g-1', 'u1')",
    "owui_groups": "INSERT INTO owui_groups (id, name, user_id) VALUES ('g-1', 'Group', 'u1')",
    "owui_oauth_sessions": (
        "INSERT INTO owui_oauth_sessions (id, user_id, provider, token) VALUES ('o-1', 'u1', 'oidc', 't')"
    ),
    "owui_tags": "INSERT INTO owui_tags (id, key, name, user_id) VALUES ('0123456789abcdef', 'a', 'A', 'u1')",
    "owui_users": (
        "INSERT INTO owui_users (id, name, email, tokenKey) VALUES ('u1', 'User', 'u1@example.com', 'a-token-key')"
    ),
}

StartServer = Callable[..., PocketBaseProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartServer]:
    """Start a server with the first so many migrations, on a new data directory or on that of another server."""
    servers: list[PocketBaseProcess] = []

    def start(
        migrations: int = len(MIGRATIONS), *, data_dir: Path | None = None, hooks_dir: Path = HOOKS_DIR
    ) -> PocketBaseProcess:
        data_dir = data_dir or tmp_path / f"pb_data_{len(servers)}"
        server = PocketBaseProcess(data_dir, hooks_dir=hooks_dir, migrations_dir=first_migrations(tmp_path, migrations))
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.stop()


def first_migrations(tmp_path: Path, number: int) -> Path:
    directory = tmp_path / f"migrations_{number}"
    if not directory.exists():
        directory.mkdir()
        for migration in MIGRATIONS[:number]:
            shutil.copy(migration, directory)
    return directory


def migrate(server: PocketBaseProcess, *arguments: str, answer: str = "y") -> str:
    """Run PocketBase's own command on the data of a server that does not run."""
    result = subprocess.run(
        [
            find_binary(EmbeddedSettings()),
            "migrate",
            *arguments,
            f"--dir={server.data_dir}",
            f"--hooksDir={server.hooks_dir}",
            f"--migrationsDir={server.migrations_dir}",
        ],
        input=f"{answer}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def collections(admin: AdminClient) -> dict[str, dict[str, Any]]:
    """Our collections with all their options; the times at which they were made differ by nature."""
    return {
        name: {option: value for option, value in definition.items() if option not in {"created", "updated"}}
        for name, definition in admin.collections().items()
        if name.startswith("owui_")
    }


def snapshot(server: PocketBaseProcess) -> dict[str, Any]:
    """Everything of the schema."""
    with server.admin() as admin:
        return {"collections": collections(admin), "objects": admin.sql(OBJECTS), "version": admin.sql(VERSION)}


def tables(admin: AdminClient) -> set[str]:
    return {row["name"] for row in admin.sql(OBJECTS) if row["type"] == "table"}


def changes(admin: AdminClient) -> list[tuple[str, str, str]]:
    rows = admin.sql("SELECT collection, record_id, op FROM owui_changes ORDER BY seq")
    return [(row["collection"], row["record_id"], row["op"]) for row in rows]


def insert_rows(admin: AdminClient) -> dict[str, list[dict[str, Any]]]:
    """Put a row into each collection there is."""
    for name in tables(admin) & INSERTS.keys():
        admin.sql(INSERTS[name])
    return rows(admin)


def rows(admin: AdminClient) -> dict[str, list[dict[str, Any]]]:
    return {name: admin.sql(f"SELECT * FROM {name}") for name in tables(admin) & INSERTS.keys()}


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


@pytest.mark.parametrize("steps", range(1, SCHEMA_VERSION + 1))
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
        *("owui_chat_tags", "owui_chat_locks"),
        *(f"owui_{name}_search{part}" for name in ("chats", "chat_messages") for part in SEARCH_PARTS),
        "owui_chat_messages_words",
    },
]
"""Tables which each version of the schema added."""
TABLES_AFTER = [set[str]().union(*ADDED[:version]) for version in range(SCHEMA_VERSION + 1)]
"""Tables of each version of the schema."""


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_bring_up_from_an_older_version_keeps_rows(version: int, start: StartServer) -> None:
    server = start(version)
    with server.admin() as admin:
        assert tables(admin) == TABLES_AFTER[version]
        kept = insert_rows(admin)
        seen, epoch = changes(admin), admin.version()["epoch"]
        assert inspect(admin).schema == version
        bring_up(admin)
        assert {name: found for name, found in rows(admin).items() if name in kept} == kept
        assert changes(admin) == seen
        assert admin.version()["epoch"] == epoch
    brought_up = snapshot(server)
    server.stop()
    server = start(data_dir=server.data_dir)  # with the migrations of this version, too
    assert snapshot(server) == brought_up == snapshot(start())


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


@pytest.fixture
def start_with_hooks(
    prepared_pocketbase: Path, tmp_path: Path, start: StartServer
) -> Callable[[Callable[[Path], object]], PocketBaseProcess]:
    """Start a server whose hooks were changed."""

    def start_with_hooks(change: Callable[[Path], object]) -> PocketBaseProcess:
        hooks = tmp_path / "pb_hooks"
        shutil.copytree(HOOKS_DIR, hooks)
        change(hooks)
        return start(data_dir=clone(prepared_pocketbase, tmp_path), hooks_dir=hooks)

    return start_with_hooks


HOOK_FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "all missing": (
        lambda hooks: shutil.rmtree(hooks / "owui") or (hooks / "owui.pb.js").unlink(),
        "none of this package's hooks",
    ),
    "one missing": (
        lambda hooks: (hooks / "owui" / "backup.js").unlink(),
        "hooks do not fit: owui/backup.js is missing.",
    ),
    "one altered": (
        lambda hooks: (hooks / "owui" / "tags.js").open("a").write("// altered\n"),
        "hooks do not fit: owui/tags.js is of another version.",
    ),
    "tables altered": (
        lambda hooks: (hooks / "owui" / "tables.json").open("a").write("\n"),
        "hooks do not fit: owui/tables.json is of another version.",
    ),
}


@pytest.mark.parametrize(("change", "message"), HOOK_FAULTS.values(), ids=HOOK_FAULTS)
def test_wrong_hooks_are_named(
    change: Callable[[Path], object],
    message: str,
    start_with_hooks: Callable[[Callable[[Path], object]], PocketBaseProcess],
) -> None:
    with start_with_hooks(change).admin() as admin, pytest.raises(SchemaError) as raised:
        bring_up(admin)
    assert message in str(raised.value)
    assert "openwebui-pocketbase assets export" in raised.value.hint


def test_other_hooks_beside_ours_are_welcome(
    start_with_hooks: Callable[[Callable[[Path], object]], PocketBaseProcess],
) -> None:
    server = start_with_hooks(lambda hooks: (hooks / "other.pb.js").write_text("onBootstrap((e) => e.next())\n"))
    with server.admin() as admin:
        bring_up(admin)


def test_digests_are_those_of_the_files(pocketbase: PocketBaseProcess) -> None:
    with pocketbase.admin() as admin:
        theirs = admin.version()["hooks"]
    files = [path for path in HOOKS_DIR.rglob("*") if path.is_file()]
    expected = {str(path.relative_to(HOOKS_DIR)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert theirs == expected == hook_digests()


def test_digests_are_those_of_the_code_that_runs(
    start_with_hooks: Callable[[Callable[[Path], object]], PocketBaseProcess],
) -> None:
    server = start_with_hooks(lambda hooks: None)
    with (server.hooks_dir / "owui" / "tags.js").open("a") as file:
        file.write("// newer\n")
    with server.admin() as admin:
        before = admin.version()
    assert before["hooks"] == hook_digests()
    server.stop()
    server.start()
    with server.admin() as admin:
        after = admin.version()
        assert inspect(admin).hooks_different == ("owui/tags.js",)
    assert after["run"] != before["run"]


def test_another_version_of_pocketbase_is_refused(
    start_with_hooks: Callable[[Callable[[Path], object]], PocketBaseProcess],
) -> None:
    """The version is changed on its way; another PocketBase is not at hand."""

    def change(hooks: Path) -> None:
        script = hooks / "owui" / "version.js"
        script.write_text(script.read_text().replace("$app.rootCmd?.version", '"0.41.0"'))

    with start_with_hooks(change).admin() as admin, pytest.raises(SchemaError) as raised:
        bring_up(admin)
    assert "The server is PocketBase 0.41.0; this package needs >=0.40.6,<0.41." in str(raised.value)


def test_epoch_exists_and_survives_a_restart(own_pocketbase: PocketBaseProcess) -> None:
    with own_pocketbase.admin() as admin:
        epoch = admin.version()["epoch"]
    assert re.fullmatch("[0-9a-f]{32}", epoch)
    own_pocketbase.stop()
    own_pocketbase.start()
    with own_pocketbase.admin() as admin:
        bring_up(admin)
        assert admin.version()["epoch"] == epoch


def test_two_servers_have_two_epochs(start: StartServer) -> None:
    epochs = set()
    for server in (start(), start()):
        with server.admin() as admin:
            epochs.add(admin.version()["epoch"])
    assert len(epochs) == 2


@pytest.fixture(scope="module")
def definitions(pocketbase: PocketBaseProcess) -> dict[str, dict[str, Any]]:
    with pocketbase.admin() as admin:
        return collections(admin)


def test_collections_are_those_declared(definitions: dict[str, dict[str, Any]]) -> None:
    assert sorted(definitions) == COLLECTIONS


def declared(name: str) -> Table:
    (table,) = (table for table in TABLES.values() if table.collection == name)
    return table


@pytest.mark.parametrize("name", COLLECTIONS)
def test_only_superusers_have_access(name: str, definitions: dict[str, dict[str, Any]]) -> None:
    rules = {option: value for option, value in definitions[name].items() if option.endswith("Rule")}
    names = ["listRule", "viewRule", "createRule", "updateRule", "deleteRule"]
    assert rules == dict.fromkeys([*names, *(["authRule", "manageRule"] if declared(name).auth else [])])


def test_nobody_can_sign_in_as_one_of_the_users(definitions: dict[str, dict[str, Any]]) -> None:
    (users,) = (definition for definition in definitions.values() if definition["type"] == "auth")
    assert users["name"] == "owui_users"
    ways = ("passwordAuth", "oauth2", "otp", "mfa", "authAlert")
    assert {way: users[way]["enabled"] for way in ways} == dict.fromkeys(ways, False)


def test_secrets_are_hidden_whatever_rules_there_will_be(definitions: dict[str, dict[str, Any]]) -> None:
    hidden = {
        f"{name}.{field['name']}"
        for name, definition in definitions.items()
        for field in definition["fields"]
        if field["hidden"] and not field["system"]
    }
    assert hidden == {
        "owui_api_keys.key",
        "owui_auths.mfa",
        "owui_auths.password",
        "owui_auths.session_stamp",
        "owui_oauth_sessions.token",
    }


@pytest.mark.parametrize("name", COLLECTIONS)
def test_fields_follow_the_conventions(name: str, definitions: dict[str, dict[str, Any]]) -> None:
    table = declared(name)
    fields = {field["name"]: field for field in definitions[name]["fields"]}
    folded = [f"{column.field}_folded" for column in table.columns if column.folded]
    of_pocketbase = ["password", "tokenKey", "email", "emailVisibility", "verified"] if table.auth else []
    extras = [extra.name for extra in table.extras] + (["doc"] if table.search else [])
    expected = {"id", "nulls", "created", "updated", *(column.field for column in table.columns), *folded, *extras}
    assert set(fields) == {*expected, *of_pocketbase}
    assert fields["nulls"]["type"] == "json"
    times = {
        key: (field["onCreate"], field["onUpdate"]) for key, field in fields.items() if field["type"] == "autodate"
    }
    assert times == {"created": (True, False), "updated": (True, True)}
    for key, field in fields.items():
        if field["type"] == "text":
            assert field["max"] > 0, f"{key} would be limited to 5,000 characters"
        if field["type"] == "json":
            assert field["maxSize"] > 0, f"{key} would be limited to 1 MiB"


@pytest.mark.parametrize("name", COLLECTIONS)
def test_custom_ids_have_an_index_without_case(name: str, definitions: dict[str, dict[str, Any]]) -> None:
    """PocketBase looks ids up without case unless their pattern is its own."""
    (id_field,) = (field for field in definitions[name]["fields"] if field["name"] == "id")
    indexes = [index for index in definitions[name]["indexes"] if "`id` COLLATE NOCASE" in index]
    assert len(indexes) == (id_field["pattern"] != "^[a-z0-9]+$")


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_change_is_recorded_by_a_trigger(name: str, pocketbase: PocketBaseProcess) -> None:
    with pocketbase.admin() as admin:
        found = admin.sql(f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{name}'")
    recording = [row for row in found if "INSERT INTO owui_changes" in row["sql"]]
    events = {row["name"]: re.findall(r"AFTER (\w+)(?: OF [\w, ]+)? ON", row["sql"]) for row in recording}
    # Of chats it enters what the trigger for updates leaves to it: see schema/tags.py.
    further = {"owui_chats_tags_relate": ["UPDATE"]} if name == "owui_chats" else {}
    expected = {f"{name}_create": ["INSERT"], f"{name}_update": ["UPDATE"], f"{name}_delete": ["DELETE"]}
    assert events == expected | further


def call(server: PocketBaseProcess, path: str, body: dict[str, Any]) -> Any:
    """Call a hook as the adapter does."""

    async def send() -> Any:
        client = server.client()
        try:
            return await client.write(path, body)
        finally:
            await client.aclose()

    return asyncio.run(send())


def test_changes_are_recorded_in_the_order_of_their_commits(own_pocketbase: PocketBaseProcess) -> None:
    records = "/api/collections/owui_tags/records"
    ids = {name: name.ljust(15, "0") for name in ("api", "sql", "batch1", "batch2", "undone")}
    with own_pocketbase.admin() as admin:
        admin.send("PATCH", "/api/settings", {"batch": {"enabled": True, "maxRequests": 50, "timeout": 3}})
        admin.send("POST", records, {"id": ids["api"], "key": "api", "user_id": "u"})
        admin.sql(f"INSERT INTO owui_tags (id, key, user_id) VALUES ('{ids['sql']}', 'sql', 'u')")
        tag = {"id": "hook", "name": "Hook", "user_id": "u", "meta": None}
        call(own_pocketbase, "tags/insert_new_tag", {"tag": tag})
        hook_id = hashlib.sha256(b'["u","hook"]').hexdigest()[:32]
        admin.send(
            "POST",
            "/api/batch",
            {
                "requests": [
                    {"method": "POST", "url": records, "body": {"id": ids["batch1"], "key": "b1", "user_id": "u"}},
                    {"method": "PATCH", "url": f"{records}/{ids['sql']}", "body": {"name": "changed"}},
                    {"method": "POST", "url": records, "body": {"id": ids["batch2"], "key": "b2", "user_id": "u"}},
                ]
            },
        )
        admin.send("PATCH", f"{records}/{ids['api']}", {"name": "changed"})
        admin.sql(f"UPDATE owui_tags SET name = 'changed' WHERE id = '{ids['batch1']}'")
        admin.sql(f"DELETE FROM owui_tags WHERE id = '{ids['sql']}'")
        call(own_pocketbase, "tags/delete_tags_by_ids_and_user_id", {"ids": ["hook"], "user_id": "u"})
        admin.send("DELETE", f"{records}/{ids['batch2']}")
        found = changes(admin)
    assert found == [
        ("owui_tags", record_id, op)
        for record_id, op in [
            (ids["api"], "create"),
            (ids["sql"], "create"),
            (hook_id, "create"),
            (ids["batch1"], "create"),
            (ids["sql"], "update"),
            (ids["batch2"], "create"),
            (ids["api"], "update"),
            (ids["batch1"], "update"),
            (ids["sql"], "delete"),
            (hook_id, "delete"),
            (ids["batch2"], "delete"),
        ]
    ]


def test_what_is_undone_leaves_no_change(own_pocketbase: PocketBaseProcess) -> None:
    with own_pocketbase.admin() as admin:
        body = {"ids": ["a", "a"], "names": ["A", "A"], "user_id": "u"}
        with pytest.raises(ConflictError):
            call(own_pocketbase, "tags/ensure_tags_exist", body)
        assert changes(admin) == []
        assert admin.sql("SELECT id FROM owui_tags") == []


def test_times_of_changes_are_milliseconds(own_pocketbase: PocketBaseProcess) -> None:
    with own_pocketbase.admin() as admin:
        admin.sql(INSERTS["owui_folders"])
        (row,) = admin.sql("SELECT at, unixepoch() * 1000 AS now FROM owui_changes")
    assert abs(int(row["now"]) - int(row["at"])) < 5000


def test_numbers_of_changes_only_grow(own_pocketbase: PocketBaseProcess) -> None:
    """The newest change is never pruned, so its number is not given again."""
    with own_pocketbase.admin() as admin:
        for statement in (INSERTS["owui_folders"], "DELETE FROM owui_folders", INSERTS["owui_tags"]):
            admin.sql(statement)
        numbers = [int(row["seq"]) for row in admin.sql("SELECT seq FROM owui_changes ORDER BY seq")]
    assert numbers == [1, 2, 3]


def test_declaration_is_valid_for_both_sides() -> None:
    declared = json.loads(TABLES_FILE.read_text())
    assert declared["schema"] == SCHEMA_VERSION
    assert {name: table["collection"] for name, table in declared["tables"].items()} == {
        name: table.collection for name, table in TABLES.items()
    }
