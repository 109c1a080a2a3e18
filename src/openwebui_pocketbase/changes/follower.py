"""The background task that keeps the SQL database's copies as they are, whatever others change."""

from __future__ import annotations

import asyncio
import logging

from openwebui_pocketbase.changes.feed import Feed
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.exceptions import UnavailableError
from openwebui_pocketbase.tasks import BackgroundTask

__all__ = ["Follower"]

log = logging.getLogger(__name__)

SETTLE_INTERVAL = 2.0
"""Seconds between two looks at what others wrote into the SQL database, and after a failure."""


class Follower(BackgroundTask):
    """Copies what others change in PocketBase, such as an administrator in its dashboard, as the feed tells.

    Changes that others make in the mirrored SQL tables are not announced, so it checks every `SETTLE_INTERVAL` seconds.

    Args:
        mirror: What copies.
        feed: Tells what changed.
    """

    def __init__(self, mirror: Mirror, feed: Feed) -> None:
        super().__init__()
        self._mirror = mirror
        feed.listen(mirror.notice)

    async def catch_up(self) -> None:
        """Copy at once what the feed has by now.

        Raises:
            UnavailableError: Nothing is copied at this time, as groups are moving.
        """
        if self._task is None:
            raise UnavailableError("Nothing is copied while groups are moving.", url="changes/get_mirrored")
        await self._mirror.catch_up()

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
