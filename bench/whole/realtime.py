"""From a change in PocketBase to an open browser: how long it takes, and what it costs those who write."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import socketio
import uvloop

from bench.application import Application
from bench.http import Browser
from bench.runner import work_directory
from bench.stats import median, percentile
from openwebui_pocketbase.changes.feed import Feed
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.realtime.announcements import Announcements
from openwebui_pocketbase.server.rundir import RunDir
from openwebui_pocketbase.settings import PocketBaseSettings

__all__ = ["LIMITS", "Realtime", "measure_realtime"]

RATE, SECONDS = 50, 20
"""Changes per second whose way to the browser is timed, and for how long."""

MANY, BATCH, LONG = 1000, 100, 60
"""Changes per second that are sustained, how many of them are one statement, and for how many seconds."""

WRITES, ROUNDS = 400, 10
"""Writes that are timed in each round, and rounds with and without a reader."""

LIMITS = {"p50": 0.015, "p99": 0.1, "lag": 2.0, "growth": 50.0, "events": 500.0, "write": 1.03}
"""Most of each figure: seconds, seconds, seconds, megabytes, number, ratio."""

Say = Callable[[str], None]


@dataclass
class Realtime:
    """The figures.

    Attributes:
        p50: Seconds from the answer of PocketBase to the browser, at `RATE` changes a second.
        p99: The same.
        lost: Changes that did not come.
        lag: Seconds from a change to the browser at the end of `MANY` changes a second.
        growth: Megabytes by which Open WebUI's process grew meanwhile.
        events: Events that one browser got of them.
        write: Duration of a write with the reader that the bridge adds to the process that writes, to the one without.
    """

    p50: float
    p99: float
    lost: float
    lag: float
    growth: float
    events: float
    write: float

    @property
    def met(self) -> bool:
        """Whether nothing was lost, and each figure keeps to its limit."""
        return not self.lost and all(getattr(self, name) <= limit for name, limit in LIMITS.items())

    def as_json(self) -> dict[str, Any]:
        """Return everything about it."""
        return asdict(self)


def measure_realtime(say: Say) -> Realtime:
    """Start Open WebUI with everything in PocketBase, with one browser open, and change things in PocketBase.

    Args:
        say: Told what is going on.
    """
    with ExitStack() as stack:
        directory = stack.enter_context(work_directory())
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        say("Starting Open WebUI ...")
        with Application("pocketbase", directory, {"ENABLE_CHANNELS": "true"}) as application:
            return runner.run(_measure(application, directory / "pocketbase", say))


async def _measure(application: Application, data_dir: Path, say: Say) -> Realtime:
    run_dir = RunDir(data_dir / "pocketbase")
    state = run_dir.read_state()
    assert state is not None
    process = psutil.Process(application.pid)
    async with aiohttp.ClientSession() as session, _pocketbase(session, state.url, run_dir) as post:
        browser = await Browser.signed_up(session, application, 1, 0)
        form = {"name": "realtime", "type": "group", "user_ids": []}
        channel = (await browser.post("/api/v1/channels/create", form))["id"]
        user = (await browser.get("/api/v1/auths/"))["id"]
        async with _listening(application.url, browser.token) as heard:
            say(f"{RATE} messages a second for {SECONDS} s ...")
            record = {"channel_id": channel, "user_id": user, "content": "A message"}
            took = [each for each in await _timed(post, record, heard) if each is not None]
            say(f"{MANY} changes a second for {LONG} s ...")
            before, events = process.memory_info().rss, len(heard)
            await _sustained(post, user)
            events = len(heard) - events
            (lag,) = await _timed(post, record, heard, number=1)
            growth = (process.memory_info().rss - before) / 1e6
    say("Writes, with and without a reader ...")
    write = await _writes(data_dir.parent / "writes")
    wanted = RATE * SECONDS
    assert lag is not None
    return Realtime(percentile(took, 50), percentile(took, 99), wanted - len(took), lag, growth, float(events), write)


@asynccontextmanager
async def _pocketbase(
    session: aiohttp.ClientSession, url: str, run_dir: RunDir
) -> AsyncIterator[Callable[[str, Any], Awaitable[Any]]]:
    """Give what sends a superuser's request to PocketBase and returns its answer."""
    superuser = json.loads(run_dir.superuser.read_text())
    headers: dict[str, str] = {}

    async def post(path: str, body: Any) -> Any:
        async with session.post(f"{url}{path}", json=body, headers=headers) as answer:
            answer.raise_for_status()
            return await answer.json()

    credentials = {name: superuser[name] for name in ("identity", "password")}
    token = (await post("/api/collections/_superusers/auth-with-password", credentials))["token"]
    headers["Authorization"] = token
    yield post


