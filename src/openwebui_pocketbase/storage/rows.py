"""Where the contents of files are, according to their rows; and recording that they have moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import select, update

if TYPE_CHECKING:
    from sqlalchemy import Engine, Table

    from openwebui_pocketbase.client import AdminClient

__all__ = ["FileRow", "PocketBaseRows", "Rows", "SqlRows"]

PAGE = 1000


@dataclass(frozen=True)
class FileRow:
    """One file.

    Attributes:
        id: Its id.
        user_id: Its owner.
        path: Where its contents are; None or empty if it has none.
        size: Bytes of the contents, as the host noted them at the upload; 0 if it did not.
        created_at: When the row was made, epoch seconds; 0 if unknown.
    """

    id: str
    user_id: str
    path: str | None
    size: int
    created_at: int


class Rows(Protocol):
    """The rows, wherever they are stored."""

    def __iter__(self) -> Iterator[FileRow]:
        """Give all rows, by id; a row made meanwhile may be missing."""

    def get(self, id: str) -> FileRow | None:
        """Return a row as it is now, or None."""

    def switch(self, row: FileRow, path: str) -> bool:
        """Set the path of a row, unless the row or its path has changed; return whether it is set."""


class PocketBaseRows:
    """Rows in PocketBase.

    Args:
        admin: The server.
    """

    def __init__(self, admin: AdminClient) -> None:
        self._admin = admin

    def __iter__(self) -> Iterator[FileRow]:
        after = ""
        while page := self._admin.read("file_rows/list", {"after": after, "limit": PAGE}):
            yield from (_row(*values) for values in page)
            after = page[-1][0]

    def get(self, id: str) -> FileRow | None:
        """Return a row as it is now, or None."""
        found = self._admin.read("file_rows/get", {"id": id})
        return _row(*found) if found else None

    def switch(self, row: FileRow, path: str) -> bool:
        """Set the path of a row, unless the row or its path has changed; return whether it is set."""
        return bool(self._admin.write("file_rows/switch_path", {"id": row.id, "known": row.path, "path": path}))

    def drop_contents(self, id: str) -> None:
        """Remove contents that are in PocketBase, unless the row leads to them; also a record that is no row yet."""
        self._admin.write("file_rows/drop_contents", {"id": id})


class SqlRows:
    """Rows in the host's SQL database.

    Args:
        engine: The host's engine for synchronous use.
        table: Its table ``file``.
    """

    def __init__(self, engine: Engine, table: Table) -> None:
        self._engine = engine
        self._table = table
        columns = table.c
        self._select = select(columns.id, columns.user_id, columns.path, columns.meta, columns.created_at)

    def __iter__(self) -> Iterator[FileRow]:
        after = ""
        columns = self._table.c
        while page := self._read(self._select.where(columns.id > after).order_by(columns.id).limit(PAGE)):
            yield from page
            after = page[-1].id

    def get(self, id: str) -> FileRow | None:
        """Return a row as it is now, or None."""
        return next(iter(self._read(self._select.where(self._table.c.id == id))), None)

    def switch(self, row: FileRow, path: str) -> bool:
        """Set the path of a row, unless the row or its path has changed; return whether it is set."""
        columns = self._table.c
        change = update(self._table).where(columns.id == row.id, columns.path == row.path).values(path=path)
        with self._engine.begin() as connection:
            return connection.execute(change).rowcount == 1

    def _read(self, query: Any) -> list[FileRow]:
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            _row(row.id, row.user_id, row.path, row.meta.get("size") if isinstance(row.meta, dict) else 0, row[4])
            for row in rows
        ]


def _row(id: str, user_id: str | None, path: str | None, size: Any, created_at: int | None) -> FileRow:
    return FileRow(id, user_id or "", path, size if isinstance(size, int) else 0, created_at or 0)
