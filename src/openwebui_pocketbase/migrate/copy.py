"""Copying: what differs is written, and what the source does not have is deleted."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.migrate.comparison import Compared, Comparison
from openwebui_pocketbase.migrate.contents import FileContents
from openwebui_pocketbase.migrate.items import Item, Key, Note, Unit, key_of, text_of

__all__ = ["Copied", "Copy", "StoppedError"]


AT_ONCE = 2
"""Batches that are being written: what one needs is made while the target writes the one before."""


class StoppedError(ConfigurationError):
    """A row cannot be moved, and that was to end the copy."""


@dataclass
class Copied:
    """What became of some items.

    Attributes:
        unit: Their unit.
        rows: Number of the source's rows that were looked at, by table.
        size: About how many bytes these have.
        written: Number of items that were written.
        removed: Number of items that were deleted.
        refused: Keys of items that the target refused; what they were refused for, others may give up.
        notes: What was not moved as it is.
    """

    unit: Unit
    rows: Mapping[str, int] = field(default_factory=dict)
    size: int = 0
    written: int = 0
    removed: int = 0
    refused: list[Key] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class Copy:
    """A copy from one store to another.

    Attributes:
        comparison: Of the two.
        contents: Copies contents of files.
        only_missing: Whether nothing is changed at the target but what it does not have.
        stop: Whether the first row that cannot be moved ends the copy.
    """

    comparison: Comparison
    contents: FileContents
    only_missing: bool = False
    stop: bool = False

    async def of_unit(self, unit: Unit) -> AsyncGenerator[Copied, None]:
        """Copy all items; a target that others write to meanwhile is none."""
        # First what is to go: another row may have its unique key now.
        if not self.only_missing:
            async with aclosing(self.comparison.only_at_target(unit)) as pages:
                async for keys in pages:
                    yield Copied(unit, removed=await self._remove(unit, keys))
        writing: deque[asyncio.Task[Copied]] = deque()
        refused: list[Key] = []
        try:
            async with aclosing(self.comparison.of_unit(unit)) as all_compared:
                async for compared in all_compared:
                    writing.append(asyncio.create_task(self._write(compared)))
                    if len(writing) == AT_ONCE:
                        yield _without_refused(await writing.popleft(), refused)
            while writing:
                yield _without_refused(await writing.popleft(), refused)
        finally:
            for task in writing:
                task.cancel()
            await asyncio.gather(*writing, return_exceptions=True)
        if refused:
            again = await self.of_keys(unit, refused)
            self._may_go_on(again.notes)
            yield replace(again, rows={}, size=0)

    async def of_keys(self, unit: Unit, keys: Sequence[Key]) -> Copied:
        """Copy the items with these keys, or delete them if the source has none."""
        compared = await self.comparison.of_keys(unit, keys)
        gone = [each.key for each in compared.differences if each.wanted is None]
        removed = await self._remove(unit, gone)
        copied = await self._write(compared)
        copied.removed = removed
        return await self._exchanged(copied, compared) if copied.refused else copied

    async def _exchanged(self, copied: Copied, compared: Compared) -> Copied:
        """Write items again that were refused, as when two rows have exchanged a unique value: first these go."""
        held = [each.key for each in compared.differences if each.key in copied.refused and each.found is not None]
        if not held or self.only_missing:
            return copied
        await self._remove(compared.unit, held)
        again = await self._write(await self.comparison.of_keys(compared.unit, copied.refused))
        others = [note for note in copied.notes if not _is_of(note, compared.unit, copied.refused)]
        return replace(copied, refused=again.refused, notes=[*others, *again.notes])

    async def _remove(self, unit: Unit, keys: Collection[Key]) -> int:
        if keys:
            await self.comparison.target.remove(unit, keys)
        return len(keys)

    async def _write(self, compared: Compared) -> Copied:
        unit = compared.unit
        copied = Copied(unit, compared.rows, compared.size, notes=compared.notes)
        self._may_go_on(copied.notes)
        wanted = [
            (each.wanted, each.found)
            for each in compared.differences
            if each.wanted is not None and not (self.only_missing and each.found is not None)
        ]
        target = self.comparison.target
        if wanted:
            notes = await target.save(unit, wanted)
            copied.notes += notes
            copied.written = len(wanted)
            texts = {note.key for note in notes if note.table == unit.name and note.is_left_out}
            copied.refused = [item.key for item, _ in wanted if text_of(item.key) in texts]
        if unit.name == "file":
            there = [item for item, _ in wanted if item.key not in copied.refused]
            elsewhere = [] if self.only_missing else compared.elsewhere
            copied.notes += await self._with_contents(unit, there + elsewhere)
        return copied

    async def _with_contents(self, unit: Unit, items: Sequence[Item]) -> list[Note]:
        """Copy the contents of files; their records are there by now."""
        rows = [row for item in items for row in item.rows[unit.name]]
        moved, notes = await self.contents.moved_to(self.comparison.target.name, rows)
        pairs = [
            (Item(key_of(unit, new), {unit.name: [new]}), Item(key_of(unit, old), {unit.name: [old]}))
            for old, new in zip(rows, moved, strict=True)
            if old["path"] != new["path"]
        ]
        return notes + (await self.comparison.target.save(unit, pairs) if pairs else [])

    def _may_go_on(self, notes: Collection[Note]) -> None:
        if self.stop and (left_out := next((note for note in notes if note.is_left_out), None)):
            raise StoppedError(
                f"{left_out.table} {left_out.key} cannot be moved: {left_out.reason}",
                hint="Correct it in the source, or leave such rows out with --on-error skip; "
                "`openwebui-pocketbase migrate plan` shows all of them.",
            )


def _without_refused(copied: Copied, refused: list[Key]) -> Copied:
    """Return what was copied without notes of refusals, which are kept for a second round."""
    refused += copied.refused
    return replace(copied, notes=[note for note in copied.notes if not _is_of(note, copied.unit, copied.refused)])


def _is_of(note: Note, unit: Unit, keys: Collection[Key]) -> bool:
    return note.is_left_out and note.table == unit.name and note.key in map(text_of, keys)
