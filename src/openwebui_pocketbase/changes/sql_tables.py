"""Creating the tables of plugins, and columns missing from them, in the host's SQL database; imports the host.

A plugin makes them itself where nothing of it is in PocketBase. But it may start later than the copies are compared,
and a database that was lost is made anew by the host's migrations, which know nothing of plugins.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateColumn

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.changes.sql import METADATA, begin
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.schema.mapped import type_of
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["make_tables"]

log = logging.getLogger(__name__)


_ZERO = {"text": "''", "bool": "false", "int": "0", "int64": "0"}
"""Type of a column that cannot be None -> SQL of what it is in records that had no such field."""


async def make_tables(names: Iterable[str]) -> None:
    """Make what is missing of those of the tables that are of plugins; a new column is None in each row, or zero.

    Raises:
        ConfigurationError: A new column can be neither.
    """
    joined = [CATALOG[TABLES[name].group].joined[name] for name in names if TABLES[name].joined]
    for is_last in (False, True) if joined else ():
        try:
            async with begin() as connection:
                await connection.run_sync(_make, joined)
        except DBAPIError:  # a process that starts at the same time has made them
            if is_last:
                raise
        else:
            return


def _make(connection: Connection, tables: Iterable[Table]) -> None:
    database = inspect(connection)
    for table in tables:
        if not database.has_table(table.name, METADATA.schema):
            table.create(connection)
            log.info("The table %s was made in the SQL database.", table.name)
            continue
        there = {column["name"] for column in database.get_columns(table.name, METADATA.schema)}
        for column in table.columns:
            if column.name not in there:
                _add(connection, table, column)
                log.info("The table %s of the SQL database got the column %s.", table.name, column.name)


def _add(connection: Connection, table: Table, column: Column[Any]) -> None:
    """Add a column, with the value that PocketBase's records have of it."""
    zero = _ZERO.get(type_of(column) or "")
    if not column.nullable and zero is None:
        raise ConfigurationError(
            f"The table {table.name} has rows from before its column {column.name}, which cannot be None.",
            hint="Have the plugin changed that names it: such a column has to be nullable.",
        )
    new: Column[Any] = Column(
        column.name,
        column.type,
        nullable=column.nullable,
        server_default=None if column.nullable else text(str(zero)),
    )
    preparer = connection.dialect.identifier_preparer
    wanted = Table(table.name, MetaData(schema=METADATA.schema), new)
    definition = CreateColumn(new).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {preparer.format_table(wanted)} ADD COLUMN {definition}")
