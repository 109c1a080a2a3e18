"""A snapshot of PostgreSQL, which its own programs can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, MetaData, NullPool, Table, create_engine, select

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from openwebui_pocketbase.backup.places import Database

__all__ = ["Snapshot", "snapshot"]


class Snapshot:
    """A snapshot that `pg_dump` can read by its name, for as long as the connection is open."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self._connection = connection
        self._schema = schema
        self.name = ""

    def take(self) -> None:
        """Take the snapshot of now, in place of an earlier one."""
        self._connection.rollback()
        self.name = self._connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()

    def revision(self) -> str:
        """Return the Alembic revision that the snapshot has."""
        table = Table("alembic_version", MetaData(), Column("version_num"), schema=self._schema)
        rows = self._connection.execute(select(table.c.version_num)).all()
        return ", ".join(sorted(row[0] for row in rows))


@contextmanager
def snapshot(database: Database) -> Iterator[Snapshot]:
    """Connect, to take a snapshot when it is time."""
    engine = create_engine(database.url, poolclass=NullPool)
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect() as connection:
        yield Snapshot(connection.execution_options(**options), database.schema)
