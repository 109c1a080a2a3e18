"""Calls that change thousands of rows: how long they take, and how long others wait meanwhile, beside stock SQLite."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from bench.backends import WorkerProcess, host_environment
from bench.runner import work_directory
from bench.tables import HEADINGS, Result, Say, Sheet, figure
from bench.targets import OURS

__all__ = ["CASES", "Mass", "measure_masses", "result"]

BACKENDS = ("sqlite", "pocketbase", "mirrored")

WRITE_SECONDS = 0.3
"""What others may wait, unless they do so with the stock storage."""

CASES = {
    "add 10,000 members": 1.0,
    "replace 10,000 members": 1.5,
    "remove 10,000 members": 2.0,
    "delete a group of 10,000": 2.0,
    "create 1,000 groups": 1.0,
    "sign in with 1,000 groups": 2.0,
    "20 sign in with 1,000 groups": 1.0,
    "500 users, 8 at a time": 1.5,
    "500 sign up, 8 at a time": 1.5,
    "delete 20,000 chats of 2": 1.0,
    "delete a chat of 20,000": 2.0,
}
"""Case of `bench.mass_worker` -> most times that it may take of stock SQLite's time."""


@dataclass
class Mass:
    """One call on one backend.

    Attributes:
        name: The case.
        backend: Name of the backend.
        seconds: How long it took.
        p99: Seconds that one in a hundred of somebody else's writes exceeded until all was done, afterwards as well.
        errors: Calls that failed, of those at once.
    """

    name: str
    backend: str
    seconds: float
    p99: float
    errors: int

    def keeps_to(self, stock: Mass) -> bool:
        """Return whether nothing failed, it is not slower than it may be, and others can work."""
        is_fast = self.seconds <= CASES[self.name] * stock.seconds
        return not self.errors and is_fast and self.p99 <= max(WRITE_SECONDS, stock.p99)


def measure_masses(say: Say, only: Collection[str] = ("",)) -> Result:
    """Measure each case on all backends in turn.

    Args:
        say: Told what is going on.
        only: What is in the names of the cases to measure.
    """
    with ExitStack() as stack:
        directory = stack.enter_context(work_directory())
        workers = {}
        for name in BACKENDS:
            (directory / name).mkdir()
            environment = host_environment(directory / name) | {
                "DATABASE_URL": f"sqlite:///{directory}/{name}/webui.db"
            }
            log = directory / f"{name}.log"
            workers[name] = stack.enter_context(WorkerProcess(name, [], environment, log, module="bench.mass_worker"))
        done = []
        for case in (case for case in CASES if any(text in case for text in only)):
            say(f"{case} ...")
            measured = []
            for name, worker in workers.items():
                measured.append(mass := Mass(case, name, **worker.ask(case)))
                say(f"{name}: {mass.seconds:.2f} s")
            done.append(measured)
        return result(done)


def result(done: list[list[Mass]]) -> Result:
    """Return what cases have given, each on stock SQLite, on PocketBase, and with the mirror."""
    rows = [[each[0].name, *(figure(one.seconds) for one in each), *(figure(one.p99) for one in each)] for each in done]
    missed = [
        f"{one.name}: {one.seconds:.2f} s ({each[0].seconds:.2f}); others' writes {one.p99:.2f} s ({each[0].p99:.2f});"
        f" {one.errors} calls failed"
        for each in done
        for one in each
        if one.backend == OURS and not one.keeps_to(each[0])
    ]
    document = {"masses": [asdict(one) for each in done for one in each]}
    return Result(document, [Sheet("masses", HEADINGS["masses"], rows)], missed)
