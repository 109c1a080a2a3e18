"""The asynchronous client of the hot path."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import aiohttp
import httpx
import orjson
from httpx_aiohttp import AiohttpTransport

from openwebui_pocketbase.client.auth import Authenticator
from openwebui_pocketbase.client.errors import not_pocketbase, response_error, unavailable
from openwebui_pocketbase.client.telemetry import span
from openwebui_pocketbase.exceptions import UnauthorizedError, UnavailableError
from openwebui_pocketbase.settings import PoolSettings, TimeoutSettings

__all__ = ["PocketBaseClient"]

_GUARD = {"X-Owui-Guard": "superuser"}
"""Makes PocketBase's own endpoints answer 401 without superuser rights, as ours do in any case."""


class PocketBaseClient:
    """Sends requests, from any number of tasks, threads and event loops.

    Requests go straight to httpx's transport interface: what `httpx.AsyncClient` adds on top
    (redirects, cookies, merging of URLs) is not needed here and costs a third of the time.

    Args:
        timeouts: Limits of one request, and of its repetition.
        pool: Limits of the connections of one event loop.
    """

    def __init__(self, *, timeouts: TimeoutSettings, pool: PoolSettings) -> None:
        self._url = self._host = ""
        self._urls: dict[str, httpx.URL] = {}
        self._authenticator = Authenticator(None)
        self._recover: Callable[[], str] | None = None
        self._retry_for = timeouts.retry
        self._extensions = {"timeout": {"connect": timeouts.connect, "read": timeouts.read, "pool": timeouts.pool}}
        self._pool = pool
        self._transports: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, AiohttpTransport] = (
            weakref.WeakKeyDictionary()
        )

    def connect(self, url: str, authenticator: Authenticator, *, recover: Callable[[], str] | None = None) -> None:
        """Say which server to talk to; until then every request fails.

        Args:
            url: Address of the server.
            authenticator: Gives the superuser token.
            recover: Called when the server cannot be reached, before a repetition; blocks. Brings an
                embedded server back and returns its address.
        """
        self._authenticator = authenticator
        self._recover = recover
        self._move_to(url)

    async def read(self, path: str, parameters: Mapping[str, Any]) -> Any:
        """Call a method that only reads, such as ``tags/get_tags_by_user_id``.

        Raises:
            RequestError: See the error tree; after repetition where the server was unavailable.
        """
        return await self._send("POST", f"/api/owui/{path}", encode(parameters), {})

    async def write(self, path: str, parameters: Mapping[str, Any]) -> Any:
        """Call a method that writes.

        The request carries an idempotency key: however often it is repeated, it is applied once.

        Raises:
            RequestError: See `read`. After an `UnavailableError` it is unknown whether it was applied.
        """
        headers = {"Idempotency-Key": _idempotency_key()}
        return await self._send("POST", f"/api/owui/{path}", encode(parameters), headers)

    async def get(self, path: str) -> Any:
        """Get one of PocketBase's own endpoints, such as ``/api/collections/x/records?filter=...``."""
        return await self._send("GET", path, b"", _GUARD)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        transport = self._transports.pop(asyncio.get_running_loop(), None)
        if transport is not None:
            await transport.aclose()

    async def _send(self, method: str, path: str, content: bytes, headers: dict[str, str]) -> Any:
        """Send a request that may be repeated until it is answered or the time for that is over."""
        if not self._url:
            raise UnavailableError("PocketBase was called before Open WebUI's start was complete.", url=path)
        with span(path.removeprefix("/api/owui/"), method):
            give_up_at = asyncio.get_running_loop().time() + self._retry_for
            renewed = False
            delays = _delays()
            while True:
                try:
                    token = await self._authenticator.token()
                    try:
                        return await self._attempt(method, path, content, headers, token)
                    except UnauthorizedError:
                        if renewed or not self._authenticator.can_renew:
                            raise
                        await self._authenticator.renew(token)
                        renewed = True
                except UnavailableError as error:
                    await self._wait(next(delays), give_up_at, error)

    async def _wait(self, delay: float, give_up_at: float, failure: UnavailableError) -> None:
        """Wait, and bring an embedded server back; raise the failure when the time for that is over."""
        try:
            async with asyncio.timeout_at(give_up_at):
                await asyncio.sleep(delay)
                if self._recover is not None:
                    self._move_to(await asyncio.to_thread(self._recover))
        except TimeoutError:
            raise failure from failure.__cause__

    async def _attempt(self, method: str, path: str, content: bytes, headers: dict[str, str], token: str) -> Any:
        url = self._urls.get(path) or self._remember_url(path)
        all_headers = {
            "Host": self._host,
            "Authorization": token,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",  # the answer's bytes are taken as they come
            **headers,
        }
        request = httpx.Request(method, url, headers=all_headers, content=content, extensions=self._extensions)
        try:
            response = await self._transport().handle_async_request(request)
            body = await _read(response)
        except (httpx.TransportError, aiohttp.ClientError, OSError) as error:  # the transport does not map all
            raise unavailable(self._url + path.partition("?")[0], error) from error
        if response.status_code != httpx.codes.OK:
            raise response_error(self._url + path.partition("?")[0], response.status_code, body)
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise not_pocketbase(self._url) from error

    def _remember_url(self, path: str) -> httpx.URL:
        url = httpx.URL(self._url + path)
        if "?" not in path:  # methods are few, queries are not
            self._urls[path] = url
        return url

    def _move_to(self, url: str) -> None:
        if url != self._url:
            self._url = url
            self._host = httpx.URL(url).netloc.decode()
            self._urls.clear()

    def _transport(self) -> AiohttpTransport:
        loop = asyncio.get_running_loop()
        transport = self._transports.get(loop)
        if transport is None:
            # verify concerns a connector which the transport would make itself; ours verifies.
            transport = AiohttpTransport(client=self._session, verify=False)
            self._transports[loop] = transport
        return transport

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._pool.max_connections, keepalive_timeout=self._pool.keepalive),
            cookie_jar=aiohttp.DummyCookieJar(),
        )


def encode(parameters: Mapping[str, Any]) -> bytes:
    """Return parameters as JSON.

    Raises:
        UnicodeEncodeError: A text has lone surrogates; what SQL drivers raise, too.
        TypeError: A value has no JSON form.
    """
    try:
        return orjson.dumps(parameters)
    except TypeError:
        return json.dumps(parameters, ensure_ascii=False, allow_nan=False).encode()


async def _read(response: httpx.Response) -> bytes:
    """Read an answer, without the decoding and bookkeeping of `httpx.Response.aread`, a tenth of a call's time."""
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - for the type checker
    try:
        return b"".join([chunk async for chunk in response.stream])
    finally:
        await response.stream.aclose()


def _idempotency_key() -> str:
    """Return a new key that sorts by time, so that the server can prune old ones without an index for it."""
    return f"{time.time_ns() // 1_000_000:012x}-{secrets.token_hex(10)}"


def _delays() -> Iterator[float]:
    """Seconds between repetitions: doubling, up to a second, with jitter against thundering herds."""
    delay = 0.05
    while True:
        yield delay * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        delay = min(delay * 2, 1.0)
