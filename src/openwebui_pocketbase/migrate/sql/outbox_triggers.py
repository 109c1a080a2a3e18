"""The triggers that fill the outbox, as text; imports the host.

On SQLite, where one writes at a time, a note takes the place of an earlier one of the same key, under a new number: so
there is one note per key, and who has read the earlier one does not delete it. On PostgreSQL notes are only added,
one per key and transaction: to replace another transaction's would be to wait for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, MetaData, Table, Text, text

from openwebui_pocketbase.changes.sql import METADATA, is_sqlite
from openwebui_pocketbase.migrate.items import Unit

__all__ = ["ALL", "OUTBOX", "Triggers", "create", "drop", "installed", "wanted"]

PREFIX = "owui_outbox_"
ALL = ""
"""The key of a note that says: all of the unit."""

OUTBOX = Table(
    "owui_pocketbase_outbox",
    MetaData(schema=METADATA.schema),
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("unit", Text, nullable=False),
    Column("key", Text, nullable=False),
    Index("owui_pocketbase_outbox_key", "unit", "key"),
    sqlite_autoincrement=True,  # a number that was used once never comes again
)

Triggers = Mapping[tuple[str, str], str]
"""(Table, trigger) -> its definition, or on PostgreSQL a digest of it, which is kept as its comment."""

_INSTALLED = {
    "sqlite": "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, 12) = :prefix",
    "postgresql": """
        SELECT c.relname, t.tgname, CASE WHEN t.tgenabled = 'O' THEN obj_description(t.oid, 'pg_trigger') END
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT t.tgisinternal AND left(t.tgname, 12) = :prefix
          AND n.nspname = coalesce(:schema, current_schema())
    """,
}

_ROWS = {"insert": ("NEW",), "update": ("OLD", "NEW"), "delete": ("OLD",)}
"""Event -> the rows that it touches, as triggers call them."""


def installed(connection: Connection) -> dict[tuple[str, str], str]:
    """Return the triggers there are."""
    parameters = {"prefix": PREFIX} if is_sqlite(connection) else {"prefix": PREFIX, "schema": METADATA.schema}
    rows = connection.execute(text(_INSTALLED[connection.dialect.name]), parameters)
    return {(table, name): definition or "" for table, name, definition in rows}


def wanted(connection: Connection, units: Iterable[Unit]) -> dict[tuple[str, str], str]:
    """Return the triggers there have to be."""
    return {
        key: definition if is_sqlite(connection) else _digest(definition)
        for key, definition in _definitions(connection, units).items()
    }


def create(connection: Connection, units: Iterable[Unit], missing: Iterable[tuple[str, str]]) -> None:
    """Make some of the triggers; on PostgreSQL with the function that each calls."""
    definitions = _definitions(connection, units)
    for table, name in sorted(missing):
        definition = definitions[table, name]
        for statement in definition.split(_NEXT):
            connection.exec_driver_sql(statement)
        if not is_sqlite(connection):
            on = _in_schema(connection, table)
            connection.exec_driver_sql(f"COMMENT ON TRIGGER {name} ON {on} IS '{_digest(definition)}'")


def drop(connection: Connection, triggers: Iterable[tuple[str, str]]) -> None:
    """Remove triggers."""
    for table, name in sorted(triggers):
        if is_sqlite(connection):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        else:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {_in_schema(connection, table)}")
            connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {_in_schema(connection, name)}()")


_NEXT = ";\n\n"
"""Between the statements of a definition."""


def _definitions(connection: Connection, units: Iterable[Unit]) -> dict[tuple[str, str], str]:
    define = _of_sqlite if is_sqlite(connection) else _of_postgresql
    made: dict[tuple[str, str], str] = {}
    for unit in units:
        for table in unit.tables:
            columns = (unit.parts[table],) if table in unit.parts else unit.key
            made |= {(table, name): each for name, each in define(connection, unit.name, table, columns).items()}
    return made


def _of_sqlite(connection: Connection, unit: str, table: str, columns: tuple[str, ...]) -> dict[str, str]:
    quote = connection.dialect.identifier_preparer.quote
    made = {}
    for event, rows in _ROWS.items():
        name = f"{PREFIX}{table}_{event}"
        # A cast, as there is no JSON of a blob: nothing here may make the statement fail that fires it.
        keys = [f"json_array({', '.join(f'CAST({row}.{quote(each)} AS TEXT)' for each in columns)})" for row in rows]
        notes = " UNION ".join(f"SELECT '{unit}', {key}" for key in keys)
        # Not REPLACE: the statement's own ON CONFLICT would come before ours.
        does = (
            f"DELETE FROM {OUTBOX.name} WHERE unit = '{unit}' AND key IN ({', '.join(keys)}); "  # noqa: S608 - our names
            f"INSERT INTO {OUTBOX.name} (unit, key) {notes};"
        )
        made[name] = f"CREATE TRIGGER {name} AFTER {event.upper()} ON {quote(table)} BEGIN {does} END"
    return made


def _of_postgresql(connection: Connection, unit: str, table: str, columns: tuple[str, ...]) -> dict[str, str]:
    """Return two triggers; their functions name the schema, as others may have another search path."""
    quote = connection.dialect.identifier_preparer.quote
    outbox, on = _in_schema(connection, OUTBOX.name), _in_schema(connection, table)
    keys = {
        row: f"pg_catalog.json_build_array({', '.join(f'{row}.{quote(each)}' for each in columns)})::text"
        for row in ("OLD", "NEW")
    }
    new = " OR ".join(f"NEW.{quote(each)} IS DISTINCT FROM OLD.{quote(each)}" for each in columns)
    # Of this transaction: what others have noted may be handled already.
    ours = "xmin = pg_catalog.pg_current_xact_id()::xid"
    note = (
        f"IF NOT EXISTS (SELECT 1 FROM {outbox} WHERE unit = '{unit}' AND key = noted AND {ours}) "  # noqa: S608 - our names
        f"THEN INSERT INTO {outbox} (unit, key) VALUES ('{unit}', noted); END IF;"
    )
    body = (
        f"DECLARE noted text; BEGIN "
        f"IF TG_OP <> 'INSERT' THEN noted := {keys['OLD']}; {note} END IF; "
        f"IF TG_OP = 'INSERT' THEN noted := {keys['NEW']}; {note} END IF; "
        f"IF TG_OP = 'UPDATE' THEN IF {new} THEN noted := {keys['NEW']}; {note} END IF; END IF; "
        "RETURN NULL; END"
    )
    all_of_it = f"BEGIN INSERT INTO {outbox} (unit, key) VALUES ('{unit}', '{ALL}'); RETURN NULL; END"  # noqa: S608 - our names
    kinds = {"row": ("INSERT OR UPDATE OR DELETE", "ROW", body), "truncate": ("TRUNCATE", "STATEMENT", all_of_it)}
    made = {}
    for kind, (events, each, does) in kinds.items():
        name = f"{PREFIX}{table}_{kind}"
        function = _in_schema(connection, name)
        made[name] = (
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $owui$ {does} $owui${_NEXT}"
            f"CREATE TRIGGER {name} AFTER {events} ON {on} FOR EACH {each} EXECUTE FUNCTION {function}()"
        )
    return made


def _digest(definition: str) -> str:
    return hashlib.sha256(definition.encode()).hexdigest()


def _in_schema(connection: Connection, name: str) -> str:
    quote = connection.dialect.identifier_preparer.quote
    schema = METADATA.schema or connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    return f"{quote(str(schema))}.{quote(name)}"
