"""From a change in PocketBase to an open browser: how long it takes, and what is left after many."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import socketio
import uvloop

from bench.measure import percentile
from bench.runner import work_directory
from bench.tables import Result, Say, Sheet, figure
from bench.whole.application import Application
from bench.whole.browser import Browser
from openwebui_pocketbase.server.rundir import RunDir

__all__ = ["Realtime", "measure_realtime"]

RATE, SECONDS = 50, 20
"""Changes per second whose way to the browser is timed, and for how long."""

MANY, BATCH, LONG = 1000, 100, 60
"""Changes per second that are sustained, how many of them are one statement, and for how many seconds."""

LIMITS = {"p50": 0.015, "p99": 0.1, "lag": 2.0, "growth": 50.0, "events": 500.0}
"""Most of each figure: seconds, seconds, seconds, megabytes, number."""


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
    """

    p50: float
    p99: float
    lost: float
    lag: float
    growth: float
    events: float

    def missed(self) -> list[str]:
        """Return what was lost, and which figures do not keep to their limits."""
        limits = {**LIMITS, "lost": 0.0}
        wanted = {name: getattr(self, name) for name, limit in limits.items() if getattr(self, name) > limit}
        return [f"{name}: {value:.4g}, at most {limits[name]:g} is wanted" for name, value in wanted.items()]


def measure_realtime(say: Say) -> Result:
    """Start Open WebUI with everything in PocketBase, with one browser open, and change things in PocketBase.

    Args:
        say: Told what is going on.
    """
    with ExitStack() as stack:
        directory = stack.enter_context(work_directory())
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        say("Starting Open WebUI ...")
        with Application("pocketbase", directory, {"ENABLE_CHANNELS": "true"}) as application:
            done = runner.run(_measure(application, directory / "pocketbase", say))
    rows = [[name, figure(value)] for name, value in asdict(done).items()]
    return Result(asdict(done), [Sheet("realtime", ("Figure", "value"), rows)], done.missed(), [])


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
    wanted = RATE * SECONDS
    assert lag is not None
    return Realtime(percentile(took, 50), percentile(took, 99), wanted - len(took), lag, growth, float(events))


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
