"""The mirrored tables in the host's SQL database; imports the host."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from open_webui.internal import db
from open_webui.internal.db import Base
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Dialect,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TextClause,
    bindparam,
    delete,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from openwebui_pocketbase.ours import ours_only
from openwebui_pocketbase.repositories.base import codec_of, open_transaction

__all__ = [
    "REFUSALS",
    "MirroredTable",
    "State",
    "advance",
    "begin",
    "close_guard",
    "create_state",
    "locked",
    "open_guard",
    "open_transaction",
    "read_state",
    "write_state",
]

log = logging.getLogger(__name__)

Row = dict[str, Any]

REFUSALS = (IntegrityError, DataError)
"""What is raised when the database does not take a row."""

AT_ONCE = 500
"""Most values in one IN list."""

CREATION_LOCK = 731947206
"""Number of a PostgreSQL advisory lock: creating a table fails when another process does it at the same time."""

_STATE = Table(
    "owui_pocketbase_mirror",
    MetaData(schema=Base.metadata.schema),
    Column("id", Integer, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("tables", Text, nullable=False),
    Column("writing", Integer, nullable=False, default=0, server_default="0"),
)
"""One row; see `State`."""


_ADVANCE = (
    update(_STATE)
    .where(_STATE.c.epoch == bindparam("of"), _STATE.c.seq >= bindparam("floor"), _STATE.c.seq < bindparam("last"))
    .values(seq=bindparam("last"))
)


@dataclass(frozen=True)
class State:
    """How far the mirror is.

    Attributes:
        epoch: Of PocketBase's change feed.
        seq: Number of the feed's last change which the mirror has.
        tables: Names of the tables it covers.
    """

    epoch: str
    seq: int
    tables: frozenset[str]


async def create_state() -> None:
    """Create the table that keeps the state, unless it is there."""
    async with begin() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        lock = "BEGIN IMMEDIATE" if is_sqlite else f"SELECT pg_advisory_xact_lock({CREATION_LOCK})"
        await connection.execute(text(lock))
        await connection.run_sync(_STATE.create, checkfirst=True)
        await connection.run_sync(_add_columns)


def _add_columns(connection: Connection) -> None:
    """Add what a table of an earlier version has not."""
    columns = {column["name"] for column in inspect(connection).get_columns(_STATE.name, _STATE.schema)}
    if "writing" not in columns:
        table = connection.dialect.identifier_preparer.format_table(_STATE)
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN writing INTEGER NOT NULL DEFAULT 0")


@asynccontextmanager
async def begin() -> AsyncIterator[AsyncConnection]:
    """Give a transaction; committed unless there is an exception."""
    with ours_only():
        async with db.async_engine.begin() as connection:
            yield connection


async def open_guard(connection: AsyncConnection) -> None:
    """Have the guard let the transaction's changes through; see `close_guard`."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT set_config('owui.mirror', 'on', true)"))
    else:
        await connection.execute(update(_STATE).values(writing=1))


