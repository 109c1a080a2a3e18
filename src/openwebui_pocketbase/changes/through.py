"""Writing through: rows that the host's own code writes reach PocketBase before the SQL database commits them.

The stock repositories of some groups run as they are. The first statement of a transaction that writes one of their
tables opens the guard for it; from then on triggers note each row that is unsent, whatever wrote it. At the commit the
rows are read as they are now and sent in one request, which PocketBase applies as a whole or refuses as a whole. Only
then the SQL database commits. If it cannot any more, PocketBase is right, and the rows come back from the change feed.

All of this happens in SQLAlchemy's events, within the greenlet of the host's asynchronous session; imports the host.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

from open_webui.internal import db
from sqlalchemy import Connection, ExceptionContext, event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.util import await_only

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.changes.state import State
from openwebui_pocketbase.changes.table import MirroredTable
from openwebui_pocketbase.changes.turns import Turns
from openwebui_pocketbase.changes.unsent import close_unsent, forget_unsent, note_seen, open_unsent, unsent
from openwebui_pocketbase.exceptions import ConflictError, MovedTableError, OpenWebUIPocketBaseError, UnavailableError
from openwebui_pocketbase.guard.statements import tables_in
from openwebui_pocketbase.host_request import serving
from openwebui_pocketbase.ours import ours, ours_only
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["Through"]

REMEMBERED = 4096
"""How many statements are remembered with whether they write such a table."""

LONG = 1 << 12
"""Characters of a statement that is not remembered."""

MANY = 500
"""Rows from which on a commit waits for its turn among large writes."""

MUCH = 1 << 20
"""Characters in the rows from which on it does."""

PACE = 2_000_000
"""Characters for which a commit waits a second longer: notes with pictures have some ten megabytes."""

WROTE = "owui_wrote_through"
"""In the information of a connection: its transaction may have written rows through."""

SENT = "owui_sent"
"""In the information of a connection: PocketBase has what its transaction is about to commit."""


class Through:
    """Sends what the host commits.

    Args:
        mirror: Of the groups in PocketBase; knows how far the copies are.
        patience: Seconds that a commit waits for PocketBase, longer for long rows: on SQLite nobody else can write
            meanwhile.
    """

    def __init__(self, mirror: Mirror, patience: float) -> None:
        self._mirror = mirror
        self._patience = patience
        self._turns = Turns()
        self._names = frozenset(name for name in mirror.names if TABLES[name].through)
        self._schemas = {"", "main", sql.METADATA.schema or "public"}
        self._remembered = lru_cache(REMEMBERED)(self._is_writing)
        self._listeners: dict[str, Callable[..., None]] = {
            "begin": self._begin,
            "before_cursor_execute": self._before_statement,
            "commit": self._commit,
            "rollback_savepoint": self._rollback_savepoint,
            "handle_error": self._on_error,
        }

    def start(self) -> None:
        """Begin to send; does nothing the second time."""
        engine = db.async_engine.sync_engine
        for name, listener in self._listeners.items():
            if self._names and not event.contains(engine, name, listener):
                event.listen(engine, name, listener)
        self._turns.start()

    def stop(self) -> None:
        """Undo `start`."""
        engine = db.async_engine.sync_engine
        for name, listener in self._listeners.items():
            if event.contains(engine, name, listener):
                event.remove(engine, name, listener)
        self._turns.stop()

    @cached_property
    def _tables(self) -> dict[str, MirroredTable]:
        """The tables; they import the host's models, which come after its engine."""
        return {name: MirroredTable(name) for name in self._names}

    def _begin(self, connection: Connection) -> None:
        for mark in (WROTE, SENT, sql.IS_THROUGH):
            connection.info.pop(mark, None)
        self._turns.end(connection)

    def _before_statement(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if ours.get() or connection.info.get(sql.IS_THROUGH):
            return
        if not (self._remembered if len(statement) < LONG else self._is_writing)(statement):
            return
        if not self._mirror.is_started:
            await_only(self._mirror.start())  # a script has no application that does it
        if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            raise MovedTableError(
                "Rows that PocketBase has were about to be written without a transaction. Write them in one: at its"
                " commit PocketBase gets them."
            )
        self._turns.take(connection)
        self._open(connection)

    def _open(self, connection: Connection) -> None:
        with ours_only():
            open_unsent(connection)
        connection.info[WROTE] = connection.info[sql.IS_THROUGH] = True

    def _rollback_savepoint(self, connection: Connection, *_: Any) -> None:
        connection.info.pop(sql.IS_THROUGH, None)  # if it was opened behind the savepoint, it is closed again

    def _is_writing(self, statement: str) -> bool:
        if statement.lstrip()[:6].lower() == "select":
            return False
        return any(
            use.writes and use.table in self._names and use.schema in self._schemas for use in tables_in(statement)
        )

    def _commit(self, connection: Connection) -> None:
        if not connection.info.pop(WROTE, False):
            return
        try:
            if not connection.info.pop(sql.IS_THROUGH, False):
                self._open(connection)  # what closes it forgets what was unsent
            with ours_only():
                state, written = unsent(connection)
                self._check_that_all_is_noted(state)
                if written:
                    self._send(connection, state, written)
                else:
                    forget_unsent(connection)
        except BaseException as error:
            # To SQLAlchemy the transaction has ended: it would give the connection to the next one as it is.
            connection.connection.rollback()
            self._distrust_if_sent(connection)
            request = serving.get()
            if request is not None and isinstance(error, OpenWebUIPocketBaseError):
                request.refusal = error  # the host's code often makes nothing of an exception
            raise

    def _check_that_all_is_noted(self, state: State) -> None:
        """Refuse the commit if the triggers that note rows may be gone."""
        missing = self._names - state.tables
        if missing:
            groups = ", ".join(sorted({TABLES[name].group for name in missing}))
            raise UnavailableError(
                f"Another process with other settings has started on this SQL database, without {groups} in PocketBase."
                " Start all processes again with the same groups.",
                url="through/apply",
            )

    def _send(self, connection: Connection, state: State, written: Mapping[str, Mapping[str, int]]) -> None:
        """Send rows, and close the guard; see `unsent`."""
        put: dict[str, list[dict[str, Any]]] = {}
        gone: dict[str, list[str]] = {}
        seen: dict[str, dict[str, int]] = {}
        for name, ids in written.items():
            table = self._tables[name]
            rows = table.unsent_rows(connection, ids)
            if rows:
                put[table.collection] = [table.record(row) for row in rows.values()]
            if missing := [row_id for row_id in ids if row_id not in rows]:
                gone[table.collection] = missing
            if known := {row_id: seq for row_id, seq in ids.items() if seq}:
                seen[table.collection] = known
        put_ids = {collection: [record["id"] for record in records] for collection, records in put.items()}
        head = {"cursor": self._mirror.cursor_at(state), "seen": seen, "gone": gone, "ids": put_ids}
        body = {"head": head, "put": put}  # in this order
        number, length = sum(map(len, written.values())), _length(put)
        patience = self._patience + length / PACE
        reply = await_only(self._submit(body, patience, is_large=number >= MANY or length >= MUCH))
        connection.info[SENT] = True
        if close_unsent(connection, state, reply["last"], reply["cursor"] if reply["is_next"] else ""):
            self._mirror.note_sent(state, reply["last"], reply["cursor"])
        else:
            note_seen(connection, written, reply["last"], state)
            self._mirror.is_behind.set()

    async def _submit(self, body: Mapping[str, Any], patience: float, *, is_large: bool) -> Mapping[str, Any]:
        """Have PocketBase apply rows.

        Raises:
            IntegrityError: A value that has to be unique is taken there.
            ConflictError: Somebody else has changed a row in the meantime.
            UnavailableError: There was no answer in time; what became of it is in the change feed.
        """
        try:
            async with asyncio.timeout(patience):
                answer: Mapping[str, Any] = await self._mirror.submit("through/apply", body, is_large=is_large)
                return answer
        except TimeoutError as error:
            raise UnavailableError(
                f"PocketBase has not answered within {patience:.3g} seconds.", url="through/apply"
            ) from error
        except ConflictError as error:
            if error.code == "conflict":
                raise IntegrityError("through/apply", None, error) from error
            self._mirror.is_behind.set()
            raise

    def _on_error(self, context: ExceptionContext) -> None:
        if context.connection is not None:
            self._distrust_if_sent(context.connection)

    def _distrust_if_sent(self, connection: Connection) -> None:
        """PocketBase has what the SQL database has not committed: have it brought back."""
        if connection.info.pop(SENT, False):
            self._mirror.distrust()


def _length(put: Mapping[str, list[dict[str, Any]]]) -> int:
    """Return how many characters of text records have."""
    values = (value for records in put.values() for record in records for value in record.values())
    return sum(len(value) for value in values if isinstance(value, str))
