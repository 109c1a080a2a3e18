"""Settings of Hypothesis: the same examples in every run, found without a clock or a database of earlier failures."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, settings

__all__ = ["examples", "machine"]

_REPEATABLE: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


def examples(number: int) -> settings:
    """Return the settings of a test that is given so many examples."""
    return settings(max_examples=number, **_REPEATABLE)


def machine(runs: int, steps: int) -> settings:
    """Return the settings of a state machine: how often it runs, and with how many steps at most."""
    return settings(max_examples=runs, stateful_step_count=steps, phases=[Phase.generate, Phase.shrink], **_REPEATABLE)
