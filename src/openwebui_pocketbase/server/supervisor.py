"""The detached process that runs PocketBase as long as a worker uses it.

Started by `EmbeddedServer` as ``python -m openwebui_pocketbase.server.supervisor LOCK OPTIONS``:
the file descriptor of the lock it is to hold, and `ServeOptions` as JSON.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import sys
import time
from pathlib import Path

from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server.credentials import obtain_credentials
from openwebui_pocketbase.server.locks import FileLock
from openwebui_pocketbase.server.network import accepts_connections, choose_port, local_url, port_taken
from openwebui_pocketbase.server.orphan import stop_orphan
from openwebui_pocketbase.server.pocketbase import PocketBase, ServeOptions, command_marker, open_log
from openwebui_pocketbase.server.rundir import RunDir, ServerState

__all__ = ["STOP_GRACE", "Supervisor", "main"]

# All in seconds.
TICK = 0.5  # between two looks at the leases
START_TICK = 0.01  # the same while PocketBase starts and workers wait for it
STOP_GRACE = 10.0  # PocketBase gives requests in progress one second, then closes its database
QUICK = 30.0  # an end sooner than this after the start counts as a quick failure
FIRST_DELAY = 0.1
LONGEST_DELAY = 10.0

MOST_QUICK_FAILURES = 6  # in a row, before giving up

logger = logging.getLogger("openwebui_pocketbase.supervisor")


class Supervisor:
    """Runs PocketBase, again and again if need be, until nobody uses it.

    Its only threads are those that read PocketBase's output, one at a time: the process is started
    in the main thread, whose life the kernel ties it to.
    """

    def __init__(self, options: ServeOptions) -> None:
        self._options = options
        self._run_dir = RunDir(Path(options.data_dir))
        self._log = open_log(self._run_dir.pocketbase_log)
        self._leases: FileLock | None = None
        self._terminated = False

    def terminate(self, *_: object) -> None:
        """Make `run` stop PocketBase and return within a tick; a signal handler."""
        self._terminated = True

    def run(self) -> None:
        """Serve until no worker holds a lease, or until terminated.

        Raises:
            ServerError: PocketBase cannot be started, or ended too often too soon.
        """
        options = self._options
        credentials = obtain_credentials(self._run_dir.superuser)
        previous = self._run_dir.read_previous_state()
        if previous:
            stop_orphan(previous.pocketbase, marker=command_marker(options.data_dir), grace=STOP_GRACE)
        port = choose_port(options.host, wanted=options.port, previous=previous.port if previous else None)
        ever_ready = False
        quick_failures = 0
        while not self._is_over():
            process = PocketBase(options, port, run_dir=self._run_dir, credentials=credentials, log=self._log)
            try:
                ready = self._watch(process, port)
            finally:
                process.stop(STOP_GRACE)
            if self._is_over():
                logger.info("PocketBase has stopped: %s", "terminated" if self._terminated else "nobody uses it")
                return
            ever_ready = ever_ready or ready
            if not ever_ready:
                raise _start_error(process, options.host, port)
            logger.warning("PocketBase ended %s", process.describe_end())
            quick_failures = quick_failures + 1 if time.monotonic() - process.started < QUICK else 0
            if quick_failures == MOST_QUICK_FAILURES:
                raise ServerError(
                    f"PocketBase was started {quick_failures} times in a row and ended each time within"
                    f" {QUICK:.0f} seconds; the last time {process.describe_end()}",
                    hint=f"The whole output is in {self._run_dir.pocketbase_log}",
                )
            self._pause(_restart_delay(quick_failures))

    def _watch(self, process: PocketBase, port: int) -> bool:
        """Return when the process has ended or is no longer needed, telling whether it ever was ready."""
        ready = False
        self._publish(process, port, ready=False)
        while not self._is_over() and process.wait(TICK if ready else START_TICK) is None:
            if not ready and accepts_connections(self._options.host, port):
                ready = True
                self._run_dir.clear_failure()
                self._publish(process, port, ready=True)
                logger.info("PocketBase (process %d) is ready on port %d", process.pid, port)
        return ready

    def _publish(self, process: PocketBase, port: int, *, ready: bool) -> None:
        url = local_url(self._options.host, port)
        self._run_dir.write_state(ServerState(url, port, os.getpid(), process.pid, ready))

    def _pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._is_over() and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, TICK))

    def _is_over(self) -> bool:
        # Once taken, the lock is kept to the end: a worker that comes now waits for its lease until
        # this supervisor has gone, and then starts another.
        if self._leases is None:
            self._leases = FileLock.take(self._run_dir.leases_lock)
        return self._leases is not None or self._terminated


def _start_error(process: PocketBase, host: str, port: int) -> ServerError:
    if process.said("address already in use"):
        return port_taken(host, port)
    if process.said("failed to apply migration"):
        return ServerError(
            f"PocketBase could not bring its database up to date; it ended {process.describe_end()}",
            hint="That migration has been rolled back. If collections were changed by hand, undo that; else"
            " go back to the version of this package that worked, and report the lines above.",
        )
    return ServerError(
        f"PocketBase ended while it was starting, {process.describe_end()}",
        hint="If its last words do not say what to do, try the same command in a terminal.",
    )


def _restart_delay(quick_failures: int) -> float:
    longest = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** max(quick_failures - 1, 0))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret


def main(arguments: list[str]) -> int:
    """Run a supervisor; return the exit code of the process."""
    fd, options = arguments
    lock = FileLock.adopt(int(fd))
    supervisor_options = ServeOptions(**json.loads(options))
    run_dir = RunDir(Path(supervisor_options.data_dir))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    supervisor = Supervisor(supervisor_options)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, supervisor.terminate)
    try:
        supervisor.run()
    except ServerError as error:
        logger.error("%s", error)  # noqa: TRY400 - the message says it all
        run_dir.write_failure(error)
        return 1
    finally:
        run_dir.retire_state()
        lock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
