"""What the embedded PocketBase adds to the time that Open WebUI takes to start."""

from __future__ import annotations

from collections.abc import Callable

from bench.application import VARIANTS, Application
from bench.runner import work_directory
from bench.stats import median

__all__ = ["measure_startup", "startup_summary"]


def measure_startup(times: int, say: Callable[[str], None]) -> dict[str, list[float]]:
    """Start the variants in turn, on data directories which they have started on before.

    Args:
        times: How often.
        say: Told what is going on.

    Returns:
        The seconds from the start of the process to the first good answer of ``/health``, by variant.

    Raises:
        WorkerError: One did not start.
    """
    seconds: dict[str, list[float]] = {name: [] for name in VARIANTS}
    with work_directory() as directory:
        for number in range(times + 1):
            for name in VARIANTS:
                with Application(name, directory) as application:
                    taken = application.seconds
                say(f"{name}: {taken:.2f} s{'' if number else ' (first start, not counted)'}")
                if number:
                    seconds[name].append(taken)
    return seconds


def startup_summary(seconds: dict[str, list[float]]) -> tuple[dict[str, float], float]:
    """Return the medians by variant, and what PocketBase adds."""
    medians = {name: median(values) for name, values in seconds.items()}
    return medians, medians["pocketbase"] - medians["stock"]
