"""What the SQL database of an instance has of PocketBase's rows, and whether that is the same."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING, Any

from openwebui_pocketbase.schema.tables import TABLES

if TYPE_CHECKING:
    from openwebui_pocketbase.client import AdminClient
    from tests.support.openwebui import OpenWebUI

__all__ = ["Rows", "differences", "in_pocketbase", "in_sql", "mirrored", "settle"]

Rows = dict[str, dict[str, Any]]


def mirrored(instance: OpenWebUI) -> list[str]:
    """Return the tables whose rows are in PocketBase and copied to the SQL database."""
    return [name for name, table in TABLES.items() if table.mirrored and table.group in instance.in_pocketbase]


def in_sql(instance: OpenWebUI, table: str) -> Rows:
    """Return the rows which the SQL database has, by id."""
    columns = TABLES[table].columns
    names = ", ".join(f'"{column.name}"' for column in columns)
    rows = {}
    for values in instance.sql(f'SELECT {names} FROM "{table}"'):
        row = {}
        for column, value in zip(columns, values, strict=True):
            if isinstance(value, date):
                value = value.isoformat()  # noqa: PLW2901
            elif column.type == "bool" and value is not None:
                value = bool(value)  # noqa: PLW2901 - SQLite has numbers
            elif column.type == "json" and isinstance(value, str):
                value = json.loads(value)  # noqa: PLW2901
            row[column.name] = value
        rows[row["id"]] = row
    return rows


def in_pocketbase(admin: AdminClient, table: str) -> Rows:
    """Return the rows which PocketBase has, by id, as its own API gives them."""
    rows: Rows = {}
    declared = TABLES[table]
    by_hand = [column.name for column in declared.columns if column.null and not column.required]
    numbers = [column.name for column in declared.columns if column.type == "int64"]
    for page in range(1, 100):
        path = f"/api/collections/{declared.collection}/records?perPage=1000&page={page}"
        records = admin.send("GET", path)["items"]
        for record in records:
            row = {column.name: record[column.field] for column in declared.columns}
            listed = by_hand if record["nulls"] is None else record["nulls"]
            row |= {name: None for name in listed if not row[name]}
            rows[row["id"]] = row | {name: int(row[name] or 0) for name in numbers if row[name] is not None}
        if len(records) < 1000:
            break
    return rows


def differences(
    instance: OpenWebUI, admin: AdminClient, *ignored: str, tables: Collection[str] = ()
) -> list[tuple[str, Any, Any]]:
    """Return what the SQL database has otherwise than PocketBase, (table, there, here) of each row.

    Args:
        instance: Whose database it is.
        admin: A superuser's client of its PocketBase.
        ignored: Columns that do not count.
        tables: Those to compare, instead of all.
    """
    found = []
    for table in tables or mirrored(instance):
        there, here = in_pocketbase(admin, table), in_sql(instance, table)
        for rows in (there, here):
            for row in rows.values():
                for column in ignored:
                    row.pop(column, None)
        ids = sorted(there.keys() | here.keys())
        found += [(table, there.get(each), here.get(each)) for each in ids if there.get(each) != here.get(each)]
    return found


def settle(instance: OpenWebUI, seconds: float = 20.0) -> None:
    """Return as soon as both have the same rows; the application asks every few seconds for what others change."""
    deadline = time.monotonic() + seconds
    with instance.admin() as admin:
        while (found := differences(instance, admin)) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert found == []
