"""The files that PocketBase's records refer to, and what else a database says about itself."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from openwebui_pocketbase.exceptions import BackupError

__all__ = ["has_bucket", "in_other_storage", "referenced", "revision_of", "schema_of", "settings_of"]


def referenced(connection: sqlite3.Connection) -> Iterator[str]:
    """Give the files that records of any collection lead to, by their paths below ``storage``."""
    collections = connection.execute("SELECT id, name, fields FROM _collections WHERE type != 'view'").fetchall()
    for collection, table, fields in collections:
        for field in json.loads(fields):
            if field["type"] != "file":
                continue
            column = _quoted(field["name"])
            rows = connection.execute(
                f"SELECT id, {column} FROM {_quoted(table)} WHERE {column} NOT IN ('', '[]')"  # noqa: S608 - PocketBase's names
            )
            for record, value in rows:
                names = json.loads(value) if value.startswith("[") else [value]
                yield from (f"{collection}/{record}/{name}" for name in names)


def in_other_storage(connection: sqlite3.Connection, table: str) -> int:
    """Return how many rows lead to contents in a storage that is no part of a backup, such as a bucket of the host's.

    Args:
        connection: PocketBase's data, or the SQL database.
        table: Its table of files, which need not be there.
    """
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
        return 0
    query = f"SELECT count(*) FROM {_quoted(table)} WHERE path LIKE '%://%' AND path NOT LIKE 'pb://%'"  # noqa: S608
    return int(connection.execute(query).fetchone()[0])


def settings_of(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """Return PocketBase's settings; None if they are encrypted."""
    row = connection.execute("SELECT value FROM _params WHERE id = 'settings'").fetchone()
    try:
        settings = json.loads(row[0]) if row else {}
    except (ValueError, TypeError):
        return None
    return settings if isinstance(settings, dict) else None


def has_bucket(connection: sqlite3.Connection) -> bool:
    """Tell whether PocketBase has its files in a bucket of S3; False if its settings are encrypted."""
    return bool((settings_of(connection) or {}).get("s3", {}).get("enabled"))


def schema_of(connection: sqlite3.Connection) -> int | None:
    """Return the version of our schema; None if the database has nothing of ours."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'owui_meta'").fetchone():
        return None
    row = connection.execute("SELECT value FROM owui_meta WHERE key = 'schema'").fetchone()
    return int(row[0]) if row else 0


def revision_of(connection: sqlite3.Connection) -> str:
    """Return the Alembic revision of the SQL database.

    Raises:
        BackupError: It is no database of Open WebUI.
    """
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        raise BackupError(
            "The SQL database has no tables of Open WebUI.", hint="Name its data directory with --data-dir."
        )
    return ", ".join(sorted(row[0] for row in connection.execute("SELECT version_num FROM alembic_version")))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
