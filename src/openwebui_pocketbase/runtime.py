"""What runs in a process for the groups in PocketBase: connection, client, mirror, and what works in the background."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.changes.feed import Feed
from openwebui_pocketbase.changes.follower import Follower
from openwebui_pocketbase.changes.indexer import Indexer
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.changes.next_timer import next_timer
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError
from openwebui_pocketbase.origin import APPLICATION, new_origin
from openwebui_pocketbase.realtime.announcements import Announcements
from openwebui_pocketbase.realtime.listeners import Listeners
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.schema.unmirrored import count_unmirrored
from openwebui_pocketbase.settings import Settings
from openwebui_pocketbase.storage.cache import Cache
from openwebui_pocketbase.storage.collector import Collector
from openwebui_pocketbase.storage.contents import Contents
from openwebui_pocketbase.tasks import BackgroundTask

if TYPE_CHECKING:
    from openwebui_pocketbase.changes.through import Through
    from openwebui_pocketbase.hookspecs import HostContext

__all__ = ["Runtime"]

MEGABYTE = 1 << 20

log = logging.getLogger(__name__)


class Runtime:
    """The parts, and the order in which they start and stop.

    Args:
        settings: The configuration.
        data_dir: Open WebUI's data directory.
        groups: The groups in PocketBase.

    Attributes:
        client: Sends the requests of all repositories.
        mirror: What repositories of mirrored tables use in its place.
        feed: The reader of the change feed.
        contents: The contents of files.
    """

    def __init__(self, settings: Settings, data_dir: Path, groups: Collection[str]) -> None:
        self._settings = settings.pocketbase
        self._files = settings.files
        self._data_dir = data_dir
        self._groups = sorted(groups)
        backends = {group: settings.groups.get(group, settings.storage_backend) for group in CATALOG}
        self._elsewhere = {group: backend for group, backend in backends.items() if group not in groups}
        # A program that only uses repositories must not make a new PocketBase in a mistyped directory.
        self.client = PocketBaseClient(
            timeouts=self._settings.timeouts, pool=self._settings.pool, opener=lambda: self._open(create=False)
        )
        self.mirror = Mirror(self.client, groups)
        self.feed = Feed(self.client)
        self.contents = Contents(lambda: self._open(create=False), retry=self._settings.timeouts.retry)
        self._tasks: list[BackgroundTask] = []
        self._follower: Follower | None = None
        self._through: Through | None = None
        self._connection: Connection | None = None
        self._opening = threading.Lock()

    def write_through(self) -> None:
        """Have what Open WebUI commits in SQL reach PocketBase first; does nothing the second time."""
        if self._through is None and any(TABLES[name].through for name in self.mirror.names):
            # It imports the host, which this module must not: it is loaded before the host is.
            through = import_module("openwebui_pocketbase.changes.through").Through
            self._through = through(self.mirror, self._settings.timeouts.write_through)
        if self._through is not None:
            self._through.start()

    def end_write_through(self) -> None:
        """Undo `write_through`."""
        if self._through is not None:
            self._through.stop()

    async def connect(self) -> None:
        """Start or reach the server, and bring its schema up."""
        if self._groups:
            self.client.origin = new_origin(APPLICATION)
            await asyncio.to_thread(self._open, create=True)

    async def start(self) -> None:
        """Start or reach the server, bring its schema and the SQL database's copies up, and begin to work."""
        if not self._groups:
            return
        await self.connect()
        await self.mirror.start()
        await asyncio.to_thread(self._warn_of_unused_records, self._open(create=True))
        self._begin()

    async def take_over(self, name: str) -> None:
        """Begin to work while Open WebUI runs, and nobody writes: each row is where it belongs, also its copy.

        Args:
            name: Of this moment; the same in all processes.
        """
        await self.mirror.take_over(name)
        if self._groups:
            self._begin()

    def _begin(self) -> None:
        log.info("%s in PocketBase at %s", ", ".join(self._groups), self._open(create=True).url)
        self.write_through()
        tasks: list[BackgroundTask] = []
        if self.mirror.names:
            self._follower = Follower(self.mirror, self.feed)
            tasks.append(self._follower)
        if not {"chats", "messages"}.isdisjoint(self._groups):
            tasks.append(Indexer(self.client, self.feed))
        if "chats" in self._groups:
            next_timer.follow(self.client, self.feed)
        if "files" in self._groups:
            tasks.append(Collector(self.contents))
        self._start(*tasks, self.feed)  # last: whoever listens to it is there

    def start_realtime(self, context: HostContext) -> None:
        """Tell the open browsers, and other plugins, what others change; the host has started.

        Args:
            context: Of the host.
        """
        if not self._groups:
            return
        # They import the host, which this module must not: it is loaded before the host is.
        bridge = import_module("openwebui_pocketbase.realtime.bridge").Bridge(self.client, self._catch_up)
        self.feed.listen(bridge.notice)
        self._start(bridge)
        if context.changed is not None:
            listeners = Listeners(context.changed)
            self.feed.listen(listeners.notice)
            self._start(listeners)
        announcements = Announcements(self.client, lambda: self.feed.wake(announcements.client_id))
        self._start(announcements)

    def _start(self, *tasks: BackgroundTask) -> None:
        for task in tasks:
            self._tasks.append(task)
            task.start()

    def storage_attributes(self) -> dict[str, Any]:
        """Return what the host's storage needs to keep contents in PocketBase; see its class."""
        files = self._files
        # Not in the host's own cache: Open WebUI serves that to everybody who has signed in.
        directory = files.cache_dir or self._data_dir / "openwebui-pocketbase" / "files"
        return {
            "contents": self.contents,
            "cache": Cache(directory.expanduser().resolve(), files.cache_size * MEGABYTE),
            "max_size": files.max_size * MEGABYTE,
        }

    async def check(self) -> None:
        """Return when PocketBase has answered.

        Raises:
            RequestError: It has not.
        """
        if self._groups:
            await self.client.ping()

    async def _catch_up(self) -> None:
        """Return when the SQL database's copies have what the change feed has now."""
        if self._follower is not None:
            await self._follower.catch_up()

    async def epoch(self) -> str:
        """Return what names the data in PocketBase; "" if no group is there."""
        return (await self.mirror.source.position()).epoch if self._groups else ""

    async def pause(self) -> None:
        """Leave the SQL database's copies alone, until `resume`."""
        if self._follower is not None:
            await self._follower.aclose()

    def resume(self) -> None:
        """Keep the copies up to date again."""
        if self._follower is not None:
            self._follower.start()

    async def rest(self) -> None:
        """End what works in the background, in the opposite order; requests can still be sent."""
        next_timer.leave(self.client)
        self.end_write_through()
        self._follower = None
        while self._tasks:
            await self._tasks.pop().aclose()
        self.feed.forget()

    async def stop(self) -> None:
        """Stop in the opposite order; also after a start that failed."""
        await self.rest()
        await self.client.aclose()
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Give the server back; all that is left to do for a program that only used repositories."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _warn_of_unused_records(self, connection: Connection) -> None:
        """Log what only PocketBase has of groups that live elsewhere; blocks."""
        try:
            with connection.admin(connection.authenticator) as admin:
                unused = count_unmirrored(admin, self._elsewhere)
        except OpenWebUIPocketBaseError as error:  # nobody needs the answer to use what is in PocketBase
            log.warning("PocketBase could not be asked what it has of groups that are elsewhere: %s", error)
            return
        for group, labels in unused.items():
            listed = ", ".join(f"{label}: {number:,}" for label, number in labels.items())
            log.warning(
                "%s are in %s: what PocketBase has of them stays there and is not shown (%s).",
                group,
                self._elsewhere[group],
                listed,
            )

    def _open(self, *, create: bool) -> Connection:
        """Connect the client, once; blocks."""
        with self._opening:
            if self._connection is None:
                connection = Connection(self._settings, self._data_dir)
                connection.origin = self.client.origin
                try:
                    # As only the host's own start creates, so only it waits for a server that is not up yet.
                    authenticator = connection.open(create=create, wait=create)
                    connection.bring_up(authenticator)
                except BaseException:
                    connection.close()
                    raise
                self.client.connect(connection.url, authenticator, trust=connection.trust, recover=connection.recover)
                self._connection = connection
            return self._connection
