"""What a transaction of the host's has written through, until it ends, and what stays noted of it afterwards.

A row is newer than the copy until the copy has reached the change that ``owui_pocketbase_seen`` notes for the row.
Until then, older pages of the feed are not written over it: see `written_since`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    true,
    tuple_,
    update,
)

from openwebui_pocketbase.changes.direct import Direct
from openwebui_pocketbase.changes.sql import METADATA, STATE, UNSENT, chunks, is_sqlite, open_guard_sync
from openwebui_pocketbase.changes.state import State, state_of
from openwebui_pocketbase.schema.tables import TABLES

if TYPE_CHECKING:
    from openwebui_pocketbase.changes.table import MirroredTable

__all__ = ["close_unsent", "forget_unsent", "note_seen", "open_unsent", "unsent", "written_since"]

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
_READ = Direct(
    select(STATE, UNSENT.c.name, UNSENT.c.row_id, func.max(SEEN.c.seq).label("seen"))
    .select_from(STATE)
    .outerjoin(UNSENT, true())
    .outerjoin(
        SEEN,
        and_(SEEN.c.name == UNSENT.c.name, SEEN.c.row_id == UNSENT.c.row_id, SEEN.c.copy_id == STATE.c.copy_id),
    )
    .where(STATE.c.id == 1)
    .group_by(*STATE.c, UNSENT.c.name, UNSENT.c.row_id)
)
_READ_NAMES = (*STATE.c.keys(), "name", "row_id", "seen")
_OPEN = Direct(update(STATE).where(STATE.c.id == 1).values(writing=2))
_CLOSE = Direct(update(STATE).where(STATE.c.id == 1).values(writing=0))
_EMPTY = delete(UNSENT)
_ADVANCE = update(STATE).values(seq=bindparam("last"), cursor=bindparam("named"))
_ADVANCE_AND_CLOSE = Direct(_ADVANCE.where(STATE.c.id == 1).values(writing=0))
# On PostgreSQL whoever has the row now can wait for rows that this transaction has.
_ADVANCE_UNLESS_LOCKED = _ADVANCE.where(
    STATE.c.id.in_(
        select(STATE.c.id)
        .where(STATE.c.copy_id == bindparam("of"), STATE.c.run == bindparam("by"), STATE.c.seq == bindparam("floor"))
        .with_for_update(skip_locked=True)
    )
)


def open_unsent(connection: Connection) -> None:
    """Open the guard for what the host writes from here to the transaction's end, and have it noted."""
    if is_sqlite(connection):
        _OPEN.rows(connection)
    else:
        open_guard_sync(connection, through=True)


def unsent(connection: Connection) -> tuple[State, dict[str, dict[str, int]]]:
    """Return what was written through in this transaction.

    Returns:
        How far the copy is; and ids of rows by table, with each the number of the change that the row is at, 0 if the
        copy has that and all before it.
    """
    found: dict[str, dict[str, int]] = {}
    rows = [dict(zip(_READ_NAMES, row, strict=True)) for row in _READ.rows(connection)]
    for row in rows:
        if row["name"] is not None:
            found.setdefault(row["name"], {})[row["row_id"]] = row["seen"] or 0
    return state_of(rows[0]), found


def close_unsent(connection: Connection, state: State, last: int, cursor: str) -> bool:
    """Forget what was unsent, close the guard, and note that the copy has a further change unless others note one.

    Args:
        connection: The transaction that has written the rows.
        state: As it was read in this transaction.
        last: Number of the change.
        cursor: Names it; "" if the copy lacks others before it.

    Returns:
        Whether it was noted.
    """
    if is_sqlite(connection):  # nobody else can have written meanwhile
        if cursor:
            _ADVANCE_AND_CLOSE.rows(connection, last=last, named=cursor)
        else:
            _CLOSE.rows(connection)
        return bool(cursor)
    forget_unsent(connection)
    parameters = {"of": state.copy, "by": state.run, "floor": state.seq, "last": last, "named": cursor}
    return bool(cursor) and connection.execute(_ADVANCE_UNLESS_LOCKED, parameters).rowcount == 1


def forget_unsent(connection: Connection) -> None:
    """Forget what was unsent, and close the guard."""
    if is_sqlite(connection):
        _CLOSE.rows(connection)
    else:
        connection.execute(_EMPTY)  # the setting that opens the guard ends with the transaction


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


def written_since(
    connection: Connection, table: MirroredTable, ids: Collection[str], *, copy: str, seq: int
) -> set[str]:
    """Return which of these rows the host has written through behind a change; others wait until the transaction ends.

    Args:
        connection: A transaction that has locked the copy's state.
        table: Their table.
        ids: The rows that are to be written or deleted.
        copy: See `State.copy`.
        seq: The change up to which PocketBase was read.
    """
    if not ids or not TABLES[table.name].through:
        return set()
    found: set[str] = set()
    for some in chunks(sorted(ids)):
        if not is_sqlite(connection):  # there the state's lock is the only one; here somebody may be about to commit
            rows = table.table.c.id
            connection.execute(select(rows).where(rows.in_(some)).order_by(rows).with_for_update())
        later = and_(SEEN.c.name == table.name, SEEN.c.copy_id == copy, SEEN.c.seq > seq, SEEN.c.row_id.in_(some))
        found.update(connection.execute(select(SEEN.c.row_id).where(later)).scalars())
    return found
