"""The whole application: requests to Open WebUI with its stock storage and with everything possible in PocketBase."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import aiohttp
import orjson
import uvloop
from yarl import URL

from bench.application import VARIANTS, Application
from bench.backends import WorkerError
from bench.fake_openai import FakeOpenAI
from bench.http_channels import CHANNELS
from bench.http_files import FILES
from bench.http_requests import ASKED, CHATS, Asked, Chats, import_chats
from bench.measure import Cell, forget_garbage, measure
from bench.runner import work_directory
from bench.stats import median, percentile, ratios, spread

__all__ = ["Compared", "measure_http"]

USERS = 200
"""How many there are besides the administrator."""

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
"""What the environment of both applications says besides."""

Say = Callable[[str], None]


@dataclass
class Compared:
    """The same request to both applications.

    Attributes:
        name: What is asked for.
        clients: How many clients ask at a time.
        limit: What the median duration may be, as a multiple of the stock one.
        rounds: Variant -> what was measured in each round.
    """

    name: str
    clients: int
    limit: float = 1.0
    rounds: dict[str, list[Cell]] = field(default_factory=lambda: {name: [] for name in VARIANTS})

    def p50(self, variant: str) -> float:
        """Return the median duration, in milliseconds."""
        return median([cell.p50 for cell in self.rounds[variant]])

    def rate(self, variant: str) -> float:
        """Return the requests per second of all clients."""
        return median([cell.rate for cell in self.rounds[variant]])

    @property
    def failures(self) -> int:
        """How many requests failed, of both."""
        return sum(cell.failures for cells in self.rounds.values() for cell in cells)

    @property
    def ratio(self) -> float:
        """The duration on PocketBase over the stock one."""
        return median(self._ratios)

    @property
    def noise(self) -> float:
        """How far the rounds are apart, see `bench.stats.spread`."""
        return spread(self._ratios)

    @property
    def met(self) -> bool:
        """Whether PocketBase keeps to the limit within the noise: it did at least in a quarter of the rounds."""
        return percentile(self._ratios, 25) <= self.limit and not self.failures

    def as_json(self) -> dict[str, Any]:
        """Return everything about it."""
        summary = {"limit": self.limit, "ratio": self.ratio, "noise": self.noise, "met": self.met}
        rounds = {name: [asdict(cell) for cell in cells] for name, cells in self.rounds.items()}
        return {"request": self.name, "clients": self.clients, "rounds": rounds, **summary}

    @property
    def _ratios(self) -> list[float]:
        stock, ours = ([cell.p50 for cell in self.rounds[name]] for name in VARIANTS)
        return ratios(ours, stock)


def measure_http(
    rounds: int, seconds: float, say: Say, *, only: Collection[str] = (), users: int = USERS, chats: int = CHATS
) -> list[Compared]:
    """Start both applications, give them the same users and chats, and ask them in turn.

    Args:
        rounds: How often each request is measured.
        seconds: About how long each measurement takes, if that is enough for some requests.
        say: Told what is going on.
        only: Texts: measure requests with one of them in their names; all if empty.
        users: How many users there are besides the administrator.
        chats: How many chats the administrator has.

    Raises:
        WorkerError: An application did not start, or does not answer as it should.
    """
    asked = [one for one in (*ASKED, *CHANNELS, *FILES) if not only or any(text in one.name for text in only)]
    with ExitStack() as stack:
        directory = stack.enter_context(work_directory())
        host = {**HOST, "OPENAI_API_BASE_URL": stack.enter_context(FakeOpenAI()).url}
        applications = {}
        for name in VARIANTS:
            say(f"Starting Open WebUI: {name} ...")
            applications[name] = stack.enter_context(Application(name, directory, host))
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        return runner.run(_compare(applications, asked, rounds, seconds, (users, chats), say))


async def _compare(
    applications: dict[str, Application],
    all_asked: list[Asked],
    rounds: int,
    seconds: float,
    sizes: tuple[int, int],
    say: Say,
) -> list[Compared]:
    compared = {
        (asked, clients): Compared(asked.name, clients, asked.limit) for asked in all_asked for clients in asked.clients
    }
    # The server closes idle connections after five seconds.
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2)
    timeout = aiohttp.ClientTimeout(total=None)  # importing takes stock minutes
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        say(f"Signing up {sizes[0]} users with {sizes[1]} chats ...")
        ready = await asyncio.gather(*(Browser.signed_up(session, each, *sizes) for each in applications.values()))
        browsers = dict(zip(applications, ready, strict=True))
        forget_garbage()
        say("Warming up ...")
        requests = {}
        for asked, clients in compared:
            fewest = asked.fewest[0] if clients == 1 else asked.fewest[1] * clients
            cells = [await browser.measure(asked, clients, fewest) for browser in browsers.values()]
            requests[asked, clients] = max(fewest, round(min(cell.rate for cell in cells) * seconds))
        for number in range(rounds):
            say(f"Round {number + 1} of {rounds} ...")
            for (asked, clients), one in compared.items():
                for name, browser in browsers.items():
                    one.rounds[name].append(await browser.measure(asked, clients, requests[asked, clients]))
    return list(compared.values())


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
