"""SQL databases of Open WebUI with many rows, made by raw SQL."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.chat_data import Chat
from bench.data import identifier
from tests.support.stock import migrated_sqlite

__all__ = ["fill", "insert", "site_environment", "sqlite_site"]


def sqlite_site(data_dir: Path) -> dict[str, str]:
    """Make a data directory with a migrated, empty SQLite database; return the environment of commands about it."""
    data_dir.mkdir(exist_ok=True)
    shutil.move(migrated_sqlite(data_dir), data_dir / "webui.db")
    return site_environment(data_dir)


def site_environment(data_dir: Path) -> dict[str, str]:
    """Return the environment of commands about a data directory, with nothing of this package's set."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OPENWEBUI_", "STORAGE_"))}
    return env | {"DATA_DIR": str(data_dir), "FROM_INIT_PY": "true", "WEBUI_SECRET_KEY": "test", "OFFLINE_MODE": "true"}


def fill(database: Path, *, chats: int, messages: int, people: int = 5) -> None:
    """Insert people, their tags, and chats."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for number in range(people):
            user = identifier(f"user {number}")
            insert(
                connection,
                "user",
                {
                    "id": user,
                    "email": f"user{number}@example.com",
                    "name": f"User {number}",
                    "role": "user",
                    "profile_image_url": "",
                    "last_active_at": 1,
                    "updated_at": 1,
                    "created_at": 1,
                },
            )
            insert(connection, "tag", {"id": "work", "name": "work", "user_id": user, "meta": None})
        for number in range(chats):
            item = Chat(
                identifier(f"user {number % people}"), number, messages, columns={"meta": {"tags": ["work"]}}
            ).item
            for table, rows in item.items():
                for row in rows:
                    insert(connection, table, row)


def insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    """Insert a row; JSON columns are given as what they say."""
    values = {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in row.items()}
    if table == "chat_message":
        values["content"] = json.dumps(row["content"])
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', values)
