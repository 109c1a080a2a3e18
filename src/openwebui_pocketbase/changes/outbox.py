"""What a transaction of the host's has written through, until it ends; and what it had to leave noted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import BigInteger, Column, Connection, Integer, Table, Text, and_, delete, func, insert, select, tuple_

from openwebui_pocketbase.changes.sql import METADATA, STATE, chunks
from openwebui_pocketbase.changes.state import State

__all__ = ["OUTBOX", "empty_outbox", "note_seen", "outbox"]

OUTBOX = Table(
    "owui_pocketbase_outbox",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("row_id", Text, nullable=False),
)
"""Table and id of each row that was written, by triggers; nobody ever sees one that was committed."""

SEEN = Table(
    "owui_pocketbase_seen",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("row_id", Text, primary_key=True),
    Column("copy_id", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
"""Rows that were written through while the copy lacked others: the change of the feed that each of them is at.

Numbers of a feed are of no meaning in another; see `State.copy`.
"""

# Made once: that takes longer than to run them.
_READ = (
    select(OUTBOX.c.name, OUTBOX.c.row_id, func.max(SEEN.c.seq))
    .select_from(OUTBOX)
    .join(STATE, STATE.c.id == 1)
    .outerjoin(
        SEEN,
        and_(SEEN.c.name == OUTBOX.c.name, SEEN.c.row_id == OUTBOX.c.row_id, SEEN.c.copy_id == STATE.c.copy_id),
    )
    .group_by(OUTBOX.c.name, OUTBOX.c.row_id)
)
_EMPTY = delete(OUTBOX)


def outbox(connection: Connection) -> dict[str, dict[str, int]]:
    """Return what was written through in this transaction: ids of rows by table.

    Returns:
        With each id the number of the change that the row is at; 0 if the copy has that, and all before it.
    """
    found: dict[str, dict[str, int]] = {}
    for name, row_id, seq in connection.execute(_READ):
        found.setdefault(name, {})[row_id] = seq or 0
    return found


def empty_outbox(connection: Connection) -> None:
    """Delete what `outbox` returns."""
    connection.execute(_EMPTY)


def note_seen(connection: Connection, written: Mapping[str, Iterable[str]], seq: int, state: State) -> None:
    """Note the change that rows are at, though the copy lacks others before it.

    Args:
        connection: The transaction that has written the rows.
        written: Ids of rows, by table.
        seq: Number of the change.
        state: How far the copy is; what it has reached is forgotten.
    """
    connection.execute(delete(SEEN).where((SEEN.c.copy_id != state.copy) | (SEEN.c.seq <= state.seq)))
    keys = [(name, row_id) for name, ids in written.items() for row_id in ids]
    for some in chunks(keys):
        connection.execute(delete(SEEN).where(tuple_(SEEN.c.name, SEEN.c.row_id).in_(some)))
        rows = [{"name": name, "row_id": row_id, "copy_id": state.copy, "seq": seq} for name, row_id in some]
        connection.execute(insert(SEEN), rows)
