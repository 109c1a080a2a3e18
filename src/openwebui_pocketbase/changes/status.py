"""For commands: where the SQL copy and PocketBase differ, and what an administrator can do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.copies import what_differs
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.changes.settle import credentials_of, kept_aside
from openwebui_pocketbase.changes.state import create_state, read_state
from openwebui_pocketbase.changes.table import MirroredTable
from openwebui_pocketbase.changes.watch import Aside, drop_aside
from openwebui_pocketbase.exceptions import ConflictError, ResponseError
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["MirrorStatus", "TableStatus", "accept", "adopt", "mirror_status"]

T = TypeVar("T")

ORDER = ("user", "group", "group_member", "access_grant", "file")
"""What others refer to comes first."""


@dataclass(frozen=True)
class TableStatus:
    """One mirrored table.

    Attributes:
        table: The host's name of it.
        equal: Number of rows that both have, and alike.
        missing: Ids of rows that only PocketBase has.
        different: Ids of rows that both have, but not alike.
        extra: Ids of rows that only the SQL table has.
        aside: Ids of rows that something else wrote, kept aside: nobody is served from them.
    """

    table: str
    equal: int
    missing: tuple[str, ...]
    different: tuple[str, ...]
    extra: tuple[str, ...]
    aside: tuple[str, ...]

    @property
    def is_settled(self) -> bool:
        """Whether nothing differs and nothing waits for a decision."""
        return not (self.missing or self.different or self.extra or self.aside)


@dataclass(frozen=True)
class MirrorStatus:
    """The SQL copy as a whole.

    Attributes:
        is_mirrored: Whether the tables were ever copied.
        follows: Whether the copy's last change is in PocketBase's feed; if not, a backup was restored, or another
            PocketBase took its place, and the next write or start compares whole tables.
        behind: Number of changes that the copy does not have yet.
        tables: The tables of groups in PocketBase.
    """

    is_mirrored: bool
    follows: bool
    behind: int
    tables: tuple[TableStatus, ...]

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to be done."""
        return not self.is_mirrored or (self.follows and all(table.is_settled for table in self.tables))

    @property
    def is_without_users(self) -> bool:
        """Whether PocketBase has none of the users of whom the SQL database has copies."""
        return any(
            table.table == "user" and table.extra and not (table.equal or table.different) for table in self.tables
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything as an object for JSON."""
        return {"settled": self.is_settled, **asdict(self)}


def mirror_status(mirror: Mirror) -> MirrorStatus:
    """Compare the SQL copy with PocketBase, and change nothing but tables of our own that are missing; blocks.

    What others write meanwhile can show as a difference: ask again.

    Args:
        mirror: The plugin's, in a process in which the host is loaded.

    Raises:
        RequestError: PocketBase cannot be asked.
        SQLAlchemyError: The SQL database cannot be asked.
    """
    return asyncio.run(_closing(mirror, _status(mirror)))


def accept(mirror: Mirror) -> int:
    """Make the SQL copy equal to PocketBase, whatever it has, and drop what is kept aside; blocks.

    Returns:
        Number of rows that were kept aside.

    Raises:
        ConfigurationError: PocketBase has nothing of a group of which the SQL database has rows.
    """
    return asyncio.run(_closing(mirror, _accept(mirror)))


def adopt(mirror: Mirror) -> tuple[list[Aside], list[tuple[Aside, str]]]:
    """Take the rows that are kept aside into PocketBase, users with their credentials in SQL; blocks.

    Returns:
        Those that PocketBase has now, and those that it refused, each with the reason; they stay aside.
    """
    return asyncio.run(_closing(mirror, _adopt(mirror)))


async def _closing(mirror: Mirror, work: Coroutine[Any, Any, T]) -> T:
    try:
        return await work
    finally:
        await mirror.disconnect()
        await sql.dispose()


async def _status(mirror: Mirror) -> MirrorStatus:
    await create_state()
    async with sql.begin() as connection:
        state = await read_state(connection)
    changes = await mirror.source.since(state.cursor)
    aside = await kept_aside()
    tables = [await _compare(mirror, table, aside) for table in mirror.writer.tables.values()]
    return MirrorStatus(
        is_mirrored=bool(state.tables),
        follows=changes.follows and changes.epoch == state.epoch,
        behind=len(changes.rows),
        tables=tuple(tables),
    )


async def _compare(mirror: Mirror, table: MirroredTable, aside: Iterable[Aside]) -> TableStatus:
    async with sql.begin() as connection:
        extra = await table.ids(connection)
    equal, missing, different = 0, [], []
    async for wires in mirror.source.pages(table.collection):
        async with sql.begin() as connection:
            rows = [table.decode(wire, connection.dialect.name) for wire in wires]
            stored = await table.rows(connection, [row["id"] for row in rows])
        for row in rows:
            extra.discard(row["id"])
            if row["id"] not in stored:
                missing.append(row["id"])
            elif stored[row["id"]] != row:
                different.append(row["id"])
            else:
                equal += 1
    kept = sorted(row.row_id for row in aside if row.name == table.name)
    return TableStatus(table.name, equal, tuple(missing), tuple(different), tuple(sorted(extra)), tuple(kept))


async def _accept(mirror: Mirror) -> int:
    await mirror.start(is_accepted=True)
    rows = await kept_aside()
    await _drop(rows)
    return len(rows)


async def _adopt(mirror: Mirror) -> tuple[list[Aside], list[tuple[Aside, str]]]:
    await mirror.start()
    await mirror.catch_up()
    taken: list[Aside] = []
    refused: list[tuple[Aside, str]] = []
    for row in sorted(await kept_aside(), key=lambda row: ORDER.index(row.name)):
        rows = [(row.name, row.content), *await credentials_of(row)]
        try:
            await mirror.write("changes/adopt_rows", {"rows": rows})
        except ConflictError:
            if reason := await _conflict(mirror, row):
                refused.append((row, reason))
                continue
        except ResponseError as error:
            refused.append((row, str(error.args[0])))
            continue
        await _drop([row])
        taken.append(row)
    return taken, refused


async def _conflict(mirror: Mirror, row: Aside) -> str:
    """Return why PocketBase did not take a row: its own one is never overwritten, as others may have changed it.

    That is empty if it has just the same.
    """
    table = mirror.writer.tables[TABLES[row.name].collection]
    wires = await mirror.source.rows(table.collection, [row.row_id])
    if not wires:
        return "PocketBase has another row with its id, address or key."
    async with sql.begin() as connection:
        there = table.decode(wires[0], connection.dialect.name)
    names = await what_differs(mirror.source, table, there, table.kept(row.content))
    if not names:
        return ""
    return f"PocketBase has it with another {', '.join(names)}. Change it in Open WebUI, or drop this with accept."


async def _drop(rows: Iterable[Aside]) -> None:
    async with sql.begin() as connection:
        for row in rows:
            await drop_aside(connection, row.name, [row.row_id])
