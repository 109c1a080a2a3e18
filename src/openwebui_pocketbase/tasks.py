"""What works in the background of a process."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

__all__ = ["BackgroundTask"]


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
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @abstractmethod
    async def _run(self) -> None:
        """Work until cancelled."""
