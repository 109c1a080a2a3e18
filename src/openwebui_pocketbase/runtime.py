"""What runs in a process for the groups in PocketBase: connection, client, mirror, and what works in the background."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.changes.feed import Feed
from openwebui_pocketbase.changes.follower import Follower
from openwebui_pocketbase.changes.indexer import Indexer
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.changes.next_timer import next_timer
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError
from openwebui_pocketbase.schema.unmirrored import count_unmirrored
from openwebui_pocketbase.settings import Settings
from openwebui_pocketbase.storage.cache import Cache
from openwebui_pocketbase.storage.collector import Collector
from openwebui_pocketbase.storage.contents import Contents
from openwebui_pocketbase.tasks import BackgroundTask

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
        self._connection: Connection | None = None
        self._opening = threading.Lock()

    async def start(self) -> None:
        """Start or reach the server, bring its schema and the SQL database's copies up, and begin to work."""
        if not self._groups:
            return
        connection = await asyncio.to_thread(self._open, create=True)
        await self.mirror.start()
        log.info("%s in PocketBase at %s", ", ".join(self._groups), connection.url)
        await asyncio.to_thread(self._warn_of_unused_records, connection)
        if self.mirror.names:
            self._tasks.append(Follower(self.mirror, self.feed))
        if not {"chats", "messages"}.isdisjoint(self._groups):
            self._tasks.append(Indexer(self.client, self.feed))
        if "chats" in self._groups:
            next_timer.follow(self.client, self.feed)
        if "files" in self._groups:
            self._tasks.append(Collector(self.contents))
        if self._tasks:
            self._tasks.append(self.feed)  # last: whoever listens to it is there
        for task in self._tasks:
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

    async def stop(self) -> None:
        """Stop in the opposite order; also after a start that failed."""
        next_timer.leave()
        while self._tasks:
            await self._tasks.pop().aclose()
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
