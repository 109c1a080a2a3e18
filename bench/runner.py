"""Running the operations on all backends in turn, round after round."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.backends import BACKENDS, BackendMissingError, WorkerProcess, host_environment
from bench.data import TOTAL_USERS, USERS_VARIABLE

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
    """

    groups: list[str]
    backends: list[str]
    rounds: int = 5
    seconds: float = 0.1
    callers: int = 32
    users: int = TOTAL_USERS


@dataclass
class Measured:
    """One operation, in all rounds.

    Attributes:
        group: Name of its group.
        name: Name of the operation.
        kind: Whether it reads or writes.
        backends: Name of each backend that it is measured on -> rounds.
        limits: See `bench.operations.Operation`.
    """

    group: str
    name: str
    kind: str
    backends: dict[str, Rounds] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)


@dataclass
class Run:
    """What a run gave: backend -> name and version; why a backend is missing; the operations."""

    versions: dict[str, str]
    skipped: dict[str, str]
    operations: list[Measured]


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
        operations = _merged({name: answer["operations"] for name, answer in loaded.items()})
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
                    _measure(workers[name], name, operation, counts, parameters.callers)
    return Run({name: answer["version"] for name, answer in loaded.items()}, skipped, operations)


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
        environment = host_environment(data_dir) | backend | {USERS_VARIABLE: str(parameters.users)}
        worker = WorkerProcess(name, parameters.groups, environment, directory / f"{name}.log")
        workers[name] = stack.enter_context(worker)
    return workers, skipped


def _calibrate(worker: WorkerProcess, operation: Measured, parameters: Parameters) -> tuple[int, int]:
    """Warm an operation up; return how many calls take the time of one measurement, at one caller and at many.

    The number is the same in all rounds: what an operation needs is prepared for exactly so many calls.
    """
    rates = [
        worker.ask("measure", **_named(operation), calls=calls, callers=callers, floor=False)["rate"]
        for calls, callers in ((WARM_UP_CALLS, 1), (max(WARM_UP_CALLS, parameters.callers), parameters.callers))
    ]
    one, many = (round(min(max(rate * parameters.seconds, FEWEST_CALLS), MOST_CALLS)) for rate in rates)
    return one, max(many, parameters.callers * 3 // 2)  # with fewer, most of the time not all callers call


def _measure(worker: WorkerProcess, backend: str, operation: Measured, calls: tuple[int, int], callers: int) -> None:
    one, many = calls
    plan: Sequence[tuple[str, dict[str, Any]]] = [
        ("one", {"calls": one, "callers": 1, "floor": False}),
        ("many", {"calls": many, "callers": callers, "floor": False}),
    ]
    if backend == "pocketbase":
        plan = [plan[0], ("floor", {"calls": one, "callers": 1, "floor": True}), plan[1]]
    rounds = operation.backends[backend]
    for name, settings in plan:
        rounds.setdefault(name, []).append(worker.ask("measure", **_named(operation), **settings))


def _named(operation: Measured) -> dict[str, str]:
    return {"group": operation.group, "name": operation.name}
