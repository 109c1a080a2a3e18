"""Removing the contents of uploads that no row has completed: the host ended in the middle, or refused the file."""

from __future__ import annotations

import asyncio
import logging

from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError
from openwebui_pocketbase.storage.contents import Contents
from openwebui_pocketbase.tasks import BackgroundTask

__all__ = ["ABANDONED", "Collector"]

log = logging.getLogger(__name__)

# All in seconds.
ABANDONED = 24 * 3600.0
BETWEEN = 3600.0


class Collector(BackgroundTask):
    """Collects once an hour; of several workers, each does, and most find nothing.

    Args:
        contents: Where it collects.
    """

    def __init__(self, contents: Contents) -> None:
        super().__init__()
        self._contents = contents

    async def _run(self) -> None:
        while True:
            try:
                if collected := await asyncio.to_thread(self._contents.collect, ABANDONED):
                    log.info("Removed the contents of %d files whose upload was never finished", collected)
            except OpenWebUIPocketBaseError as error:
                log.warning("Unfinished uploads were not looked for, which is tried again in an hour: %s", error)
            await asyncio.sleep(BETWEEN)
