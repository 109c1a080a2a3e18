"""What the mirror asks PocketBase for: what changed in mirrored collections, and their rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from typing import Any

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["Changes", "Source", "Wire"]

Wire = list[Any]
"""A row as PocketBase sends it; see `openwebui_pocketbase.codec.rows`."""

PAGE = 1000
"""Rows in one reply, when whole tables are read."""

CHANGES = 2000
"""Changes in one reply: what the largest part of a write makes is in one."""

IDS = 20_000
"""Ids in one reply."""


@dataclass(frozen=True)
class Changes:
    """What changed in mirrored tables behind a change of the feed.

    Attributes:
        epoch: Names the feed; a backup of it has the same name.
        run: Names the process of PocketBase that replied. While it lives, the feed only grows.
        follows: Whether the feed still has the very change behind which it was asked. If not, another feed took its
            place, such as a backup, or the change was so long ago that it was forgotten; ``rows`` is empty then.
        last: Number of the change up to which this is complete.
        more: Whether the feed had more changes behind that one.
        cursor: Names the change ``last`` and, with it, all before it: ``number/op/time/record``.
        rows: What changed in mirrored tables, each record once: collection, record id, and the row as it is
            at ``last``, None if there is none any more.
    """

    epoch: str
    run: str
    follows: bool
    last: int
    more: bool
    cursor: str
    rows: list[tuple[str, str, Wire | None]]

    def with_next(self, page: Changes) -> Changes:
        """Return these changes together with those of the next page: of a record, the row that was read last."""
        rows = {(collection, record_id): wire for collection, record_id, wire in [*self.rows, *page.rows]}
        return replace(page, rows=[(*record, wire) for record, wire in rows.items()])


class Source:
    """PocketBase's side of the mirror.

    Its reads skip the wait for a new PocketBase process (`Mirror._meet`), because that wait uses them.

    Args:
        client: Sends the requests.
    """

    def __init__(self, client: PocketBaseClient) -> None:
        self._client = client

    async def since(self, cursor: str) -> Changes:
        """Return what changed behind a change.

        Args:
            cursor: The change, as an earlier reply named it.
        """
        return await self.completed(await self.page(cursor))

    async def page(self, cursor: str) -> Changes:
        """Return what changed behind a change, up to as many changes as are read at once.

        The rows are as they are now, and what changes them behind the page's end is in a later one.

        Args:
            cursor: The change, as an earlier reply named it.
        """
        return Changes(**await self._read("get_mirrored", since=cursor, limit=CHANGES))

    async def completed(self, changes: Changes) -> Changes:
        """Return changes together with all that are behind them.

        Rows are read page by page. What changes in the meantime is in a later page, so the whole is as it was at the
        last one's end.
        """
        while changes.follows and changes.more:
            page = await self.page(changes.cursor)
            changes = changes.with_next(page) if page.follows else page
        return changes

    async def position(self) -> Changes:
        """Return where the feed is, without rows."""
        return await self.page("")

    async def ids(self, collection: str) -> set[str]:
        """Return the ids of all records."""
        found: set[str] = set()
        after = ""
        while ids := await self._read(f"get_ids_of_{collection}", after=after, limit=IDS):
            found.update(ids)
            if len(ids) < IDS:
                break
            after = ids[-1]
        return found

    async def pages(self, collection: str) -> AsyncIterator[list[Wire]]:
        """Give all rows, a thousand at a time; the next ones are asked for before these are worked on."""
        (table,) = (table for table in TABLES.values() if table.collection == collection)
        id_at = [column.name for column in table.columns].index("id")
        following = asyncio.create_task(self._page(collection, ""))
        try:
            while wires := await following:
                if len(wires) < PAGE:
                    yield wires
                    return
                following = asyncio.create_task(self._page(collection, wires[-1][id_at]))
                yield wires
        finally:
            following.cancel()

    async def rows(self, collection: str, ids: Collection[str]) -> list[Wire]:
        """Return the rows with these ids, as far as there are any."""
        rows: list[Wire] = await self._read(f"get_rows_of_{collection}", ids=list(ids))
        return rows

    async def texts(self, ids: Collection[str]) -> dict[str, str]:
        """Return the extracted texts of files, which are apart from their rows; of those that have one."""
        return dict(await self._client.read("files/get_texts", {"ids": list(ids)}, meet=False))

    async def _page(self, collection: str, after: str) -> list[Wire]:
        rows: list[Wire] = await self._read(f"get_{collection}", after=after, limit=PAGE)
        return rows

    async def _read(self, method: str, **parameters: Any) -> Any:
        return await self._client.read(f"changes/{method}", parameters, meet=False)
