"""The administrator of one of the applications, who sends requests and notes how long they take."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from yarl import URL

from bench.backends import WorkerError
from bench.measure import Cell, measure
from bench.whole.application import Application
from bench.whole.chats import Asked, Chats, import_chats

__all__ = ["HOST", "Browser", "session"]

PASSWORD = "a password of the benchmarks"
SIGN_UPS_AT_ONCE = 4
PIECE = 1 << 20
"""Bytes of an answer that are read at once."""

HOST = {
    "ENABLE_CHANNELS": "true",
    "ENABLE_OLLAMA_API": "false",
    "ENABLE_OPENAI_API": "true",
    "OPENAI_API_KEY": "bench",
    "PASSWORD_HASH_ALGORITHM": "argon2",  # fast: here only sign-ups take hashes
}
"""What the environment of applications says besides."""


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Give what sends requests; it waits as long as they take, which for stock's imports is minutes."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2)  # the server closes idle ones after five seconds
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as opened:
        yield opened


class Browser:
    """The administrator, signed in to one of the applications.

    Args:
        session: Sends the requests.
        application: Where they are signed in.

    Attributes:
        uploaded: Name of a file that was sent -> its id in the application.
        channels: Ids of the channels that were made.
    """

    def __init__(self, session: aiohttp.ClientSession, application: Application) -> None:
        self._session = session
        self._application = application
        self._headers: dict[str, str] = {}
        self._chats = Chats([])
        self.uploaded: dict[str, str] = {}
        self.channels: list[str] = []
        self._numbers: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)

    @classmethod
    async def signed_up(
        cls, session: aiohttp.ClientSession, application: Application, users: int, chats: int
    ) -> Browser:
        """Become the administrator of an application without users, and add some, and chats."""
        browser = cls(session, application)
        admin = await browser.post("/api/v1/auths/signup", _form("Administrator"))
        browser._headers = {"Authorization": f"Bearer {admin['token']}"}
        forms = iter([_form(f"User {number}") for number in range(users)])

        async def add() -> None:
            for form in forms:
                await browser.post("/api/v1/auths/add", {**form, "role": "user"})

        await asyncio.gather(*(add() for _ in range(SIGN_UPS_AT_ONCE)))
        browser._chats = await import_chats(browser, chats)
        return browser

    @property
    def token(self) -> str:
        """What it is signed in with."""
        return self._headers["Authorization"].removeprefix("Bearer ")

    async def measure(self, asked: Asked, clients: int, requests: int) -> Cell:
        """Ask for the same thing again and again.

        Raises:
            WorkerError: The last request has not done what it should.
        """
        numbers = list(itertools.islice(self._numbers[asked.name], requests))

        async def send(number: int) -> bool:
            return await asked.send(self, self._chats, number)

        cell = await measure(send, numbers, accepts=bool, callers=clients)
        if asked.check and not await asked.check(self, self._chats, numbers[-1]):
            raise WorkerError(f"{asked.name} was answered, but has not done what it should.")
        return cell

    async def get(self, path: str) -> Any:
        """Send a GET request and return what is in the answer."""
        return orjson.loads(await self.send("GET", path))

    async def post(self, path: str, body: Any) -> Any:
        """Send a POST request and return what is in the answer."""
        return orjson.loads(await self.send("POST", path, orjson.dumps(body)))

    async def send(self, method: str, path: str, data: bytes | None = None) -> bytes:
        """Send a request and return the answer as it came."""
        async with self._asked(method, path, data, {"Content-Type": "application/json"}) as response:
            return await response.read()

    async def upload(self, path: str, name: str, content: bytes) -> Any:
        """Send a file and return what is in the answer."""
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name)
        async with self._asked("POST", path, form) as response:
            found = orjson.loads(await response.read())
        self.uploaded[name] = found["id"]
        return found

    async def download(self, path: str) -> int:
        """Fetch a file; return its size."""
        async with self._asked("GET", path) as response:
            return sum([len(piece) async for piece in response.content.iter_chunked(PIECE)])

    async def forget_copies(self) -> None:
        """Have the application forget its local copies of files, if it has any."""
        await asyncio.to_thread(self._application.forget_copies)

    @asynccontextmanager
    async def _asked(
        self, method: str, path: str, data: Any = None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        url = URL(self._application.url + path, encoded=True)
        all_headers = {**(headers or {}), **self._headers}
        async with self._session.request(method, url, data=data, headers=all_headers) as response:
            if response.status != 200:
                said = (await response.read()).decode()[:1000]
                raise WorkerError(f"{method} {path} was answered with {response.status}: {said}")
            yield response


def _form(name: str) -> dict[str, str]:
    return {"name": name, "email": f"{name.lower().replace(' ', '.')}@example.com", "password": PASSWORD}
