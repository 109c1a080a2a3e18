"""What has to be reached; ratios are to stock SQLite in the same run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from bench.figures import figures
from bench.runner import Measured

__all__ = ["FURTHER", "OURS", "STARTUP_SECONDS", "TARGETS", "Target", "Verdict", "judge"]


Figure = Literal["p50", "p50_ratio", "rate_ratio", "p99_ratio", "overhead"]


@dataclass(frozen=True)
class Target:
    """A limit of one of a backend's figures.

    Attributes:
        kinds: Kinds of operations it holds for.
        figure: Name of the figure, see `bench.figures.Figures`.
        bound: Whether more or less than the limit is a miss.
        limit: The limit.
    """

    kinds: tuple[str, ...]
    figure: Figure
    bound: Literal["at most", "at least"]
    limit: float


OURS = "pocketbase"
"""The backend that all this is about."""

TARGETS = {
    OURS: (
        Target(("read",), "p50_ratio", "at most", 0.8),
        Target(("read",), "rate_ratio", "at least", 2.5),
        Target(("write",), "p50_ratio", "at most", 1.2),
        Target(("write",), "rate_ratio", "at least", 2.0),
        Target(("read", "write"), "overhead", "at most", 1.6),
    ),
    "mirrored": (Target(("write",), "p50_ratio", "at most", 2.5),),
    "through": (
        Target(("read", "write"), "p50_ratio", "at most", 1.2),
        Target(("read", "write"), "rate_ratio", "at least", 0.8),
    ),
}
"""Backend -> what it has to reach; operations may have limits of their own for ours."""

FURTHER: tuple[Figure, ...] = ("p50", "p99_ratio")
"""Figures of ours which only some operations have to keep at most at a limit, see `bench.operations.Operation`."""

STARTUP_SECONDS = 1.5
"""Most that Open WebUI's start may take longer."""


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
    verdicts = []
    for target in (*TARGETS.get(backend, ()), *further):
        value, limit = getattr(found, target.figure), limits.get(target.figure, target.limit)
        if measured.kind in target.kinds and value is not None and limit is not None:
            verdicts.append(Verdict(replace(target, limit=limit), value, found.failures))
    return verdicts
