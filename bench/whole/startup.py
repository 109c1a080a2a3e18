"""What the embedded PocketBase adds to the time that Open WebUI takes to start."""

from __future__ import annotations

from bench.measure import median
from bench.runner import work_directory
from bench.tables import HEADINGS, Result, Say, Sheet, figure
from bench.whole.application import VARIANTS, Application

__all__ = ["measure_startup", "summary"]

SECONDS = 1.5
"""Most that Open WebUI's start may take longer."""


def measure_startup(times: int, say: Say) -> Result:
    """Start the variants in turn, on data directories which they have started on before.

    Args:
        times: How often.
        say: Told what is going on.

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
    return summary(seconds)


def summary(seconds: dict[str, list[float]]) -> Result:
    """Return what so many seconds from the start of the process to the first good answer of ``/health`` say."""
    medians = {name: median(values) for name, values in seconds.items()}
    added = medians["pocketbase"] - medians["stock"]
    row = ["to the first answer of `/health`", *map(figure, (*medians.values(), added))]
    missed = [f"PocketBase adds {added:.2f} s, at most {SECONDS} s is wanted"] if added > SECONDS else []
    document = {"seconds": seconds, "medians": medians, "added": added}
    return Result(document, [Sheet("startup", HEADINGS["startup"], [row])], missed)
