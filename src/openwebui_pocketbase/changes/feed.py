"""The change feed of PocketBase: one reader per process, with one cursor, and those who listen to it.

The reader's request waits in PocketBase until the feed moves, so an idle process sends one in twenty seconds, and
learns of a change within a quarter of a second. While there are many changes it reads a page every one and a half.
The feed has every change, also those made by SQL from another program. Whoever is told by PocketBase that something has
changed wakes the reader, which then reads at once; that is for speed only, nothing depends on it.
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

SPACING = 0.01
"""Seconds from one request to the next, at least, while the reader is woken again and again."""

GRACE = 10.0
"""Seconds in which a request has to be answered, besides those that it waits."""

LIMIT = 1000
"""Changes in a page."""


class Change(NamedTuple):
    """One change of the feed.

    Attributes:
        seq: Its number.
        collection: PocketBase's name of the collection.
        record_id: Id of the record.
        op: ``create``, ``update`` or ``delete``.
        at: When it was, milliseconds since 1970.
        concerned: What the columns that tell whom the record concerns are, as declared in ``tables.json``. Twice as
            many if an update changed these: first as they are now, then as they were.
        origin: Whose write it was, see `openwebui_pocketbase.origin`; empty if it did not come through our hooks.
    """

    seq: int
    collection: str
    record_id: str
    op: str
    at: int
    concerned: list[Any]
    origin: str


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
        self._listening_as = ""
        self._woken = asyncio.Event()

    def wake(self, client_id: str) -> None:
        """Read at once: something has changed, or PocketBase tells of changes by another client from now on.

        Args:
            client_id: PocketBase's id of the realtime client that wakes the reader; empty if there is none now.
        """
        self._listening_as = client_id
        self._woken.set()

    def listen(self, listener: Listener) -> None:
        """Call the listener with each page from now on; the first has ``follows`` false and no changes."""
        self._listeners.append(listener)

    def forget(self) -> None:
        """Call nobody any more."""
        self._listeners.clear()

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
        page = await self._ask(wait)
        if (page.run, page.cursor) != (self._seen_run, self._cursor) or not page.follows:
            self._seen_run, self._cursor, self._last = page.run, page.cursor, page.last
            for listener in self._listeners:
                try:
                    listener(page)
                except Exception:
                    log.exception("Changes in PocketBase could not be taken note of")
        return page

    async def _ask(self, wait: float) -> Page:
        """Ask for the page behind the last one; of several requests at once, each change is in one page."""
        while True:
            asked = self._seen_run, self._cursor
            parameters = {
                "since": self._cursor,
                "limit": LIMIT,
                "wait": wait,
                "reader": self._client.origin,
                "client": self._listening_as,
            }
            after = self._last
            # Those who listen deal with another process of PocketBase themselves: they see it by the page.
            async with asyncio.timeout(wait + GRACE):  # a connection can go silent
                found = await self._client.read(
                    "changes/get_changes", parameters, meet=False, lenient=True, is_waiting=True
                )
            if asked == (self._seen_run, self._cursor):
                return _page_of(found, after=after)
            wait = 0.0  # another request was faster, and this page is of no use

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._poll())
            tasks.create_task(self._follow())

    async def _follow(self) -> None:
        """Read whenever somebody wakes the reader."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                while (await self.read()).more:
                    pass
            except Exception as error:  # noqa: BLE001 - the other task says so, and goes on asking
                log.debug("The change feed of PocketBase could not be read: %s", error)
            await asyncio.sleep(SPACING)

    async def _poll(self) -> None:
        """Read again and again, each time waiting for the next change."""
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
    changes = [change if isinstance(change.concerned, list) else change._replace(concerned=[]) for change in changes]
    return Page(**found, after=after, changes=changes)