async def close_guard(connection: AsyncConnection) -> None:
    """End what `open_guard` began; the last statement of a transaction that is committed."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT set_config('owui.mirror', 'off', true)"))
    else:
        await connection.execute(update(_STATE).values(writing=0))


@asynccontextmanager
async def locked() -> AsyncIterator[AsyncConnection]:
    """Give a transaction in which nobody else changes the mirror; committed unless there is an exception."""
    async with begin() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        await connection.execute(text("BEGIN IMMEDIATE" if is_sqlite else f"LOCK TABLE {_STATE.fullname}"))
        await open_guard(connection)
        yield connection
        await close_guard(connection)


async def read_state(connection: AsyncConnection) -> State | None:
    """Return how far the mirror is; None if there is none yet."""
    row = (await connection.execute(select(_STATE))).mappings().first()
    return State(row["epoch"], row["seq"], frozenset(filter(None, row["tables"].split(",")))) if row else None


async def advance(connection: AsyncConnection, *, epoch: str, floor: int, last: int) -> bool:
    """Note that the mirror has a change, and keep others from noting one until the transaction ends.

    Args:
        connection: An open transaction, in which nothing was read yet: else SQLite would refuse to write.
        epoch: Of the change feed.
        floor: The mirror must have this change.
        last: The change.

    Returns:
        False if the mirror is not at ``floor`` yet, or at ``last`` or further already; nothing is noted then.
    """
    parameters = {"of": epoch, "floor": floor, "last": last}
    return (await connection.execute(_ADVANCE, parameters)).rowcount == 1


async def write_state(connection: AsyncConnection, state: State) -> None:
    """Record how far the mirror is."""
    await connection.execute(delete(_STATE))
    row = {"id": 1, "epoch": state.epoch, "seq": state.seq, "tables": ",".join(sorted(state.tables))}
    await connection.execute(insert(_STATE).values(row))


class MirroredTable:
    """One table of the host, as the mirror writes it.

    Args:
        name: The host's name of the table.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        host = next(table for table in Base.metadata.tables.values() if table.name == name)
        # None is SQL NULL; with the host's own column it would be JSON's null.
        columns = [Column(c.name, _type(c), primary_key=c.primary_key) for c in host.c]
        self._table = Table(host.name, MetaData(schema=host.schema), *columns)
        self._parents = [key.parent.name for key in host.foreign_keys if key.column.table is host]
        self._texts = {c.name: c.type.length for c in host.c if isinstance(c.type, String)}
        self._codec = codec_of(name)
        self._statements: tuple[TextClause, TextClause] | None = None

    async def rows(self, connection: AsyncConnection, ids: Collection[str]) -> dict[str, Row]:
        """Return those rows, by id."""
        found: dict[str, Row] = {}
        for some in _chunks(list(ids)):
            query = select(self._table).where(self._table.c.id.in_(some))
            found |= {row["id"]: dict(row) for row in (await connection.execute(query)).mappings()}
        return found

    async def ids(self, connection: AsyncConnection) -> set[str]:
        """Return the ids of all rows."""
        return set((await connection.execute(select(self._table.c.id))).scalars())

    async def delete(self, connection: AsyncConnection, ids: Collection[str]) -> None:
        """Delete rows."""
        for some in _chunks(list(ids)):
            await connection.execute(delete(self._table).where(self._table.c.id.in_(some)))

    async def upsert(self, connection: AsyncConnection, rows: Sequence[Row], *, one_by_one: bool = False) -> None:
        """Insert rows, or overwrite those with the same id.

        Args:
            connection: An open transaction.
            rows: Whole rows, as `decode` gives them.
            one_by_one: Leave out, with an error in the log, what the database refuses.

        Raises:
            IntegrityError: Without ``one_by_one``, if the database refuses a row; the transaction is of no use then.
            DataError: Likewise.
        """
        if not rows:
            return
        overwrite, leave = self._inserts(connection.dialect)
        statements = [(overwrite, list(rows))]
        if self._parents and any(row[name] for row in rows for name in self._parents):
            # A row may come before the one it refers to.
            orphans = [row | dict.fromkeys(self._parents) for row in rows]
            statements.insert(0, (leave, orphans))
        for statement, values in statements:
            if one_by_one:
                await self._one_by_one(connection, statement, values)
            else:
                await connection.execute(statement, values)

    def _inserts(self, dialect: Dialect) -> tuple[TextClause, TextClause]:
        """Return the statement that overwrites rows with the same id, and the one that leaves them.

        As text: SQLAlchemy compiles its own ON CONFLICT anew each time, which takes longer than to run it.
        """
        if self._statements is None:
            quote = dialect.identifier_preparer.quote
            columns = [column.name for column in self._table.c]
            names, values = ", ".join(map(quote, columns)), ", ".join(f":{name}" for name in columns)
            changes = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in columns)
            table = dialect.identifier_preparer.format_table(self._table)
            insert = f"INSERT INTO {table} ({names}) VALUES ({values}) ON CONFLICT (id) DO"  # noqa: S608 - names of the host's
            types = [bindparam(column.name, type_=column.type) for column in self._table.c]
            overwrite, leave = (text(f"{insert} {what}") for what in (f"UPDATE SET {changes}", "NOTHING"))
            self._statements = (overwrite.bindparams(*types), leave.bindparams(*types))
        return self._statements

    async def _one_by_one(self, connection: AsyncConnection, statement: Any, rows: Iterable[Row]) -> None:
        for row in rows:
            try:
                async with connection.begin_nested():
                    await connection.execute(statement, row)
            except REFUSALS as error:
                kind = type(error.orig).__name__
                what = "Row %s of the table %s cannot be kept in the SQL database, too: %s"
                log.error(what, row["id"], self.name, kind)  # noqa: TRY400 - the exception has the row's values

    def decode(self, wire: Sequence[Any], dialect: str) -> Row:
        """Return a row of PocketBase as the database can take it.

        PostgreSQL has no NUL in texts, and keeps to the length of a column.
        """
        row = self._codec.decode(wire)
        if dialect == "postgresql":
            for name, length in self._texts.items():
                if row[name] is not None:
                    row[name] = row[name].replace("\x00", "")[:length]
        return row


def _type(column: Column[Any]) -> Any:
    return JSON(none_as_null=True) if isinstance(column.type, JSON) else column.type


def _chunks(values: list[str]) -> Iterable[list[str]]:
    return (values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE))
