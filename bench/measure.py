"""Timing calls, by one caller or by many at once, and the few statistics of it."""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TypeVar

__all__ = ["Cell", "forget_garbage", "measure", "median", "percentile", "ratios", "spread"]

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


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least this percentage of the values do not exceed.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("no values")
    rank = max(1, math.ceil(percent / 100 * len(values)))
    return sorted(values)[rank - 1]


def ratios(values: Sequence[float], references: Sequence[float]) -> list[float]:
    """Return each value over the reference of the same round: what slowed a round down slowed both."""
    return [value / reference for value, reference in zip(values, references, strict=True)]


def spread(values: Sequence[float]) -> float:
    """Return how far rounds are apart: the middle half of the values, relative to their median."""
    if len(values) < 2:
        return 0.0
    return (percentile(values, 75) - percentile(values, 25)) / median(values)
