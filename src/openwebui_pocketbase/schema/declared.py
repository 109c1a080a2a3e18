"""Declaring the tables of other plugins, from what SQLAlchemy says of them; what cannot be kept exactly is refused."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column as SqlColumn
from sqlalchemy import Index as SqlIndex
from sqlalchemy import Table as SqlTable

from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.schema.mapped import indexes_of, type_of
from openwebui_pocketbase.schema.tables import Table

__all__ = ["PREFIX", "declared"]

PREFIX = "owui_x_"
"""What the collections of plugins begin with, so that none of ours ever has such a name."""

LONGEST = 40
"""Characters of a table's name: PostgreSQL cuts those of our triggers, which contain it, at 63."""

_NAME = re.compile("[a-z][a-z0-9_]*")

_OURS = {"created", "updated", "nulls", "doc", "waits"}
"""Fields of PocketBase's, or of our own, that each collection has or may get."""

_OF_POCKETBASE = {"collectionid", "collectionname", "expand", "rowid", "oid", "_rowid_"}

_OF_SQL = {
    *("add", "all", "alter", "and", "as", "autoincrement", "between", "case", "cast", "check", "collate"),
    *(
        "commit",
        "constraint",
        "create",
        "default",
        "deferrable",
        "delete",
        "distinct",
        "drop",
        "else",
        "escape",
        "except",
    ),
    *("exists", "foreign", "from", "group", "having", "in", "index", "insert", "intersect", "into", "is", "isnull"),
    *("join", "limit", "not", "nothing", "notnull", "null", "on", "or", "order", "primary", "raise"),
    *(
        "references",
        "returning",
        "select",
        "set",
        "table",
        "then",
        "to",
        "transaction",
        "union",
        "unique",
        "update",
        "using",
    ),
    *("values", "when", "where"),
}
"""Words that SQLite does not take as names."""

_TAKEN = _OURS | _OF_POCKETBASE | _OF_SQL

_KINDS = "String, Text, Integer, BigInteger, Boolean and JSON"


def declared(group: str, table: SqlTable) -> Table:
    """Return the declaration of a plugin's table.

    Args:
        group: The group of data.
        table: The table.

    Raises:
        ConfigurationError: Something of the table cannot be kept in PocketBase as it is.
    """
    reasons = [*_of_table(table), *(reason for column in table.columns for reason in _of_column(column))]
    if reasons:
        raise ConfigurationError(
            f"The table {table.name} of the group {group} cannot be written through: {'; '.join(reasons)}.",
            hint="Uninstall the plugin that names it, or have it changed; see docs/hooks.md, Tables of a plugin.",
        )
    return Table.model_validate(
        {
            "name": table.name,
            "group": group,
            "collection": f"{PREFIX}{table.name}",
            "mirrored": True,
            "through": True,
            "joined": True,
            "id_pattern": "^[a-zA-Z0-9_-]+$",
            "concerns": [column.name for column in table.columns if _is_user(column)],
            "shown": [column.name for column in table.columns if not column.primary_key],
            "columns": [_column(column) for column in table.columns],
            "indexes": indexes_of(table),
        }
    )


def _column(column: SqlColumn[Any]) -> dict[str, Any]:
    if column.primary_key:
        return {"name": column.name, "type": "text"}
    return {"name": column.name, "type": type_of(column), "null": bool(column.nullable)}


def _is_user(column: SqlColumn[Any]) -> bool:
    return column.name == "user_id" and type_of(column) == "text"


def _of_table(table: SqlTable) -> Iterator[str]:
    """Yield what is wrong with a table as a whole."""
    if not _NAME.fullmatch(table.name) or len(table.name) > LONGEST or table.name.startswith("owui_"):
        yield (
            f"its name has to be of a-z, 0-9 and _, begin with a letter but not with owui_, and have up to {LONGEST}"
            " characters"
        )
    if table.schema != (os.environ.get("DATABASE_SCHEMA") or None):
        yield f"it is in the schema {table.schema}, not in that of Open WebUI's tables (DATABASE_SCHEMA)"
    keys = [column for column in table.columns if column.primary_key]
    if [(column.name, type_of(column)) for column in keys] != [("id", "text")]:
        # A number is given by each SQL database: two of them, or one that was made anew, would give the same twice.
        yield "its primary key has to be one column id, of text"
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        if index.unique and _is_special(index):
            yield f"the index {index.name} is unique for some rows only, or for an expression"


def _of_column(column: SqlColumn[Any]) -> Iterator[str]:
    """Yield what is wrong with a column."""
    name = column.name
    if not _NAME.fullmatch(name):
        yield f"the column {name} has to be of a-z, 0-9 and _, and begin with a letter"
    elif name in _TAKEN:
        yield f"a column cannot be called {name}, which is a name of PocketBase's, or a word of SQL"
    if type_of(column) is None:
        yield f"the column {name} is of the type {column.type!r}; PocketBase keeps {_KINDS}"
    if column.foreign_keys:
        # What the SQL database deletes by them, on behalf of the mirror, PocketBase would still have.
        yield f"the column {name} has a foreign key"
    if column.computed is not None or column.identity is not None:
        yield f"the database makes the values of the column {name}"


def _is_special(index: SqlIndex) -> bool:
    is_partial = any(index.dialect_options[dialect]["where"] is not None for dialect in ("sqlite", "postgresql"))
    return is_partial or len(index.columns) != len(index.expressions)
