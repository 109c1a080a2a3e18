"""What is sent to a server, or printed as a migration, to change its schema."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

import pytest

from openwebui_pocketbase.assets import MIGRATIONS_DIR
from openwebui_pocketbase.schema.definitions import CORE_TRIGGERS
from openwebui_pocketbase.schema.description import OURS, digest_of
from openwebui_pocketbase.schema.fields import changed_types, copy_statement, index_name, indexes
from openwebui_pocketbase.schema.objects import LONGEST, SqlObject, fingerprint, objects_of, replacements, units
from tests.support.former_schema import OLD
from tools.generate_migration import migration

CORE = list(map(SqlObject.of, CORE_TRIGGERS))
HERE = [
    {"name": item.name, "sql": item.sql}
    for item in [*CORE, *(item for table in OURS.tables for item in objects_of(table))]
    if item.kind != "TABLE"
]


def test_nothing_is_replaced_where_nothing_differs() -> None:
    plain = [item.create for table in OURS.tables for item in objects_of(table) if item.kind == "TABLE"]
    assert replacements(OURS.tables, HERE) == ["; ".join(plain)]


@pytest.mark.parametrize("there", [[], HERE], ids=["empty", "filled"])
def test_calls_are_not_too_long(there: list[dict[str, str]]) -> None:
    for schema in (OURS, OLD):
        calls = replacements(schema.tables, there)
        assert max(len(call) for call in calls) <= LONGEST
        core = [] if there else [[item.create] for item in CORE]
        assert "; ".join(calls) == "; ".join("; ".join(unit) for unit in [*core, *units(schema.tables, there)])


def test_a_trigger_is_never_missing_between_two_calls() -> None:
    for unit in units(OLD.tables, HERE):
        dropped = [text.rpartition(" ")[2] for text in unit if text.startswith("DROP TRIGGER")]
        wanted = {item.name for table in OLD.tables for item in objects_of(table)}
        made = [SqlObject.of(text).name for text in unit if text.startswith("CREATE TRIGGER")]
        assert set(dropped) & wanted <= set(made)


def test_texts_are_as_sqlite_keeps_them() -> None:
    database = sqlite3.connect(":memory:")
    for statement in (
        "CREATE TABLE IF NOT EXISTS t (a  TEXT)",
        "CREATE UNIQUE INDEX IF NOT EXISTS i ON t  (a)",
        "CREATE TRIGGER IF NOT EXISTS r AFTER INSERT ON t BEGIN  SELECT 'IF NOT EXISTS '; END",
        "CREATE VIRTUAL TABLE IF NOT EXISTS f USING fts5 (x, content = '')",
    ):
        item = SqlObject.of(statement)
        assert item.create == statement
        database.execute(item.create)
        assert database.execute("SELECT sql FROM sqlite_master WHERE name = ?", (item.name,)).fetchone() == (item.sql,)


def test_the_fingerprint_sees_each_kind_of_change() -> None:
    assert len({fingerprint(OURS), fingerprint(OLD), fingerprint(replace(OURS, tables=OURS.tables[1:]))}) == 3


def test_migrations_are_as_generated() -> None:
    """The last one that brings a group to a version."""
    for group, digest in OURS.digests.items():
        path = max(path for path in MIGRATIONS_DIR.glob("*.js") if f"'digest/{group}', '" in path.read_text())
        assert f"'digest/{group}', '{digest}'" in path.read_text(), f"Generate {path.name} again."


def test_a_migration_that_changes_nothing_has_no_steps() -> None:
    text = migration("tags", 9, OURS.tables)
    digest = digest_of(table for table in OURS.tables if table.group == "tags")
    assert "findCollection" not in text
    assert "TRIGGER" not in text
    assert text.count(digest) == 2


def test_indexes_of_others_stay() -> None:
    ours = ["CREATE INDEX `idx_t_a` ON `t` (`a`)"]
    there = ["CREATE INDEX idx_t_b ON t (b)", "create unique index if not exists [idx_mine] on t (c)"]
    assert indexes("t", there, ours) == [*ours, there[1]]
    assert [index_name(index) for index in (*ours, *there)] == ["idx_t_a", "idx_t_b", "idx_mine"]


@pytest.mark.parametrize(
    ("found", "value", "wanted", "expected"),
    [
        ("number", 5, "text", "5"),
        ("number", 5.0, "text", "5"),
        ("number", 5, "int64", "0000000000000000005"),
        ("number", -1, "int64", "-9223372036854775807"),
        ("number", 5, "json", 5),
        ("number", 5, "bool", 1),
        ("bool", 1, "text", "1"),
        ("bool", 1, "json", "true"),
        ("bool", 1, "int", 1),
        ("text", "5", "int", 5),
        ("text", "no number", "int", 0),
        ("text", '{"a":1.0}', "json", '{"a":1.0}'),
        ("text", "plain", "json", '"plain"'),
        ("json", '{"b": 1,"a":2}', "text", '{"b": 1,"a":2}'),
        ("json", None, "text", ""),
        ("json", None, "int", 0),
        ("json", '"plain"', "text", "plain"),
        ("json", "true", "bool", 1),
        ("json", "5", "int", 5),
    ],
)
def test_values_in_another_type(found: str, value: Any, wanted: str, expected: Any) -> None:
    pocketbase = {"int": "number", "int64": "text"}.get(wanted, wanted)
    changed = changed_types([{"name": "x", "type": found}], [{"name": "x", "type": pocketbase}])
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE t (x, x_new_type, nulls)")
    database.execute("INSERT INTO t VALUES (?, NULL, '[]')", (value,))
    database.execute(copy_statement("t", changed, {"x": wanted}))
    assert database.execute("SELECT x_new_type FROM t").fetchone() == (expected,)


def test_none_stays_none_in_another_type() -> None:
    for found, value, wanted, pocketbase in (("number", 0, "text", "text"), ("text", "", "json", "json")):
        changed = changed_types([{"name": "x", "type": found}], [{"name": "x", "type": pocketbase}])
        database = sqlite3.connect(":memory:")
        database.execute("CREATE TABLE t (x, x_new_type, nulls)")
        database.execute("INSERT INTO t VALUES (?, 1, '[\"x\"]')", (value,))
        database.execute(copy_statement("t", changed, {"x": wanted}))
        assert database.execute("SELECT x_new_type FROM t").fetchone() in ((None,), ("",))
