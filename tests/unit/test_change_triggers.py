"""The triggers of the change feed, in whatever SQLite a writer brings."""

from __future__ import annotations

import json
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
    fields = {column.name: column.field for column in table.columns}
    concerns = [fields[name] for name in table.concerns]
    database.execute(f"CREATE TABLE {table.collection} ({', '.join(['id', *concerns])})")
    for statement in statements_of(table):
        if "INSERT INTO owui_changes" in statement:
            database.execute(statement)
    before = int(time.time() * 1000)
    was, now = ([f"{when} {field}" for field in concerns] for when in ("old", "new"))
    database.execute(f"INSERT INTO {table.collection} VALUES ({', '.join(repr(value) for value in ['1', *was])})")
    changes = [f"{field} = 'new {field}'" for field in concerns]
    database.execute(f"UPDATE {table.collection} SET {', '.join([*changes, 'id = 2'])}")
    database.execute(f"DELETE FROM {table.collection}")
    found = database.execute("SELECT record_id, op, concerned, at FROM owui_changes ORDER BY seq").fetchall()
    assert [row[:2] for row in found] == [("1", "create"), ("2", "update"), ("2", "delete")]
    assert all(before - 1 <= at <= time.time() * 1000 + 1 for *_, at in found)
    if concerns:
        assert [json.loads(row[2]) for row in found] == [was, [*now, *was], now]
    else:
        assert [row[2] for row in found] == ["", "", ""]
