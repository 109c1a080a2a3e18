"""The host's SQL database as one side of a move; imports the host."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from open_webui.env import DATA_DIR
from open_webui.internal import db
from sqlalchemy import Connection, exists, func, inspect, literal, select, text

from openwebui_pocketbase.changes.sql import AT_ONCE, METADATA, chunks
from openwebui_pocketbase.last_start import database_name
from openwebui_pocketbase.migrate.items import Item, Key, Note, Row, Sized, Unit
from openwebui_pocketbase.migrate.sql.fitting import fitted
from openwebui_pocketbase.migrate.sql.reader import TableReader, fetched, shown
from openwebui_pocketbase.migrate.sql.references import dangling
from openwebui_pocketbase.migrate.sql.snapshot import Connections, Present, snapshot
from openwebui_pocketbase.migrate.sql.writer import SqlWriter
from openwebui_pocketbase.storage.paths import SCHEME

__all__ = ["SqlStore"]

PAGE = 2_000
"""Keys at once."""


class SqlStore:
    """The host's tables; see `Store`.

    Each call reads the present, unless it is of a `snapshot`.

    Attributes:
        name: As users write it in ``[groups]``.
    """

    name = "sqlalchemy"

    def __init__(self, connections: Connections | None = None) -> None:
        self._skipped: dict[Unit, list[Note]] = {}
        self._connections = connections or Present()
        self._is_sqlite = db.engine.dialect.name == "sqlite"
        self._readers: dict[str, TableReader] = {}
        self._primary_keys: dict[str, tuple[str, ...]] = {}
        self._writer = SqlWriter(self.primary_key)

    @classmethod
    @asynccontextmanager
    async def snapshot(cls, connections: int = 2) -> AsyncIterator[SqlStore]:
        """Give a store whose reads all see the database as it is now.

        Args:
            connections: How many reads there can be at once.
        """
        async with snapshot(connections) as opened:
            yield cls(opened)

    async def identity(self) -> str:
        """See `Store`: which database it is, and the revision of its schema."""
        name = database_name(db.engine.url, METADATA.schema or "", Path(DATA_DIR))
        return f"{name}, revision {await self._connections.run(_revision)}"

    async def count(self, unit: Unit) -> Mapping[str, tuple[int, int]]:
        """See `Store`; bytes are those of a sample on SQLite, and those on disk on PostgreSQL."""
        return {name: await self._connections.run(self._count, self._reader(name)) for name in unit.tables}

    async def keys(self, unit: Unit) -> AsyncGenerator[list[Sized], None]:
        """See `Store`; at last the keys that only rows of parts have."""
        self._skipped[unit] = []
        primary_key = await self._connections.run(self._primary_key, unit.name)
        pages = self._pages_by_position if self._is_sqlite else self._pages_of_cursor
        async with aclosing(pages(unit, primary_key)) as of_rows:
            async for rows in of_rows:
                if page := self._sized(unit, rows):
                    yield page
        for part, name in unit.parts.items():
            async for page in self._orphans(unit, self._reader(part), name):
                yield page

    def skipped(self, unit: Unit) -> list[Note]:
        """See `Store`: rows whose key is no text."""
        return self._skipped.get(unit, [])

    async def known(self, unit: Unit, keys: Collection[Key]) -> set[Key]:
        """See `Store`."""
        return await self._connections.run(self._known, unit, self._possible(keys))

    async def load(self, unit: Unit, keys: Collection[Key]) -> dict[Key, Item]:
        """See `Store`; a row that has to be left out is only a note of its item."""
        return await self._connections.run(self._load, unit, self._possible(keys))

    def fitted(self, unit: Unit, item: Item) -> Item:  # noqa: ARG002 - an item says of which tables it is
        """See `Store`."""
        return fitted(item, is_sqlite=self._is_sqlite)

    async def save(self, unit: Unit, items: Sequence[tuple[Item, Item | None]]) -> list[Note]:
        """See `Store`."""
        return await self._writer.save(unit, items)

    async def remove(self, unit: Unit, keys: Collection[Key]) -> None:
        """See `Store`."""
        await self._writer.remove(unit, self._possible(keys))

    async def dangling(self, unit: Unit) -> Mapping[str, int]:
        """See `Store`."""
        return await self._connections.run(dangling, unit)

    async def files_with_contents_elsewhere(self) -> list[Key]:
        """Return the keys of files whose contents are in PocketBase, as the mirror writes them."""
        reader = self._reader("file")
        query = select(reader.table.c.id).where(reader.table.c.path.like(f"{SCHEME}%"))
        return await self._connections.run(lambda connection: [(key,) for (key,) in connection.execute(query)])

    async def primary_key(self, name: str) -> tuple[str, ...]:
        """Return the columns of a table's primary key, as the database has it."""
        return await self._connections.run(self._primary_key, name)

    def _reader(self, name: str) -> TableReader:
        if name not in self._readers:
            self._readers[name] = TableReader(name, is_sqlite=self._is_sqlite)
        return self._readers[name]

    def _primary_key(self, connection: Connection, name: str) -> tuple[str, ...]:
        if name not in self._primary_keys:
            found = inspect(connection).get_pk_constraint(name, schema=METADATA.schema)
            self._primary_keys[name] = tuple(found["constrained_columns"]) or ("id",)
        return self._primary_keys[name]

    def _possible(self, keys: Collection[Key]) -> list[Key]:
        """Return the keys without those that PostgreSQL cannot have: it does not even take them in a query."""
        return [key for key in keys if self._is_sqlite or not any("\x00" in value for value in key)]

    def _query(self, unit: Unit, primary_key: Collection[str]) -> Any:
        own = self._reader(unit.name)
        size = own.size()
        for part, name in unit.parts.items():
            rows = self._reader(part)
            of_item = rows.table.c[name] == own.table.c[unit.key[0]]
            sizes = select(func.sum(rows.size(only_large=True))).where(of_item).correlate(own.table)
            size += func.coalesce(sizes.scalar_subquery(), 0)
        return own.keys(unit, size, primary_key)

    async def _pages_by_position(self, unit: Unit, primary_key: Collection[str]) -> AsyncGenerator[Sequence[Any]]:
        """Give pages of SQLite, each by a query: a cursor would keep a reader's lock between them."""
        position = self._reader(unit.name).position
        query = self._query(unit, primary_key).order_by(position).limit(PAGE)
        rows = await self._connections.run(fetched, query)
        while rows:
            yield rows
            rows = await self._connections.run(fetched, query.where(position > rows[-1][0]))

    async def _pages_of_cursor(self, unit: Unit, primary_key: Collection[str]) -> AsyncGenerator[Sequence[Any]]:
        query = self._query(unit, primary_key).order_by(self._reader(unit.name).position)
        async with self._connections.held() as held:
            result = await held.run(lambda c: c.execution_options(stream_results=True).execute(query))
            while rows := await held.run(lambda _: result.fetchmany(PAGE)):
                yield rows
            await held.run(lambda _: result.close())

    async def _orphans(self, unit: Unit, part: TableReader, name: str) -> AsyncIterator[list[Sized]]:
        own, column = self._reader(unit.name).table, part.table.c[name]
        missing = ~exists().where(own.c[unit.key[0]] == column)
        query = select(column, func.sum(part.size())).where(missing).group_by(column).order_by(column).limit(PAGE)
        rows = await self._connections.run(fetched, query)
        while rows:
            yield [Sized((str(key),), int(size)) for key, size in rows]
            rows = await self._connections.run(fetched, query.where(column > rows[-1][0]))

    def _sized(self, unit: Unit, rows: Iterable[Any]) -> list[Sized]:
        page = []
        for _, *key, size in rows:
            if all(type(value) is str for value in key):
                page.append(Sized(tuple(key), int(size)))
            else:
                shown_key = "/".join(map(shown, key))
                reason = "a part of its key is missing, or no text"
                self._skipped[unit].append(Note(unit.name, shown_key, reason, is_left_out=True))
        return page

    def _count(self, connection: Connection, reader: TableReader) -> tuple[int, int]:
        rows = connection.execute(select(func.count()).select_from(reader.table)).scalar_one()
        if not rows:
            return 0, 0
        if self._is_sqlite:
            return rows, round(rows * (connection.execute(reader.sampled(rows)).scalar() or 0))
        named = connection.dialect.identifier_preparer.format_table(reader.table)
        return rows, connection.execute(select(func.pg_table_size(literal(named)))).scalar_one()

    def _known(self, connection: Connection, unit: Unit, keys: list[Key]) -> set[Key]:
        found: set[Key] = set()
        own = self._reader(unit.name)
        columns = [own.table.c[name] for name in unit.key]
        for some in chunks(keys, AT_ONCE // len(columns)):
            found.update(tuple(row) for row in connection.execute(select(*columns).where(own.among(unit.key, some))))
            for part, name in unit.parts.items():
                rows = self._reader(part)
                missing = [key for key in some if key not in found]
                query = select(rows.table.c[name]).where(rows.among([name], missing)).distinct()
                found.update(tuple(row) for row in connection.execute(query))
        return found

    def _load(self, connection: Connection, unit: Unit, keys: list[Key]) -> dict[Key, Item]:
        found: dict[Key, _Found] = {}
        for some in chunks(keys, AT_ONCE // len(unit.key)):
            self._load_own(connection, unit, some, found)
            for part, name in unit.parts.items():
                for key, row, notes in self._reader(part).rows(connection, [name], some):
                    if key not in found:
                        found[key] = _Found({table: [] for table in unit.tables}, [])
                    if row is not None:
                        found[key].rows[part].append(row)
                    if notes:
                        found[key].notes.extend(notes)
        for of_item in found.values():
            for part in unit.parts:
                of_item.rows[part].sort(key=_id)
        return {key: Item(key, each.rows, tuple(each.notes)) for key, each in found.items()}

    def _load_own(self, connection: Connection, unit: Unit, keys: list[Key], found: dict[Key, _Found]) -> None:
        """Load the rows of a unit's own table; of those with the same key the first."""
        primary_key = self._primary_key(connection, unit.name)
        can_repeat = not set(primary_key) <= set(unit.key)
        for key, row, notes in self._reader(unit.name).rows(connection, unit.key, keys, in_order=can_repeat):
            if key in found:
                which = "/".join(str((row or {}).get(name)) for name in primary_key)
                reason = f"an earlier row has the same {'/'.join(unit.key)} as {which} ({'/'.join(primary_key)})"
                found[key].notes.append(Note(unit.name, "/".join(key), reason, is_left_out=True))
                continue
            rows: dict[str, list[Row]] = {table: [] for table in unit.tables} | (
                {} if row is None else {unit.name: [row]}
            )
            found[key] = _Found(rows, [*notes])


class _Found(NamedTuple):
    """What was found of an item."""

    rows: dict[str, list[Row]]
    notes: list[Note]


def _id(row: Row) -> str:
    return str(row["id"])


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version", schema=METADATA.schema):
        return "none"
    schema = f"{connection.dialect.identifier_preparer.quote(METADATA.schema)}." if METADATA.schema else ""
    found = connection.execute(text(f"SELECT version_num FROM {schema}alembic_version")).scalars()  # noqa: S608 - a name
    return ", ".join(sorted(found)) or "none"