@asynccontextmanager
async def _listening(url: str, token: str) -> AsyncIterator[list[tuple[str, float]]]:
    """Open the administrator's browser; give what it hears: id of a message, or nothing, and when."""
    heard: list[tuple[str, float]] = []
    browser = socketio.AsyncClient(reconnection=False)
    for name in ("events", "events:channel"):
        browser.on(name, lambda event: heard.append((event.get("message_id") or "", time.perf_counter())))
    await browser.connect(url, socketio_path="/ws/socket.io", transports=["websocket"], auth={"token": token})
    await browser.call("user-join", {"auth": {"token": token}}, timeout=30)
    yield heard
    await browser.disconnect()


async def _timed(
    post: Callable[[str, Any], Awaitable[Any]],
    record: dict[str, Any],
    heard: list[tuple[str, float]],
    *,
    number: int = RATE * SECONDS,
) -> list[float | None]:
    """Post messages, evenly; return the seconds from PocketBase's answer to the browser, None for what did not come."""
    done: dict[str, float] = {}
    begun = time.perf_counter()

    async def one(place: int) -> None:
        await asyncio.sleep(begun + place / RATE - time.perf_counter())
        made = await post("/api/collections/owui_messages/records", record)
        done[made["id"]] = time.perf_counter()

    await asyncio.gather(*map(one, range(number)))
    deadline = time.perf_counter() + 10.0
    while time.perf_counter() < deadline and not done.keys() <= dict(heard).keys():  # noqa: ASYNC110 - of a process
        await asyncio.sleep(0.05)
    came = dict(reversed(heard))
    return [max(0.0, came[message] - at) if message in came else None for message, at in done.items()]


async def _sustained(post: Callable[[str, Any], Awaitable[Any]], user: str) -> None:
    """Make tags of a user, evenly."""
    begun = time.perf_counter()
    for number in range(MANY // BATCH * LONG):
        rows = ", ".join(f"('{secrets.token_hex(8)}', '{number}-{i}', 'x', '{user}')" for i in range(BATCH // 2))
        for _ in range(2):  # a statement has at most 5,000 characters
            await post("/api/sql", {"query": f"INSERT INTO owui_tags (id, key, name, user_id) VALUES {rows}"})
            rows = ", ".join(f"('{secrets.token_hex(8)}', '{number}-{i}b', 'x', '{user}')" for i in range(BATCH // 2))
        await asyncio.sleep(begun + (number + 1) * BATCH / MANY - time.perf_counter())


async def _writes(directory: Path) -> float:
    """Return how long a write takes with the reader of the process that writes, to how long it takes without."""
    settings = PocketBaseSettings()
    connection = Connection(settings, directory)
    authenticator = await asyncio.to_thread(connection.open, create=True)
    await asyncio.to_thread(connection.bring_up, authenticator)
    client = PocketBaseClient(timeouts=settings.timeouts, pool=settings.pool)
    client.connect(connection.url, authenticator, trust=connection.trust)
    medians: dict[bool, list[float]] = {True: [], False: []}
    try:
        for number in range(2 * ROUNDS):
            async with _reading(client) if number % 2 else nullcontext():
                medians[bool(number % 2)].append(await _write(client, number))
    finally:
        await client.aclose()
        await asyncio.to_thread(connection.close)
    return median(medians[True]) / median(medians[False])


@asynccontextmanager
async def _reading(client: PocketBaseClient) -> AsyncIterator[None]:
    """Read the feed, woken by what others write."""
    feed = Feed(client)
    announcements = Announcements(client, lambda: feed.wake(announcements.client_id))
    for task in (feed, announcements):
        task.start()
    while not announcements.client_id:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    yield
    for task in (announcements, feed):
        await task.aclose()


async def _write(client: PocketBaseClient, number: int) -> float:
    seconds = []
    for place in range(WRITES):
        tag = {"id": f"{number} {place}", "name": "x", "user_id": "u", "meta": None}
        begun = time.perf_counter()
        await client.write("tags/insert_new_tag", {"tag": tag})
        seconds.append(time.perf_counter() - begun)
        await asyncio.sleep(0.005)
    return median(seconds)
