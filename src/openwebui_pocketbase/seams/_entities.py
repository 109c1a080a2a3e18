"""Rows or ids from PocketBase in a statement of the host's, instead of a table; as one parameter each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, Text, bindparam, cast, column, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

__all__ = ["among", "as_entity"]


def as_entity(model: Any, rows: list[dict[str, Any]], db: AsyncSession) -> Any:
    """Return what a model means in a query over these rows instead of over its table.

    It is a subquery over one bound JSON parameter, however many rows. Columns which the rows do not have are NULL.
    """
    dialect = db.bind.dialect.name
    return aliased(model, _subquery(model.__table__, rows, dialect), adapt_on_names=True)


def among(column: Any, ids: Iterable[str], dialect: str) -> Any:
    """Return the condition that a column has one of these ids: one parameter, however many they are."""
    document = bindparam("owui_ids", json.dumps([*ids]), type_=Text)
    if dialect == "sqlite":
        items = func.json_each(document).table_valued("value", name="owui_ids_items")
    else:
        items = func.json_array_elements_text(cast(document, JSON)).table_valued("value", name="owui_ids_items")
    return column.in_(select(items.c.value))


def _subquery(table: Any, rows: list[dict[str, Any]], dialect: str) -> Any:
    name = f"owui_{table.name}"
    if dialect == "sqlite":
        document = bindparam(name, json.dumps(rows), type_=Text)
        items = func.json_each(document).table_valued("value", name=f"{name}_items")
        values = [func.json_extract(items.c.value, f"$.{c.name}", type_=c.type).label(c.name) for c in table.columns]
        return select(*values).subquery(name)
    # PostgreSQL's text has no NUL; PocketBase's has.
    document = bindparam(name, json.dumps(_without_nul(rows)), type_=Text)
    items = (
        func.json_to_recordset(cast(document, JSON))
        .table_valued(*(column(c.name, c.type) for c in table.columns), name=f"{name}_items")
        .render_derived(with_types=True)
    )
    return select(*(items.c[c.name] for c in table.columns)).subquery(name)


def _without_nul(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value.replace("\0", "") if isinstance(value, str) else value for name, value in row.items()}
        for row in rows
    ]
