"""Rows of the host's tables, put into PocketBase's file as its own hooks write them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["put"]


def put(data_dir: Path, objects: Iterable[Any]) -> None:
    """Insert ORM objects, which have all columns that the database would not fill in."""
    with closing(sqlite3.connect(data_dir / "data.db", timeout=10)) as connection, connection:
        for each in objects:
            table = TABLES[each.__tablename__]
            columns = {column.name: getattr(each, column.name) for column in each.__table__.columns}
            record = codec_of(table.name).record(columns)
            if table.auth:
                record |= {"password": "$2!", "tokenKey": record["id"]}
            names = ", ".join(f"`{name}`" for name in record)
            values = ", ".join("?" * len(record))
            connection.execute(f"INSERT INTO {table.collection} ({names}) VALUES ({values})", [*record.values()])
