"""Which of several processes tells the browsers, where the host's sockets run on Redis and one process reaches all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from openwebui_pocketbase.changes.feed import Change
from openwebui_pocketbase.tasks import BackgroundTask

__all__ = ["Leader"]

log = logging.getLogger(__name__)

TERM = 3.0
"""Seconds after which a leader that has not said anything has gone."""

TICK = 1.0
"""Seconds from one look to the next: another leader is there four seconds after the death of one."""

KEPT = 5000
"""Changes that who does not lead keeps, until the leader has told of them; with more, browsers begin anew."""

REMEMBERED = 3600
"""Seconds for which it is known up to which change browsers were told."""


class Leader(BackgroundTask):
    """This process as a candidate. Whoever does not lead keeps the changes that the leader may not have told of.

    Args:
        redis: The host's asynchronous client.
        prefix: Of the host's keys.
        take_over: Awaited, when this process has become the leader, with the changes to tell of; None in place of them
            if there were too many.
    """

    def __init__(self, redis: Any, prefix: str, take_over: Callable[[list[Change] | None], Awaitable[None]]) -> None:
        super().__init__()
        self._redis = redis
        self._lock = redis.lock(f"{prefix}:openwebui_pocketbase:leader", timeout=TERM, blocking=False)
        self._position = f"{prefix}:openwebui_pocketbase:told"
        self._take_over = take_over
        self._leads = False
        self._untold: deque[Change] = deque()
        self._lost = 0
        self._told = 0

    @property
    def leads(self) -> bool:
        """Whether this process tells the browsers."""
        return self._leads

    def keep(self, change: Change) -> None:
        """Keep a change that another process has to tell of."""
        self._untold.append(change)
        if len(self._untold) > KEPT:
            self.lose(change.seq)

    def lose(self, seq: int) -> None:
        """Give up knowing what the leader may not have told up to a change: with that, all browsers begin anew."""
        self._untold.clear()
        self._lost = seq

    async def told(self, seq: int) -> None:
        """Note, for whoever comes next, that browsers have been told of all changes up to this one."""
        if seq == self._told:
            return
        self._told = seq
        with contextlib.suppress(Exception):  # they are told twice then
            await self._redis.set(self._position, seq, ex=REMEMBERED)

    async def aclose(self) -> None:
        """End, and leave the lead to another process at once."""
        await super().aclose()
        if self._leads:
            self._leads = False
            with contextlib.suppress(Exception):  # it ends by itself
                await self._lock.release()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(TERM):
                    await self._look()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next time may do
                if self._leads:
                    log.warning("Redis cannot be asked who tells the browsers of changes: %s", error)
                self._leads = False
            await asyncio.sleep(TICK)

    async def _look(self) -> None:
        if self._leads:
            self._leads = await self._lock.reacquire()
            return
        told = int(await self._redis.get(self._position) or 0)
        while self._untold and self._untold[0].seq <= told:
            self._untold.popleft()
        if self._lost <= told:
            self._lost = 0
        if await self._lock.acquire():
            untold, lost = list(self._untold), self._lost
            self._untold.clear()
            self._lost, self._leads = 0, True
            await self._take_over(None if lost else untold)
