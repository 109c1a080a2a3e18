"""The asynchronous client of the hot path."""

from __future__ import annotations

import asyncio
import math
import random
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from openwebui_pocketbase.client.auth import Authenticator
from openwebui_pocketbase.client.data_urls import DataUrls
from openwebui_pocketbase.client.errors import encoded, not_pocketbase, response_error, unavailable
from openwebui_pocketbase.client.telemetry import span
from openwebui_pocketbase.client.transport import Transport
from openwebui_pocketbase.client.trust import Trust
from openwebui_pocketbase.client.wire import Reply, encode, idempotency_key, lenient_loads, reply_of
from openwebui_pocketbase.data_urls import PREFIX
from openwebui_pocketbase.exceptions import ConflictError, UnauthorizedError, UnavailableError
from openwebui_pocketbase.host_request import serving
from openwebui_pocketbase.origin import SCRIPT, new_origin
from openwebui_pocketbase.settings import PoolSettings, TimeoutSettings

__all__ = ["PocketBaseClient"]

ATTEMPTS = 3
"""So often a write is sent for whose data URLs PocketBase asks again: it may be restored just then."""

LONGEST_TURN = 20.0
"""Seconds after which a large write no longer waits for others, which may wait for PocketBase."""

Server = tuple[str, Trust | None]
"""Address of a server, and what it has to prove."""

_MARKED = PREFIX.encode()
"""What an answer has in the place of data URLs."""


