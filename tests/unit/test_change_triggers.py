"""The triggers of the change feed, in whatever SQLite a writer brings."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import pytest

from openwebui_pocketbase.schema.definitions import CORE_STATEMENTS, statements_of
from openwebui_pocketbase.schema.tables import TABLES

WITHOUT_INDEX = [table for table in TABLES.values() if not any("fts5" in text for text in statements_of(table))]


def unixepoch_3_41(*arguments: Any) -> int | None:
    """Do as SQLite did before 3.42: an argument that is not known gives NULL."""
    return None if "subsec" in arguments else int(time.time())


@pytest.mark.parametrize("table", WITHOUT_INDEX, ids=lambda table: table.collection)
def test_an_old_sqlite_can_write(table: Any) -> None:
    database = sqlite3.connect(":memory:")
    database.create_function("unixepoch", -1, unixepoch_3_41)
    for statement in CORE_STATEMENTS:
        if "owui_changes" in statement:
            database.execute(statement)
    database.execute(f"CREATE TABLE {table.collection} (id TEXT)")
    for statement in statements_of(table):
        if "INSERT INTO owui_changes" in statement:
            database.execute(statement)
    before = int(time.time() * 1000)
    database.execute(f"INSERT INTO {table.collection} VALUES ('1')")
    database.execute(f"UPDATE {table.collection} SET id = '2'")
    database.execute(f"DELETE FROM {table.collection}")
    found = database.execute("SELECT record_id, op, at FROM owui_changes ORDER BY seq").fetchall()
    assert [row[:2] for row in found] == [("1", "create"), ("2", "update"), ("2", "delete")]
    assert all(before - 1 <= at <= time.time() * 1000 + 1 for *_, at in found)
