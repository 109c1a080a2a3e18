"""Other plugins that are told of each change: the hook ``openwebui_change``."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from openwebui_pocketbase.changes.feed import Change, Page
from openwebui_pocketbase.tasks import BackgroundTask

__all__ = ["LOST", "Listeners"]

log = logging.getLogger(__name__)

LOST = "lost"
"""``op`` of what is told in place of changes that are not known any more."""

MOST = 10_000
"""Changes that wait at most for plugins which take their time; with more, they are told that changes are lost."""


class Listeners(BackgroundTask):
    """Calls the plugins, one change after the other.

    Args:
        call: Calls the hook; returns what each plugin returned, to be awaited.
    """

    def __init__(self, call: Callable[[Change], Iterable[Awaitable[None] | None]]) -> None:
        super().__init__()
        self._call = call
        self._waiting: deque[Change] = deque()
        self._may_wait = asyncio.Event()

    def notice(self, page: Page) -> None:
        """Take the changes of a page; listens to the feed."""
        if not page.follows and page.after:
            self._lose(page.last)
        self._waiting.extend(page.changes)
        if len(self._waiting) > MOST:
            self._lose(page.last)
        self._may_wait.set()

    def _lose(self, last: int) -> None:
        self._waiting.clear()
        self._waiting.append(Change(last, "", "", LOST, 0, [], ""))

    async def _run(self) -> None:
        while True:
            await self._may_wait.wait()
            self._may_wait.clear()
            while self._waiting:
                await self._tell(self._waiting.popleft())

    async def _tell(self, change: Change) -> None:
        try:
            for result in self._call(change):
                if result is not None:
                    await result
        except Exception:
            log.exception("A plugin failed when it was told of a change of %s", change.collection or "everything")
