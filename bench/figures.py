"""From rounds to figures."""

from __future__ import annotations

from dataclasses import dataclass

from bench.measure import median, ratios, spread
from bench.runner import Measured, Rounds

__all__ = ["REFERENCE", "Figures", "figures"]

REFERENCE = "sqlite"
"""The backend that the others are compared with: what a user has who changes nothing."""


@dataclass(frozen=True)
class Figures:
    """One operation on one backend; each figure is the median over the rounds, in ms or calls per second.

    Attributes:
        p50: Median duration at one caller.
        p99: Duration that 1% of the calls exceed, at one caller.
        rate: Calls per second at one caller.
        rate_many: Calls per second at many callers.
        p99_many: Duration that 1% of the calls exceed, at many callers.
        failures: Failed calls of all rounds.
        p50_ratio: `p50` over the reference's.
        rate_ratio: `rate_many` over the reference's.
        p99_ratio: `p99_many` over the reference's.
        floor: Median duration of the bare request.
        overhead: `p50` over `floor`.
        noise: How far the rounds are apart, see `bench.measure.spread`; of `p50_ratio` where there is one.
    """

    p50: float
    p99: float
    rate: float
    rate_many: float
    p99_many: float
    failures: int
    p50_ratio: float | None
    rate_ratio: float | None
    p99_ratio: float | None
    floor: float | None
    overhead: float | None
    noise: float


def figures(measured: Measured, backend: str) -> Figures:
    """Return the figures of an operation on a backend."""
    rounds = measured.backends[backend]
    p50, rate_many = _each(rounds, "one", "p50"), _each(rounds, "many", "rate")
    p99_many = _each(rounds, "many", "p99")
    floor = _each(rounds, "floor", "p50")
    reference = measured.backends.get(REFERENCE) if backend != REFERENCE else None
    p50_ratios = ratios(p50, _each(reference, "one", "p50")) if reference else None
    return Figures(
        p50=median(p50),
        p99=median(_each(rounds, "one", "p99")),
        rate=median(_each(rounds, "one", "rate")),
        rate_many=median(rate_many),
        p99_many=median(p99_many),
        failures=round(sum(cell["failures"] for cells in rounds.values() for cell in cells)),
        p50_ratio=median(p50_ratios) if p50_ratios else None,
        rate_ratio=median(ratios(rate_many, _each(reference, "many", "rate"))) if reference else None,
        p99_ratio=median(ratios(p99_many, _each(reference, "many", "p99"))) if reference else None,
        floor=median(floor) if floor else None,
        overhead=median(ratios(p50, floor)) if floor else None,
        noise=spread(p50_ratios or p50),
    )


def _each(rounds: Rounds, name: str, figure: str) -> list[float]:
    return [cell[figure] for cell in rounds.get(name, ())]
