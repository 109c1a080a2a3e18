"""What is read of one table in the host's SQL database, past the types of its ORM, which fail on odd values."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

import orjson
from open_webui.env import ENABLE_ORJSON
from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    Executable,
    Select,
    Text,
    cast,
    column,
    exists,
    func,
    literal_column,
    select,
    table,
    tuple_,
)
from sqlalchemy.exc import OperationalError

from openwebui_pocketbase.changes.sql import METADATA
from openwebui_pocketbase.migrate.items import Key, Note, Row, Unit
from openwebui_pocketbase.migrate.sql.values import RowReader, text_of
from openwebui_pocketbase.repositories.base import JSON
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["SAMPLE", "TableReader", "fetched"]

SAMPLE = 1_000
"""About so many rows tell how large the rows of a table are."""

_OCTET_LENGTH = (3, 43, 0)
"""The version of SQLite that tells the length of a text without reading it."""


class TableReader:
    """One table.

    Args:
        name: The host's name of it.
        is_sqlite: Whether the database is SQLite; else it is PostgreSQL.
    """

    def __init__(self, name: str, *, is_sqlite: bool) -> None:
        declared = TABLES[name]
        self.name = name
        self._is_sqlite = is_sqlite
        self._position: ColumnClause[Any] = column("rowid" if is_sqlite else "ctid")
        columns: list[ColumnClause[Any]] = [column(each.name) for each in declared.columns]
        self.table = table(name, *columns, self._position, schema=METADATA.schema)
        self.position = self.table.c[self._position.name]
        as_text = () if is_sqlite else ("json", "date")
        self._columns = [
            cast(self.table.c[each.name], Text) if each.type in as_text else self.table.c[each.name]
            for each in declared.columns
        ]
        self._reader = RowReader(declared, JSON.loads, orjson.loads if ENABLE_ORJSON else None)
        self._names = [each.name for each in declared.columns]
        self._texts = [each.name for each in declared.columns if each.type in ("text", "json")]
        self._large = [each.name for each in declared.columns if each.large] or self._texts

    def rows(
        self, connection: Connection, names: Sequence[str], keys: Collection[Key], *, in_order: bool = False
    ) -> list[tuple[Key, Row | None, Sequence[Note]]]:
        """Return rows with the values of the columns that were asked for; a row is None if it has to be left out.

        Args:
            connection: Where to read.
            names: The columns.
            keys: Their values, no more than fit into one statement.
            in_order: Whether to give the rows in the order in which they were inserted.
        """
        query = select(*self._columns).where(self.among(names, keys))
        found: list[tuple[Key, Row | None, Sequence[Note]]] = []
        places = [self._names.index(name) for name in names]
        for stored in fetched(connection, query.order_by(self.position) if in_order else query):
            row, reasons = self._reader.row(stored)
            key = (str(stored[places[0]]),) if len(places) == 1 else tuple(str(stored[place]) for place in places)
            notes = [self.note(stored, reason, is_left_out=row is None) for reason in reasons] if reasons else ()
            found.append((key, row, notes))
        return found

    def note(self, stored: Sequence[Any], reason: str, *, is_left_out: bool) -> Note:
        """Return a note about a row as it is stored."""
        names = TABLES[self.name].hashed_id or ("id",)
        key = "/".join(shown(stored[self._names.index(name)]) for name in names)
        return Note(self.name, key, reason, is_left_out)

    def among(self, names: Sequence[str], keys: Collection[Key]) -> ColumnElement[bool]:
        """Return the condition that columns have one of these values."""
        columns = [self.table.c[name] for name in names]
        if len(columns) == 1:
            return columns[0].in_([key[0] for key in keys])
        return tuple_(*columns).in_(list(keys))

    def keys(self, unit: Unit, size: ColumnElement[Any], primary_key: Collection[str]) -> Select[Any]:
        """Return the query for positions, keys and sizes; of rows with the same key the first."""
        columns = [self.table.c[name] for name in unit.key]
        query = select(self.position, *columns, size)
        if not set(primary_key) <= set(unit.key):
            earlier = self.table.alias()
            same = [earlier.c[name] == self.table.c[name] for name in unit.key]
            query = query.where(~exists().where(*same, earlier.c[self._position.name] < self.position))
        return query

    def size(self, *, only_large: bool = False) -> ColumnElement[Any]:
        """Return about how many bytes a row has; where there is a choice, without reading long values."""
        size: ColumnElement[Any] = literal_column("0")
        for name in self._large if only_large else self._texts:
            size += func.coalesce(self._length(self.table.c[name]), 0)
        return size

    def sampled(self, rows: int) -> Select[Any]:
        """Return the query for the mean size of rows that are spread over the table, which is SQLite's."""
        spread = self.position % max(rows // SAMPLE, 1) == 0
        return select(func.avg(self.size())).where(spread).select_from(self.table)

    def _length(self, of: ColumnElement[Any]) -> ColumnElement[Any]:
        if not self._is_sqlite:
            return func.pg_column_size(of)
        return func.octet_length(of) if sqlite3.sqlite_version_info >= _OCTET_LENGTH else func.length(of)


def fetched(connection: Connection, query: Executable) -> Sequence[Any]:
    """Return all rows of a query; texts that are no UTF-8 as bytes."""
    try:
        return connection.execute(query).all()
    except OperationalError as error:
        if not isinstance(error.orig, sqlite3.OperationalError) or "UTF-8" not in str(error.orig):
            raise
    driver: Any = connection.connection.driver_connection
    driver.text_factory = _text_or_bytes
    try:
        return connection.execute(query).all()
    finally:
        driver.text_factory = str


def shown(value: Any) -> str:
    """Return a value of a key for a note."""
    return text_of(value)[0] if isinstance(value, bytes) else str(value)


def _text_or_bytes(stored: bytes) -> str | bytes:
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored
