"""Running the operations on all backends in turn, round after round."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.backends import BACKENDS, BackendMissingError, WorkerProcess, host_environment
from bench.data import CHATS_VARIABLE, TOTAL_CHATS, TOTAL_USERS, USERS_VARIABLE

__all__ = ["RESULTS_DIR", "Measured", "Parameters", "Rounds", "Run", "run", "work_directory"]

RESULTS_DIR = Path(__file__).parent / "results"

WARM_UP_CALLS = 40
FEWEST_CALLS, MOST_CALLS = 20, 5000

Say = Callable[[str], None]
Rounds = dict[str, list[dict[str, float]]]
"""``one``, ``many`` or ``floor`` -> what was measured in each round, see `bench.measure.Cell`."""


@dataclass(frozen=True)
class Parameters:
    """What a run measures.

    Attributes:
        groups: Names of groups.
        backends: Names of backends, in the order in which they take turns.
        rounds: How often each operation is measured.
        seconds: About how long each measurement takes.
        callers: Number of concurrent callers.
        users: Number of users in the data set of that name.
        chats: Number of chats of one user in the data set of that name.
        only: What is in the names of the operations to measure; all by default.
    """

    groups: list[str]
    backends: list[str]
    rounds: int = 5
    seconds: float = 0.1
    callers: int = 32
    users: int = TOTAL_USERS
    chats: int = TOTAL_CHATS
    only: tuple[str, ...] = ("",)


@dataclass
class Measured:
    """One operation, in all rounds.

    Attributes:
        group: Name of its group.
        name: Name of the operation.
        kind: Whether it reads or writes.
        backends: Name of each backend that it is measured on -> rounds.
        limits: See `bench.operations.Operation`, as of the rest.
    """

    group: str
    name: str
    kind: str
    backends: dict[str, Rounds] = field(default_factory=dict)
    limits: dict[str, float | None] = field(default_factory=dict)
    callers: int | None = None
    fewest: int = FEWEST_CALLS


@dataclass
class Run:
    """What a run gave.

    Attributes:
        versions: Backend -> name and version.
        skipped: Backend -> why it is missing.
        operations: The operations.
        space: Backend -> bytes that its database takes with the data set.
        space_limit: See `bench.operations.Group`.
    """

    versions: dict[str, str]
    skipped: dict[str, str]
    operations: list[Measured]
    space: dict[str, int] = field(default_factory=dict)
    space_limit: float | None = None


def run(parameters: Parameters, say: Say) -> Run:
    """Measure everything.

    Args:
        parameters: What.
        say: Told what is going on.

    Raises:
        WorkerError: A backend failed.
    """
    with ExitStack() as stack:
        directory = stack.enter_context(work_directory())
        workers, skipped = _start(parameters, directory, stack)
        for name, reason in skipped.items():
            say(f"{name} is skipped: {reason}.")
        say(f"Loading {', '.join(parameters.groups)} into {', '.join(workers)} ...")
        for worker in workers.values():
            worker.send("load")
        loaded = {name: worker.receive() for name, worker in workers.items()}
        operations = [
            operation
            for operation in _merged({name: answer["operations"] for name, answer in loaded.items()})
            if any(text in operation.name for text in parameters.only)
        ]
        say(f"Warming up {len(operations)} operations ...")
        calls = {
            (operation.group, operation.name, name): _calibrate(workers[name], operation, parameters)
            for operation in operations
            for name in operation.backends
        }
        for number in range(parameters.rounds):
            say(f"Round {number + 1} of {parameters.rounds} ...")
            for operation in operations:
                for name in operation.backends:
                    counts = calls[operation.group, operation.name, name]
                    _measure(workers[name], name, operation, counts, operation.callers or parameters.callers)
    answers = list(loaded.values())
    return Run(
        {name: answer["version"] for name, answer in loaded.items()},
        skipped,
        operations,
        space={name: answer["space"] for name, answer in loaded.items()},
        space_limit=answers[0]["space_limit"] if answers else None,
    )


@contextmanager
def work_directory() -> Iterator[Path]:
    """A directory on the disk of the project, not in a temporary file system in memory."""
    RESULTS_DIR.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="work-", dir=RESULTS_DIR)).resolve()
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _merged(described: dict[str, list[dict[str, Any]]]) -> list[Measured]:
    """Return what the backends offer to measure, each operation once."""
    operations: dict[tuple[str, str], Measured] = {}
    for backend, descriptions in described.items():
        for description in descriptions:
            key = (description["group"], description["name"])
            operations.setdefault(key, Measured(**description)).backends[backend] = {}
    return list(operations.values())


def _start(
    parameters: Parameters, directory: Path, stack: ExitStack
) -> tuple[dict[str, WorkerProcess], dict[str, str]]:
    workers: dict[str, WorkerProcess] = {}
    skipped: dict[str, str] = {}
    for name in parameters.backends:
        data_dir = directory / name
        data_dir.mkdir()
        try:
            backend = stack.enter_context(BACKENDS[name](data_dir, parameters.groups, parameters.callers))
        except BackendMissingError as error:
            skipped[name] = str(error)
            continue
        sizes = {USERS_VARIABLE: str(parameters.users), CHATS_VARIABLE: str(parameters.chats)}
        environment = host_environment(data_dir) | backend | sizes
        worker = WorkerProcess(name, parameters.groups, environment, directory / f"{name}.log")
        workers[name] = stack.enter_context(worker)
    return workers, skipped


def _calibrate(worker: WorkerProcess, operation: Measured, parameters: Parameters) -> tuple[int, int]:
    """Warm an operation up; return how many calls take the time of one measurement, at one caller and at many.

    The number is the same in all rounds: what an operation needs is prepared for exactly so many calls.
    """
    at_once = operation.callers or parameters.callers
    calls = WARM_UP_CALLS if operation.fewest >= FEWEST_CALLS else operation.fewest

    def planned(calls: int, callers: int) -> int:
        rate: float = worker.ask("measure", **_named(operation), calls=calls, callers=callers, floor=False)["rate"]
        return round(min(max(rate * parameters.seconds, operation.fewest), MOST_CALLS))

    one = planned(calls, 1)
    many = planned(max(calls, at_once), at_once) if at_once > 1 else one
    return one, max(many, at_once * 3 // 2)  # with fewer, most of the time not all callers call


def _measure(worker: WorkerProcess, backend: str, operation: Measured, calls: tuple[int, int], callers: int) -> None:
    one, many = calls
    plan: list[tuple[str, dict[str, Any]]] = [("one", {"calls": one, "callers": 1, "floor": False})]
    if backend == "pocketbase" and operation.limits.get("overhead", 0) is not None:
        plan.append(("floor", {"calls": one, "callers": 1, "floor": True}))
    if callers > 1:
        plan.append(("many", {"calls": many, "callers": callers, "floor": False}))
    rounds = operation.backends[backend]
    for name, settings in plan:
        rounds.setdefault(name, []).append(worker.ask("measure", **_named(operation), **settings))
    rounds.setdefault("many", rounds["one"])  # of one caller, who is all there are


def _named(operation: Measured) -> dict[str, str]:
    return {"group": operation.group, "name": operation.name}
