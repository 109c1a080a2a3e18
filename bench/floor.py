"""The floor under a repository on PocketBase: its own requests, sent with nothing around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from bench.measure import Cell, measure

__all__ = ["Recorder", "Request", "replay"]

_OWN_TO_A_CONNECTION = frozenset(("host", "content-length", "connection"))


@dataclass(frozen=True)
class Request:
    """An HTTP request as the adapter sends it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Recorder:
    """Stands in for PocketBase, answers everything with ``null`` and keeps what it was sent.

    Nothing reaches the database: a recorded write is done for the first time when it is replayed.

    Attributes:
        url: Address to connect to.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._requests: list[Request] = []

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[Recorder]:
        """Listen on a free port."""
        recorder = cls("")
        runner = web.ServerRunner(web.Server(recorder._answer))
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            recorder.url = f"http://{host}:{port}"
            yield recorder
        finally:
            await runner.cleanup()

    async def record(
        self, method: Callable[..., Awaitable[Any]], arguments: Iterable[tuple[Any, ...]]
    ) -> list[Request]:
        """Return the first request that each of the calls makes.

        Args:
            method: Method of a repository whose client is connected to `url`.
            arguments: Arguments of each call.
        """
        recorded = []
        for args in arguments:
            self._requests.clear()
            with suppress(Exception):  # null is no answer that every method can use
                await method(*args)
            recorded.append(self._requests[0])
        return recorded

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN_TO_A_CONNECTION}
        self._requests.append(Request(request.method, request.raw_path, headers, await request.read()))
        return web.Response(body=b"null", content_type="application/json")


async def replay(requests: list[Request], url: str, *, callers: int) -> Cell:
    """Send recorded requests to a server; of the answers only the status is looked at.

    Args:
        requests: What to send.
        url: Address of the server.
        callers: How many requests are under way at a time.
    """
    connector = aiohttp.TCPConnector(limit=0)
    automatic = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=automatic
    ) as session:

        async def send(item: tuple[Request, URL]) -> int:
            request, target = item
            async with session.request(request.method, target, data=request.body, headers=request.headers) as response:
                await response.read()
                return response.status

        items = [(request, URL(url + request.path, encoded=True)) for request in requests]
        return await measure(send, items, accepts=lambda status: status == 200, callers=callers)
