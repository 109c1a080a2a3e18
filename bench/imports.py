"""A large import, and how long others wait for Open WebUI meanwhile; with its stock storage and with PocketBase."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp
import orjson
import uvloop

from bench.application import VARIANTS, Application
from bench.http import Browser
from bench.runner import work_directory

__all__ = ["SIZES", "Imported", "measure_imports"]

SIZES = {"25 MB of Chinese": (100, 20, 4200), "2,000 short messages": (100, 20, 40)}
"""What is imported: chats, messages of each, and letters of each message."""

PAUSE = 0.05
"""Seconds between two requests of somebody else."""

HEALTH_SECONDS = 0.4
WRITE_SECONDS = 0.6
"""What others may wait, unless they do so with the stock storage."""


@dataclass
class Imported:
    """One import into one application; all in seconds.

    Attributes:
        variant: Which application.
        name: What was imported.
        seconds: How long it took.
        write: The longest that another user waited for a write.
        health: The longest that ``/health`` took.
    """

    variant: str
    name: str
    seconds: float
    write: float
    health: float

    def keeps_to(self, stock: Imported) -> bool:
        """Return whether it takes no longer than the stock import, and lets others work."""
        return (
            self.seconds <= stock.seconds
            and self.write <= max(WRITE_SECONDS, stock.write)
            and self.health <= max(HEALTH_SECONDS, stock.health)
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything about it."""
        return asdict(self)


def measure_imports(say: Callable[[str], None]) -> list[Imported]:
    """Start both applications, and import the same into each.

    Args:
        say: Told what is going on.
    """
    with ExitStack() as stack:
        directory = stack.enter_context(work_directory())
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        done = []
        for variant in VARIANTS:
            say(f"Starting Open WebUI: {variant} ...")
            with Application(variant, directory) as application:
                done += runner.run(_import_all(variant, application.url, say))
        return done


async def _import_all(variant: str, url: str, say: Callable[[str], None]) -> list[Imported]:
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        browser = await Browser.signed_up(session, url, 0, 0)
        done = []
        for name, size in SIZES.items():
            say(f"Importing {name} ...")
            forms = {"chats": [{"chat": _body(number, *size[1:])} for number in range(size[0])]}
            importing = asyncio.ensure_future(browser.send("POST", "/api/v1/chats/import", orjson.dumps(forms)))
            began = time.monotonic()
            waits = [
                asyncio.ensure_future(_longest(importing, send))
                for send in (
                    lambda: browser.post("/api/v1/chats/new", {"chat": _body(0, 1, 10)}),
                    lambda: browser.get("/health"),
                )
            ]
            await importing
            seconds = time.monotonic() - began
            done.append(Imported(variant, name, seconds, *[await wait for wait in waits]))
        return done


async def _longest(until: asyncio.Future[Any], send: Callable[[], Awaitable[object]]) -> float:
    longest = 0.0
    while not until.done():
        began = time.monotonic()
        await send()
        longest = max(longest, time.monotonic() - began)
        await asyncio.sleep(PAUSE)
    return longest


def _body(number: int, messages: int, letters: int) -> dict[str, Any]:
    letter = random.Random(number)
    ids = [f"m{each}" for each in range(messages)]
    history = {
        one: {
            "id": one,
            "parentId": ids[each - 1] if each else None,
            "childrenIds": ids[each + 1 : each + 2],
            "role": "assistant" if each % 2 else "user",
            "content": "".join(map(chr, letter.choices(range(0x4E00, 0x9000), k=letters))),
        }
        for each, one in enumerate(ids)
    }
    return {"title": f"Chat {number}", "history": {"messages": history, "currentId": ids[-1]}}
