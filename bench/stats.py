"""The few statistics the benchmarks need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

__all__ = ["median", "percentile", "ratios", "spread"]


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least this percentage of the values do not exceed.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("no values")
    rank = max(1, math.ceil(percent / 100 * len(values)))
    return sorted(values)[rank - 1]


def ratios(values: Sequence[float], references: Sequence[float]) -> list[float]:
    """Return each value over the reference of the same round: what slowed a round down slowed both."""
    return [value / reference for value, reference in zip(values, references, strict=True)]


def spread(values: Sequence[float]) -> float:
    """Return how far rounds are apart: the middle half of the values, relative to their median."""
    if len(values) < 2:
        return 0.0
    return (percentile(values, 75) - percentile(values, 25)) / median(values)
