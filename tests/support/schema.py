"""A PocketBase at any version of the schema: starting it, filling it, and looking at what it has."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from openwebui_pocketbase.assets import MIGRATIONS_DIR
from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.settings import EmbeddedSettings
from tests.support.pocketbase import PocketBaseProcess

MIGRATIONS = sorted(MIGRATIONS_DIR.glob("*.js"))
COLLECTIONS = sorted(table.collection for table in TABLES.values())
OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE tbl_name LIKE 'owui%' ORDER BY type, name"
VERSION = "SELECT value FROM owui_meta WHERE key = 'schema'"
_WRITTEN_THROUGH = [table.collection for table in TABLES.values() if table.through]

INSERTS = {
    "owui_chat_files": (
        "INSERT INTO owui_chat_files (id, user_id, chat_id, file_id) VALUES ('cf-1', 'u1', 'c-1', 'file-1')"
    ),
    "owui_chat_messages": (
        "INSERT INTO owui_chat_messages (id, key, chat_id, role, entry, position, doc) "
        "VALUES ('0123456789abcdef', 'c-1-m', 'c-1', 'user', '{\"content\":\"Hello\"}', 1, 1)"
    ),
    "owui_config": "INSERT INTO owui_config (id, key, value) VALUES ('0123456789abcdef', 'ui.title', '\"T\"')",
    "owui_channel_files": (
        "INSERT INTO owui_channel_files (id, user_id, channel_id, file_id) VALUES ('chf-1', 'u1', 'ch-1', 'file-1')"
    ),
    "owui_channel_members": (
        "INSERT INTO owui_channel_members (id, channel_id, user_id) VALUES ('chm-1', 'ch-1', 'u1')"
    ),
    "owui_channel_webhooks": (
        "INSERT INTO owui_channel_webhooks (id, channel_id, user_id, name) VALUES ('chw-1', 'ch-1', 'u1', 'W')"
    ),
    "owui_channels": "INSERT INTO owui_channels (id, user_id, name) VALUES ('ch-1', 'u1', 'general')",
    "owui_message_reactions": (
        "INSERT INTO owui_message_reactions (id, user_id, message_id, name) VALUES ('r-1', 'u1', 'me-1', 'ok')"
    ),
    "owui_messages": (
        "INSERT INTO owui_messages (id, user_id, channel_id, content, content_folded, doc) "
        "VALUES ('me-1', 'u1', 'ch-1', 'Hello', 'hello', 1)"
    ),
    "owui_chats": (
        "INSERT INTO owui_chats (id, user_id, title, title_folded, tags, meta, doc) "
        "VALUES ('c-1', 'u1', 'Chat', 'chat', '[\"0123456789abcdef\"]', '{\"tags\":[\"a\"]}', 1)"
    ),
    "owui_shared_chats": "INSERT INTO owui_shared_chats (id, chat_id, user_id) VALUES ('s-1', 'c-1', 'u1')",
    "owui_access_grants": (
        "INSERT INTO owui_access_grants (id, resource_type, resource_id, principal_type, principal_id, permission) "
        "VALUES ('a-1', 'model', 'm', 'user', 'u1', 'read')"
    ),
    "owui_api_keys": "INSERT INTO owui_api_keys (id, user_id, key) VALUES ('key_u1', 'u1', 'sk-1')",
    "owui_auths": "INSERT INTO owui_auths (id, email, password) VALUES ('u1', 'u1@example.com', '$2b$x')",
    "owui_files": "INSERT INTO owui_files (id, user_id, filename) VALUES ('file-1', 'u1', 'a.txt')",
    "owui_folders": "INSERT INTO owui_folders (id, name, user_id) VALUES ('f-1', 'Folder', 'u1')",
    "owui_group_members": "INSERT INTO owui_group_members (id, group_id, user_id) VALUES ('m-1', 'g-1', 'u1')",
    "owui_groups": "INSERT INTO owui_groups (id, name, user_id) VALUES ('g-1', 'Group', 'u1')",
    "owui_model_histories": (
        "INSERT INTO owui_model_histories (id, model_id, user_id, snapshot) VALUES ('h-1', 'm', 'u1', '{}')"
    ),
    "owui_models": "INSERT INTO owui_models (id, key, user_id, name) VALUES ('0123456789abcdef', 'm', 'u1', 'M')",
    "owui_oauth_sessions": (
        "INSERT INTO owui_oauth_sessions (id, user_id, provider, token) VALUES ('o-1', 'u1', 'oidc', 't')"
    ),
    "owui_tags": "INSERT INTO owui_tags (id, key, name, user_id) VALUES ('0123456789abcdef', 'a', 'A', 'u1')",
    "owui_users": (
        "INSERT INTO owui_users (id, name, email, tokenKey) VALUES ('u1', 'User', 'u1@example.com', 'a-token-key')"
    ),
    **{name: f"INSERT INTO {name} (id, created) VALUES ('{name}-1', '2020-01-01')" for name in _WRITTEN_THROUGH},
}

StartServer = Callable[..., PocketBaseProcess]


def copied_migrations(directory: Path, migrations: Iterable[Path]) -> Path:
    """A directory with these migrations."""
    directory.mkdir()
    for migration in migrations:
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
        return {
            "collections": collections(admin),
            "objects": admin.sql(OBJECTS),
            "version": admin.sql(VERSION),
            "digests": admin.sql("SELECT key, value FROM owui_meta WHERE key GLOB 'digest/*' ORDER BY key"),
        }


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
