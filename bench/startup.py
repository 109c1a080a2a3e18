"""What the embedded PocketBase adds to the time that Open WebUI takes to start."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

from bench.backends import WorkerError, host_environment
from bench.runner import work_directory
from bench.stats import median

__all__ = ["VARIANTS", "measure_startup"]

TIMEOUT = 180.0
PAUSE = 0.01

VARIANTS = {
    "stock": {"OPENWEBUI_POCKETBASE_DISABLE": "1"},
    "pocketbase": {"STORAGE_BACKEND": "pocketbase"},
}
"""Name -> environment; the first one as if this package was not installed."""


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
            for name, variables in VARIANTS.items():
                data_dir = directory / name
                data_dir.mkdir(exist_ok=True)
                taken = _start_and_stop(host_environment(data_dir) | variables, directory / f"{name}.log", data_dir)
                say(f"{name}: {taken:.2f} s{'' if number else ' (first start, not counted)'}")
                if number:
                    seconds[name].append(taken)
    return seconds


def startup_summary(seconds: dict[str, list[float]]) -> tuple[dict[str, float], float]:
    """Return the medians by variant, and what PocketBase adds."""
    medians = {name: median(values) for name, values in seconds.items()}
    return medians, medians["pocketbase"] - medians["stock"]


def _start_and_stop(environment: dict[str, str], log: Path, directory: Path) -> float:
    port = _free_port()
    program = Path(sys.executable).with_name("open-webui")
    with log.open("w") as output:
        start = time.monotonic()
        process = subprocess.Popen(
            [program, "serve", "--host", "127.0.0.1", "--port", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={**os.environ, **environment},
        )
    try:
        while not _is_healthy(port):
            if process.poll() is not None or time.monotonic() > start + TIMEOUT:
                raise WorkerError(f"Open WebUI did not start:\n{log.read_text(errors='replace')[-4000:]}")
            time.sleep(PAUSE)
        return time.monotonic() - start
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_healthy(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
