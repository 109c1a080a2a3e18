"""Verifying: comparing both stores, and telling every difference."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from openwebui_pocketbase.migrate.comparison import Compared, Comparison, batches
from openwebui_pocketbase.migrate.contents import FileContents
from openwebui_pocketbase.migrate.items import Key, Note, Sized, Unit, text_of

__all__ = ["Verification", "Verified"]

AGAIN = 3
"""How often what differs is compared again, where both sides are being written to."""


@dataclass
class Verified:
    """What was found of a unit.

    Attributes:
        unit: The unit.
        rows: Number of the source's rows, by table.
        size: About how many bytes these have.
        missing: Keys that only the source has.
        different: Keys of what is not the same.
        extra: Keys that only the target has.
        contents: What is the matter with the contents of files.
        without_contents: Keys of files that have contents on neither side, which is no difference.
        dangling: Reference, as ``table.column`` -> numbers of rows that lead to nothing: at the source, at the target.
        left_out: Notes of what the target cannot hold, or not as it is, which is no difference.
    """

    unit: Unit
    rows: Counter[str] = field(default_factory=Counter)
    size: int = 0
    missing: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    contents: list[Note] = field(default_factory=list)
    without_contents: list[str] = field(default_factory=list)
    dangling: dict[str, tuple[int, int]] = field(default_factory=dict)
    left_out: list[Note] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """Whether both sides are the same."""
        return not (self.missing or self.different or self.extra or self.contents or self.severed)

    @property
    def severed(self) -> dict[str, int]:
        """Reference -> number of rows that lead to nothing at the target, but not at the source."""
        left_out = sum(note.is_left_out for note in self.left_out)
        severed = {name: ours - theirs for name, (theirs, ours) in self.dangling.items()}
        return {name: number for name, number in severed.items() if number > left_out}


@dataclass(frozen=True)
class Verification:
    """A verification.

    Attributes:
        comparison: Of the stores.
        contents: Of files.
        sample: How many items of a unit are looked at, taken at random; 0 for all.
        settle: Has what changes carried from one side to the other, if people write meanwhile.
        known: Table -> keys of rows that the target did not take, and that were reported.
    """

    comparison: Comparison
    contents: FileContents
    sample: int = 0
    settle: Callable[[], Awaitable[None]] | None = None
    known: Mapping[str, Collection[str]] = field(default_factory=dict)

    async def of_unit(self, unit: Unit) -> AsyncGenerator[Verified, None]:
        """Verify a unit; gives the same object again and again, with what was found so far."""
        found = Verified(unit)
        async with aclosing(self._compared(unit)) as all_compared:
            async for compared in all_compared:
                found.rows.update(compared.rows)
                found.size += compared.size
                found.left_out += compared.notes
                await self._take(found, await self._settled(compared))
                yield found
        if not self.sample:
            async with aclosing(self.comparison.only_at_target(unit)) as pages:
                async for keys in pages:
                    await self._take(found, await self._settled(await self.comparison.of_keys(unit, keys)))
                    yield found
            found.dangling = await self._dangling(unit)
        yield found

    async def _compared(self, unit: Unit) -> AsyncGenerator[Compared, None]:
        if not self.sample:
            async with aclosing(self.comparison.of_unit(unit)) as all_compared:
                async for compared in all_compared:
                    yield compared
            return
        for batch in await self._sampled(unit):
            keys = [sized.key for sized in batch]
            yield await self.comparison.of_keys(unit, keys, size=sum(sized.size for sized in batch))

    async def _sampled(self, unit: Unit) -> list[list[Sized]]:
        """Return batches of keys taken at random, each with the same chance."""
        taken: list[list[Sized]] = []
        number = 0
        async with aclosing(batches(self.comparison.source, unit)) as all_batches:
            async for batch in all_batches:
                for sized in batch:
                    number += 1
                    if len(taken) < self.sample:
                        taken.append([sized])
                    elif (at := random.randrange(number)) < self.sample:  # noqa: S311 - no secret
                        taken[at] = [sized]
        return taken

    async def _settled(self, compared: Compared) -> Compared:
        """Return what still differs when there was time to carry changes over."""
        for _ in range(AGAIN if self.settle is not None else 0):
            if self.settle is None or not compared.differences:
                break
            await self.settle()
            keys = [each.key for each in compared.differences]
            again = await self.comparison.of_keys(compared.unit, keys)
            compared.differences = again.differences
        return compared

    async def _take(self, found: Verified, compared: Compared) -> None:
        for each in compared.differences:
            if each.wanted is None:
                found.extra.append(text_of(each.key))
            elif each.found is None and text_of(each.key) in self.known.get(found.unit.name, ()):
                reason = "the target did not take it: it is left out."
                found.left_out.append(Note(found.unit.name, text_of(each.key), reason, is_left_out=True))
            elif each.found is None:
                found.missing.append(text_of(each.key))
            else:
                found.different.append(text_of(each.key))
        if found.unit.name == "file":
            await self._take_contents(found, compared.unit, compared.keys)

    async def _take_contents(self, found: Verified, unit: Unit, keys: Sequence[Key]) -> None:
        theirs = await self.comparison.source.load(unit, keys)
        ours = await self.comparison.target.load(unit, keys)
        pairs = [
            (theirs[key].rows[unit.name][0], ours[key].rows[unit.name][0])
            for key in keys
            if key in theirs and key in ours
        ]
        differing, without = await self.contents.verify(self.comparison.target.name, pairs)
        found.contents += differing
        # Those of a file that was deleted meanwhile are gone with it.
        there = await self.comparison.source.known(unit, [(note.key,) for note in without]) if without else ()
        found.without_contents += [note.key for note in without if (note.key,) in there]

    async def _dangling(self, unit: Unit) -> dict[str, tuple[int, int]]:
        theirs = await self.comparison.source.dangling(unit)
        ours = await self.comparison.target.dangling(unit)
        return {name: (theirs[name], ours[name]) for name in theirs}
