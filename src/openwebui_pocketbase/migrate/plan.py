"""Planning: what there is to move, what cannot move as it is, how long it takes and how much room it needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from openwebui_pocketbase.migrate.comparison import batches
from openwebui_pocketbase.migrate.contents import FileContents
from openwebui_pocketbase.migrate.file_rows import is_at, size_of
from openwebui_pocketbase.migrate.items import Item, Note, Unit
from openwebui_pocketbase.migrate.stores import Store

__all__ = ["Planned", "planned", "seconds_for"]

ROWS = 4_000
"""Rows that are copied and indexed in a second on two cores; see docs/migration.md."""

BYTES = 15 << 20
"""Bytes that are, where rows are long."""

FILES = 15
"""Files whose contents are copied in a second."""

ROOM = 1.3
"""Bytes that the target needs for one of the source; with the full-text index."""


@dataclass
class Planned:
    """What there is of a unit.

    Attributes:
        unit: The unit.
        stored: Table -> rows and bytes at the source.
        there: Table -> rows at the target.
        read: Rows that were looked at, by table.
        notes: What cannot be moved as it is.
        dangling: Reference -> number of rows that lead to nothing. They move as they are.
        contents: Number and bytes of the files whose contents are copied; not of those that have none.
    """

    unit: Unit
    stored: Mapping[str, tuple[int, int]]
    there: Mapping[str, int]
    read: Counter[str] = field(default_factory=Counter)
    notes: list[Note] = field(default_factory=list)
    dangling: Mapping[str, int] = field(default_factory=dict)
    contents: tuple[int, int] = (0, 0)


async def planned(
    source: Store, target: Store, unit: Unit, contents: FileContents, *, is_there: bool
) -> AsyncGenerator[Planned, None]:
    """Look at every row of a unit; gives the same object again and again, with what was found so far.

    Args:
        source: Where the rows are.
        target: What is to hold them.
        unit: The unit.
        contents: Of files.
        is_there: Whether the target can be asked.
    """
    there = await target.count(unit) if is_there else {}
    found = Planned(unit, await source.count(unit), {name: rows for name, (rows, _) in there.items()})
    yield found
    async with aclosing(batches(source, unit)) as all_batches:
        async for batch in all_batches:
            items = await source.load(unit, [sized.key for sized in batch])
            for item in items.values():
                for name, rows in item.rows.items():
                    found.read[name] += len(rows)
                found.notes += target.fitted(unit, item).notes
            if unit.name == "file":
                await _count_contents(found, target.name, items.values(), contents)
            yield found
    found.notes += source.skipped(unit)
    found.dangling = await source.dangling(unit)
    yield found


async def _count_contents(found: Planned, backend: str, items: Iterable[Item], contents: FileContents) -> None:
    rows = [row for item in items for row in item.rows["file"] if not is_at(backend, row)]
    notes = await contents.gone(rows)
    gone = {note.key for note in notes}
    sizes = [size_of(row) for row in rows if str(row["id"]) not in gone]
    number, size = found.contents
    found.contents = number + len(sizes), size + sum(sizes)
    found.notes += notes


def seconds_for(rows: int, size: int) -> float:
    """Return about how long it takes to copy so many rows of so many bytes together."""
    return max(rows / ROWS, size / BYTES)
