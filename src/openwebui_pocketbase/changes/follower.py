"""The background task that keeps the SQL database's copies as they are, whatever others change."""

from __future__ import annotations

import asyncio
import logging

from openwebui_pocketbase.changes.feed import Feed
from openwebui_pocketbase.changes.mirror import Mirror

__all__ = ["Follower"]

log = logging.getLogger(__name__)

SETTLE_INTERVAL = 2.0
"""Seconds between two looks at what others wrote into the SQL database, and after a failure."""


class Follower:
    """Copies what others change in PocketBase, such as an administrator in its dashboard, as the feed tells.

    What others change in the mirrored tables of the SQL database it puts right: nothing tells of that, so it looks.

    Args:
        mirror: What copies.
        feed: Tells what changed.
    """

    def __init__(self, mirror: Mirror, feed: Feed) -> None:
        self._mirror = mirror
        self._task: asyncio.Task[None] | None = None
        feed.listen(mirror.notice)

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        is_behind = self._mirror.is_behind
        while True:
            try:
                async with asyncio.timeout(SETTLE_INTERVAL):
                    await is_behind.wait()
            except TimeoutError:
                pass
            try:
                if is_behind.is_set():
                    is_behind.clear()
                    await self._mirror.catch_up()
                else:
                    await self._mirror.settle()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next time may do
                log.warning("Changes in PocketBase could not be copied to the SQL database: %s", error)
                await asyncio.sleep(SETTLE_INTERVAL)
                is_behind.set()
