"""Records on their way to PocketBase, in parts by bytes; what it refuses does not keep others from being written."""

from __future__ import annotations

import asyncio
import re
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import orjson

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import ResponseError, TooLargeError
from openwebui_pocketbase.migrate.pocketbase.records import Record, encoded

__all__ = ["Refused", "Sending", "Sent", "Turn", "Turns"]

PART = 4 << 20
"""Bytes in one request, and so the length of one transaction, during which nobody else can write."""

SMALL = 1 << 9
"""Bytes that a record counts for besides its own: with many small ones the indexes cost most."""

_TAKEN = re.compile(r"UNIQUE constraint failed: ([\w., ]+)")
_REASONS = (
    (re.compile(r"NOT NULL constraint failed: \w+\.(\w+)"), "Its {0} is missing."),
    (re.compile(r"malformed JSON"), "Its JSON has more levels than PocketBase can hold, which is about 1,000."),
    (re.compile(r"string or blob too big"), "It is larger than PocketBase can hold, which is about 1 GB."),
)
_OF_ANOTHER = "PocketBase has its id for another: in other upper and lower case, or for a message of another chat."


class Sent(NamedTuple):
    """A record.

    Attributes:
        key: What it is called in a note.
        data: Its fields as JSON.
        data_urls: The data URLs for which this has marks.
    """

    key: str
    data: bytes
    data_urls: Mapping[str, str]

    @classmethod
    def of(cls, key: str, table: str, record: Record) -> Sent:
        """Return a record of a table, given with its fields."""
        return cls(key, *encoded(table, record))


class Refused(NamedTuple):
    """A record that PocketBase has refused, and why."""

    key: str
    reason: str


class Sending:
    """Records that are to be written, in order; those that are there are written anew.

    The first part is made at once, in a thread, and each other one while PocketBase writes the one before.

    Args:
        client: Sends the requests.
        collection: Theirs.
        records: The records.
    """

    def __init__(self, client: PocketBaseClient, collection: str, records: Iterable[Sent]) -> None:
        self._client = client
        self._method = f"migrate/put_{collection}"
        self._parts = _parts(records)
        self._next = self._made()

    async def run(self) -> list[Refused]:
        """Write them; return those that PocketBase refuses."""
        refused: list[Refused] = []
        while (part := await self._next) is not None:
            self._next = self._made()
            refused += await _put(self._client, self._method, part)
        return refused

    def _made(self) -> asyncio.Task[list[Sent] | None]:
        return asyncio.create_task(asyncio.to_thread(next, self._parts, None))


class Turn(NamedTuple):
    """One turn: an asynchronous context, which begins when the turn before is over.

    Attributes:
        before: Set when the turn before is over.
        over: Set when this one is.
    """

    before: asyncio.Event
    over: asyncio.Event

    async def __aenter__(self) -> None:
        try:
            await self.before.wait()
        except BaseException:
            self.over.set()
            raise

    async def __aexit__(self, *_: object) -> None:
        self.over.set()


class Turns:
    """Has tasks do something in the order in which they asked for it, and each make ready what it needs before."""

    def __init__(self) -> None:
        self._last = asyncio.Event()
        self._last.set()

    def take(self) -> Turn:
        """Return the next turn; not a coroutine, so that the order is that of the calls."""
        before, self._last = self._last, asyncio.Event()
        return Turn(before, self._last)


def _parts(records: Iterable[Sent]) -> Iterator[list[Sent]]:
    part: list[Sent] = []
    size = 0
    for record in records:
        if part and size + len(record.data) + SMALL > PART:
            yield part
            part, size = [], 0
        part.append(record)
        size += len(record.data) + SMALL
    if part:
        yield part


async def _put(client: PocketBaseClient, method: str, part: Sequence[Sent]) -> list[Refused]:
    try:
        records = [orjson.Fragment(record.data) for record in part]
        data_urls = dict(ChainMap(*(dict(record.data_urls) for record in part)))
        written = await client.write(method, {"records": records, "data_urls": data_urls})
    except ResponseError as error:
        reason = _reason(error)
        if reason is None:
            raise
    else:
        if written == len(part):
            return []
        reason = _OF_ANOTHER
    if len(part) == 1:
        return [Refused(part[0].key, reason)]
    half = len(part) // 2
    return [*await _put(client, method, part[:half]), *await _put(client, method, part[half:])]


def _reason(error: ResponseError) -> str | None:
    """Return why records were refused, as far as that is their own fault; None if it is not."""
    message = str(error)
    if isinstance(error, TooLargeError):
        return "It is larger than a request to PocketBase, or to a proxy before it, can be."
    if taken := _TAKEN.search(message):
        columns = [name.rpartition(".")[2] for name in taken[1].split(", ")]
        same = " and ".join(columns)
        return f"PocketBase has another record with the same {same}, perhaps in other upper and lower case."
    return next(
        (reason.format(*found.groups()) for pattern, reason in _REASONS if (found := pattern.search(message))), None
    )
