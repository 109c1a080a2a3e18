"""The whole application: requests to Open WebUI with its stock storage and with everything possible in PocketBase."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

import aiohttp
import uvloop

from bench.application import VARIANTS, Application
from bench.backends import WorkerError
from bench.measure import Cell, forget_garbage, measure
from bench.runner import work_directory
from bench.stats import median, percentile, ratios, spread

__all__ = ["Compared", "measure_http"]

PATHS = ("/api/v1/auths/", "/api/v1/users/")
"""Who is signed in, which is what the browser asks first, and the administrator's list of users."""

CLIENTS = (1, 16)
USERS = 200
"""How many there are besides the administrator."""

PASSWORD = "a password of the benchmarks"
WARM_UP_REQUESTS = 100
FEWEST_REQUESTS = 100
SIGN_UPS_AT_ONCE = 4

HOST = {
    "ENABLE_OLLAMA_API": "false",
    "ENABLE_OPENAI_API": "false",
    "PASSWORD_HASH_ALGORITHM": "argon2",  # fast: here only sign-ups take hashes
}
"""What the environment of both applications says besides."""

Say = Callable[[str], None]


@dataclass
class Compared:
    """The same request to both applications.

    Attributes:
        path: What is asked for.
        clients: How many clients ask at a time.
        rounds: Variant -> what was measured in each round.
    """

    path: str
    clients: int
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
        """Whether PocketBase is not slower within the noise: it was as fast at least in a quarter of the rounds."""
        return percentile(self._ratios, 25) <= 1.0 and not self.failures

    def as_json(self) -> dict[str, Any]:
        """Return everything about it."""
        summary = {"ratio": self.ratio, "noise": self.noise, "met": self.met}
        rounds = {name: [asdict(cell) for cell in cells] for name, cells in self.rounds.items()}
        return {"path": self.path, "clients": self.clients, "rounds": rounds, **summary}

    @property
    def _ratios(self) -> list[float]:
        stock, ours = ([cell.p50 for cell in self.rounds[name]] for name in VARIANTS)
        return ratios(ours, stock)


def measure_http(rounds: int, seconds: float, say: Say, *, users: int = USERS) -> list[Compared]:
    """Start both applications, give them the same users, and ask them in turn.

    Args:
        rounds: How often each request is measured.
        seconds: About how long each measurement takes, if that is enough for some requests.
        say: Told what is going on.
        users: How many users there are besides the administrator.

    Raises:
        WorkerError: An application did not start, or does not answer as it should.
    """
    with ExitStack() as stack:
        directory = stack.enter_context(work_directory())
        urls = {}
        for name in VARIANTS:
            say(f"Starting Open WebUI: {name} ...")
            urls[name] = stack.enter_context(Application(name, directory, HOST)).url
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        return runner.run(_compare(urls, rounds, seconds, users, say))


async def _compare(urls: dict[str, str], rounds: int, seconds: float, users: int, say: Say) -> list[Compared]:
    compared = [Compared(path, clients) for path in PATHS for clients in CLIENTS]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        browsers = {}
        for name, url in urls.items():
            say(f"Signing up {users} users: {name} ...")
            browsers[name] = await Browser.signed_up(session, url, users)
        forget_garbage()
        say("Warming up ...")
        requests = {}
        for one in compared:
            cells = [await browser.measure(one, WARM_UP_REQUESTS) for browser in browsers.values()]
            requests[one.path, one.clients] = max(FEWEST_REQUESTS, round(min(cell.rate for cell in cells) * seconds))
        for number in range(rounds):
            say(f"Round {number + 1} of {rounds} ...")
            for one in compared:
                for name, browser in browsers.items():
                    one.rounds[name].append(await browser.measure(one, requests[one.path, one.clients]))
    return compared


class Browser:
    """The administrator, signed in to one of the applications.

    Args:
        session: Sends the requests.
        url: Where the application answers.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._headers: dict[str, str] = {}

    @classmethod
    async def signed_up(cls, session: aiohttp.ClientSession, url: str, users: int) -> Browser:
        """Become the administrator of an application without users, and add some."""
        browser = cls(session, url)
        admin = await browser._post("/api/v1/auths/signup", _form("Administrator"))
        browser._headers = {"Authorization": f"Bearer {admin['token']}"}
        forms = iter([_form(f"User {number}") for number in range(users)])

        async def add() -> None:
            for form in forms:
                await browser._post("/api/v1/auths/add", {**form, "role": "user"})

        await asyncio.gather(*(add() for _ in range(SIGN_UPS_AT_ONCE)))
        return browser

    async def measure(self, compared: Compared, requests: int) -> Cell:
        """Ask for the same thing again and again."""
        paths = [compared.path] * requests
        return await measure(self._get, paths, accepts=lambda status: status == 200, callers=compared.clients)

    async def _get(self, path: str) -> int:
        async with self._session.get(self._url + path, headers=self._headers) as response:
            await response.read()
            return response.status

    async def _post(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        async with self._session.post(self._url + path, json=form, headers=self._headers) as response:
            if response.status != 200:
                raise WorkerError(f"POST {path} was answered with {response.status}: {await response.text()}")
            answer: dict[str, Any] = await response.json()
            return answer


def _form(name: str) -> dict[str, str]:
    return {"name": name, "email": f"{name.lower().replace(' ', '.')}@example.com", "password": PASSWORD}
