"""Our own statements within a transaction of the host's, which bypass SQLAlchemy on SQLite; imports the host.

With the asynchronous engine each statement goes to the driver's thread and back three or four times: for the cursor,
the statement, its rows and its end. Asked directly, the driver does all of that in one go.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Select, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import await_only

__all__ = ["Direct"]


class Direct:
    """A statement that is compiled once for SQLite, and made as any other elsewhere.

    Args:
        statement: Without lists as parameters, which would be compiled anew for each length.
    """

    def __init__(self, statement: Select[Any] | Update | Delete) -> None:
        self._statement = statement
        self._compiled: SQLCompiler | None = None
        self._converters: list[tuple[int, Callable[[Any], Any]]] = []

    def rows(self, connection: Connection, **parameters: Any) -> list[Sequence[Any]]:
        """Return the rows it gives, none if it gives none.

        Raises:
            DBAPIError: As SQLAlchemy raises it.
            ValueError: SQLite has something else in a column than its type allows.
        """
        if connection.dialect.driver != "aiosqlite":
            result = connection.execute(self._statement, parameters)
            return list(result) if result.returns_rows else []
        compiled = self._compiled or self._compile(connection.dialect)
        values = compiled.construct_params(parameters)
        given = [values[name] for name in compiled.positiontup or ()]
        driver: Any = connection.connection.driver_connection
        try:
            found = await_only(driver.execute_fetchall(compiled.string, given))
        except sqlite3.Error as error:
            raise _wrapped(error, compiled.string, values, connection.dialect) from error
        return [self._convert(row) for row in found] if self._converters else list(found)

    def _compile(self, dialect: Dialect) -> SQLCompiler:
        compiled = self._statement.compile(dialect=dialect)
        if isinstance(self._statement, Select):
            for at, column in enumerate(self._statement.selected_columns):
                if converter := column.type.dialect_impl(dialect).result_processor(dialect, None):
                    self._converters.append((at, converter))
        self._compiled = compiled
        return compiled

    def _convert(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for at, convert in self._converters:
            values[at] = convert(values[at])
        return values


def _wrapped(error: sqlite3.Error, statement: str, parameters: Mapping[str, Any], dialect: Dialect) -> BaseException:
    return DBAPIError.instance(statement, dict(parameters), error, sqlite3.Error, dialect=dialect)
