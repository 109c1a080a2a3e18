"""Rows of the SQL database that PocketBase would refuse, as it takes only one row for each unique key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from open_webui.env import DATABASE_SCHEMA
from open_webui.internal import db
from sqlalchemy import ColumnElement, Text, and_, cast, column, func, select, table, true, tuple_

from openwebui_pocketbase.migrate.items import Note, Unit, text_of
from openwebui_pocketbase.ours import ours_only
from openwebui_pocketbase.schema.tables import TABLES, Index, Table

__all__ = ["conflicts"]


async def conflicts(unit: Unit) -> list[Note]:
    """Return a note for each row that has the unique key of another one."""
    return await asyncio.to_thread(lambda: [note for name in unit.tables for note in _conflicts(TABLES[name])])


def _conflicts(declared: Table) -> Iterator[Note]:
    names = {each.field: each.name for each in declared.columns}
    keys = declared.hashed_id or ("id",)
    for index in declared.indexes:
        columns = [names.get(each) for each in index.columns]
        if index.unique and None not in columns and set(columns) != set(keys):
            yield from _of_index(declared.name, keys, [str(each) for each in columns], index)


def _of_index(name: str, keys: tuple[str, ...], columns: list[str], index: Index) -> Iterator[Note]:
    rows = table(name, *map(column, {*keys, *columns}), schema=DATABASE_SCHEMA or None)
    given = [func.coalesce(cast(rows.c[each], Text), "") for each in columns]
    values: list[ColumnElement[str]] = [func.lower(value) if index.nocase else value for value in given]
    is_covered = and_(true(), *(value != "" for value in values if index.where))
    twice = select(*values).where(is_covered).group_by(*values).having(func.count() > 1)
    query = select(*(rows.c[each] for each in keys), *values).where(tuple_(*values).in_(twice), is_covered)
    seen: dict[tuple[str, ...], str] = {}
    with ours_only(), db.engine.connect() as connection:
        for row in connection.execute(query):
            key, value = text_of(tuple(map(str, row[: len(keys)]))), tuple(row[len(keys) :])
            if (first := seen.setdefault(value, key)) != key:
                what = " and ".join(columns) + (", apart from capital letters," if index.nocase else "")
                yield Note(name, key, f"{first} has the same {what}: it is left out.", is_left_out=True)