class PocketBaseClient:
    """Sends requests, from any number of tasks, threads and event loops.

    Args:
        timeouts: Limits of one request, and of its repetition.
        pool: Limits of the connections of one event loop.
        opener: Called by the first request, if nobody has called `connect` by then; blocks, and calls `connect`.

    Attributes:
        run: Names the process of PocketBase that answered last; another one may have other, restored data.
        met_run: The process that `on_new_run` has dealt with.
        on_new_run: Awaited before an answer of another process than ``met_run`` is given to whoever reads.
        written: Number of the newest change in the feed that this client made.
        origin: Says in the feed which changes this client made.
    """

    def __init__(
        self, *, timeouts: TimeoutSettings, pool: PoolSettings, opener: Callable[[], object] | None = None
    ) -> None:
        self.run = ""
        self.met_run = ""
        self.on_new_run: Callable[[str], Awaitable[None]] | None = None
        self.written = 0
        self.origin = new_origin(SCRIPT)
        self._url = ""
        self._trust: Trust | None = None
        self._opener = opener
        self._heads: dict[str, str] = {}
        self._authenticator = Authenticator(None)
        self._recover: Callable[[], Server] | None = None
        self._data_urls = DataUrls(self._read_as_is, self._write_as_is)
        self._retry_for = timeouts.retry
        self._timeouts = timeouts
        self._pool = pool
        self._transports: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Transport] = weakref.WeakKeyDictionary()
        self._turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()

    def connect(
        self,
        url: str,
        authenticator: Authenticator,
        *,
        trust: Trust | None = None,
        recover: Callable[[], Server] | None = None,
    ) -> None:
        """Say which server to talk to; until then every request fails.

        Args:
            url: Address of the server.
            authenticator: Gives the superuser token.
            trust: What the server has to prove on each new connection; None for nothing.
            recover: Called when the server cannot be reached, before a repetition; blocks. Brings an
                embedded server back, and returns its address and what it has to prove there.
        """
        self._authenticator = authenticator
        self._recover = recover
        self._move_to((url, trust))

    @property
    def url(self) -> str:
        """Address of the server, ``""`` before `connect`; an embedded server's changes when it comes back elsewhere."""
        return self._url

    @property
    def longest_wait(self) -> float:
        """Seconds for which a request may wait for something to happen before it is answered; 0 for none."""
        # With one connection nobody else could ask meanwhile.
        return self._timeouts.read / 2 if self._pool.max_connections > 1 else 0.0

    async def read(
        self,
        path: str,
        parameters: Mapping[str, Any],
        *,
        meet: bool = True,
        lenient: bool = False,
        is_waiting: bool = False,
    ) -> Any:
        """Call a method that only reads, such as ``tags/get_tags_by_user_id``.

        Args:
            path: The method.
            parameters: The request's body.
            meet: Whether `on_new_run` comes first; what that does reads without it.
            lenient: Whether bytes that are no UTF-8, which raw SQL can leave, become replacement characters.
            is_waiting: Whether it waits for something to happen, until nobody listens any more.

        Raises:
            RequestError: See the error tree; after repetition where the server was unavailable.
            ConfigurationError: PocketBase was replaced by one that has none of the users.
        """
        parse = lenient_loads if lenient else orjson.loads
        answer = await self._send(
            "POST", f"/api/owui/{path}", encode(parameters), "", parse=parse, is_waiting=is_waiting
        )
        if self.run != self.met_run and meet:
            await self._meet()
        return answer

    async def read_bytes(self, path: str, parameters: Mapping[str, Any]) -> bytes:
        """Call a method that only reads; return its answer as it came, JSON.

        Raises:
            RequestError: See `read`.
            ConfigurationError: See `read`.
        """
        answer: bytes = await self._send("POST", f"/api/owui/{path}", encode(parameters), "", parse=bytes)
        if self.run != self.met_run:
            await self._meet()
        return answer

    async def write(
        self,
        path: str,
        parameters: Mapping[str, Any],
        *,
        is_urgent: bool = True,  # noqa: ARG002 - see Mirror.write
        is_large: bool = False,
    ) -> Any:
        """Call a method that writes; return its answer.

        Args:
            path: The method, such as ``tags/insert_new_tag``.
            parameters: The request's body.
            is_urgent: Of no meaning without copies in the SQL database; see the mirror's method.
            is_large: See `submit`.

        Raises:
            RequestError: See `submit`.
        """
        return (await self.submit(path, parameters, is_large=is_large)).answer

    async def submit(
        self, path: str, parameters: Mapping[str, Any], *, mirrored_up_to: str = "", is_large: bool = False
    ) -> Reply:
        """Call a method that writes; return its whole reply.

        The request carries an idempotency key: however often it is repeated, it is applied once.

        Args:
            path: The method.
            parameters: The request's body; ``data_urls`` are those for which it has marks, and are stored first.
            mirrored_up_to: Cursor of a change in the feed. With it the reply has ``changes``: rows of mirrored tables
                that changed since, by this write as well.
            is_large: Whether it changes thousands of records, or megabytes. Of these one at a time is sent: whoever
                comes behind twenty would wait for all of them, as PocketBase has one writer. It is encoded in a thread.

        Raises:
            RequestError: See `read`. After an `UnavailableError` it is unknown whether it was applied.
        """
        # A record's id, which is part of the cursor, can be any text.
        headers = f"X-Owui-Mirrored-Up-To: {quote(mirrored_up_to)}\r\n" if mirrored_up_to else ""
        async with self._turn() if is_large else nullcontext():
            if found := parameters.get("data_urls"):
                # Names in the body: a proxy takes some kilobytes of headers only.
                content = encode({**parameters, "data_urls": [PREFIX + name for name in found]})
                return await self._submit_marked(path, content, headers, found)
            content = await asyncio.to_thread(encode, parameters) if is_large else encode(parameters)
            return await self._submit(path, content, headers)

    async def _submit_marked(self, path: str, content: bytes, headers: str, found: Mapping[str, str]) -> Reply:
        """Send a write that has marks of data URLs, and these first."""
        for _ in range(ATTEMPTS):
            named, number = await self._data_urls.store(content, found)
            more = f"{headers}X-Owui-Data-Urls: {number}\r\n"
            try:
                return await self._submit(path, named, more)
            except ConflictError as error:
                if error.code != "data_urls":
                    raise
                self._data_urls.forget()  # PocketBase was restored
        raise UnavailableError("PocketBase does not keep the data URLs that it is sent.", url=self._url + path)

    async def _submit(self, path: str, content: bytes, headers: str) -> Reply:
        headers += f"Idempotency-Key: {idempotency_key(self.origin)}\r\n"
        if (request := serving.get()) is not None:
            request.forget()  # before it is sent: whether it was applied may remain unknown
        reply: Reply = await self._send("POST", f"/api/owui/{path}", content, headers, parse=reply_of)
        if reply.last is not None:
            self.written = reply.last
        return reply

    async def _read_as_is(self, path: str, parameters: Mapping[str, Any]) -> bytes:
        answer: bytes = await self._send(
            "POST", f"/api/owui/{path}", encode(parameters), "", parse=bytes, is_marked=False
        )
        return answer

    async def _write_as_is(self, path: str, content: bytes) -> Any:
        return (await self._submit(path, content, "")).answer

    async def ping(self) -> None:
        """Return when PocketBase has answered a superuser's request.

        Raises:
            RequestError: See `read`.
        """
        await self._send("GET", "/api/owui/version", b"", "")

    async def start_job(self, name: str) -> None:
        """Have PocketBase begin with a job that it would do by itself later.

        Args:
            name: The job's id.

        Raises:
            RequestError: See `read`.
        """
        await self._send("POST", f"/api/crons/{name}", b"", "", parse=bytes, status=httpx.codes.NO_CONTENT)

    async def subscribe(self, client_id: str, topics: Sequence[str]) -> None:
        """Subscribe a client of PocketBase's realtime, in place of what it was subscribed to before.

        Args:
            client_id: The client, as its stream names it.
            topics: Names of topics.

        Raises:
            NotFoundError: PocketBase has no such client, or no longer.
            RequestError: See `read`.
        """
        content = encode({"clientId": client_id, "subscriptions": topics})
        await self._send("POST", "/api/realtime", content, "", parse=bytes, status=httpx.codes.NO_CONTENT)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        transport = self._transports.pop(asyncio.get_running_loop(), None)
        if transport is not None:
            transport.close()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        lock = self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        try:
            async with asyncio.timeout(LONGEST_TURN):
                await lock.acquire()
        except TimeoutError:
            yield
            return
        try:
            yield
        finally:
            lock.release()

    async def _meet(self) -> None:
        if self.on_new_run is None:
            self.met_run = self.run
        else:
            await self.on_new_run(self.run)

    async def _send(
        self,
        method: str,
        path: str,
        content: bytes,
        headers: str,
        *,
        parse: Callable[[bytes], Any] = orjson.loads,
        status: int = httpx.codes.OK,
        is_marked: bool = True,
        is_waiting: bool = False,
    ) -> Any:
        """Send a request that may be repeated until it is answered or the time for that is over.

        Args:
            method: Of HTTP.
            path: From the server's address on.
            content: The body.
            headers: More headers, each with its line end.
            parse: Makes the answer from the reply's body.
            status: HTTP status of a good reply.
            is_marked: Whether data URLs are put in where the answer has marks of them.
            is_waiting: See `read`.
        """
        if not self._url and self._opener is not None:
            await asyncio.to_thread(self._opener)
        if not self._url:
            raise UnavailableError("There is no connection to PocketBase yet.", url=path)
        with span(path.removeprefix("/api/owui/"), method):
            give_up_at = math.inf
            renewed = False
            delays = _delays()
            while True:
                try:
                    token = await self._authenticator.token()
                    try:
                        answer = await self._attempt(method, path, content, headers, token, status, is_waiting)
                        if is_marked and _MARKED in answer:
                            answer = await self._data_urls.put_in(answer)
                        return parse(answer)
                    except orjson.JSONDecodeError as error:
                        raise not_pocketbase(self._url) from error
                    except UnauthorizedError:
                        if renewed or not self._authenticator.can_renew:
                            raise
                        await self._authenticator.renew(token)
                        renewed = True
                except UnavailableError as error:
                    now = asyncio.get_running_loop().time()
                    # From the first failure on: what became of a write whose answer was waited for in vain is known
                    # from another attempt only, which waits for the first.
                    give_up_at = min(give_up_at, now + self._retry_for)
                    if now + error.retry_after > give_up_at:
                        raise
                    await self._wait(max(next(delays), error.retry_after), give_up_at, error)

    async def _wait(self, delay: float, give_up_at: float, failure: UnavailableError) -> None:
        """Wait, and bring an embedded server back; raise the failure when the time for that is over."""
        try:
            async with asyncio.timeout_at(give_up_at):
                await asyncio.sleep(delay)
                if self._recover is not None:
                    self._move_to(await asyncio.to_thread(self._recover))
        except TimeoutError:
            raise failure from failure.__cause__

    async def _attempt(
        self, method: str, path: str, content: bytes, headers: str, token: str, expected: int, is_waiting: bool
    ) -> bytes:
        head = self._heads.get(path) or self._make_head(method, path)
        lines = f"{head}Authorization: {token}\r\n{headers}Content-Length: {len(content)}\r\n\r\n"
        sent_at = time.monotonic()
        try:
            status, body, received = await self._transport().send(
                lines.encode(), content, is_waiting=is_waiting, is_long="/search" in path
            )
        except OSError as error:
            raise unavailable(self._url + path.partition("?")[0], error) from error
        if status != expected:
            raise response_error(self._url + path.partition("?")[0], status, body, received)
        if "content-encoding" in received:
            raise encoded(self._url, received["content-encoding"])
        self.run = received.get("x-owui-run", self.run)
        if (request := serving.get()) is not None and (config := received.get("x-owui-config")):
            # A read sees at least what was stored when it was sent, a write what it has stored itself.
            request.note(config, time.monotonic() if headers else sent_at)
        return body

    def _make_head(self, method: str, path: str) -> str:
        """Return the request line and the headers which are always the same."""
        url = httpx.URL(self._url + path)
        head = (
            f"{method} {url.raw_path.decode()} HTTP/1.1\r\n"
            f"Host: {url.netloc.decode()}\r\n"
            "Content-Type: application/json\r\n"
            "Accept-Encoding: identity\r\n"  # the answer's bytes are taken as they come
        )
        if "?" not in path:  # methods are few, queries are not
            self._heads[path] = head
        return head

    def _move_to(self, server: Server) -> None:
        if server != (self._url, self._trust):
            self._url, self._trust = server
            self._heads.clear()
            self._transports.clear()

    def _transport(self) -> Transport:
        loop = asyncio.get_running_loop()
        transport = self._transports.get(loop)
        if transport is None:
            transport = Transport(httpx.URL(self._url), timeouts=self._timeouts, pool=self._pool, trust=self._trust)
            self._transports[loop] = transport
        return transport


def _delays() -> Iterator[float]:
    """Seconds between repetitions: doubling, up to a second, with jitter against thundering herds."""
    delay = 0.05
    while True:
        yield delay * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        delay = min(delay * 2, 1.0)
