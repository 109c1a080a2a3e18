"""The mirror: after each write, what it changed in PocketBase is in the SQL database, too.

The host's own SQL joins users, groups and access grants, wherever these live. PocketBase stays the truth; the
mirror is its copy, written before the repository's method returns, and from the change feed for what others change.

A write is asked to answer with all changes since the last one that this process knows the copy to have. So each
reply contains all replies before it: of many that wait for the SQL database, the newest is written and serves all.
The number of its last change is kept in the SQL database, in the transaction that writes the rows: an older reply
cannot undo a newer one, however many processes there are. PocketBase says with each reply whether its feed still has
the change behind which it was asked: if not, a backup was restored, and whole tables are compared.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from openwebui_pocketbase.changes.feed import Changes, Feed
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.schema.tables import TABLES

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from openwebui_pocketbase.changes.writer import Known, Writer

__all__ = ["Mirror"]

log = logging.getLogger(__name__)

POLL_INTERVAL = 2.0
"""Seconds after which changes that others made, in either database, are in the SQL database at the latest."""

KEEP_UP_INTERVAL = 3600.0
"""Seconds after which the number in the SQL database follows, though nothing of its tables changed."""

LATER = frozenset({"users/update_last_active_by_id"})
"""Writes which `Mirror.follow` copies: frequent ones of which the host's SQL needs no exact state."""


@dataclass
class Waiting:
    """A reply that waits for the SQL database."""

    changes: Changes
    known: Known
    done: bool = False
    error: Exception | None = None


class Mirror:
    """A client for repositories, whose writes reach the SQL database, too.

    Args:
        client: Sends the requests.
    """

    def __init__(self, client: PocketBaseClient) -> None:
        self._client = client
        self.feed = Feed(client)
        self.names: list[str] = []
        self._known: Known | None = None
        self._started = False
        self._run = ""
        self._meeting = asyncio.Lock()
        self._refusal: tuple[float, ConfigurationError] | None = None
        self._waiting: list[Waiting] = []
        self._lock = asyncio.Lock()
        self._poller: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._kept_up_at = 0.0

    def cover(self, groups: Collection[str]) -> None:
        """Say which groups are in PocketBase; their mirrored tables are covered."""
        self.names = [name for name, table in TABLES.items() if table.mirrored and table.group in groups]

    async def read(self, path: str, parameters: Mapping[str, Any]) -> Any:
        """Call a method that only reads; see `PocketBaseClient.read`.

        Raises:
            ConfigurationError: PocketBase was replaced by one that has none of the users: see `start`.
        """
        answer = await self._client.read(path, parameters)
        if self._client.run != self._run and self._started:
            await self._meet(self._client.run)
        return answer

    async def write(self, path: str, parameters: Mapping[str, Any]) -> Any:
        """Call a method that writes, and write what it changed to the SQL database.

        Raises:
            RequestError: See `PocketBaseClient.write`.
            SQLAlchemyError: PocketBase has the change, the SQL database has not; it gets it with the next one.
        """
        await self.start()
        known = self._known
        if path in LATER or known is None:
            return await self._client.write(path, parameters)
        result = await self._client.write(path, parameters, changes_since=known.cursor)
        await self._take(Changes(**result["changes"]), known)
        return result["answer"]

    async def start(self, *, is_accepted: bool = False) -> None:
        """Make the SQL database's copy complete; does nothing the second time.

        Args:
            is_accepted: Whether PocketBase is right even if it has no users; tables are compared in any case.

        Raises:
            ConfigurationError: The SQL database has rows that were never PocketBase's, or PocketBase is empty.
        """
        if self._started:
            return
        async with self._lock:
            if not self._started and self.names:
                self._known = await self.writer.start(is_accepted=is_accepted)
                self._kept_up_at = time.monotonic()
            self._run = self._client.run
            self._started = True

    def follow(self) -> None:
        """Begin to copy what others change, such as an administrator in PocketBase's dashboard."""
        if self.names:
            self._poller = asyncio.create_task(self._poll())

    async def aclose(self) -> None:
        """End what `follow` began."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    @cached_property
    def writer(self) -> Writer:
        """The SQL side, for the covered tables."""
        # It imports the host, which this module must not: it is loaded before the host is.
        made: Writer = import_module("openwebui_pocketbase.changes.writer").Writer(self.feed, self.names)
        return made

    @cached_property
    def _open_transaction(self) -> Any:
        return import_module("openwebui_pocketbase.repositories.base").open_transaction

    async def disconnect(self) -> None:
        """Close the connections to PocketBase, at the end of an event loop."""
        await self._client.aclose()

    async def catch_up(self) -> None:
        """Copy what others changed in PocketBase, and put right what they changed in the SQL database."""
        await self.start()
        known = self._known
        if known is not None:
            await self._take(await self.feed.since(known.cursor), known)
            if await self.writer.settle():
                async with self._lock:
                    self._known = await self.writer.copy()

    async def _meet(self, run: str) -> None:
        """Have the SQL copies as they are in another process of PocketBase, before anybody goes on with its answer.

        A restored backup begins with one: whoever is signed in by it must not see what was granted since.
        """
        if not self.names or self._open_transaction.get() is not None:
            return  # in the host's own transaction the tables cannot be compared
        async with self._meeting:
            if self._run == run:
                return
            if self._refusal and time.monotonic() < self._refusal[0] + POLL_INTERVAL:
                raise self._refusal[1]
            try:
                await self.catch_up()
            except ConfigurationError as error:
                self._refusal = time.monotonic(), error
                raise
            self._run, self._refusal = run, None

    async def _poll(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL_INTERVAL):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self.catch_up()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next time may do
                log.warning("Changes in PocketBase could not be copied to the SQL database: %s", error)

    async def _take(self, changes: Changes, known: Known) -> None:
        """Write a reply to the SQL database."""
        session: AsyncSession | None = self._open_transaction.get()
        if session is not None:
            is_written = changes.follows
            if changes.follows and self.writer.concerns(changes):
                is_written = await self.writer.apply_within(session, changes, known)
            if not is_written:
                # On SQLite the host's transaction has the only write lock: tables cannot be compared before it ends.
                self._wake.set()
            return
        if changes.follows and changes.run == known.run and not self.writer.concerns(changes):
            if self._known is not None and changes.last > self._known.since:
                self._known = self._known.up_to(changes)
            if time.monotonic() < self._kept_up_at + KEEP_UP_INTERVAL:
                return
        entry = Waiting(changes, known)
        self._waiting.append(entry)
        async with self._lock:
            if not entry.done:
                await self._serve()
        if entry.error is not None:
            raise entry.error

    async def _serve(self) -> None:
        """Write the newest of all waiting replies, which contains the others."""
        waiting, self._waiting = self._waiting, []
        newest = max(waiting, key=lambda entry: entry.changes.last)
        is_one_feed = len({(entry.changes.run, entry.changes.follows) for entry in waiting}) == 1
        error = None
        try:
            await self._apply(newest.changes if is_one_feed else None, newest.known)
        except Exception as failure:  # noqa: BLE001 - raised by each that waited
            error = failure
        except BaseException:
            self._waiting = [*waiting, *self._waiting]  # this task was cancelled, the others were not
            raise
        for entry in waiting:
            entry.done, entry.error = True, error

    async def _apply(self, changes: Changes | None, known: Known) -> None:
        found = await self.writer.apply(changes, known)
        before = self._known
        self._kept_up_at = time.monotonic()
        if before is None or (before.copy, before.run) != (found.copy, found.run) or found.since > before.since:
            self._known = found
