"""The functions that administrators have hung on events, which the host reads from SQL at every event.

Whoever saves a title makes one, so that of sixteen who do so at once each starts such a read, and they take turns for
the interpreter with those who wait for an answer. One read serves all who asked before it began.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Hashable
from functools import wraps
from typing import Any

__all__ = ["SharedReads", "shared"]

Read = Callable[[], Awaitable[Any]]


def shared(stock: Callable[..., Awaitable[list[Any]]]) -> Callable[..., Awaitable[list[Any]]]:
    """Return `get_functions_by_type`, whose read may be that of another caller as long as it has not begun yet."""
    reads = SharedReads()

    @wraps(stock)
    async def get_functions_by_type(self: Any, type: str, active_only: Any = False, db: Any = None) -> list[Any]:
        if db is not None:
            return await stock(self, type, active_only, db)
        found = await reads.read((type, bool(active_only)), lambda: stock(self, type, active_only))
        return [function.model_copy(deep=True) for function in found]

    return get_functions_by_type


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
