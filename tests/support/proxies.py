"""A TCP proxy before a server, to stage what happens on the way: connections that end or go silent, other answers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

__all__ = ["Proxy"]

END_OF_HEAD = b"\r\n\r\n"


class Proxy:
    """Passes bytes on, unless it is told otherwise.

    Attributes:
        port: Where it listens.
        answer: Given to each new request in place of the server's, and the connection closed; None for the server's.
        is_silent: Whether new connections are accepted and get nothing.
        budget: Returns how many of the server's bytes a new connection lives for; None for all.
        connections: How many were made so far.
        received: What was sent to the server over each of them.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.answer: bytes | None = None
        self.is_silent = False
        self.budget: Callable[[], int] | None = None
        self.received: list[bytearray] = []
        self._target = target
        self._open: dict[asyncio.Task[None], _Connection] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        return len(self.received)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = listening.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listening.close()
            await self.cut()

    async def cut(self) -> None:
        """Cut all connections."""
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)

    def freeze(self, begins: bytes) -> None:
        """Pass nothing on any more over the open connections whose first request begins so, and leave them open."""
        for connection in self._open.values():
            if connection.sent.startswith(begins):
                connection.is_frozen.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = self._open[task] = _Connection()
        self.received.append(connection.sent)
        try:
            if self.answer is not None:
                connection.sent += await reader.readuntil(END_OF_HEAD)
                writer.write(self.answer)
                await writer.drain()
            elif self.is_silent:
                await asyncio.Event().wait()
            else:
                await self._relay(connection, reader, writer)
        except (asyncio.CancelledError, asyncio.IncompleteReadError, OSError):
            writer.transport.abort()
        finally:
            writer.close()
            del self._open[task]

    async def _relay(self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes on in both directions until one of them ends, or the budget is used up."""
        budget = self.budget() if self.budget is not None else sys.maxsize
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        tasks = [
            asyncio.create_task(connection.pump(reader, server_writer, sys.maxsize, connection.sent)),
            asyncio.create_task(connection.pump(server_reader, writer, budget, bytearray())),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            server_writer.transport.abort()
            writer.transport.abort()


class _Connection:
    """One connection; ``sent`` is what the client sent."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.is_frozen = asyncio.Event()

    async def pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, budget: int, kept: bytearray
    ) -> None:
        """Pass so many bytes on in one direction, and keep them."""
        while budget > 0 and (data := await reader.read(min(budget, 65536))):
            kept += data
            budget -= len(data)
            if not self.is_frozen.is_set():
                writer.write(data)
                await writer.drain()
        if self.is_frozen.is_set():
            await asyncio.Event().wait()  # nobody tells of the end of a half-open connection
