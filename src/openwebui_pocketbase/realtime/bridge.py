"""From the change feed to the open browsers: what others change in PocketBase appears there.

What this process changes itself is left out: the host has told its browsers. What other processes of the application
change is told by each to its own sockets, unless the host's sockets run on Redis: there the host itself reaches all,
and one process, the leader, tells of what was changed outside of the application.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING

from openwebui_pocketbase.changes.feed import Change, Page
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import UnavailableError
from openwebui_pocketbase.origin import is_application
from openwebui_pocketbase.realtime.events import LOCAL, Event, events_of
from openwebui_pocketbase.realtime.leader import Leader
from openwebui_pocketbase.realtime.pending import Pending
from openwebui_pocketbase.tasks import BackgroundTask

if TYPE_CHECKING:
    from openwebui_pocketbase.realtime.notes import OpenNotes
    from openwebui_pocketbase.realtime.sockets import Sockets

__all__ = ["Bridge"]

log = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds after which browsers are told again, if PocketBase was away."""

PERSONAL = frozenset({"chat_list", "chat", "tags", "membership", "access"})
"""Kinds of events that concern one user, whom their last argument names."""


class Bridge(BackgroundTask):
    """Tells the browsers.

    Args:
        client: Whose changes are left out.
        catch_up: Returns when the SQL database's copies have what the feed has.
    """

    def __init__(self, client: PocketBaseClient, catch_up: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        # These import the host, which has started by now.
        host = import_module("open_webui.socket.main")
        self._sockets: Sockets = import_module("openwebui_pocketbase.realtime.sockets").Sockets()
        self._notes: OpenNotes = import_module("openwebui_pocketbase.realtime.notes").OpenNotes(catch_up)
        self._client = client
        self._pending = Pending(asyncio.get_running_loop().time)
        self._may_be_due = asyncio.Event()
        self._read = 0
        self._leader = Leader(host.REDIS, host.REDIS_KEY_PREFIX, self._take_over) if host.REDIS is not None else None

    def start(self) -> None:
        """Begin."""
        super().start()
        if self._leader is not None:
            self._leader.start()

    async def aclose(self) -> None:
        """End."""
        if self._leader is not None:
            await self._leader.aclose()
        await super().aclose()

    def notice(self, page: Page) -> None:
        """Note what browsers are to be told of a page; listens to the feed."""
        if not page.follows and page.after:
            if self._leader is None or self._leader.leads:
                self._pending.add_everything()
            else:
                self._leader.lose(page.last)
        for change in page.changes:
            if change.origin != self._client.origin:
                self._note(change)
        self._read = page.last
        self._may_be_due.set()

    def _note(self, change: Change) -> None:
        events = events_of(change)
        if self._leader is None:
            self._add(events)
            return
        for event in events:
            if event.kind in LOCAL:
                self._pending.add(event)
        if is_application(change.origin) or not events:
            return
        if self._leader.leads:
            self._add(events)
        else:
            self._leader.keep(change)

    def _add(self, events: list[Event]) -> None:
        for event in events:
            if self._leader is None and event.kind in PERSONAL and not self._sockets.is_here(event.subject[-1]):
                continue  # who comes later reads everything
            self._pending.add(event)

    async def _take_over(self, changes: list[Change] | None) -> None:
        if changes is None:
            self._pending.add_everything()
        for change in changes or []:
            self._add(events_of(change))
        self._may_be_due.set()

    async def _run(self) -> None:
        wait = None
        while True:
            try:
                async with asyncio.timeout(wait):
                    await self._may_be_due.wait()
            except TimeoutError:
                pass
            self._may_be_due.clear()
            read = self._read
            due, wait = self._pending.take()
            self._sockets.begin()
            self._notes.begin()
            for place, event in enumerate(due):
                if not await self._tell(event):
                    self._pending.put_back(due[place:])
                    wait = RETRY
                    break
            if self._leader is not None and self._leader.leads and not len(self._pending):
                await self._leader.told(read)

    async def _tell(self, event: Event) -> bool:
        """Tell browsers of an event; return False if that has to be done again, as PocketBase is away."""
        teller = self._notes if event.kind.startswith("note") else self._sockets
        try:
            if await getattr(teller, event.kind)(*event.subject):
                self._pending.add(event)
                self._may_be_due.set()
        except UnavailableError as error:
            log.warning("Browsers cannot be told of a change yet (%s): %s", event.kind, error)
            return False
        except Exception as error:  # noqa: BLE001 - whatever it was, others are to be told all the same
            log.warning("Browsers could not be told of a change (%s): %s", event.kind, error)
        return True
