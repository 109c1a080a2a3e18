"""Requests to Open WebUI with its stock storage and with everything possible in PocketBase, in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

from bench.measure import Cell, forget_garbage, median, percentile, ratios, spread
from bench.runner import work_directory
from bench.tables import HEADINGS, Result, Say, Sheet, figure
from bench.whole.application import VARIANTS, Application
from bench.whole.browser import HOST, Browser, session
from bench.whole.channels import CHANNELS
from bench.whole.chats import ASKED, CHATS, Asked
from bench.whole.fake_openai import FakeOpenAI
from bench.whole.files import FILES

__all__ = ["Compared", "measure_http"]

USERS = 200
"""How many there are besides the administrator."""


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
        """How far the rounds are apart, see `bench.measure.spread`."""
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

    def row(self) -> list[str]:
        """Return what its line of the table has."""
        stock, ours = (self._median(name, "p50") for name in VARIANTS)
        p99 = [self._median(name, "p99") for name in VARIANTS]
        rates = [self._median(name, "rate") for name in VARIANTS]
        values = stock, ours, self.ratio, *p99, *rates, rates[1] / rates[0]
        return [f"`{self.name}`", str(self.clients), *map(figure, values)]

    def _median(self, variant: str, name: str) -> float:
        found: float = median([getattr(cell, name) for cell in self.rounds[variant]])
        return found

    @property
    def _ratios(self) -> list[float]:
        stock, ours = ([cell.p50 for cell in self.rounds[name]] for name in VARIANTS)
        return ratios(ours, stock)


def measure_http(
    rounds: int, seconds: float, say: Say, *, only: Collection[str] = (), users: int = USERS, chats: int = CHATS
) -> Result:
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
        return _result(runner.run(_compare(applications, asked, rounds, seconds, (users, chats), say)))


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
    async with session() as opened:
        say(f"Signing up {sizes[0]} users with {sizes[1]} chats ...")
        ready = await asyncio.gather(*(Browser.signed_up(opened, each, *sizes) for each in applications.values()))
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


def _result(compared: list[Compared]) -> Result:
    sheet = Sheet("http", HEADINGS["http"], [one.row() for one in compared])
    missed = [
        f"{one.name}, {one.clients} clients: {one.ratio:.2f} of stock, at most {one.limit} is wanted"
        + (f"; {one.failures} requests failed" if one.failures else "")
        for one in compared
        if not one.met
    ]
    noise = f"Noise: the rounds of a ratio are apart by {max(one.noise for one in compared):.0%} at worst."
    return Result({"requests": [one.as_json() for one in compared]}, [sheet], missed, notes=[noise])
