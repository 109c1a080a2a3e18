"""Triggers that note which rows of mirrored tables others write, and the place where such rows are kept aside.

Whatever the mirror did not write itself is noted in ``owui_pocketbase_touched`` by the statement that writes it. So a
row that is not noted there is a copy of what PocketBase had, for certain, and nothing is lost when it is deleted.
What the host writes through is noted in ``owui_pocketbase_unsent``, which is empty again when its transaction ends.
A row that PocketBase lacks is taken out of the table, where it would grant and forbid things, and kept whole in
``owui_pocketbase_aside`` until an administrator decides.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Integer, Table, Text, delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from openwebui_pocketbase.changes.sql import (
    AT_ONCE,
    METADATA,
    STATE,
    UNSENT,
    alter,
    begin,
    chunks,
    close_guard,
    is_sqlite,
)
from openwebui_pocketbase.changes.state import lock
from openwebui_pocketbase.changes.table import MirroredTable, Row
from openwebui_pocketbase.schema.tables import TABLES

__all__ = [
    "Aside",
    "Touched",
    "aside_rows",
    "drop_aside",
    "forget",
    "keep_aside",
    "set_aside",
    "touched",
    "unwatch",
    "watch",
]

_TOUCHED = Table(
    "owui_pocketbase_touched",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("row_id", Text, nullable=False),
)
"""Each write of others: table, and id of the row, empty for all of them. Only added to: two at once do not wait."""

_ASIDE = Table(
    "owui_pocketbase_aside",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("row_id", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
"""Rows that were taken out of mirrored tables, as JSON; seconds since 1970."""

_WATCHED = re.compile("owui_watch_(.*)_[a-z]+")
"""Names of triggers; the first group is the table."""

_ROWS = {"insert": ("NEW",), "update": ("OLD", "NEW"), "delete": ("OLD",), "truncate": ()}
"""Event -> the rows that it touches, as triggers call them; SQLite has no TRUNCATE."""


@dataclass(frozen=True)
class Touched:
    """What others wrote: numbers of the notes, and, by table, ids of rows; an empty id stands for the whole table."""

    numbers: frozenset[int]
    ids: dict[str, set[str]]


@dataclass(frozen=True)
class Aside:
    """A row that was taken out of a mirrored table; ``content`` is the row as PocketBase takes it."""

    name: str
    row_id: str
    content: dict[str, Any]


async def watch(names: Collection[str]) -> None:
    """Make the triggers of these tables, and remove those of all others, also of plugins that are gone.

    If one was missing, the tables have to be compared: nobody knows what was written meanwhile.
    """
    async with begin() as connection:
        there = await connection.run_sync(_watched)
        wanted = {_trigger(name, event) for name in names for event in _events(connection)}
        others = {_WATCHED.sub(r"\1", trigger) for trigger in there}.difference(names)
    if there == wanted:
        return

    async def change(connection: AsyncConnection) -> None:
        state = await lock(connection)  # processes that start together do not both make them
        if not wanted <= await connection.run_sync(_watched):
            await connection.execute(update(STATE).where(STATE.c.id == 1).values(whole=-1))
        await connection.run_sync(unwatch, [*names, *others])
        await connection.run_sync(_watch, names)
        # A process that still writes other tables through sees that its rows are not noted any more.
        left = ",".join(sorted(state.tables.intersection(names)))
        await connection.execute(update(STATE).where(STATE.c.id == 1).values(tables=left))
        await close_guard(connection)

    await alter(change)


def unwatch(connection: Connection, names: Iterable[str]) -> None:
    """Remove the triggers of tables."""
    quote = connection.dialect.identifier_preparer.quote
    for name in names:
        on = "" if is_sqlite(connection) else f" ON {_in_schema(connection, quote(name))}"
        for event in _events(connection):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {_trigger(name, event)}{on}")


async def touched(connection: AsyncConnection, limit: int = AT_ONCE) -> Touched:
    """Return the oldest notes of what others wrote."""
    ids: dict[str, set[str]] = {}
    rows = (await connection.execute(select(_TOUCHED).order_by(_TOUCHED.c.number).limit(limit))).all()
    for _, name, row_id in rows:
        ids.setdefault(name, set()).add(row_id)
    return Touched(frozenset(row[0] for row in rows), ids)


async def forget(connection: AsyncConnection, numbers: Iterable[int]) -> None:
    """Delete notes which were dealt with."""
    for some in chunks(sorted(numbers)):
        await connection.execute(delete(_TOUCHED).where(_TOUCHED.c.number.in_(some)))


async def set_aside(connection: AsyncConnection, table: MirroredTable, rows: Iterable[Row]) -> None:
    """Take rows out of a table and keep them; the guard must be open."""
    rows = list(rows)
    await keep_aside(connection, table, rows)
    await table.delete(connection, [row["id"] for row in rows])


async def keep_aside(connection: AsyncConnection, table: MirroredTable, rows: Collection[Row]) -> None:
    """Keep rows as they are now."""
    await drop_aside(connection, table.name, [row["id"] for row in rows])
    now = int(time.time())
    kept = [
        {"name": table.name, "row_id": row["id"], "content": json.dumps(table.encode(row)), "at": now} for row in rows
    ]
    for some in chunks(kept):
        await connection.execute(insert(_ASIDE), some)


async def aside_rows(connection: AsyncConnection) -> list[Aside]:
    """Return all rows that are kept aside."""
    rows = (await connection.execute(select(_ASIDE).order_by(_ASIDE.c.name, _ASIDE.c.row_id))).all()
    return [Aside(name, row_id, json.loads(content)) for name, row_id, content, _ in rows]


async def drop_aside(connection: AsyncConnection, name: str, ids: Iterable[str]) -> None:
    """Keep these rows no longer."""
    for some in chunks(list(ids)):
        await connection.execute(delete(_ASIDE).where(_ASIDE.c.name == name, _ASIDE.c.row_id.in_(some)))


def _events(connection: AsyncConnection | Connection) -> list[str]:
    return [event for event in _ROWS if event != "truncate" or not is_sqlite(connection)]


def _trigger(name: str, event: str) -> str:
    return f"owui_watch_{name}_{event}"


def _watched(connection: Connection) -> set[str]:
    """Return the names of the triggers that are there."""
    if is_sqlite(connection):
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, 11) = 'owui_watch_'"
    else:
        query = (
            "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE left(t.tgname, 11) = 'owui_watch_' AND t.tgenabled <> 'D' "
            "AND n.nspname = coalesce(:schema, current_schema())"
        )
    parameters = {} if is_sqlite(connection) else {"schema": METADATA.schema}
    return set(connection.execute(text(query), parameters).scalars())


def _watch(connection: Connection, names: Iterable[str]) -> None:
    if not is_sqlite(connection):
        _make_function(connection)
    for name in names:
        for event in _events(connection):
            connection.exec_driver_sql(_definition(connection, name, event))


def _definition(connection: Connection, name: str, event: str) -> str:
    preparer = connection.dialect.identifier_preparer
    start = f"CREATE TRIGGER {_trigger(name, event)} AFTER {event} ON {_in_schema(connection, preparer.quote(name))}"
    if not is_sqlite(connection):
        each = "STATEMENT" if event == "truncate" else "ROW"
        theirs = "current_setting('owui.mirror', true) IS DISTINCT FROM 'on'"
        return f"{start} FOR EACH {each} WHEN ({theirs}) EXECUTE FUNCTION {_in_schema(connection, 'owui_watch')}()"
    ids = " UNION ".join(f"SELECT '{name}', {row}.id WHERE {row}.id IS NOT NULL" for row in _ROWS[event])
    writing = f"(SELECT writing FROM {preparer.format_table(STATE)} WHERE id = 1)"  # noqa: S608 - our own name
    notes = preparer.format_table(_TOUCHED)
    inserts = f"INSERT INTO {notes} (name, row_id) {ids};"
    if TABLES[name].through:
        some = f"SELECT * FROM ({ids}) WHERE {writing}"  # noqa: S608 - our own names
        unsent = preparer.format_table(UNSENT)
        inserts = f"INSERT INTO {notes} (name, row_id) {some} IS NOT 2; INSERT INTO {unsent} (name, row_id) {some} = 2;"
    return f"{start} WHEN {writing} IS NOT 1 BEGIN {inserts} END"


def _make_function(connection: Connection) -> None:
    """Make PostgreSQL's function of the triggers; it names the schema, as others may have another search path."""
    into = {table: f"INSERT INTO {_in_schema(connection, table.name)}" for table in (_TOUCHED, UNSENT)}
    note, send = (f"{insert} (name, row_id) VALUES (TG_TABLE_NAME," for insert in into.values())
    each = (
        "IF TG_OP <> 'INSERT' THEN {0} OLD.id); END IF; "
        "IF TG_OP <> 'DELETE' AND (TG_OP = 'INSERT' OR NEW.id <> OLD.id) THEN {0} NEW.id); END IF; "
    )
    connection.exec_driver_sql(
        f"CREATE OR REPLACE FUNCTION {_in_schema(connection, 'owui_watch')}() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF TG_OP = 'TRUNCATE' THEN {note} ''); "
        f"ELSIF current_setting('owui.mirror', true) = 'through' THEN {each.format(send)} "
        f"ELSE {each.format(note)} END IF; RETURN NULL; END $$"
    )


def _in_schema(connection: Connection, name: str) -> str:
    if is_sqlite(connection):
        return name
    schema = METADATA.schema or connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    return f"{connection.dialect.identifier_preparer.quote(str(schema))}.{name}"
