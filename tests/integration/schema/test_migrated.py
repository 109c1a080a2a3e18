"""The declarations of what is written through, and the tables as the host's migrations, not its mappers, make them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from openwebui_pocketbase.schema.tables import TABLES
from tests.support.stock import migrated_sqlite

THROUGH = [name for name, table in TABLES.items() if table.through]


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated_sqlite(tmp_path_factory.mktemp("migrated"))


@pytest.mark.parametrize("name", THROUGH)
def test_what_is_unique_in_sql_is_unique_in_pocketbase(migrated: Path, name: str) -> None:
    with closing(sqlite3.connect(migrated)) as connection:
        found = connection.execute(f"SELECT name FROM pragma_index_list('{name}') WHERE \"unique\"").fetchall()
        columns = [
            connection.execute(f"SELECT name FROM pragma_index_info('{index}')").fetchall() for (index,) in found
        ]
    in_sql = {tuple(column for (column,) in each) for each in columns} - {("id",)}
    assert {tuple(index.columns) for index in TABLES[name].indexes if index.unique} == in_sql


@pytest.mark.parametrize("name", THROUGH)
def test_what_sql_needs_a_value_of_has_one(migrated: Path, name: str) -> None:
    """Also of records that were made in the dashboard, which do not say what is None."""
    with closing(sqlite3.connect(migrated)) as connection:
        found = connection.execute(
            f"SELECT name FROM pragma_table_info('{name}') WHERE \"notnull\" AND NOT pk"
        ).fetchall()
    columns = {column.name: column for column in TABLES[name].columns}
    assert [name for (name,) in found if columns[name].null and not columns[name].required] == []
