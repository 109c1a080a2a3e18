"""Who tells the browsers, of several processes, and of what after the death of one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from openwebui_pocketbase.changes.feed import Change
from openwebui_pocketbase.realtime import leader as module
from openwebui_pocketbase.realtime.leader import Leader


class Lock:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def acquire(self) -> bool:
        self._redis.fail()
        if self._redis.holder is None:
            self._redis.holder = self
        return self._redis.holder is self

    async def reacquire(self) -> bool:
        self._redis.fail()
        if self._redis.holder is not self:
            raise RuntimeError("the lock is another's")
        return True

    async def release(self) -> None:
        self._redis.holder = None


class Redis:
    """What a leader needs of it."""

    def __init__(self) -> None:
        self.holder: Lock | None = None
        self.values: dict[str, Any] = {}
        self.is_away = False

    def fail(self) -> None:
        if self.is_away:
            raise ConnectionError("Redis is away")

    def lock(self, *_: object, **__: object) -> Lock:
        return Lock(self)

    async def get(self, key: str) -> Any:
        self.fail()
        return self.values.get(key)

    async def set(self, key: str, value: Any, **_: object) -> None:
        self.fail()
        self.values[key] = value


class Process:
    """One candidate, and what it was given to tell."""

    def __init__(self, redis: Redis) -> None:
        self.told: list[list[int] | None] = []
        self.leader = Leader(redis, "p", self._take_over)

    async def _take_over(self, changes: list[Change] | None) -> None:
        self.told.append(changes if changes is None else [change.seq for change in changes])

    def keep(self, *numbers: int) -> None:
        for seq in numbers:
            self.leader.keep(Change(seq, "c", "r", "update", 0, [], ""))


@pytest.fixture
def redis() -> Redis:
    return Redis()


@pytest.fixture
def process(redis: Redis) -> Callable[[], Process]:
    return lambda: Process(redis)


async def test_one_leads(process: Callable[[], Process]) -> None:
    one, two = process(), process()
    for each in (one, two, one, two):
        await each.leader._look()
    assert (one.leader.leads, two.leader.leads) == (True, False)
    assert (one.told, two.told) == ([[]], [])


async def test_who_takes_over_tells_what_was_not_told(process: Callable[[], Process], redis: Redis) -> None:
    one, two = process(), process()
    for each in (one, two):
        await each.leader._look()
    two.keep(1, 2, 3, 4)
    await one.leader.told(2)
    await two.leader._look()
    redis.holder = None  # its term is over
    await two.leader._look()
    assert two.leader.leads
    assert two.told == [[3, 4]]
    with pytest.raises(RuntimeError):
        await one.leader._look()


async def test_who_ends_leaves_the_lead(process: Callable[[], Process]) -> None:
    one, two = process(), process()
    await one.leader._look()
    await one.leader.aclose()
    await two.leader._look()
    assert (one.leader.leads, two.leader.leads) == (False, True)


async def test_too_much_or_lost_means_everything(
    process: Callable[[], Process], redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    one, two = process(), process()
    await one.leader._look()
    two.keep(1, 2, 3, 4, 5)
    assert len(two.leader._untold) <= 3
    redis.holder = None
    await two.leader._look()
    assert two.told == [None]


async def test_what_the_leader_has_told_is_not_lost(
    process: Callable[[], Process], redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many changes that was."""
    monkeypatch.setattr(module, "KEPT", 3)
    one, two = process(), process()
    await one.leader._look()
    two.keep(1, 2, 3, 4)
    await one.leader.told(4)
    await two.leader._look()
    two.keep(5)
    redis.holder = None
    await two.leader._look()
    assert two.told == [[5]]


async def test_without_redis_nobody_leads(
    process: Callable[[], Process], redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TICK", 0.0)
    one = process()
    one.leader.start()
    await reached(lambda: one.leader.leads)
    redis.is_away = True
    await reached(lambda: not one.leader.leads)
    redis.is_away = False
    await reached(lambda: one.leader.leads)
    await one.leader.told(7)
    redis.is_away = True
    await one.leader.told(8)  # it cannot, and goes on
    await one.leader.aclose()


async def reached(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
