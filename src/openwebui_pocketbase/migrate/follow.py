"""Following: what changes at the source is copied, until nothing waits any more or somebody wants it to end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass

from openwebui_pocketbase.migrate.copy import Copied, Copy
from openwebui_pocketbase.migrate.items import Key, Unit, text_of
from openwebui_pocketbase.migrate.stores import Change

__all__ = ["Follower", "Progress"]

PAUSE = 0.2
"""Seconds between two looks at the source while nothing changes."""

ITEMS = 100
"""Most items that are copied at once: nobody has told how large they are."""

CHATS = 10
"""Most chats that are."""


@dataclass(frozen=True)
class Progress:
    """How far a follower is.

    Attributes:
        waiting: How many changes wait.
        lag: For how many seconds there was never none waiting.
        cursor: Where what waits begins, if the source is PocketBase.
        copied: What was done since the last time; none if nothing was to be done.
    """

    waiting: int
    lag: float
    cursor: str = ""
    copied: tuple[Copied, ...] = ()


class Follower:
    """Copies what changes.

    Args:
        copy: How.
        changes: What has changed.
        units: What is followed.
        clock: Seconds.
    """

    def __init__(
        self, copy: Copy, changes: Change, units: Collection[Unit], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._copy = copy
        self._changes = changes
        self._units = units
        self._clock = clock
        self._caught_up_at = clock()
        self._refused: dict[Unit, set[Key]] = {}

    @property
    def refused(self) -> list[tuple[str, str]]:
        """What the target has refused, and does not have as it is at the source: tables and keys."""
        return [(unit.name, text_of(key)) for unit, keys in self._refused.items() for key in keys]

    async def step(self) -> Progress:
        """Copy some of what has changed."""
        waiting = await self._changes.waiting()
        found = await self._changes.some()
        copied: list[Copied] = []
        if found is None:
            for unit in self._units:
                copied += [each async for each in self._copy.of_unit(unit)]
        else:
            # What others refer to comes first.
            for unit in sorted(found, key=list(self._units).index):
                listed, most = list(found[unit]), CHATS if unit.parts else ITEMS
                for start in range(0, len(listed), most):
                    copied.append(await self._copy.of_keys(unit, listed[start : start + most]))
            if found:
                copied += await self._tried_again(copied)
        await self._changes.forget()
        now = self._clock()
        if not found and found is not None:
            self._caught_up_at = now
            waiting = 0
        return Progress(waiting, now - self._caught_up_at, self._changes.cursor, tuple(copied))

    async def _tried_again(self, copied: Collection[Copied]) -> list[Copied]:
        """Copy what was refused, now or before: what it was refused for, others may have given up by now."""
        self._note_refused(copied)
        before, self._refused = self._refused, {}
        again = [await self._copy.of_keys(unit, list(keys)) for unit, keys in before.items()]
        self._note_refused(again)
        return again

    def _note_refused(self, copied: Collection[Copied]) -> None:
        for each in copied:
            if each.refused:
                self._refused.setdefault(each.unit, set()).update(each.refused)

    async def catch_up(self) -> AsyncGenerator[Progress, None]:
        """Copy until nothing waits."""
        while True:
            progress = await self.step()
            yield progress
            if not progress.waiting:
                return

    async def run(self) -> AsyncGenerator[Progress, None]:
        """Copy for ever."""
        while True:
            progress = await self.step()
            yield progress
            if not progress.waiting:
                await asyncio.sleep(PAUSE)
