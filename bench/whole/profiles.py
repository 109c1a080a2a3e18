"""Where the main thread of Open WebUI spends its time while it answers one kind of request; needs py-spy."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import uvloop

from bench.backends import WorkerError
from bench.runner import work_directory
from bench.tables import HEADINGS, Result, Say, Sheet, figure
from bench.whole.application import VARIANTS, Application
from bench.whole.browser import HOST, Browser, session
from bench.whole.chats import ASKED, Asked
from bench.whole.fake_openai import FakeOpenAI

__all__ = ["COLUMNS", "Profile", "Sampler", "measure_profiles", "part_of", "result"]

SAMPLES = 200
"""Samples per second."""

USERS = 20
CHATS = 200
MAIN_THREAD = "MainThread"

PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("config", ("open_webui/models/config.py", "openwebui_pocketbase/repositories/config/")),
    ("client", ("openwebui_pocketbase/client/",)),
    ("plugin", ("openwebui_pocketbase/",)),
    ("SQL", ("/sqlalchemy/", "/aiosqlite/", "open_webui/internal/db.py")),
    ("auth", ("open_webui/utils/auth.py", "open_webui/utils/mfa.py", "/jwt/")),
    ("answer", ("/fastapi/_compat/", "/fastapi/encoders.py", "serialize_response (", "JSONResponse.render (")),
    ("compression", ("/starlette_compress/", "/brotli.py")),
    ("log", ("/logging/", "/loguru/")),
    ("framework", ("/fastapi/", "/starlette/", "/uvicorn/", "open_webui/utils/asgi_middleware.py")),
    ("route", ("open_webui/",)),
)
"""Name -> marks of frames. A sample belongs to the part of its innermost frame that has a mark, but to the settings if
any frame is theirs."""

REST = "event loop"
"""Part of what is in none of the others."""

COLUMNS = (*(name for name, _ in PARTS), REST)
"""Every part."""


@dataclass(frozen=True)
class Profile:
    """What the main thread does for one kind of request.

    Attributes:
        name: What is asked for.
        variant: See `bench.whole.application.VARIANTS`.
        clients: How many clients ask at a time.
        rate: Requests per second while samples were taken, which slows the application down.
        parts: Name of a part -> milliseconds of the main thread per request.
    """

    name: str
    variant: str
    clients: int
    rate: float
    parts: dict[str, float]

    @property
    def total(self) -> float:
        """Milliseconds of the main thread per request."""
        return sum(self.parts.values())


def measure_profiles(seconds: float, say: Say, only: Collection[str] = (), keep: Path | None = None) -> Result:
    """Start both applications in turn and take samples of their main thread while they answer.

    Args:
        seconds: How long samples are taken of each kind of request.
        say: Told what is going on.
        only: Texts: look at requests with one of them in their names; all if empty.
        keep: Directory for the stacks, in the format of flame graphs; None to forget them.

    Raises:
        WorkerError: py-spy is not there, or an application did not start.
    """
    program = shutil.which("py-spy")
    if program is None:
        raise WorkerError("There is no py-spy. What to do: pip install py-spy.")
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    asked = [one for one in ASKED if not only or any(text in one.name for text in only)]
    done = []
    with ExitStack() as stack:
        directory = stack.enter_context(work_directory())
        host = {**HOST, "OPENAI_API_BASE_URL": stack.enter_context(FakeOpenAI()).url}
        for variant in VARIANTS:
            say(f"Starting Open WebUI: {variant} ...")
            with (
                Application(variant, directory, host) as application,
                asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
            ):
                sampler = Sampler(program, application.pid, keep or directory)
                done += runner.run(_of_one(application, variant, asked, seconds, sampler, say))
    return result(done)


class Sampler:
    """Takes samples of a process.

    Args:
        program: py-spy.
        pid: The process.
        directory: Where the stacks are put.
    """

    def __init__(self, program: str, pid: int, directory: Path) -> None:
        self._program = program
        self._pid = pid
        self._directory = directory

    async def during(self, work: Callable[[], Any], name: str) -> Counter[str]:
        """Return how often each stack of the main thread was seen during some work."""
        output = self._directory / f"{''.join(c if c.isalnum() else '-' for c in name)}.stacks"
        command = ["record", "--pid", str(self._pid), "--rate", str(SAMPLES), "--threads", "--gil", "--full-filenames"]
        command += ["--format", "raw", "--duration", "600", "--output", str(output), "--nonblocking"]
        process = await asyncio.create_subprocess_exec(
            self._program, *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        await work()
        process.send_signal(signal.SIGINT)  # it writes what it has
        await process.wait()
        stacks: Counter[str] = Counter()
        for line in output.read_text().splitlines():
            stack, _, number = line.rpartition(" ")
            if MAIN_THREAD in stack.partition(";")[0]:
                stacks[stack] += int(number)
        return stacks


async def _of_one(
    application: Application, variant: str, all_asked: list[Asked], seconds: float, sampler: Sampler, say: Say
) -> list[Profile]:
    done = []
    async with session() as opened:
        browser = await Browser.signed_up(opened, application, USERS, CHATS)
        for asked in all_asked:
            for clients in asked.clients:
                say(f"{variant}: {asked.name}, {clients} at a time ...")
                warm = await browser.measure(asked, clients, asked.fewest[1] * clients)
                requests = max(asked.fewest[1] * clients, round(warm.rate * seconds))

                async def work(asked: Asked = asked, clients: int = clients, requests: int = requests) -> None:
                    await browser.measure(asked, clients, requests)

                start, used = perf_counter(), _cpu_seconds(application.pid)
                stacks = await sampler.during(work, f"{variant} {asked.name} {clients}")
                rate = requests / (perf_counter() - start)
                milliseconds = (_cpu_seconds(application.pid) - used) * 1e3 / requests
                parts: Counter[str] = Counter()
                for stack, number in stacks.items():
                    parts[part_of(stack)] += number
                each = milliseconds / max(parts.total(), 1)
                shares = {name: number * each for name, number in parts.items()}
                done.append(Profile(asked.name, variant, clients, rate, shares))
    return done


def part_of(stack: str) -> str:
    """Return what a sample belongs to.

    Args:
        stack: Frames from the outermost to the innermost, separated by semicolons.
    """
    (settings, own), *_ = PARTS
    if any(mark in stack for mark in own):
        return settings
    for frame in reversed(stack.split(";")):
        for name, marks in PARTS:
            if any(mark in frame for mark in marks):
                return name
    return REST


def _cpu_seconds(pid: int) -> float:
    """Return for how long the main thread of a process has run."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9


def result(profiles: list[Profile]) -> Result:
    """Return milliseconds of the main thread per request, by what it does."""
    in_order = sorted(profiles, key=lambda each: (each.name, each.clients))
    parts = [
        [f"`{one.name}`", str(one.clients), one.variant, f"{one.rate:,.0f}", figure(one.total)]
        + [figure(one.parts.get(name, 0)) for name in COLUMNS]
        for one in in_order
    ]
    shown = Sheet("profile", ("Request", "Clients", "", "requests/s", "all", *COLUMNS), parts, texts=3)
    documented = Sheet("profile", HEADINGS["profile"], list(_totals(in_order)))
    return Result({"profiles": [asdict(one) for one in profiles]}, [shown], [], [documented])


def _totals(profiles: list[Profile]) -> Iterator[list[str]]:
    stock = {(one.name, one.clients): one.total for one in profiles if one.variant == "stock"}
    for one in profiles:
        if one.variant != "stock":
            before = stock[one.name, one.clients]
            yield [f"`{one.name}`", str(one.clients), *map(figure, (before, one.total, one.total / before))]
