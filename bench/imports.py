"""A large import, and how long others wait for Open WebUI meanwhile; with its stock storage and with PocketBase."""

from __future__ import annotations

import asyncio
import base64
import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp
import orjson
import uvloop

from bench.application import VARIANTS, Application
from bench.http import Browser
from bench.others import waits
from bench.runner import work_directory

__all__ = ["SIZES", "Imported", "measure_imports"]

SIZES = {
    "25 MB of Chinese": (100, 20, 4200, 0),
    "2,000 chats of 6 messages": (2000, 6, 40, 0),
    "270 pictures of 2 MB": (270, 2, 40, 1_500_000),
}
"""What is imported: chats, messages of each, letters of each message, and bytes of the first one's picture."""

RATIO = 0.5
"""Most times that an import may take of the stock import's time."""

HEALTH_SECONDS = 0.2
WRITE_SECONDS = 0.3
"""What others may wait, unless they do so with the stock storage."""


@dataclass
class Imported:
    """One import into one application; all in seconds.

    Attributes:
        variant: Which application.
        name: What was imported.
        seconds: How long it took.
        write: The longest that another user waited for a write: one in a hundred would be fewer in a shorter import.
        health: The longest that ``/health`` took.
    """

    variant: str
    name: str
    seconds: float
    write: float
    health: float

    def keeps_to(self, stock: Imported) -> bool:
        """Return whether it takes no longer than it may, and lets others work."""
        return (
            self.seconds <= RATIO * stock.seconds
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
                done += runner.run(_import_all(variant, application, say))
        return done


async def _import_all(variant: str, application: Application, say: Callable[[str], None]) -> list[Imported]:
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        browser = await Browser.signed_up(session, application, 0, 0)
        done = []
        for name, size in SIZES.items():
            say(f"Importing {name} ...")
            forms = {"chats": [{"chat": _body(number, *size[1:])} for number in range(size[0])]}
            importing = asyncio.ensure_future(browser.send("POST", "/api/v1/chats/import", orjson.dumps(forms)))
            began = time.monotonic()
            waits = [
                asyncio.ensure_future(waits(importing.done, send))
                for send in (
                    lambda: browser.post("/api/v1/chats/new", {"chat": _body(0, 1, 10, 0)}),
                    lambda: browser.get("/health"),
                )
            ]
            await importing
            seconds = time.monotonic() - began
            done.append(Imported(variant, name, seconds, *[max(await wait) for wait in waits]))
        return done


def _body(number: int, messages: int, letters: int, picture: int) -> dict[str, Any]:
    chosen = random.Random(number)
    ids = [f"m{each}" for each in range(messages)]
    history: dict[str, dict[str, Any]] = {
        one: {
            "id": one,
            "parentId": ids[each - 1] if each else None,
            "childrenIds": ids[each + 1 : each + 2],
            "role": "assistant" if each % 2 else "user",
            "content": "".join(map(chr, chosen.choices(range(0x4E00, 0x9000), k=letters))),
        }
        for each, one in enumerate(ids)
    }
    if picture:
        data = base64.b64encode(chosen.randbytes(picture)).decode()
        history[ids[0]]["files"] = [{"type": "image", "url": f"data:image/png;base64,{data}"}]
    return {"title": f"Chat {number}", "history": {"messages": history, "currentId": ids[-1]}}
