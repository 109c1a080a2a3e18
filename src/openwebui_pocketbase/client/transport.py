"""HTTP/1.1 to one server, and no more of it than PocketBase needs: half the time of a request by a general client.

Parsing is httptools', the library behind uvicorn. Kept here are connections and limits: a connection carries one
request at a time and is kept open for the next.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections import deque
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import httptools
import httpx

from openwebui_pocketbase.client.trust import Trust
from openwebui_pocketbase.settings import PoolSettings, TimeoutSettings

__all__ = ["ENCODINGS", "Answer", "Transport", "TransportError"]

INFORMATIONAL = range(100, 200)

ENCODINGS = frozenset({"identity", "gzip", "deflate"})
"""Encodings of a body that are understood; "identity" is asked for, but proxies compress nevertheless."""

KEPT_HEADERS = frozenset({b"content-encoding", b"location", b"retry-after", b"x-owui-run", b"x-owui-config"})
"""Headers that say why there is no good answer, which PocketBase itself does not send; which process answered; and
which version the configuration has."""

GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class TransportError(OSError):
    """The connection ended before the whole answer had come, or what came is not HTTP."""


class Answer(NamedTuple):
    """Status and body of an answer, and those of its headers which are in `KEPT_HEADERS`, in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})


class Transport:
    """Connections to a server, for one event loop.

    Args:
        url: Address of the server; a path in it is left to the caller.
        timeouts: Limits of one request.
        pool: Limits of the connections.
        trust: What the server has to prove on each connection before it is sent anything; None for nothing.
    """

    def __init__(
        self, url: httpx.URL, *, timeouts: TimeoutSettings, pool: PoolSettings, trust: Trust | None = None
    ) -> None:
        self._url = url
        self._trust = trust
        self._host = url.host
        self._ssl = ssl.create_default_context() if url.scheme == "https" else None
        self._port = url.port or (443 if self._ssl else 80)
        self._timeouts = timeouts
        self._keepalive = pool.keepalive
        self._slots = asyncio.Semaphore(pool.max_connections)
        self._long_slots = asyncio.Semaphore((pool.max_connections + 1) // 2)
        self._idle: deque[_Connection] = deque()
        self._left: set[_Connection] = set()

    async def send(self, head: bytes, body: bytes, *, is_waiting: bool = False, is_long: bool = False) -> Answer:
        """Send a request.

        If the caller is cancelled, the server works on, and its connection counts until it has answered: otherwise
        people who go away and come back would give it more to do at a time than `max_connections` says.

        Args:
            head: Request line and headers, with ``Content-Length`` and the empty line behind them.
            body: The body.
            is_waiting: Whether the server only waits meanwhile, and ends that when the connection is closed.
            is_long: Whether it is much work, as a search does; half of the connections are for others.

        Raises:
            OSError: There was no whole answer, or none in time; the request may have been carried out.
            UnavailableError: The server has not proved to be ours; the request was not sent.
        """
        if self._slots.locked() or (is_long and self._long_slots.locked()):
            async with asyncio.timeout(self._timeouts.pool):
                await self._take(is_long=is_long)
        else:
            await self._take(is_long=is_long)
        connection: _Connection | None = None
        try:
            while True:
                connection = self._kept() or await self._connect()
                try:
                    answer = await connection.send(head, body, self._timeouts.read, is_waiting=is_waiting)
                except TransportError:
                    if connection.is_fresh or connection.has_begun:
                        raise
                    continue  # the server closed the idle connection at this moment; so it goes with all of them
                self._keep(connection)
                return answer
        finally:
            if connection is None or connection.left is None:
                self._give_back(is_long=is_long)
            else:
                self._left.add(connection)
                connection.left.add_done_callback(partial(self._take_back, connection, is_long=is_long))

    def close(self) -> None:
        """Close the connections whose answers nobody waits for."""
        while self._idle:
            self._idle.pop().close()
        for connection in self._left:
            connection.close()

    async def _take(self, *, is_long: bool) -> None:
        """Take the slot of a request; of a long one first that of its kind, so that it waits in nobody's way."""
        if is_long:
            await self._long_slots.acquire()
        try:
            await self._slots.acquire()
        except BaseException:
            if is_long:
                self._long_slots.release()
            raise

    def _give_back(self, *, is_long: bool) -> None:
        self._slots.release()
        if is_long:
            self._long_slots.release()

    def _take_back(self, connection: _Connection, _: asyncio.Future[Answer], *, is_long: bool) -> None:
        """The server has answered, or never will."""
        connection.left = None
        self._left.discard(connection)
        self._keep(connection)
        self._give_back(is_long=is_long)

    def _keep(self, connection: _Connection) -> None:
        if connection.is_open:
            connection.idle_since = asyncio.get_running_loop().time()
            connection.is_fresh = False
            self._idle.append(connection)

    def _kept(self) -> _Connection | None:
        """Return an open connection of earlier; the last used is the most likely to be in good order."""
        oldest = asyncio.get_running_loop().time() - self._keepalive
        while self._idle and self._idle[0].idle_since < oldest:
            self._idle.popleft().close()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        return None

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._timeouts.connect):
            _, connection = await loop.create_connection(_Connection, self._host, self._port, ssl=self._ssl)
        if self._trust is not None:
            try:
                await self._prove(connection, self._trust)
            except BaseException:
                connection.close()
                raise
        return connection

    async def _prove(self, connection: _Connection, trust: Trust) -> None:
        """Have the server prove that it is ours; nothing else may be sent on this connection before."""
        challenge = trust.challenge()
        path = self._url.raw_path.decode().rstrip("/") + challenge.path
        head = f"GET {path} HTTP/1.1\r\nHost: {self._url.netloc.decode()}\r\nAccept-Encoding: identity\r\n\r\n"
        status, body, headers = await connection.send(head.encode(), b"", self._timeouts.read)
        trust.check(challenge, str(self._url).rstrip("/"), status, body, headers, closes=not connection.is_open)


