"""Open WebUI itself, as a process."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

from bench.backends import WorkerError, host_environment

__all__ = ["VARIANTS", "Application"]

TIMEOUT = 180.0
PAUSE = 0.01

VARIANTS = {
    "stock": {"OPENWEBUI_POCKETBASE_DISABLE": "1"},
    "pocketbase": {"STORAGE_BACKEND": "pocketbase"},
}
"""Name -> environment; the first one as if this package was not installed."""


class Application:
    """``open-webui serve``, as a context manager; it answers on ``/health`` when the context is entered.

    Args:
        variant: One of `VARIANTS`.
        directory: For its data and its log; what is there from earlier starts is used again.
        variables: Further environment.

    Attributes:
        seconds: How long it took from the start of the process to the first good answer.
        url: Where it answers.
    """

    def __init__(self, variant: str, directory: Path, variables: dict[str, str] | None = None) -> None:
        self._is_ours = variant != "stock"
        self._data_dir = directory / variant
        self._environment = VARIANTS[variant] | (variables or {})
        self._log = directory / f"{variant}.log"
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.seconds = 0.0

    def __enter__(self) -> Application:
        self._data_dir.mkdir(exist_ok=True)
        program = Path(sys.executable).with_name("open-webui")
        with self._log.open("w") as output:
            start = time.monotonic()
            self._process = subprocess.Popen(
                [program, "serve", "--host", "127.0.0.1", "--port", str(self._port)],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._data_dir,
                env=host_environment(self._data_dir) | self._environment,
            )
        try:
            self._wait_until(start + TIMEOUT)
        except BaseException:
            self._stop()
            raise
        self.seconds = time.monotonic() - start
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    def forget_copies(self) -> None:
        """Remove the local copies of files that are in PocketBase.

        Raises:
            WorkerError: Files are in PocketBase, but there are no copies: they are somewhere else.
        """
        copies = list((self._data_dir / "openwebui-pocketbase" / "files").glob("[!.]*/[!.]*"))
        if self._is_ours and not copies:
            raise WorkerError("There are no local copies of files where they should be.")
        for copy in copies:
            shutil.rmtree(copy)

    def _wait_until(self, deadline: float) -> None:
        while not self._is_healthy():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise WorkerError(f"Open WebUI did not start:\n{self._log.read_text(errors='replace')[-4000:]}")
            time.sleep(PAUSE)

    def _stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _is_healthy(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
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
