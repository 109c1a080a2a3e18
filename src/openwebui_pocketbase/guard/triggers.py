"""The guard: triggers in the SQL database that refuse changes of moved tables, whoever makes them.

The mirror says in its transactions that it is writing: on SQLite in its table, on PostgreSQL in a setting. So does
the host where it writes through.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

__all__ = ["Change", "Refusing", "guarded_tables", "install", "remove"]

PREFIX = "owui_guard_"
STATE = "owui_pocketbase_mirror"
"""The mirror's table; SQLite's triggers need it. Its row has ``writing`` = 1 while the mirror writes, 2 while the host
writes through."""

OPERATIONS = {"sqlite": ("insert", "update", "delete"), "postgresql": ("insert", "update", "delete", "truncate")}

INSTALLATION_LOCK = 731947207
"""Number of a PostgreSQL advisory lock: two processes must not replace the function at the same time."""

_INSTALLED = {
    "sqlite": "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, 11) = :prefix",
    # PostgreSQL gives back no trigger's text as it was: a digest is kept as its comment.
    "postgresql": """
        SELECT t.tgname, c.relname, CASE WHEN t.tgenabled = 'O' THEN obj_description(t.oid, 'pg_trigger') END
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT t.tgisinternal AND left(t.tgname, 11) = :prefix
          AND n.nspname = coalesce(:schema, current_schema())
    """,
}
_EXISTING = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = coalesce(:schema, current_schema())",
}

# A foreign key's own deletions also come from a trigger: a table that is not moved may take rows along.
_FUNCTION = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $owui$
BEGIN
  IF pg_trigger_depth() = 1
     AND coalesce(current_setting('owui.mirror', true), '') NOT IN ('on', coalesce(TG_ARGV[1], 'on')) THEN
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $owui$
"""


@dataclass(frozen=True)
class Refusing:
    """A table that is to refuse changes.

    Attributes:
        table: Its name.
        message: What it says then; without single quotes.
        through: Whether the host may write it where it writes through.
    """

    table: str
    message: str
    through: bool = False


@dataclass(frozen=True)
class Change:
    """What an installation has changed: names of tables.

    Attributes:
        guarded: Tables that were not guarded before, or otherwise.
        lifted: Tables that are not guarded any more.
    """

    guarded: tuple[str, ...] = ()
    lifted: tuple[str, ...] = ()


def guarded_tables(connection: Connection, *, schema: str | None) -> list[str]:
    """Return the names of the tables that refuse changes; empty on a database that has no guard."""
    if connection.dialect.name not in OPERATIONS:
        return []
    return sorted({table for table, _ in _installed(connection, schema)})


def install(connection: Connection, tables: Collection[Refusing], *, schema: str | None) -> Change:
    """Have these tables refuse changes, and no others.

    Nothing is locked if all is as it has to be. Tables that do not exist are left out.

    Args:
        connection: A transaction in which nothing was done yet; the caller commits it.
        tables: The tables.
        schema: Their schema, if it is not the default one.
    """
    dialect = connection.dialect.name
    if dialect not in OPERATIONS:
        return Change()
    wanted = _wanted(connection, tables, schema)
    if _installed(connection, schema) == wanted:
        return Change()
    is_sqlite = dialect == "sqlite"
    lock = "BEGIN IMMEDIATE" if is_sqlite else f"SELECT pg_advisory_xact_lock({INSTALLATION_LOCK})"
    connection.execute(text(lock))
    installed = _installed(connection, schema)
    wrong = {key for key, definition in installed.items() if wanted.get(key) != definition}
    missing = {key for key in wanted if installed.get(key) != wanted[key]}
    for table, name in sorted(wrong):
        where = "" if is_sqlite else f" ON {_named(connection, schema, table)}"
        connection.exec_driver_sql(f"DROP TRIGGER {_named(connection, schema if is_sqlite else None, name)}{where}")
    if not is_sqlite:
        _replace_function(connection, schema, needed=bool(wanted))
    by_name = {each.table: each for each in tables}
    for table, name in sorted(missing):
        _create(connection, schema, by_name[table], name, wanted[table, name])
    guarded, lifted = {table for table, _ in missing}, {table for table, _ in wrong}
    return Change(tuple(sorted(guarded)), tuple(sorted(lifted - {table for table, _ in wanted})))


def remove(connection: Connection, *, schema: str | None) -> Change:
    """Let all tables take changes again; see `install`."""
    return install(connection, (), schema=schema)


def _installed(connection: Connection, schema: str | None) -> dict[tuple[str, str], str]:
    """Return the triggers there are: (table, trigger) -> definition."""
    parameters = {"prefix": PREFIX, **_parameters(connection, schema)}
    rows = connection.execute(text(_INSTALLED[connection.dialect.name]), parameters)
    return {(table, name): definition or "" for name, table, definition in rows}


def _wanted(connection: Connection, tables: Collection[Refusing], schema: str | None) -> dict[tuple[str, str], str]:
    dialect = connection.dialect.name
    existing = set(connection.execute(text(_EXISTING[dialect]), _parameters(connection, schema)).scalars())
    wanted = {}
    for each in tables:
        for operation in OPERATIONS[dialect] if each.table in existing else ():
            name = f"{PREFIX}{each.table}_{operation}"
            definition = _definition(connection, schema, each, name)
            if dialect == "postgresql":
                definition = hashlib.sha256(f"{_FUNCTION}{definition}".encode()).hexdigest()
            wanted[each.table, name] = definition
    return wanted


def _definition(connection: Connection, schema: str | None, refusing: Refusing, name: str) -> str:
    operation = name.rpartition("_")[2].upper()
    head = f"CREATE TRIGGER {name} BEFORE {operation} ON {_named(connection, schema, refusing.table)}"
    if connection.dialect.name == "sqlite":
        writing = f"coalesce((SELECT writing FROM {STATE} WHERE id = 1), 0)"  # noqa: S608 - a name of ours
        theirs = f"{writing} NOT IN (1{', 2' if refusing.through else ''})"
        return f"{head} WHEN {theirs} BEGIN SELECT RAISE(ABORT, '{refusing.message}'); END"
    function = _named(connection, schema, PREFIX.rstrip("_"))
    further = ", 'through'" if refusing.through else ""
    return f"{head} FOR EACH STATEMENT EXECUTE FUNCTION {function}('{refusing.message}'{further})"


def _create(connection: Connection, schema: str | None, refusing: Refusing, name: str, digest: str) -> None:
    connection.exec_driver_sql(_definition(connection, schema, refusing, name))
    if connection.dialect.name == "postgresql":
        table = _named(connection, schema, refusing.table)
        connection.exec_driver_sql(f"COMMENT ON TRIGGER {name} ON {table} IS '{digest}'")


def _replace_function(connection: Connection, schema: str | None, *, needed: bool) -> None:
    function = _named(connection, schema, PREFIX.rstrip("_"))
    statement = _FUNCTION.format(function=function) if needed else f"DROP FUNCTION IF EXISTS {function}()"
    connection.exec_driver_sql(statement)


def _named(connection: Connection, schema: str | None, name: str) -> str:
    quote = connection.dialect.identifier_preparer.quote_identifier
    return f"{quote(schema)}.{quote(name)}" if schema else quote(name)


def _parameters(connection: Connection, schema: str | None) -> dict[str, str | None]:
    return {"schema": schema} if connection.dialect.name == "postgresql" else {}
