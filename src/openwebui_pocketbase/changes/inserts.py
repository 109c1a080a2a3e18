"""The statements that insert rows of the host, or overwrite them: what is fastest on each database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from open_webui.utils.json_codec import JSONCodec
from sqlalchemy import Connection, Date, Dialect, Table, bindparam, text

__all__ = ["Execute", "Inserts", "Row", "inserts_of"]

Row = dict[str, Any]

Execute = Callable[[Connection, Sequence[Row]], object]
"""Inserts whole rows."""


class Inserts(NamedTuple):
    """What inserts rows: one overwrites those with the same key, one leaves them."""

    overwrite: Execute
    leave: Execute


def inserts_of(table: Table, key: Sequence[str], dialect: Dialect, *, is_bulk: bool) -> Inserts:
    """Return what inserts rows into a table.

    As text: SQLAlchemy compiles its own ON CONFLICT anew each time, which takes longer than to run it.

    Args:
        table: The table.
        key: The columns by which a row is the same.
        dialect: The database's.
        is_bulk: Whether there are many rows. PostgreSQL gets these as one JSON text: parameters of their own cost it
            ten times as much. To SQLite it makes no difference.
    """
    quote = dialect.identifier_preparer.quote
    columns = [column.name for column in table.c]
    names, keys = ", ".join(map(quote, columns)), ", ".join(map(quote, key))
    # Not the key itself: SQLite would take the row out of each index and put it back.
    changes = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in columns if name not in key)
    name = dialect.identifier_preparer.format_table(table)
    into = f"INSERT INTO {name} ({names})"
    actions = (f"ON CONFLICT ({keys}) DO {what}" for what in (f"UPDATE SET {changes}", "NOTHING"))
    if dialect.name == "sqlite":
        values = ", ".join("?" * len(columns))
        return Inserts(*(_plain(f"{into} VALUES ({values}) {do}", table, dialect) for do in actions))
    if is_bulk:
        rows = f"SELECT {names} FROM json_populate_recordset(NULL::{name}, CAST(:rows AS json))"  # noqa: S608 - names of the host's
        return Inserts(*(_as_json(f"{into} {rows} {do}", table) for do in actions))
    values = ", ".join(f":{column}" for column in columns)
    return Inserts(*(_typed(f"{into} VALUES ({values}) {do}", table) for do in actions))


def _plain(statement: str, table: Table, dialect: Dialect) -> Execute:
    """Give rows to the driver as they are stored: to have each made by SQLAlchemy takes longer than to write it."""
    values_of = itemgetter(*(column.name for column in table.c))
    made = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.c]
    converted = [(place, convert) for place, convert in enumerate(made) if convert]

    def execute(connection: Connection, rows: Sequence[Row]) -> None:
        parameters = []
        for row in rows:
            values = values_of(row)
            if converted:
                values = list(values)
                for place, convert in converted:
                    values[place] = convert(values[place])
            parameters.append(tuple(values))
        connection.exec_driver_sql(statement, parameters)

    return execute


def _as_json(statement: str, table: Table) -> Execute:
    """Give all rows as one text; values of JSON columns come out as the host's engine writes them."""
    insert = text(statement)
    dates = [column.name for column in table.c if isinstance(column.type, Date)]

    def execute(connection: Connection, rows: Sequence[Row]) -> None:
        listed = [dict(row) for row in rows]
        for row in listed:
            row.update((name, row[name].isoformat()) for name in dates if row[name] is not None)
        connection.execute(insert, {"rows": str(JSONCodec.dumps(listed, ensure_ascii=False))})

    return execute


def _typed(statement: str, table: Table) -> Execute:
    insert = text(statement).bindparams(*(bindparam(column.name, type_=column.type) for column in table.c))
    return lambda connection, rows: connection.execute(insert, rows)