class _Connection(asyncio.Protocol):
    """One connection; the methods named ``on_...`` are called by the parser.

    Attributes:
        is_fresh: Whether it has had no answer yet.
        has_begun: Whether something of the present answer has come.
        is_open: Whether it can be used again.
        idle_since: Time of the event loop.
        left: Of a request whose caller was cancelled: has a result when the server has answered.
    """

    def __init__(self) -> None:
        self.is_fresh = True
        self.has_begun = False
        self.is_open = True
        self.idle_since = 0.0
        self.left: asyncio.Future[Answer] | None = None
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._body: list[bytes] = []
        self._headers: dict[str, str] = {}
        self._has_length = False
        self._in_body = False
        self._last_bytes_at = 0.0
        self._patience = 0.0
        self._watch: asyncio.TimerHandle | None = None

    async def send(self, head: bytes, body: bytes, patience: float, *, is_waiting: bool = False) -> Answer:
        """Send a request; wait for the answer as long as there are bytes of it every so many seconds."""
        assert self._transport is not None  # noqa: S101 - for the type checker
        if not self.is_open:
            raise TransportError("the connection was closed")
        self._answer = self._loop.create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._body, self._headers, self._has_length, self._in_body, self.has_begun = [], {}, False, False, False
        self._patience, self._last_bytes_at = patience, self._loop.time()
        self._transport.write(head + body)
        self._watch = self._loop.call_later(patience, self._check)
        try:
            return await asyncio.shield(self._answer)  # it may have come, or come yet
        except asyncio.CancelledError:
            if not self._answer.done() and (is_waiting or self._transport.get_write_buffer_size()):
                self.close()  # the server has nothing to do yet
            else:
                self.left = self._answer
                self.left.add_done_callback(self._end_watch)
            raise
        finally:
            if self.left is None:
                self._watch.cancel()

    def close(self) -> None:
        """Close it at once."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's is none of asyncio's classes

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self._answer is None or self._answer.done():
            self.close()  # nobody asked
            return
        self.has_begun = True
        self._last_bytes_at = self._loop.time()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(TransportError(f"the answer is not HTTP: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._answer is None or self._answer.done():
            return
        if self._in_body and not self._has_length and error is None:
            self.on_message_complete()  # the end of the connection is the end of the body
        else:
            self._fail(TransportError(str(error) if error else "the connection was closed"))

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in (b"content-length", b"transfer-encoding"):
            self._has_length = True
        elif name in KEPT_HEADERS:
            self._headers[name.decode()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        assert self._parser is not None  # noqa: S101 - for the type checker
        assert self._answer is not None  # noqa: S101 - for the type checker
        status = self._parser.get_status_code()
        if status in INFORMATIONAL:  # the answer comes behind it
            self._body, self._headers, self._has_length, self._in_body = [], {}, False, False
            return
        if not self._parser.should_keep_alive():
            self.is_open = False
        try:
            body = self._decoded(b"".join(self._body))
        except zlib.error as error:
            self._fail(TransportError(f"the answer cannot be decompressed: {error}"))
            return
        if not self._answer.done():
            self._answer.set_result(Answer(status, body, self._headers))
        if not self.is_open and self._transport is not None:
            self._transport.close()

    def _decoded(self, body: bytes) -> bytes:
        """Undo what a proxy did in spite of "identity", as far as it is understood."""
        if not self._headers or self._headers.get("content-encoding") not in ENCODINGS:
            return body
        encoding = self._headers.pop("content-encoding")
        return body if encoding == "identity" or not body else zlib.decompress(body, GZIP_OR_ZLIB)

    def _end_watch(self, left: asyncio.Future[Answer]) -> None:
        left.exception()  # of interest to nobody
        if self._watch is not None:
            self._watch.cancel()

    def _check(self) -> None:
        silence = self._loop.time() - self._last_bytes_at
        if silence >= self._patience:
            self._fail(TimeoutError(f"nothing came for {self._patience:g} seconds"))
        else:
            self._watch = self._loop.call_later(self._patience - silence, self._check)

    def _fail(self, error: OSError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.close()
