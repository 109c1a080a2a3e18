"""How long somebody else waits while something large is done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bench.backends import WorkerError

__all__ = ["PAUSE", "waits"]

PAUSE = 0.05
"""Seconds between two requests of somebody else."""


async def waits(is_over: Callable[[], bool], send: Callable[[], Awaitable[object]]) -> list[float]:
    """Send requests, one after the other, until something is over; return how many seconds each took."""
    seconds = []
    while not is_over():
        began = time.monotonic()
        with suppress(WorkerError):  # stock gives up after some seconds: it is locked
            await send()
        seconds.append(time.monotonic() - began)
        await asyncio.sleep(PAUSE)
    return seconds or [0.0]
