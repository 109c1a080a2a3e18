"""Rows with any values, whatever code of the host writes them: the declarations have to fit the tables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from open_webui.internal import db as host
from sqlalchemy import Table, delete, insert, update

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.differential import HOSTILE_NAMES, JSON_OBJECTS
from tests.support.machines import examples
from tests.support.moved_rows import any_row
from tests.support.pocketbase import PocketBaseProcess
from tests.support.written_through import Compared, blocking_comparison

GROUPS = tuple(name for name, group in CATALOG.items() if group.written_through)
NAMES = [name for group in GROUPS for name in CATALOG[group].tables]


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def all_groups(
    runner: asyncio.Runner, fresh_pocketbase: PocketBaseProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Compared]:
    with blocking_comparison(runner, GROUPS, fresh_pocketbase, tmp_path_factory.mktemp("values")) as compared:
        yield compared


def table_of(name: str) -> Table:
    found: Table = host.Base.metadata.tables[name]
    return found


async def run(compared: Compared, name: str, what: str, *statements: Any) -> Any:
    """Run statements in one transaction, on both."""

    async def execute() -> Any:
        try:
            async with host.async_engine.begin() as connection:
                for statement in statements:
                    await connection.execute(statement)
        except Exception as error:  # noqa: BLE001 - any is a result
            return error
        return None

    return await compared.do(what, execute, only=(name,))


def plain(name: str, row_id: str, /, **columns: Any) -> dict[str, Any]:
    """Return a row with ordinary values."""
    values = {"text": row_id, "json": {"a": [1]}, "bool": True, "int": 1, "int64": 10**18 + 1}
    return {column.name: values[column.type] for column in TABLES[name].columns} | {"id": row_id} | columns


def of_type(name: str, *types: str) -> list[str]:
    return [c.name for c in TABLES[name].columns if c.type in types and c.name != "id"]


@pytest.mark.parametrize("name", NAMES)
def test_texts_and_json(runner: asyncio.Runner, all_groups: Compared, name: str) -> None:
    texts, values = of_type(name, "text"), of_type(name, "json")
    rows = [plain(name, f"id {text}", **dict.fromkeys(texts, text)) for text in dict.fromkeys(HOSTILE_NAMES.values())]
    # The host reads an integer beyond 64 bits as the float that PocketBase has.
    rows += [
        plain(name, f"of {n}", **dict.fromkeys(values, value))
        for n, (what, value) in enumerate(JSON_OBJECTS.items())
        if what != "beyond 64 bits"
    ]
    table = table_of(name)
    assert runner.run(run(all_groups, name, "insert", insert(table).values(rows))) is None
    assert runner.run(run(all_groups, name, "delete", delete(table))) is None


def stored(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without bare numbers in JSON columns: SQLite keeps them as numbers, with other digits."""
    numbers = [column for column in of_type(name, "json") if isinstance(row[column], int | float)]
    return row | {column: [row[column]] for column in numbers}


@pytest.mark.parametrize("name", NAMES)
def test_any_rows(runner: asyncio.Runner, all_groups: Compared, name: str) -> None:
    table = table_of(name)

    row = any_row(name).map(partial(stored, name))

    @given(rows=st.lists(row, min_size=1, max_size=4), changed=row)
    @examples(5)
    def check(rows: list[dict[str, Any]], changed: dict[str, Any]) -> None:
        ids = [row["id"] for row in rows]
        changes = {column: value for column, value in changed.items() if column != "id"}
        each = [insert(table).values(row) for row in rows]
        runner.run(run(all_groups, name, "insert", *each))
        runner.run(run(all_groups, name, "update", update(table).where(table.c.id == ids[0]).values(changes)))
        runner.run(run(all_groups, name, "replace", delete(table).where(table.c.id == ids[-1]), each[-1]))
        runner.run(run(all_groups, name, "delete", delete(table)))

    check()
