"""What has to be reached; ratios are to stock SQLite in the same run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from bench.figures import REFERENCE, figures
from bench.runner import Measured, Run

__all__ = ["FURTHER", "OURS", "TARGETS", "THROUGH", "Target", "Verdict", "judge", "verdicts"]


Figure = Literal["p50", "p50_ratio", "rate_ratio", "p99_ratio", "overhead", "space"]


@dataclass(frozen=True)
class Target:
    """A limit of one of a backend's figures.

    Attributes:
        kinds: Kinds of operations it holds for.
        figure: Name of the figure, see `bench.figures.Figures`; or what the data set takes on the disk.
        bound: Whether more or less than the limit is a miss.
        limit: The limit.
    """

    kinds: tuple[str, ...]
    figure: Figure
    bound: Literal["at most", "at least"]
    limit: float


OURS = "pocketbase"
"""The backend that all this is about."""

THROUGH = "through"
"""What it is for groups that are written through."""

TARGETS = {
    OURS: (
        Target(("read",), "p50_ratio", "at most", 0.8),
        Target(("read",), "rate_ratio", "at least", 2.5),
        Target(("write",), "p50_ratio", "at most", 1.2),
        Target(("write",), "rate_ratio", "at least", 2.0),
        Target(("read", "write"), "overhead", "at most", 1.6),
    ),
    "mirrored": (Target(("write",), "p50_ratio", "at most", 2.5),),
    THROUGH: (
        Target(("read", "write"), "p50_ratio", "at most", 1.2),
        Target(("read", "write"), "rate_ratio", "at least", 0.8),
    ),
}
"""Backend -> what it has to reach; operations may have limits of their own for ours."""

FURTHER: tuple[Figure, ...] = ("p50", "p99_ratio")
"""Figures of ours which only some operations have to keep at most at a limit, see `bench.operations.Operation`."""


@dataclass(frozen=True)
class Verdict:
    """Whether a figure reached its target.

    Attributes:
        target: The target.
        value: The figure.
        failures: How many calls failed; how fast they did counts for nothing.
    """

    target: Target
    value: float
    failures: int = 0

    @property
    def met(self) -> bool:
        """Whether it did."""
        if self.failures:
            return False
        if self.target.bound == "at most":
            return self.value <= self.target.limit
        return self.value >= self.target.limit


def judge(measured: Measured, backend: str) -> list[Verdict]:
    """Return the verdict on every target that an operation has on a backend and whose figure there is."""
    found = figures(measured, backend)
    limits = measured.limits if backend == OURS else {}
    further = (Target((measured.kind,), figure, "at most", 0.0) for figure in FURTHER if figure in limits)
    found_verdicts = []
    for target in (*TARGETS.get(backend, ()), *further):
        value, limit = getattr(found, target.figure), limits.get(target.figure, target.limit)
        if measured.kind in target.kinds and value is not None and limit is not None:
            found_verdicts.append(Verdict(replace(target, limit=limit), value, found.failures))
    return found_verdicts


def verdicts(run: Run) -> Iterator[tuple[str, Verdict]]:
    """Return the verdict on every target of a run, each with what it is about."""
    for operation in run.operations:
        for backend in operation.backends:
            for verdict in judge(operation, backend):
                yield f"{backend}: {operation.group}: {operation.name}", verdict
    if run.space_limit is not None and {OURS, REFERENCE} <= run.space.keys():
        ours, reference = run.space[OURS], run.space[REFERENCE]
        text = f"{OURS}: {ours / 1e6:,.0f} MB on disk over {reference / 1e6:,.0f} MB"
        yield text, Verdict(Target((), "space", "at most", run.space_limit), ours / reference)
