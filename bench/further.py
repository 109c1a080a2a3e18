"""What is wanted of a run besides each operation's own figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.figures import REFERENCE, figures
from bench.runner import Run
from bench.stats import median, ratios
from bench.targets import OURS

__all__ = ["Further", "further", "growths"]


@dataclass(frozen=True)
class Further:
    """A figure of ours that belongs to no single operation on one data set.

    Attributes:
        text: What it is.
        value: The figure.
        limit: What it may be at most.
    """

    text: str
    value: float
    limit: float

    @property
    def met(self) -> bool:
        """Whether it is not above the limit."""
        return self.value <= self.limit


def further(run: Run) -> list[Further]:
    """Return how operations compare with each other, and what the data take on the disk."""
    return [*_comparisons(run), *_space(run)]


def growths(run: Run, chats: int, earlier: dict[str, Any]) -> list[Further]:
    """Return how much slower operations have become since a run on less data.

    Args:
        run: A run.
        chats: How many chats one user has in it.
        earlier: The report of the other run.
    """
    then = {(each["group"], each["name"]): each["figures"] for each in earlier["operations"]}
    sizes = f"{chats:,} chats over {earlier['parameters']['chats']:,}"
    found = []
    for operation in run.operations:
        before = then.get((operation.group, operation.name), {}).get(OURS)
        if operation.growth is not None and before is not None and OURS in operation.backends:
            value = figures(operation, OURS).p50 / before["p50"]
            found.append(Further(f"{operation.name}: {sizes}", value, operation.growth))
    return found


def _comparisons(run: Run) -> Iterator[Further]:
    p50 = {
        operation.name: [cell["p50"] for cell in operation.backends[OURS]["one"]]
        for operation in run.operations
        if OURS in operation.backends
    }
    for comparison in run.comparisons:
        of, to = comparison["of"], comparison["to"]
        if of in p50 and to in p50:
            yield Further(f"{of} over {to.rpartition('.')[2]}", median(ratios(p50[of], p50[to])), comparison["limit"])


def _space(run: Run) -> Iterator[Further]:
    if run.space_limit is not None and {OURS, REFERENCE} <= run.space.keys():
        ours, reference = run.space[OURS], run.space[REFERENCE]
        text = f"space on disk: {ours / 1e6:,.0f} MB over {reference / 1e6:,.0f} MB"
        yield Further(text, ours / reference, run.space_limit)
