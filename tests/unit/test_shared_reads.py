"""Reads that several callers share: nobody gets what was read before they asked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openwebui_pocketbase.seams.event_functions import shared
from openwebui_pocketbase.shared_reads import SharedReads


class Source:
    """Something that is read, which takes a while and can change."""

    def __init__(self) -> None:
        self.value: Any = 0
        self.reads = 0
        self.go = asyncio.Event()

    async def read(self) -> Any:
        self.reads += 1
        value = self.value
        await self.go.wait()
        if isinstance(value, Exception):
            raise value
        return value


async def begin(*awaitables: Any) -> list[asyncio.Task[Any]]:
    """Let callers ask, and wait for what they are waiting for."""
    tasks = [asyncio.ensure_future(each) for each in awaitables]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_whoever_asks_after_a_read_began_gets_what_was_changed_before() -> None:
    source, reads = Source(), SharedReads()
    (first,) = await begin(reads.read("a", source.read))
    source.value = 1
    later = await begin(*(reads.read("a", source.read) for _ in range(9)))
    assert source.reads == 1
    source.go.set()
    assert [await first, *(await asyncio.gather(*later))] == [0] + 9 * [1]
    assert source.reads == 2
    source.value = 2
    assert await reads.read("a", source.read) == 2
    assert source.reads == 3


async def test_kinds_have_reads_of_their_own() -> None:
    source, reads = Source(), SharedReads()
    source.go.set()
    await asyncio.gather(reads.read("a", source.read), reads.read("b", source.read))
    assert source.reads == 2


async def test_a_failure_is_that_of_all_who_share_the_read() -> None:
    source, reads = Source(), SharedReads()
    (first,) = await begin(reads.read("a", source.read))
    source.value = ValueError("locked")
    later = await begin(*(reads.read("a", source.read) for _ in range(3)))
    source.go.set()
    assert await first == 0
    assert [type(each) for each in await asyncio.gather(*later, return_exceptions=True)] == 3 * [ValueError]
    source.value = 1
    assert await reads.read("a", source.read) == 1


async def test_a_caller_who_gives_up_takes_nothing_from_others() -> None:
    source, reads = Source(), SharedReads()
    first, second, third = await begin(*(reads.read("a", source.read) for _ in range(3)))
    for each in (first, second):
        each.cancel()
    source.go.set()
    assert await third == 0
    assert source.reads == 2
    with pytest.raises(asyncio.CancelledError):
        await second


class Function:
    def __init__(self, name: str) -> None:
        self.name = name

    def model_copy(self, *, deep: bool) -> Function:
        assert deep
        return Function(self.name)


async def test_functions_are_the_callers_own() -> None:
    sessions: list[Any] = []

    async def stock(_self: Any, type: str, active_only: bool = False, db: Any = None) -> list[Any]:
        sessions.append(db)
        return [Function(f"{type} {active_only}")]

    read = shared(stock)
    one, other, third = await asyncio.gather(*(read(None, "event", active_only=True) for _ in range(3)))
    assert [each[0].name for each in (one, other, third)] == 3 * ["event True"]
    assert len({id(each[0]) for each in (one, other, third)}) == 3
    assert len(sessions) == 2
    session = object()
    await asyncio.gather(*(read(None, "event", True, session) for _ in range(3)))
    assert sessions == [None, None, session, session, session]
