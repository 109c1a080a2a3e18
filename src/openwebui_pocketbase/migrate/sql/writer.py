"""Writing items into the host's SQL database, past the guard; imports the host."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

from sqlalchemy import ColumnElement, delete, tuple_
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from openwebui_pocketbase.changes.sql import AT_ONCE, REFUSALS, begin, chunks, close_guard, open_guard
from openwebui_pocketbase.changes.state import create_state
from openwebui_pocketbase.changes.table import MirroredTable
from openwebui_pocketbase.migrate.items import Item, Key, Note, Row, Unit, canonical, name_of
from openwebui_pocketbase.repositories.base import JSON

__all__ = ["SqlWriter"]

ROWS = 250
"""Most rows of a statement, and about those of a transaction: on SQLite others wait until it ends."""

BYTES = 4 << 20
"""About the most bytes of a transaction with more than one item."""

_TOO_LARGE = "54"
"""First characters of PostgreSQL's codes for what is larger than its limits, such as a key in an index."""

_Pair = tuple[Item, Item | None]


class SqlWriter:
    """Writes and deletes items.

    Args:
        primary_key: Returns the columns of a table's primary key.
    """

    def __init__(self, primary_key: Callable[[str], Awaitable[tuple[str, ...]]]) -> None:
        self._primary_key = primary_key
        self._tables: dict[str, MirroredTable] = {}
        self._is_ready = False
        self._turn = asyncio.Lock()

    async def save(self, unit: Unit, items: Sequence[_Pair]) -> list[Note]:
        """See `Store.save`."""
        notes: list[Note] = []
        async with self._turn:
            await self._prepare(unit)
            for batch in _batches(items):
                async with begin() as connection:
                    await open_guard(connection)
                    notes += await self._save(connection, unit, batch)
                    await close_guard(connection)
        return notes

    async def remove(self, unit: Unit, keys: Sequence[Key]) -> None:
        """See `Store.remove`."""
        await self._prepare(unit)
        for some in chunks(list(keys), ROWS):
            async with begin() as connection:
                await open_guard(connection)
                for part, name in unit.parts.items():
                    await self._delete(connection, part, [name], some)
                await self._delete(connection, unit.name, unit.key, some)
                await close_guard(connection)

    async def _prepare(self, unit: Unit) -> None:
        if not self._is_ready:
            await create_state()
            self._is_ready = True
        for name in unit.tables:
            if name not in self._tables:
                self._tables[name] = MirroredTable(name, await self._primary_key(name))

    async def _save(self, connection: AsyncConnection, unit: Unit, batch: Sequence[_Pair]) -> list[Note]:
        for name in unit.tables:
            key = await self._primary_key(name)
            gone = [each for item, there in batch for each in _gone(name, key, item, there)]
            await self._delete(connection, name, key, gone)
        refused: list[tuple[str, Row]] = []
        for name in unit.tables:
            rows = [row for item, there in batch for row in _different(name, item, there)]
            for some in chunks(rows, ROWS):
                refused += [(name, row) for row in await self._upsert(connection, name, some)]
        # What a row was refused for, a later one may have given up by now.
        reasons = [(name, row, await self._refusal(connection, name, [row])) for name, row in refused]
        return [
            Note(name, "/".join(str(row[each]) for each in await self._primary_key(name)), reason, is_left_out=True)
            for name, row, reason in reasons
            if reason
        ]

    async def _upsert(self, connection: AsyncConnection, name: str, rows: list[Row]) -> list[Row]:
        """Write rows; return those that the database refuses."""
        if not await self._refusal(connection, name, rows):
            return []
        return rows if len(rows) == 1 else [row for row in rows if await self._refusal(connection, name, [row])]

    async def _refusal(self, connection: AsyncConnection, name: str, rows: list[Row]) -> str:
        """Write rows, all or none; return why the database refuses them, or an empty text."""
        try:
            async with connection.begin_nested():
                await self._tables[name].upsert(connection, rows)
        except (StatementError, OverflowError, ValueError) as error:
            cause = error.orig if isinstance(error, StatementError) else error
            if isinstance(error, DBAPIError) and not isinstance(error, REFUSALS):
                state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or ""
                if not state.startswith(_TOO_LARGE):
                    raise
            said = str(cause).partition("\n")[0]  # what follows are values
            return f"the SQL database does not take it: {said}"
        return ""

    async def _delete(self, connection: AsyncConnection, name: str, columns: Sequence[str], keys: list[Key]) -> None:
        table = self._tables[name].table
        for some in chunks(keys, AT_ONCE // len(columns)):
            named = [table.c[column] for column in columns]
            among: ColumnElement[bool] = (
                named[0].in_([key[0] for key in some]) if len(named) == 1 else tuple_(*named).in_(some)
            )
            await connection.execute(delete(table).where(among))


def _gone(name: str, key: Sequence[str], item: Item, there: Item | None) -> Iterable[Key]:
    """Return the primary keys of a table's rows that belong to an item no more."""
    if there is None:
        return ()
    kept = {tuple(row[each] for each in key) for row in item.rows.get(name, ())}
    found = {tuple(row[each] for each in key) for row in there.rows.get(name, ())}
    if len(key) == 1:  # rows that could not be read are only notes
        found |= {(note.key,) for note in there.notes if note.table == name and note.is_left_out}
    return found - kept


def _different(name: str, item: Item, there: Item | None) -> list[Row]:
    """Return the rows of a table that are to be written."""
    rows = item.rows.get(name, [])
    if there is None or not there.rows.get(name):
        return rows
    before = {name_of(name, row): _form(row) for row in there.rows[name]}
    return [row for row in rows if before.get(name_of(name, row)) != _form(row)]


def _form(row: Row) -> bytes:
    return canonical({"": [row]}, JSON.dumps)


def _batches(items: Sequence[_Pair]) -> Iterator[list[_Pair]]:
    batch: list[_Pair] = []
    rows = size = 0
    for item, there in items:
        of_item = sum(map(len, item.rows.values()))
        bytes_of_item = len(canonical(item.rows, JSON.dumps))
        if batch and (rows + of_item > ROWS or size + bytes_of_item > BYTES):
            yield batch
            batch, rows, size = [], 0, 0
        batch.append((item, there))
        rows += of_item
        size += bytes_of_item
    if batch:
        yield batch
