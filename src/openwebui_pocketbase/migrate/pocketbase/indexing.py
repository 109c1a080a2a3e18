"""Adding to the full-text indexes what a move has written, as fast as possible: nobody waits for anything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from openwebui_pocketbase.changes.indexer import INDEXING, indexed
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.codec.words import INDEXED_CHARACTERS

__all__ = ["Indexing"]

PAGE = {"limit": 8000, "bytes": 8 << 20, "longest": INDEXED_CHARACTERS}
"""Messages, or chats, that are read at once, and bytes of text."""

AT_ONCE = 1000
"""Messages in one transaction."""

Waiting = list[tuple[str, str]]
"""Ids of messages' records, and texts."""


class Indexing:
    """Empties the queue of what waits for the full-text indexes.

    Args:
        client: Sends the requests.
    """

    def __init__(self, client: PocketBaseClient) -> None:
        self._client = client

    async def run(self) -> AsyncIterator[int]:
        """Index what waits; give the number of each part that is done."""
        waiting = await self._waiting()
        while True:
            total = 0
            for table, method in INDEXING.items():
                async for done in self._messages(f"indexer/{method}", waiting[table]):
                    total += done
                    yield done
            if waiting["chats"]:
                done = await self._client.write("indexer/index_waiting_chats", PAGE)
                total += done
                yield done
            if not total:
                return
            waiting = await self._waiting()

    async def _messages(self, method: str, waiting: Waiting) -> AsyncIterator[int]:
        """Index messages; while PocketBase writes some, a thread makes the words of the next."""
        parts = (indexed(waiting[at : at + AT_ONCE]) for at in range(0, len(waiting), AT_ONCE))
        part = await asyncio.to_thread(next, parts, None)
        while part is not None:
            writing = self._client.write(method, part)
            done, part = await asyncio.gather(writing, asyncio.to_thread(next, parts, None))
            yield done

    async def _waiting(self) -> dict[str, Any]:
        found: dict[str, Any] = await self._client.read("indexer/get_waiting", PAGE)
        return found
