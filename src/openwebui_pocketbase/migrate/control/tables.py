"""The two tables by which a command and the workers of Open WebUI agree on other backends, in the host's SQL database.

All replicas share them, also those on other machines. One row says what is wanted; each worker has a row that says how
far it is. What is decided is decided by one UPDATE, and by the database's clock: whoever is first wins.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    cast,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from openwebui_pocketbase.migrate.control.orders import Backends, Order, Report

__all__ = ["GONE", "HOLD", "PREPARATION", "ControlTables"]

# All in seconds.
GONE = 5.0
"""A worker that was not heard of for so long is taken to be gone."""
HOLD = 10.0
"""A hold that nobody ends ends by itself after that."""
PREPARATION = 120.0
"""So does a preparation."""

CREATION_LOCK = 731947207
"""Number of a PostgreSQL advisory lock: creating a table fails when another process does it at the same time."""


class ControlTables:
    """The tables in one database; every method blocks for a moment, and is one transaction.

    Args:
        engine: The database.
        schema: Schema of the host's tables, if they are not in the default one.
    """

    def __init__(self, engine: Engine, schema: str | None) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._transactions = engine
        self._metadata = MetaData(schema=schema)
        self._orders = Table(
            "owui_pocketbase_control",
            self._metadata,
            Column("id", Integer, primary_key=True),
            Column("number", BigInteger, nullable=False),
            Column("phase", Text, nullable=False),
            Column("wanted", Text, nullable=False),
            Column("in_force", Text, nullable=False),
            Column("at", Float(53), nullable=False),
            Column("reason", Text, nullable=False),
        )
        self._reports = Table(
            "owui_pocketbase_workers",
            self._metadata,
            Column("worker", Text, primary_key=True),
            Column("host", Text, nullable=False),
            Column("pid", Integer, nullable=False),
            Column("number", BigInteger, nullable=False),
            Column("phase", Text, nullable=False),
            Column("in_flight", Text, nullable=False),
            Column("failure", Text, nullable=False),
            Column("backends", Text, nullable=False),
            Column("serves", Integer, nullable=False),
            Column("epoch", Text, nullable=False),
            Column("seen_at", Float(53), nullable=False),
        )
        self._now = _now(engine)

    def create(self) -> None:
        """Make the tables; safe to repeat."""
        with self._transactions.begin() as connection:
            is_sqlite = connection.dialect.name == "sqlite"
            lock = "BEGIN IMMEDIATE" if is_sqlite else f"SELECT pg_advisory_xact_lock({CREATION_LOCK})"
            connection.execute(text(lock))
            self._metadata.create_all(connection, checkfirst=True)
            if connection.execute(select(self._orders.c.id)).first() is None:
                first = {"id": 1, "number": 0, "phase": "open", "wanted": "{}", "in_force": "{}", "reason": ""}
                connection.execute(insert(self._orders).values(**first, at=self._now))

    def connect(self) -> Connection:
        """Return a connection for the other methods; each statement on it is a transaction."""
        return self._engine.connect()

    def look(self, connection: Connection) -> Order:
        """Return what is wanted."""
        columns = self._orders.c
        query = select(self._orders, (self._now - columns.at).label("age")).where(columns.id == 1)
        row = connection.execute(query).mappings().one()
        wanted, in_force = json.loads(row["wanted"]), json.loads(row["in_force"])
        return Order(row["number"], row["phase"], wanted, in_force, float(row["age"]), row["reason"])

    def report(self, connection: Connection, report: Report) -> None:
        """Say how far a worker is, and that it is there."""
        values = {
            **vars(report),
            "in_flight": report.in_flight.replace("\0", ""),
            "failure": report.failure.replace("\0", ""),
            "backends": json.dumps(dict(report.backends), sort_keys=True),
            "seen_at": self._now,
        }
        known = update(self._reports).where(self._reports.c.worker == report.worker)
        if not connection.execute(known.values(**values)).rowcount:
            connection.execute(insert(self._reports).values(**values))

    def sign_off(self, connection: Connection, worker: str) -> None:
        """Note that a worker has ended, and forget those of which nobody has heard for an hour."""
        seen_at = self._reports.c.seen_at
        over = (self._reports.c.worker == worker) | (seen_at < self._now - 3600)
        connection.execute(delete(self._reports).where(over))

    def workers(self, connection: Connection) -> list[Report]:
        """Return how far the workers are that are there."""
        columns = self._reports.c
        query = select(self._reports).where(columns.seen_at >= self._now - GONE).order_by(columns.host, columns.pid)
        rows = [dict(row) for row in connection.execute(query).mappings()]
        return [Report(**{**row, "backends": json.loads(row["backends"])}) for row in map(_without_time, rows)]

    def silent(self, connection: Connection) -> list[Report]:
        """Return the workers that were not heard of for a while, and have not signed off: they may go on any time."""
        columns = self._reports.c
        query = select(self._reports).where(columns.seen_at < self._now - GONE).order_by(columns.host, columns.pid)
        rows = [dict(row) for row in connection.execute(query).mappings()]
        return [Report(**{**row, "backends": json.loads(row["backends"])}) for row in map(_without_time, rows)]

    def start(self, connection: Connection, wanted: Backends) -> int | None:
        """Begin a switch, unless one is going on; return its number."""
        columns = self._orders.c
        is_free = (
            columns.phase.in_(("open", "switched"))
            | ((columns.phase == "prepare") & self._is_over(PREPARATION))
            | ((columns.phase == "hold") & self._is_over(HOLD))
        )
        values = {"number": columns.number + 1, "wanted": _text(wanted), "reason": ""}
        if not self._change(connection, is_free, phase="prepare", **values):
            return None
        return self.look(connection).number

    def hold(self, connection: Connection, number: int) -> bool:
        """Have workers hold; return False if the switch was given up."""
        return self._change(connection, self._is_in(number, "prepare"), phase="hold")

    def switch(self, connection: Connection, number: int) -> bool:
        """Put the backends that are wanted in force; return False if the switch was given up, or held for too long."""
        is_held = self._is_in(number, "hold") & ~self._is_over(HOLD)
        return self._change(connection, is_held, phase="switched", in_force=self._orders.c.wanted)

    def give_up(self, connection: Connection, number: int, reason: str) -> bool:
        """Have workers go on as before; return False if the switch was decided."""
        return self._change(connection, self._is_in(number, "prepare", "hold"), phase="open", reason=reason)

    def end_forgotten(self, connection: Connection, order: Order) -> bool:
        """Give a switch up whose command is not heard of any more; return False if it is not time yet."""
        limit = {"prepare": PREPARATION, "hold": HOLD}[order.phase]
        is_forgotten = self._is_in(order.number, order.phase) & self._is_over(limit)
        return self._change(connection, is_forgotten, phase="open", reason=f"it was not decided in {limit:g} seconds")

    def begin_with(self, connection: Connection, worker: str, backends: Backends) -> bool:
        """Put the backends of the first worker in force; return False if others serve, or are held.

        Args:
            connection: See `connect`.
            worker: The worker, which does not serve yet.
            backends: Those of its settings.
        """
        columns = self._reports.c
        is_there = (columns.serves == 1) & (columns.seen_at >= self._now - GONE)
        others = select(columns.worker).where(columns.worker != worker, is_there)
        is_first = ~others.exists() & (self._orders.c.phase != "hold")
        values = {"in_force": _text(backends)}
        result = connection.execute(update(self._orders).where(self._orders.c.id == 1, is_first).values(**values))
        return result.rowcount == 1

    def _is_in(self, number: int, *phases: str) -> ColumnElement[bool]:
        return (self._orders.c.number == number) & self._orders.c.phase.in_(phases)

    def _is_over(self, seconds: float) -> ColumnElement[bool]:
        over: ColumnElement[bool] = self._orders.c.at < self._now - seconds
        return over

    def _change(self, connection: Connection, condition: ColumnElement[bool], **values: Any) -> bool:
        statement = update(self._orders).where(self._orders.c.id == 1, condition).values(**values, at=self._now)
        return connection.execute(statement).rowcount == 1


def _now(engine: Engine) -> Any:
    """Return the database's clock, in seconds."""
    if engine.dialect.name == "sqlite":
        return (func.julianday("now") - 2440587.5) * 86400.0
    return cast(func.extract("epoch", func.clock_timestamp()), Float(53))


def _text(backends: Backends) -> str:
    return json.dumps(dict(backends), sort_keys=True)


def _without_time(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "seen_at"}
