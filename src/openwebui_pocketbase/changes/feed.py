"""The change feed of PocketBase: one reader per process, with one cursor, and those who listen to it.

The reader's request waits in PocketBase until the feed moves, so an idle process sends one in twenty seconds, and
learns of a change within a quarter of a second. While there are many changes it reads a page every one and a half.
The feed has every change, also those made by SQL from another program.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.tasks import BackgroundTask

__all__ = ["Change", "Feed", "Page"]

log = logging.getLogger(__name__)

WAIT = 20.0
"""Seconds for which a request waits for a change; proxies often end one that is silent for a minute."""

PAUSE = 1.5
"""Seconds from one request to the next, unless the page before was full: with what listeners do with a page, changes
of others are in the SQL database within about two."""

GRACE = 10.0
"""Seconds in which a request has to be answered, besides those that it waits."""

LIMIT = 1000
"""Changes in a page."""


class Change(NamedTuple):
    """One change of the feed; ``at`` is in milliseconds since 1970, ``op`` is create, update or delete."""

    seq: int
    collection: str
    record_id: str
    op: str
    at: int


@dataclass(frozen=True)
class Page:
    """A part of the feed; without changes if only PocketBase's process is another one.

    Attributes:
        epoch: Names the feed; a backup of it has the same name.
        run: Names the process of PocketBase that replied. While it lives, the feed only grows.
        follows: Whether it goes on where the page before ended. If not, anything may have changed, and ``changes`` is
            empty: it is the reader's first page, or PocketBase was restored.
        after: Number of the change behind which it begins.
        last: Number of the change up to which it is complete.
        more: Whether the feed had more changes behind that one.
        cursor: Names the change ``last`` and, with it, all before it.
        changes: The changes, in their order.
    """

    epoch: str
    run: str
    follows: bool
    after: int
    last: int
    more: bool
    cursor: str
    changes: list[Change]


Listener = Callable[[Page], None]
"""Called with each page, in order; must return quickly."""


class Feed(BackgroundTask):
    """Reads the change feed as long as it is started; whoever listens is kept when it ends.

    Args:
        client: Sends the requests.
    """

    def __init__(self, client: PocketBaseClient) -> None:
        super().__init__()
        self._client = client
        self._is_current = False
        self._listeners: list[Listener] = []
        self._seen_run = ""
        self._cursor = ""
        self._last = 0

    def listen(self, listener: Listener) -> None:
        """Call the listener with each page from now on; the first has ``follows`` false and no changes."""
        self._listeners.append(listener)

    @property
    def is_reading(self) -> bool:
        """Whether those who listen know of each change soon."""
        return self._is_current and self._task is not None

    async def read(self, *, wait: float = 0.0) -> Page:
        """Read one page, and give it to those who listen unless it says nothing.

        Args:
            wait: Seconds to wait for a change, if there is none.

        Raises:
            RequestError: PocketBase cannot be asked; the next call goes on from the same change.
        """
        parameters = {"since": self._cursor, "limit": LIMIT, "wait": wait}
        # Those who listen deal with another process of PocketBase themselves: they see it by the page.
        async with asyncio.timeout(wait + GRACE):  # a connection can go silent
            found = await self._client.read("changes/get_changes", parameters, meet=False)
        page = _page_of(found, after=self._last)
        if (page.run, page.cursor) != (self._seen_run, self._cursor) or not page.follows:
            self._seen_run, self._cursor, self._last = page.run, page.cursor, page.last
            for listener in self._listeners:
                listener(page)
        return page

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            next_at = loop.time() + PAUSE
            try:
                page = await self.read(wait=min(WAIT, self._client.longest_wait))
            except Exception as error:  # noqa: BLE001 - whatever it was, the next time may do
                self._is_current = False
                log.warning("The change feed of PocketBase could not be read: %s", error)
            else:
                self._is_current = not page.more
                if page.more:
                    continue
            await asyncio.sleep(next_at - loop.time())


def _page_of(found: dict[str, Any], *, after: int) -> Page:
    changes = [Change(*change) for change in found.pop("changes")]
    return Page(**found, after=after, changes=changes)
