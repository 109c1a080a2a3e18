"""The PocketBase process: its command line, its output, its end."""

from __future__ import annotations

import ctypes
import logging.handlers
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.proof import KEY_VARIABLE, LISTEN_VARIABLE
from openwebui_pocketbase.server.network import listen_address, local_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openwebui_pocketbase.server.credentials import Credentials
    from openwebui_pocketbase.server.rundir import RunDir

__all__ = ["PocketBase", "ServeOptions", "command_marker", "open_log"]

LOG_FILES = 5
LOG_BYTES = 5_000_000
LINE_BYTES = 65_536
LAST_LINES = 12
OUTPUT_GRACE = 1.0  # seconds for what is left in the pipe after the process has ended
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class ServeOptions:
    """What to serve, and where; of plain types, as it crosses a process boundary.

    Attributes:
        binary: The ``pocketbase`` program.
        data_dir: Directory of PocketBase's data, absolute.
        hooks_dir: Directory of the JavaScript hooks, of which PocketBase runs a copy.
        migrations_dir: The same of the migrations.
        host: Address to listen on.
        port: Port to listen on; 0 for any free one.
        further_hooks: Files that come beside the hooks: path -> text.
    """

    binary: str
    data_dir: str
    hooks_dir: str
    migrations_dir: str
    host: str
    port: int
    further_hooks: dict[str, str] = field(default_factory=dict)


class PocketBase:
    """One run of PocketBase, from its start to its end.

    Attributes:
        pid: Process id.
        started: When it was started, in seconds of the monotonic clock.
    """

    def __init__(
        self,
        options: ServeOptions,
        port: int,
        *,
        run_dir: RunDir,
        credentials: Credentials,
        log: logging.Handler,
    ) -> None:
        """Start the process. To be called in the main thread, while no other thread runs.

        Raises:
            ServerError: The program cannot be run.
        """
        self._log = log
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - fixed arguments; the program is the administrator's
                _command(options, port, run_dir),
                cwd=options.data_dir,
                # Not as arguments: those are readable by every user of the machine.
                env=os.environ
                | {
                    "OWUI_SUPERUSER_IDENTITY": credentials.identity,
                    "OWUI_SUPERUSER_PASSWORD": credentials.password,
                    KEY_VARIABLE: credentials.key,
                    LISTEN_VARIABLE: urlsplit(local_url(options.host, port)).netloc,
                    "TMPDIR": str(run_dir.temporary),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                preexec_fn=_end_with_parent(),  # noqa: PLW1509 - safe: this process has no other thread now
            )
        except OSError as error:
            raise ServerError(f"{options.binary} cannot be run: {error}.") from None
        self.pid = self._process.pid
        self.started = time.monotonic()
        self._reader = threading.Thread(target=self._read_output, name="pocketbase-output", daemon=True)
        self._reader.start()

    def wait(self, seconds: float) -> int | None:
        """Wait for the process to end, at most so long; return its exit code, or None if it runs on."""
        # Its output ends when it does, so this wakes up at once, without polling for the exit code.
        self._reader.join(seconds)
        try:
            # The exit code comes a moment after the end of output, if it has not only closed that.
            return self._process.wait(0 if self._reader.is_alive() else seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, grace: float) -> None:
        """End the process if it still runs, and take in the rest of its output.

        Args:
            grace: Seconds it may take to stop by itself before it is killed.
        """
        self._process.terminate()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(OUTPUT_GRACE)

    def kill(self) -> None:
        """End the process, which does not react any more."""
        self._process.kill()

    def describe_end(self) -> str:
        """Return how the process ended and what it said last."""
        code = self._process.returncode
        how = f"with exit code {code}" if code >= 0 else f"by signal {-code} ({signal.strsignal(-code)})"
        lines = "\n".join(self._last_lines)
        return f"{how}. Its last words:\n{lines}" if lines else f"{how}, without a word."

    def said(self, text: str) -> bool:
        """Tell whether the text is in the last lines of output."""
        return any(text in line for line in self._last_lines)

    def _read_output(self) -> None:
        in_trace = False
        assert self._process.stdout  # noqa: S101 - for the type checker: it is a pipe
        with self._process.stdout as pipe:
            while line := pipe.readline(LINE_BYTES):
                text = line.decode(errors="replace").rstrip("\r\n")
                # Go prints the cause of a panic, then a long trace that would push it out of the last lines.
                in_trace = in_trace or text.startswith("goroutine ")
                if text and not in_trace:
                    self._last_lines.append(text)
                # Straight to the handler: it reports a full disk on standard error and goes on, as it must,
                # because PocketBase stops when nobody empties the pipe.
                self._log.handle(logging.makeLogRecord({"msg": text}))


def open_log(path: Path) -> logging.Handler:
    """Return the rotating log for PocketBase's output, which it takes line by line as it is."""
    return logging.handlers.RotatingFileHandler(
        path, maxBytes=LOG_BYTES, backupCount=LOG_FILES - 1, encoding="utf-8", delay=True
    )


def command_marker(data_dir: str) -> str:
    """Return the text by which the command line of a PocketBase on that data directory is known."""
    return f" serve --dir {data_dir} --hooksDir "


def _command(options: ServeOptions, port: int, run_dir: RunDir) -> list[str]:
    return [
        options.binary,
        "serve",
        *("--dir", options.data_dir),
        *("--hooksDir", str(run_dir.hooks)),
        *("--migrationsDir", str(run_dir.migrations)),
        *("--publicDir", str(run_dir.public)),
        *("--http", listen_address(options.host, port)),
        "--automigrate=false",  # the schema is in the package; changes made in the dashboard are not
        "--hooksWatch=false",
        "--hooksPool=25",  # PocketBase's 15, and room for the waiting request of each worker
    ]


def _end_with_parent() -> Callable[[], None] | None:
    """Return what makes a child be asked to stop when its parent dies, where the system can do that."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # before the fork: the child should do as little as possible
    parent = os.getpid()

    def ask_for_signal() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the request
            os._exit(1)

    return ask_for_signal
