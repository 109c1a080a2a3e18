"""Chats of many megabytes, and imports of many: what who sends them waits for, and everybody else meanwhile."""

from __future__ import annotations

import asyncio
import base64
import random
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import orjson
import psutil
import uvloop

from bench.backends import WorkerError
from bench.measure import percentile
from bench.runner import work_directory
from bench.tables import HEADINGS, Result, Say, Sheet, figure
from bench.whole.application import VARIANTS, Application
from bench.whole.browser import Browser, session

__all__ = ["Step", "measure_large", "result"]

SIZES = {"chat of 10 MB": 10, "chat of 50 MB": 50, "chat of 100 MB": 100}
"""Megabytes of a chat's body as browsers send it, with each message twice: in the history and in a list."""

IMPORTS = {
    "import of 25 MB of Chinese": (100, 20, 4200, 0),
    "import of 2,000 chats of 6 messages": (2000, 6, 40, 0),
    "import of 270 pictures of 2 MB": (270, 2, 40, 1_500_000),
}
"""What is imported: chats, messages of each, letters of each message, and bytes of the first one's picture."""

MESSAGES = 20
TIMES = 3
"""Rounds of the steps that leave the chat as large as it was."""

CALM = 0.5
"""Seconds before each step."""

PAUSE = 0.05
"""Seconds between two requests of somebody else."""

READERS = 16
RATIO = 1.2
WRITE_SECONDS = 0.3
HEALTH_SECONDS = 0.2
POCKETBASE_MEGABYTES = 600.0


@dataclass
class Step:
    """Something large that is done.

    Attributes:
        variant: In which application.
        name: What, and how large it is.
        seconds: How long it took; the median of several times.
        write: How long another user waited for a write; the 99th percentile, in seconds.
        health: How long ``/health`` took; the same.
        worker: Most megabytes that the application's process had.
        pocketbase: Most megabytes that PocketBase had; 0 for none.
    """

    variant: str
    name: str
    seconds: float
    write: float
    health: float
    worker: float
    pocketbase: float

    def keeps_to(self, stock: Step) -> bool:
        """Return whether it takes no longer than allowed, and lets others work."""
        return (
            self.seconds <= RATIO * stock.seconds
            and self.write <= max(WRITE_SECONDS, stock.write)
            and self.health <= max(HEALTH_SECONDS, stock.health)
            and self.pocketbase <= POCKETBASE_MEGABYTES
        )


def measure_large(say: Say, only: Collection[str] = ("",)) -> Result:
    """Start both applications, one after the other, and do the same in each.

    Args:
        say: Told what is going on.
        only: Texts: what has one of them in its name is done.
    """
    with ExitStack() as stack:
        directory = stack.enter_context(work_directory())
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        done: list[Step] = []
        for variant in VARIANTS:
            say(f"Starting Open WebUI: {variant} ...")
            with Application(variant, directory) as application:
                done += runner.run(_do_all(variant, application, only, say))
    return result(done)


def result(done: list[Step]) -> Result:
    """Return what steps have given, each in both applications."""
    stock = {one.name: one for one in done if one.variant == "stock"}
    pairs = [(stock[one.name], one) for one in done if one.variant != "stock"]
    rows = [
        [other.name, *(figure(getattr(each, name)) for name in ("seconds", "write", "health") for each in (other, one))]
        + [f"{each.worker:,.0f}" for each in (other, one)]
        for other, one in pairs
    ]
    missed = [f"{one.name}: {one.seconds:.2f} s, or others waited" for other, one in pairs if not one.keeps_to(other)]
    most = max((one.pocketbase for _, one in pairs), default=0.0)
    notes = [f"PocketBase had {most:.0f} MB at most."]
    sheet = Sheet("large", HEADINGS["large"], rows)
    return Result({"steps": [asdict(one) for one in done]}, [sheet], missed, notes=notes)


async def _do_all(variant: str, application: Application, only: Collection[str], say: Say) -> list[Step]:
    async with session() as opened:
        browser = await Browser.signed_up(opened, application, 1, 0)
        watched = _Watched(variant, browser, application.pid)
        for name in (name for name in (*SIZES, *IMPORTS) if any(text in name for text in only)):
            say(f"{name} ...")
            if name in SIZES:
                await _do_to_one(watched, SIZES[name])
                continue
            chats, *size = IMPORTS[name]
            data = orjson.dumps({"chats": [{"chat": _imported(number, *size)} for number in range(chats)]})
            await watched.step(name, partial(browser.send, "POST", "/api/v1/chats/import", data))
        return watched.done


