"""Adding messages, of chats and of channels, and chats to the full-text indexes, soon after they were written.

A write leaves them waiting: most messages are written many times while they come in, and adding one to the index costs
more than writing it. What waits is looked through by each search, so results are the same at any time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Any

from openwebui_pocketbase.changes.feed import Feed, Page
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.codec.words import FORM, INDEXED_CHARACTERS, index_words, is_indexed
from openwebui_pocketbase.tasks import BackgroundTask

__all__ = ["AT_ONCE", "Indexer", "indexed"]

log = logging.getLogger(__name__)

INTERVAL = 5.0
"""Seconds from a change to the look at what waits: an answer that comes in changes many times."""

COLLECTIONS = frozenset({"owui_chats", "owui_chat_messages", "owui_messages"})
"""What is indexed."""

INDEXING = {"chat_message": "index_messages_of_chats", "message": "index_messages_of_channels"}
"""The host's table of messages -> the method of the hooks that adds some of them to its index."""

AT_ONCE = {"limit": 100, "bytes": 1 << 17, "longest": INDEXED_CHARACTERS}
"""Messages, or chats, in one transaction, and bytes of text after which it ends, so that others can write."""


class Indexer(BackgroundTask):
    """A task of the application that empties the queue; those of several processes may do so at once.

    Args:
        client: Sends the requests.
        feed: Tells when something may wait. Without it `start` has no use.
    """

    def __init__(self, client: PocketBaseClient, feed: Feed | None = None) -> None:
        super().__init__()
        self._client = client
        self._may_wait = asyncio.Event()
        if feed is not None:
            feed.listen(self._notice)

    async def index_waiting(self) -> int:
        """Index some of what waits; return how much that was, 0 if there is nothing more."""
        waiting = await self._client.read("indexer/get_waiting", AT_ONCE)
        done = 0
        for table, method in INDEXING.items():
            if waiting[table]:
                # In a thread: the words of one long text can take a tenth of a second.
                made = await asyncio.to_thread(indexed, waiting[table])
                done += await self._client.write(f"indexer/{method}", made)
        if waiting["chats"]:
            done += await self._client.write("indexer/index_waiting_chats", AT_ONCE)
        return done

    def _notice(self, page: Page) -> None:
        """Have `_run` look, unless a page of the feed has no change of what is indexed."""
        if not page.follows or any(change.collection in COLLECTIONS for change in page.changes):
            self._may_wait.set()

    async def _run(self) -> None:
        while True:
            await self._may_wait.wait()
            await asyncio.sleep(INTERVAL)
            self._may_wait.clear()
            try:
                begun = time.monotonic()
                while await self.index_waiting():
                    # Half of the time is for others: what waits is found all the same.
                    await asyncio.sleep(time.monotonic() - begun)
                    begun = time.monotonic()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next time may do
                log.warning("Messages could not be added to the search index: %s", error)
                self._may_wait.set()


def indexed(messages: Iterable[tuple[str, str | None]]) -> dict[str, Any]:
    """Return messages as the methods of `INDEXING` take them.

    Args:
        messages: Of each the id of its record, and its text; None if it is not to be indexed.
    """
    return {"form": FORM, "messages": [_indexed(*message) for message in messages]}


def _indexed(record_id: str, text: str | None) -> dict[str, Any]:
    is_wanted = text is not None and is_indexed(text)
    words = index_words(text.lower()) if text is not None and is_wanted else ""
    return {"id": record_id, "text": text if is_wanted else None, "doc": 1 if is_wanted else -1, "words": words}
