"""One read for all callers that ask for the same thing at the same time."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

__all__ = ["SharedReads"]

Read = Callable[[], Awaitable[Any]]


class SharedReads:
    """Reads of which at most one of a kind is under way; those who ask meanwhile share the next one."""

    def __init__(self) -> None:
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, list[asyncio.Task[Any]]]] = (
            weakref.WeakKeyDictionary()
        )

    async def read(self, kind: Hashable, make: Read) -> Any:
        """Return what a read gives that began after this was called.

        Args:
            kind: What is read.
            make: Reads it; called unless somebody else's read of that kind is still to begin.
        """
        reads = self._loops.setdefault(asyncio.get_running_loop(), {})
        tasks = reads.setdefault(kind, [])
        if len(tasks) <= 1:
            task = asyncio.create_task(self._after(tasks[0] if tasks else None, make))
            tasks.append(task)
            task.add_done_callback(tasks.remove)
        # Whoever asks is not the only one: if their request is given up, the read goes on.
        return await asyncio.shield(tasks[-1])

    @staticmethod
    async def _after(other: asyncio.Task[Any] | None, make: Read) -> Any:
        if other is not None:
            await asyncio.wait([other])
        return await make()
