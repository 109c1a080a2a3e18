"""One mirrored table in the host's SQL database; imports the host."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import cached_property
from importlib import import_module
from typing import Any

from open_webui.internal.db import Base
from open_webui.utils.json_codec import JSONCodec
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Date,
    Dialect,
    MetaData,
    String,
    Table,
    Text,
    cast,
    delete,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.changes.direct import Direct
from openwebui_pocketbase.changes.inserts import Execute, Inserts, Row, inserts_of
from openwebui_pocketbase.changes.sql import METADATA, REFUSALS, UNSENT, chunks
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["MirroredTable", "Row"]

log = logging.getLogger(__name__)

MANY = 20
"""From so many rows on they are written as `inserts_of` writes many."""


class MirroredTable:
    """One table of the host, as the mirror and a move write it.

    Args:
        name: The host's name of the table.
        key: The columns of its primary key.

    Attributes:
        table: The table; None is SQL NULL in its JSON columns.
        texts: Columns of text -> most characters, None for any number.
    """

    def __init__(self, name: str, key: Sequence[str] = ("id",)) -> None:
        self.name = name
        self._key = key
        self.collection = TABLES[name].collection
        host = _table_of(name)
        # None is SQL NULL; with the host's own column it would be JSON's null.
        columns = [Column(c.name, _type(c), primary_key=c.primary_key) for c in host.c]
        self.table = Table(host.name, MetaData(schema=METADATA.schema), *columns)
        self._parents = [key.parent.name for key in host.foreign_keys if key.column.table is host]
        self._references = {
            key.column.table.name: key.parent.name for key in host.foreign_keys if key.column.table is not host
        }
        self.texts = {c.name: c.type.length for c in host.c if isinstance(c.type, String)}
        self._codec = codec_of(name)
        self._dates = [c.name for c in host.c if isinstance(c.type, Date)]
        self._inserts: dict[bool, Inserts] = {}

    @cached_property
    def _unsent(self) -> Direct:
        noted = select(UNSENT.c.row_id).where(UNSENT.c.name == self.name)
        return Direct(select(self.table).where(self.table.c.id.in_(noted)))

    async def rows(self, connection: AsyncConnection, ids: Collection[str]) -> dict[str, Row]:
        """Return those rows, by id."""
        return await connection.run_sync(self.rows_sync, ids)

    def rows_sync(self, connection: Connection, ids: Collection[str]) -> dict[str, Row]:
        """See `rows`."""
        found: dict[str, Row] = {}
        for some in chunks(list(ids)):
            query = select(self.table).where(self.table.c.id.in_(some))
            try:
                found |= {row["id"]: dict(row) for row in connection.execute(query).mappings()}
            except (TypeError, ValueError):
                found |= self._rows_as_stored(connection, some)
        return found

    def _rows_as_stored(self, connection: Connection, ids: Collection[str]) -> dict[str, Row]:
        """Return rows some of which have what their column's type does not allow: SQLite takes any text from others.

        What is no JSON, or no day, is given as text.
        """
        loads: dict[str, Callable[[str], Any]] = dict.fromkeys(self._dates, date.fromisoformat)
        loads |= {c.name: JSONCodec.loads for c in self.table.c if isinstance(c.type, JSON)}
        columns = [cast(c, Text).label(c.name) if c.name in loads else c for c in self.table.c]
        query = select(*columns).where(self.table.c.id.in_(ids))
        found = {}
        for stored in connection.execute(query).mappings():
            row = dict(stored)
            for name, load in loads.items():
                if row[name] is not None:
                    with suppress(ValueError):
                        row[name] = load(row[name])
            found[row["id"]] = row
        return found

    def unsent_rows(self, connection: Connection, ids: Collection[str]) -> dict[str, Row]:
        """Return those rows, by id, which must be all of this table that are noted as unsent."""
        try:
            rows = self._unsent.rows(connection)
        except (TypeError, ValueError):
            return self.rows_sync(connection, ids)
        names = self.table.c.keys()
        return {row["id"]: row for row in (dict(zip(names, values, strict=True)) for values in rows)}

    async def ids(self, connection: AsyncConnection) -> set[str]:
        """Return the ids of all rows."""
        return set((await connection.execute(select(self.table.c.id))).scalars())

    async def referring(self, connection: AsyncConnection, parent: str, ids: Collection[str]) -> list[Row]:
        """Return the rows that refer to rows of another table, which PostgreSQL deletes with those."""
        found: list[Row] = []
        if parent in self._references:
            column = self.table.c[self._references[parent]]
            for some in chunks(list(ids)):
                rows = await connection.execute(select(self.table).where(column.in_(some)))
                found += [dict(row) for row in rows.mappings()]
        return found

    async def delete(self, connection: AsyncConnection, ids: Collection[str]) -> None:
        """Delete rows."""
        await connection.run_sync(self.delete_sync, ids)

    def delete_sync(self, connection: Connection, ids: Collection[str]) -> None:
        """See `delete`."""
        for some in chunks(list(ids)):
            connection.execute(delete(self.table).where(self.table.c.id.in_(some)))

    async def upsert(self, connection: AsyncConnection, rows: Sequence[Row], *, one_by_one: bool = False) -> set[str]:
        """Insert rows, or overwrite those with the same key.

        Args:
            connection: An open transaction.
            rows: Whole rows, as `decode` gives them.
            one_by_one: Leave out, with an error in the log, what the database refuses.

        Returns:
            Ids of the rows that were left out.

        Raises:
            IntegrityError: Without ``one_by_one``, if the database refuses a row; the transaction is of no use then.
            DataError: Likewise.
        """
        return await connection.run_sync(self.upsert_sync, rows, one_by_one=one_by_one)

    def upsert_sync(self, connection: Connection, rows: Sequence[Row], *, one_by_one: bool = False) -> set[str]:
        """See `upsert`."""
        refused: set[str] = set()
        if not rows:
            return refused
        inserts = self._inserts_for(connection.dialect, is_bulk=len(rows) >= MANY and not one_by_one)
        statements = [(inserts.overwrite, list(rows))]
        if self._parents and any(row[name] for row in rows for name in self._parents):
            # A row may come before the one it refers to.
            orphans = [row | dict.fromkeys(self._parents) for row in rows]
            statements.insert(0, (inserts.leave, orphans))
        for execute, values in statements:
            if one_by_one:
                refused = self._one_by_one(connection, execute, values)
            else:
                execute(connection, values)
        return refused

    def decode(self, wire: Sequence[Any], dialect: str) -> Row:
        """Return a row of PocketBase as the database can take it.

        PostgreSQL has no NUL in texts, and keeps to the length of a column.
        """
        row = self._codec.decode(wire)
        if dialect == "postgresql":
            for name, length in self.texts.items():
                if row[name] is not None:
                    row[name] = row[name].replace("\x00", "")[:length]
        return row

    def encode(self, row: Row) -> dict[str, Any]:
        """Return a row of the database as PocketBase can take it; it has a JSON form, whatever somebody has written."""
        no_days = {name: None for name in self._dates if not isinstance(row[name], date)}
        texts = {name: value.decode(errors="replace") for name, value in row.items() if isinstance(value, bytes)}
        return self._codec.encode({**row, **no_days, **texts})

    def record(self, row: Row) -> dict[str, Any]:
        """Return a row that the host has written as the fields of its record."""
        return self._codec.record(row)

    def kept(self, content: Mapping[str, Any]) -> Row:
        """Undo `encode`."""
        return self._codec.decode([*(content[column.name] for column in TABLES[self.name].columns), "[]"])

    def _inserts_for(self, dialect: Dialect, *, is_bulk: bool) -> Inserts:
        if is_bulk not in self._inserts:
            self._inserts[is_bulk] = inserts_of(self.table, self._key, dialect, is_bulk=is_bulk)
        return self._inserts[is_bulk]

    def _one_by_one(self, connection: Connection, execute: Execute, rows: Iterable[Row]) -> set[str]:
        waiting, before = list(rows), -1
        refused: dict[str, str] = {}
        while waiting and len(waiting) != before:  # what one row was refused for, another may have given up by now
            before, refused = len(waiting), {}
            for row in waiting:
                try:
                    with connection.begin_nested():
                        execute(connection, [row])
                except REFUSALS as error:
                    refused[row["id"]] = type(error.orig).__name__
            waiting = [row for row in waiting if row["id"] in refused]
        for row_id, kind in refused.items():
            log.error("Row %s of the table %s cannot be kept in the SQL database: %s", row_id, self.name, kind)
        return set(refused)


def _table_of(name: str) -> Table:
    """Return a table as the host, or the plugin that it belongs to, has it."""
    group = CATALOG[TABLES[name].group]
    if name in group.joined:
        joined: Table = group.joined[name]
        return joined
    # A program beside the application may not have needed the table's module yet.
    import_module(next(spec.module for spec in group.all_repositories if name in spec.tables))
    host: Table = next(table for table in Base.metadata.tables.values() if table.name == name)
    return host


def _type(column: Column[Any]) -> Any:
    return JSON(none_as_null=True) if isinstance(column.type, JSON) else column.type
