"""A gate in front of everything in the host that stores data: closed for a moment, while another backend takes over.

Calls that are inside go on, with everything they call in turn; later ones wait. So there comes a moment when nothing
is inside: then the implementations are exchanged, and no request fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

__all__ = ["Call", "Gate"]


class Call:
    """A call that nobody else's call is around."""

    __slots__ = ("before", "is_active", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_active = True
        self.before: Call | None = None


_Waiter = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class Gate:
    """Lets calls pass and counts them; may be used on any thread, and on several event loops."""

    def __init__(self) -> None:
        self._inside: ContextVar[Call | None] = ContextVar("inside", default=None)
        self._calls: set[Call] = set()
        self._is_held = False
        self._until = math.inf
        self._waiting: list[_Waiter] = []
        self._opened = threading.Condition(threading.Lock())

    @property
    def is_inside(self) -> bool:
        """Whether a call that has passed is around the caller.

        A task that such a call has left behind is not inside any more: it has the context, but the call has ended.
        """
        call = self._inside.get()
        return call is not None and call.is_active

    @property
    def calls(self) -> list[str]:
        """The names of the calls that are inside."""
        with self._opened:
            return [call.name for call in self._calls]

    async def enter(self, name: str) -> Call:
        """Wait until the gate is open; return what is to be given to `leave`."""
        call = Call(name)
        while not self._begin(call):
            await self._until_opened()
        call.before = self._inside.get()
        self._inside.set(call)
        return call

    def enter_blocking(self, name: str) -> Call:
        """Do the same in a thread."""
        call = Call(name)
        while not self._begin(call):
            self._until_opened_blocking()
        call.before = self._inside.get()
        self._inside.set(call)
        return call

    def leave(self, call: Call) -> None:
        """Note that a call is over."""
        call.is_active = False
        with self._opened:
            self._calls.discard(call)
        # No token: a context manager of the host may be left in another context than it was entered in.
        self._inside.set(call.before)

    @asynccontextmanager
    async def passing(self, name: str) -> AsyncIterator[None]:
        """Wait until the gate is open, and be inside."""
        if self.is_inside:
            yield
            return
        call = await self.enter(name)
        try:
            yield
        finally:
            self.leave(call)

    @contextmanager
    def passing_blocking(self, name: str) -> Iterator[None]:
        """Wait until the gate is open, and be inside; for functions that block.

        On an event loop nobody waits: that would keep the calls which are inside from ending, and implementations are
        not exchanged before the function has returned, as that is done on the loop.
        """
        if self.is_inside or _is_on_event_loop():
            yield
            return
        call = self.enter_blocking(name)
        try:
            yield
        finally:
            self.leave(call)

    def hold(self) -> None:
        """Have calls wait from now on."""
        with self._opened:
            self._is_held = True

    def open(self) -> None:
        """Let calls pass, also those that wait."""
        with self._opened:
            self._is_held = False
        self._wake()

    def lets_pass_for(self, seconds: float) -> None:
        """Have calls wait from that time on, unless this is called again before.

        Whoever decides that the gate is to be held may not be heard any more, and go on without this process.
        """
        with self._opened:
            self._until = time.monotonic() + seconds
            if self._is_held or not self._waiting:
                return
        self._wake()

    def _begin(self, call: Call) -> bool:
        with self._opened:
            if self._is_held or time.monotonic() > self._until:
                return False
            self._calls.add(call)
            return True

    async def _until_opened(self) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._opened:
            if not self._is_held and time.monotonic() <= self._until:
                return
            self._waiting.append((loop, future))
        await future

    def _until_opened_blocking(self) -> None:
        with self._opened:
            self._opened.wait_for(lambda: not self._is_held and time.monotonic() <= self._until)

    def _wake(self) -> None:
        with self._opened:
            waiting, self._waiting = self._waiting, []
            self._opened.notify_all()
        for loop, future in waiting:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(_finish, future)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
