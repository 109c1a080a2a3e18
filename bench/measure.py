"""Timing calls, by one caller or by many at once."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

from bench.stats import percentile

__all__ = ["Cell", "forget_garbage", "measure"]

I = TypeVar("I")  # noqa: E741 - inputs
O = TypeVar("O")  # noqa: E741 - outputs


@dataclass(frozen=True)
class Cell:
    """What one measurement gave.

    Attributes:
        p50: Median duration of a call, in milliseconds.
        p99: Duration which one call in a hundred exceeds, in milliseconds.
        rate: Calls per second, of all callers together.
        failures: Calls that raised or answered wrongly.
    """

    p50: float
    p99: float
    rate: float
    failures: int


async def measure(
    send: Callable[[I], Awaitable[O]], inputs: Sequence[I], *, accepts: Callable[[O], bool], callers: int
) -> Cell:
    """Send all inputs, each caller the next one as soon as it has its answer.

    Args:
        send: Makes one call.
        inputs: One per call; at least one.
        accepts: Whether a result is right.
        callers: How many calls are under way at a time.
    """
    waiting = iter(inputs)
    durations: list[float] = []
    failures = 0
    last: Exception | None = None

    async def caller() -> None:
        nonlocal failures, last
        for item in waiting:
            start = perf_counter()
            try:
                result = await send(item)
                durations.append(perf_counter() - start)
                failures += not accepts(result)
            except Exception as error:  # noqa: BLE001 - counted, whatever it is
                failures += 1
                last = error

    gc.collect()  # of earlier garbage only: what a call leaves behind belongs to its cost, as in the application
    start = perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    elapsed = perf_counter() - start
    if not durations:
        raise RuntimeError(f"All {len(inputs)} calls failed.") from last
    return Cell(percentile(durations, 50) * 1e3, percentile(durations, 99) * 1e3, len(durations) / elapsed, failures)


def forget_garbage() -> None:
    """Take what is in memory now, all of the host's modules, out of every later collection."""
    gc.collect()
    gc.freeze()
