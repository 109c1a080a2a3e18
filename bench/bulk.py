"""Loading many rows into PocketBase: thousands in a request, of which one statement makes records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice

from bench.operations import Row
from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["insert_in_bulk"]

COLLECTION = "bench_rows"
RECORDS = f"/api/collections/{COLLECTION}/records"
AT_ONCE = 2_000
"""How many rows are in a request, and in a transaction."""

LONGEST = 1 << 26
"""Bytes of them."""

NOW = "strftime('%Y-%m-%d %H:%M:%fZ', 'now')"


def insert_in_bulk(admin: AdminClient, tables: Mapping[str, Iterable[Row]]) -> None:
    """Insert rows of tables whose ids are those of their records; they wait for the full-text index.

    Args:
        admin: Asks PocketBase; the texts of its SQL cannot be long, so rows go through a collection.
        tables: Table -> rows; what others refer to comes first.
    """
    rows = {"name": "rows", "type": "json", "maxSize": LONGEST}
    admin.send("POST", "/api/collections", {"name": COLLECTION, "type": "base", "fields": [rows]})
    try:
        for table, all_rows in tables.items():
            waiting = enumerate(all_rows, 1)
            while batch := list(islice(waiting, AT_ONCE)):
                records = json.dumps([_record(table, number, row) for number, row in batch])
                stored = admin.send("POST", RECORDS, {"rows": records})
                admin.sql(_insert(table))
                admin.send("DELETE", f"{RECORDS}/{stored['id']}")
    finally:
        admin.send("DELETE", f"/api/collections/{COLLECTION}")


def _record(table: str, number: int, row: Row) -> Row:
    """Return a row, which has this number in its table, as the fields of its record."""
    own = {"doc": -number, "waits": True} if TABLES[table].search else {}
    return {**codec_of(table).record(row), **own}


def _insert(table: str) -> str:
    declared = TABLES[table]
    names = [*(column.field for column in declared.columns), "nulls"]
    names += [f"{column.field}_folded" for column in declared.columns if column.folded]
    names += ["doc", "waits"] if declared.search else []
    values = ", ".join(f"j.value ->> '$.{name}'" for name in names)
    into = f"INSERT INTO {declared.collection} ({', '.join(names)}, created, updated)"
    return f"{into} SELECT {values}, {NOW}, {NOW} FROM {COLLECTION} r, json_each(r.rows) j"
