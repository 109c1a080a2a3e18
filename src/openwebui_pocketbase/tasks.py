"""Background tasks of a process."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Collection

__all__ = ["BackgroundTask", "end"]

PATIENCE = 1.0
"""Seconds until a task that goes on is cancelled once more; what it does on its way out may take as long."""


async def end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended, however they do.

    Once is not enough: before Python 3.12, `asyncio.wait_for` loses a cancellation that comes with what it waits for,
    and psycopg waits for each answer of PostgreSQL with it (https://github.com/python/cpython/issues/86296).
    """
    going_on = set(tasks)
    while going_on:
        for task in going_on:
            task.cancel()
        _, going_on = await asyncio.wait(going_on, timeout=PATIENCE)
    await asyncio.gather(*tasks, return_exceptions=True)  # what they raised is of no interest any more


class BackgroundTask(ABC):
    """Work that goes on from `start` to `aclose`."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """End; `start` may begin again."""
        if self._task is not None:
            await end([self._task])
            self._task = None

    @abstractmethod
    async def _run(self) -> None:
        """Work until cancelled."""