async def _do_to_one(watched: _Watched, size: int) -> None:
    browser = watched.browser
    body = _body(size)
    whole = orjson.dumps({"chat": body})
    name = f"{size} MB"
    chat_id = orjson.loads(
        await watched.step(f"new, {name}", lambda: browser.send("POST", "/api/v1/chats/new", whole))
    )["id"]
    path = f"/api/v1/chats/{chat_id}"
    steps: dict[str, tuple[str, str, Any]] = {
        "open": ("GET", path, None),
        "edit a message": ("POST", f"{path}/messages/m3", {"content": "other words"}),
        "status event": ("POST", f"{path}/messages/m3/event", {"type": "status", "data": {"description": "step"}}),
        "rename": ("POST", path, {"chat": {"title": "another title"}}),
        "pin": ("POST", f"{path}/pin", {}),
        "share": ("POST", f"{path}/share", {}),
    }
    for step, (method, where, form) in steps.items():
        data = None if form is None else orjson.dumps(form)
        await watched.step(f"{step}, {name}", partial(browser.send, method, where, data), TIMES)
    if size <= READERS:
        await watched.step(
            f"{READERS} readers, {name}", lambda: asyncio.gather(*(browser.send("GET", path) for _ in range(READERS)))
        )
    await watched.step(f"save all, {name}", lambda: browser.send("POST", path, whole))
    cloned = await watched.step(f"clone, {name}", lambda: browser.send("POST", f"{path}/clone", b"{}"))
    await watched.step(f"delete, {name}", lambda: browser.send("DELETE", path))
    await browser.send("DELETE", f"/api/v1/chats/{orjson.loads(cloned)['id']}")


class _Watched:
    """Measures steps, and what happens meanwhile."""

    def __init__(self, variant: str, browser: Browser, pid: int) -> None:
        self.browser = browser
        self.done: list[Step] = []
        self._variant = variant
        self._process = psutil.Process(pid)

    async def step(self, name: str, send: Callable[[], Awaitable[Any]], times: int = 1) -> Any:
        """Do something, and note how long that took; return the last answer."""
        await asyncio.sleep(CALM)
        stopping = asyncio.Event()
        watches = [
            asyncio.ensure_future(_waits(stopping.is_set, watch))
            for watch in (
                lambda: self.browser.post("/api/v1/folders/", {"name": random.randbytes(8).hex()}),
                lambda: self.browser.get("/health"),
            )
        ]
        memory = asyncio.ensure_future(_memory(stopping, self._process))
        seconds = []
        for _ in range(times):
            began = time.monotonic()
            answer = await send()
            seconds.append(time.monotonic() - began)
        stopping.set()
        write, health = [percentile(await watch, 99) for watch in watches]
        worker, pocketbase = await memory
        self.done.append(Step(self._variant, name, sorted(seconds)[times // 2], write, health, worker, pocketbase))
        return answer


async def _waits(is_over: Callable[[], bool], send: Callable[[], Awaitable[object]]) -> list[float]:
    """Send requests, one after the other, until something is over; return how many seconds each took."""
    seconds = []
    while not is_over():
        began = time.monotonic()
        with suppress(WorkerError):  # stock gives up after some seconds: it is locked
            await send()
        seconds.append(time.monotonic() - began)
        await asyncio.sleep(PAUSE)
    return seconds or [0.0]


async def _memory(stopping: asyncio.Event, process: psutil.Process) -> tuple[float, float]:
    """Return the most megabytes of a process, and of PocketBase among its descendants."""
    worker = pocketbase = 0.0
    while not stopping.is_set():
        worker = max(worker, process.memory_info().rss / 2**20)
        for child in process.children(recursive=True):
            if "pocketbase" in child.name():
                pocketbase = max(pocketbase, child.memory_info().rss / 2**20)
        await asyncio.sleep(PAUSE)
    return worker, pocketbase


def _body(megabytes: int) -> dict[str, Any]:
    """Return a chat as browsers save it: its messages in the history, and those of the branch in a list."""
    bytes_of = random.Random(megabytes)
    pictures = MESSAGES // 2
    ids = [f"m{number}" for number in range(MESSAGES)]
    history = {}
    for number, one in enumerate(ids):
        message: dict[str, Any] = {
            "id": one,
            "parentId": ids[number - 1] if number else None,
            "childrenIds": ids[number + 1 : number + 2],
            "role": "assistant" if number % 2 else "user",
            "content": f"words of message {number} " * 10,
        }
        if not number % 2:
            picture = base64.b64encode(bytes_of.randbytes((megabytes << 20) * 3 // 8 // pictures)).decode()
            message["files"] = [{"type": "image", "url": f"data:image/png;base64,{picture}"}]
        history[one] = message
    return {
        "title": "Pictures",
        "models": ["model"],
        "history": {"messages": history, "currentId": ids[-1]},
        "messages": [*history.values()],
    }


def _imported(number: int, messages: int, letters: int, picture: int) -> dict[str, Any]:
    """Return a chat, of letters that compress badly."""
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
