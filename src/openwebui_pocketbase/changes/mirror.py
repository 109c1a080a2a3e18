"""The mirror: each write to PocketBase is copied to the SQL database before it returns.

The host's own SQL joins users, groups and access grants, wherever these live. PocketBase stays the truth; the
mirror is its copy, written before the repository's method returns, and from the change feed for what others change.

A write is asked to reply with all changes since the last one that this process knows the copy to have. So each
reply contains all replies before it: of many that wait for the SQL database, the newest is written and serves all.
After a write that changes thousands of rows these are read from the feed instead, and written page by page: others
who wait for PocketBase or for the SQL database get their turn in between.
The number of its last change is kept in the SQL database, in the transaction that writes the rows: an older reply
cannot undo a newer one, however many processes there are. PocketBase says with each reply whether its feed still has
the change behind which it was asked: if not, a backup was restored, and whole tables are compared.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from openwebui_pocketbase.changes.source import Changes, Source
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.transactions import open_transaction

if TYPE_CHECKING:
    from openwebui_pocketbase.changes.feed import Page
    from openwebui_pocketbase.changes.state import State
    from openwebui_pocketbase.changes.writer import Known, Writer

__all__ = ["Mirror"]

KEEP_UP_INTERVAL = 3600.0
"""Seconds after which the number in the SQL database follows, though nothing of its tables changed."""

REFUSED_FOR = 2.0
"""Seconds for which nobody asks again whether PocketBase has the users it had."""


@dataclass
class _Waiting:
    """A write that waits for the SQL database; without ``changes`` the feed is to be read to its end."""

    changes: Changes | None
    known: Known
    done: bool = False
    error: Exception | None = None


class Mirror:
    """What repositories of mirrored tables use as their client: their writes also reach the SQL database.

    Args:
        client: Sends the requests. Reads wait until the copies match the PocketBase process that replied.
        groups: The groups in PocketBase; their mirrored tables are covered.

    Attributes:
        source: PocketBase's side.
        names: The host's names of the covered tables.
        read: The client's own method.
        read_bytes: The client's own method.
        start_job: The client's own method.
        is_behind: Set when there may be more to copy; for whoever follows the feed.
    """

    def __init__(self, client: PocketBaseClient, groups: Collection[str]) -> None:
        self._client = client
        self.source = Source(client)
        self.names = [name for name, table in TABLES.items() if table.mirrored and table.group in groups]
        self.read = client.read
        self.read_bytes = client.read_bytes
        self.start_job = client.start_job
        self.is_behind = asyncio.Event()
        self._known: Known | None = None
        self._started = False
        self._meeting = asyncio.Lock()
        self._refusal: tuple[float, ConfigurationError] | None = None
        self._waiting: list[_Waiting] = []
        self._lock = asyncio.Lock()
        self._kept_up_at = 0.0

    @cached_property
    def writer(self) -> Writer:
        """The SQL side, for the covered tables."""
        # It imports the host, which this module must not: it is loaded before the host is.
        made: Writer = import_module("openwebui_pocketbase.changes.writer").Writer(self.source, self.names)
        return made

    async def write(
        self, path: str, parameters: Mapping[str, Any], *, is_urgent: bool = True, is_large: bool = False
    ) -> Any:
        """Call a method that writes, and write what it changed to the SQL database.

        Args:
            path: The method.
            parameters: The request's body.
            is_urgent: Whether the SQL database must have it when this returns; else it is copied from the feed.
            is_large: See `PocketBaseClient.submit`.

        Raises:
            RequestError: See `PocketBaseClient.submit`.
            SQLAlchemyError: PocketBase has the change, the SQL database has not; it gets it with the next one.
        """
        await self.start()
        known = self._known
        if known is None or not is_urgent:
            return await self._client.write(path, parameters, is_large=is_large)
        up_to = "" if is_large else known.cursor
        reply = await self._client.submit(path, parameters, mirrored_up_to=up_to, is_large=is_large)
        await self._take(Changes(**reply.changes) if reply.changes else None, known)
        return reply.answer

    async def start(self, *, is_accepted: bool = False) -> None:
        """Make the SQL database's copy complete; does nothing the second time.

        Args:
            is_accepted: Whether PocketBase is right even if it has no users; tables are compared in any case.

        Raises:
            ConfigurationError: PocketBase has nothing of a group, or no users, of which the SQL database has rows.
        """
        if self._started:
            return
        async with self._lock:
            if not self._started and self.names:
                self._known = await self.writer.start(is_accepted=is_accepted)
                self._follow()
            self._started = True

    async def watch(self, also: Collection[str] = ()) -> None:
        """Have it noted what others write into the covered tables, and into further ones: before `take_over`.

        It changes tables of the host, and waits for transactions that use them.
        """
        await self.writer.watch(also)

    async def take_over(self, name: str) -> None:
        """Begin with the SQL database's rows as they are; in the place of `start`.

        Whoever calls has copied the rows, and keeps everybody from writing in any process.

        Args:
            name: Of this moment; the same in all processes.
        """
        async with self._lock:
            self._known = await self.writer.take_over(name)
            if self._known is not None:
                self._follow()
            self._started = True

    @property
    def is_started(self) -> bool:
        """Whether the copies were made complete."""
        return self._started

    def cursor_at(self, state: State) -> str:
        """Return the newest change up to which the SQL database has everything, given its state."""
        known = self._known
        is_known = known is not None and (known.copy, known.run, known.floor) == (state.copy, state.run, state.seq)
        return known.cursor if known is not None and is_known else state.cursor

    async def submit(self, path: str, parameters: Mapping[str, Any], *, is_large: bool) -> Any:
        """Call a method that writes what the SQL database has already, or will have; see `PocketBaseClient.submit`."""
        return (await self._client.submit(path, parameters, is_large=is_large)).answer

    def note_sent(self, state: State, last: int, cursor: str) -> None:
        """Note that the SQL database is about to have everything up to a change.

        Args:
            state: How far it is.
            last: Number of the change.
            cursor: Names it.
        """
        known = self._known
        if known is not None and (known.copy, known.run) == (state.copy, state.run) and last > known.since:
            self._known = replace(known, floor=last, since=last, cursor=cursor)

    def distrust(self) -> None:
        """Look at the feed again from where the SQL database says that it is: it has not committed what was sent."""
        if self._known is not None:
            self._known = replace(self._known, floor=0, since=0, cursor="0")
        self.is_behind.set()

    async def keep_up(self) -> None:
        """Bring the number in the SQL database up to date, so that `take_over` has little to look through."""
        if self._known is not None:
            async with self._lock:
                await self._apply(None, self._known)

    async def compare(self) -> None:
        """Compare whole tables, as a start would, unless another process has; others can write meanwhile."""
        if self._known is not None:
            found = await self.writer.copy()
            async with self._lock:
                self._known = found

    def _follow(self) -> None:
        self._kept_up_at = time.monotonic()
        self._client.met_run = self._client.run
        self._client.on_new_run = self._meet

    async def disconnect(self) -> None:
        """Close the connections to PocketBase, at the end of an event loop."""
        await self._client.aclose()

    async def catch_up(self) -> None:
        """Copy what others changed in PocketBase, and put right what they changed in the SQL database."""
        await self.start()
        known = self._known
        if known is not None:
            await self._take(None, known)
            await self.settle()

    async def settle(self) -> None:
        """Put right what others changed in the SQL database; PocketBase is asked only if there is something."""
        if self._known is not None and await self.writer.settle():
            async with self._lock:
                self._known = await self.writer.copy()

    def notice(self, page: Page) -> None:
        """Note how far the feed is, and whether others changed something; listens to the feed."""
        known = self._known
        if known is None or not page.follows or page.run != known.run:
            self.is_behind.set()
            return
        covered = self.writer.tables
        is_new = any(change.seq > known.since and change.collection in covered for change in page.changes)
        if is_new or page.after > known.since or time.monotonic() >= self._kept_up_at + KEEP_UP_INTERVAL:
            self.is_behind.set()
        elif page.last > known.since:
            # A write asks for what changed behind this: it should not have to look through changes of others.
            self._known = known.up_to(page.last, page.cursor)

    async def _meet(self, run: str) -> None:
        """Bring the copies up to date with a new PocketBase process before its first reply is used.

        A restored backup begins with one: whoever is signed in by it must not see what was granted since.

        Raises:
            ConfigurationError: PocketBase was replaced by one that has none of the users: see `start`.
        """
        if open_transaction.get() is not None:
            return  # in the host's own transaction the tables cannot be compared
        async with self._meeting:
            if self._client.met_run == run:
                return
            if self._refusal and time.monotonic() < self._refusal[0] + REFUSED_FOR:
                raise self._refusal[1]
            try:
                await self.catch_up()
            except ConfigurationError as error:
                self._refusal = time.monotonic(), error
                raise
            self._client.met_run, self._refusal = run, None

    async def _take(self, changes: Changes | None, known: Known) -> None:
        """Write a reply to the SQL database, or what the feed has."""
        session = open_transaction.get()
        if session is not None:
            changes = await (self.source.completed(changes) if changes else self.source.since(known.cursor))
            is_written = changes.follows
            if changes.follows and self.writer.concerns(changes):
                is_written = await self.writer.apply_within(session, changes, known)
            if not is_written:
                # On SQLite the host's transaction has the only write lock: tables cannot be compared before it ends.
                self.is_behind.set()
            return
        if changes is not None and not changes.more and self._has_nothing(changes, known):
            return
        entry = _Waiting(changes, known)
        self._waiting.append(entry)
        async with self._lock:
            if not entry.done:
                await self._serve()
        if entry.error is not None:
            raise entry.error

    def _has_nothing(self, changes: Changes, known: Known) -> bool:
        """Tell whether there is nothing to write of a reply; note how far the feed is then."""
        if not changes.follows or changes.run != known.run or self.writer.concerns(changes):
            return False
        if self._known is not None and changes.last > self._known.since:
            self._known = self._known.up_to(changes.last, changes.cursor)
        return time.monotonic() < self._kept_up_at + KEEP_UP_INTERVAL

    async def _serve(self) -> None:
        """Write the newest of all waiting replies, which contains the others, or what the feed has."""
        waiting, self._waiting = self._waiting, []
        for entry in waiting:
            entry.done = self._is_written(entry)
        waiting = [entry for entry in waiting if not entry.done]
        if not waiting:
            return
        replies = [(entry.changes, entry.known) for entry in waiting if entry.changes and not entry.changes.more]
        error = None
        try:
            if len(replies) < len(waiting):
                await self._read_on(waiting[0].known)
            elif len({(changes.run, changes.follows) for changes, _ in replies}) == 1:
                await self._apply(*max(replies, key=lambda reply: reply[0].last))
            else:
                await self._apply(None, waiting[0].known)
        except Exception as failure:  # noqa: BLE001 - raised by each that waited
            error = failure
        except BaseException:
            self._waiting = [*waiting, *self._waiting]  # this task was cancelled, the others were not
            raise
        for entry in waiting:
            entry.done, entry.error = True, error

    def _is_written(self, entry: _Waiting) -> bool:
        """Tell whether the copy has a reply: it came behind a newer one."""
        changes, known = entry.changes, self._known
        if changes is None or known is None or not changes.follows or changes.more:
            return False
        return (known.copy, known.run) == (entry.known.copy, changes.run) and changes.last <= known.floor

    async def _read_on(self, known: Known) -> None:
        """Write what the feed has behind the place that the copy is at, each page in a transaction."""
        is_more = True
        while is_more:
            known = self._known or known
            changes = await self.source.page(known.cursor)
            if not self._has_nothing(changes, known):
                await self._apply(changes, known)
            known = known.up_to(changes.last, changes.cursor)  # also if the copy has given up its place meanwhile
            is_more = changes.more

    async def _apply(self, changes: Changes | None, known: Known) -> None:
        found = await self.writer.apply(changes, known)
        before = self._known
        self._kept_up_at = time.monotonic()
        if before is None or (before.copy, before.run) != (found.copy, found.run) or found.since > before.since:
            self._known = found
