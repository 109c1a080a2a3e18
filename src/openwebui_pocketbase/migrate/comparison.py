"""The differences between two stores, key by key: what a copy writes and a verification tells."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from openwebui_pocketbase.migrate.contents import comparable, is_at
from openwebui_pocketbase.migrate.items import Item, Key, Note, Sized, Unit, canonical, text_of
from openwebui_pocketbase.migrate.stores import Store
from openwebui_pocketbase.repositories.base import JSON

__all__ = ["BATCH", "Compared", "Comparison", "Difference", "batches"]

BATCH = 4 << 20
"""About how many bytes are worked on at once; a larger item is alone."""

ITEMS = 500
"""Most items that are worked on at once."""

ROW = 500
"""Bytes that an item counts for besides its own: reading many small ones takes memory, too."""


@dataclass(frozen=True)
class Difference:
    """An item that is not the same on both sides.

    Attributes:
        key: Its key.
        wanted: The source's, as the target can hold it; None if the source has none.
        found: The target's; None if it has none.
    """

    key: Key
    wanted: Item | None
    found: Item | None


@dataclass
class Compared:
    """Some items that were compared.

    Attributes:
        unit: Their unit.
        keys: Their keys.
        rows: Number of the source's rows, by table.
        size: About how many bytes they have.
        differences: Those that differ.
        elsewhere: Files that do not differ, but whose contents are not at the target.
        notes: What cannot be moved as it is.
    """

    unit: Unit
    keys: Sequence[Key]
    rows: dict[str, int] = field(default_factory=dict)
    size: int = 0
    differences: list[Difference] = field(default_factory=list)
    elsewhere: list[Item] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class Comparison:
    """Compares a source with a target.

    Args:
        source: Where rows come from.
        target: Where they are to be the same.
        ahead: How many batches are read while one is worked on.
        kept: Table -> keys of rows at the target that never came to the source, and are no difference.
    """

    def __init__(
        self, source: Store, target: Store, *, ahead: int = 2, kept: Mapping[str, Collection[str]] | None = None
    ) -> None:
        self.source = source
        self.target = target
        self._ahead = ahead
        self._kept = kept or {}

    async def of_unit(self, unit: Unit) -> AsyncGenerator[Compared, None]:
        """Compare all items of the source, in its order; batches are read ahead."""
        running: deque[asyncio.Task[Compared]] = deque()
        try:
            async with aclosing(batches(self.source, unit)) as all_batches:
                async for batch in all_batches:
                    keys = [sized.key for sized in batch]
                    size = sum(sized.size for sized in batch)
                    running.append(asyncio.create_task(self.of_keys(unit, keys, size=size)))
                    if len(running) > self._ahead:
                        yield await running.popleft()
            while running:
                yield await running.popleft()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def of_keys(self, unit: Unit, keys: Sequence[Key], *, size: int = 0) -> Compared:
        """Compare the items with these keys, whichever side has them."""
        theirs, ours = await asyncio.gather(self.source.load(unit, keys), self.target.load(unit, keys))
        return await asyncio.to_thread(self._compared, unit, keys, size, theirs, ours)

    async def only_at_target(self, unit: Unit) -> AsyncGenerator[list[Key], None]:
        """Give the keys which only the target has, page by page."""
        async with aclosing(self.target.keys(unit)) as pages:
            async for page in pages:
                keys = [sized.key for sized in page]
                known = await self.source.known(unit, keys)
                kept = self._kept.get(unit.name, ())
                if extra := [key for key in keys if key not in known and text_of(key) not in kept]:
                    yield extra

    def _compared(
        self, unit: Unit, keys: Sequence[Key], size: int, theirs: dict[Key, Item], ours: dict[Key, Item]
    ) -> Compared:
        compared = Compared(unit, keys, size=size)
        for key in keys:
            item = theirs.get(key)
            found = self._without_kept(unit, key, item, ours.get(key))
            for name, rows in item.rows.items() if item is not None else ():
                compared.rows[name] = compared.rows.get(name, 0) + len(rows)
            if item is not None and _is_same(unit, item, found):
                compared.notes += item.notes  # it fits as it is: nearly all of a verification
                if unit.name == "file" and found is not None and not is_at(self.target.name, found.rows["file"][0]):
                    compared.elsewhere.append(found)
            else:
                self._note_difference(compared, key, item, found)
        return compared

    def _note_difference(self, compared: Compared, key: Key, item: Item | None, found: Item | None) -> None:
        """Compare an item as the target can hold it."""
        unit, wanted = compared.unit, None
        if item is not None:
            fitted = self.target.fitted(unit, item)
            compared.notes += fitted.notes
            is_left_out = any(note.table == unit.name and note.is_left_out for note in fitted.notes)
            if is_left_out and not fitted.rows.get(unit.name):
                return  # with it go its parts; what the target has of it stays
            wanted = fitted if any(fitted.rows.values()) else None
        if not (_is_same(unit, wanted, found) or self._is_origin(unit, item, found)):
            compared.differences.append(Difference(key, wanted, found))

    def _is_origin(self, unit: Unit, item: Item | None, found: Item | None) -> bool:
        """Tell whether an item is what the source makes of the target's, where nobody needs to be told of that.

        PocketBase has made 0 of a setting that is 0.0 in PostgreSQL.
        """
        if item is None or found is None:
            return False
        fitted = self.source.fitted(unit, found)
        return not fitted.notes and _is_same(unit, item, fitted)

    def _without_kept(self, unit: Unit, key: Key, item: Item | None, found: Item | None) -> Item | None:
        """Return an item of the target without rows that never came to the source; None if it is such a row itself."""
        if found is None or not any(self._kept.get(name) for name in unit.tables):
            return found
        if item is None and text_of(key) in self._kept.get(unit.name, ()):
            return None
        kept = {
            name: [row for row in found.rows[name] if str(row["id"]) not in self._kept.get(name, ())]
            for name in unit.parts
        }
        return replace(found, rows={**found.rows, **kept})


async def batches(store: Store, unit: Unit) -> AsyncGenerator[list[Sized], None]:
    """Give all keys of a store in batches whose items have about `BATCH` bytes together."""
    batch: list[Sized] = []
    size = 0
    async with aclosing(store.keys(unit)) as pages:
        async for page in pages:
            for sized in page:
                if batch and (size + sized.size + ROW > BATCH or len(batch) == ITEMS):
                    yield batch
                    batch, size = [], 0
                batch.append(sized)
                size += sized.size + ROW
    if batch:
        yield batch


def _is_same(unit: Unit, one: Item | None, other: Item | None) -> bool:
    return (one is None) == (other is None) and _form(unit, one) == _form(unit, other)


def _form(unit: Unit, item: Item | None) -> bytes:
    """Return what is the same of two items exactly if they are."""
    if item is None:
        return b""
    rows = item.rows
    if unit.name == "file":
        rows = {name: [comparable(row) for row in of_table] for name, of_table in rows.items()}
    return canonical(rows, JSON.dumps)
