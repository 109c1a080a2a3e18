"""The detached process that runs PocketBase as long as a worker uses it.

Started by `EmbeddedServer` as ``python -m openwebui_pocketbase.server.supervisor LOCK OPTIONS``:
the file descriptor of the lock it is to hold, and `ServeOptions` as JSON.
"""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server.code import copy_code, fingerprint
from openwebui_pocketbase.server.credentials import obtain_credentials
from openwebui_pocketbase.server.locks import FileLock, PinnedFile, is_current
from openwebui_pocketbase.server.network import choose_port, local_url, port_taken
from openwebui_pocketbase.server.orphan import find_servers, stop_orphan
from openwebui_pocketbase.server.permissions import tighten_tree
from openwebui_pocketbase.server.pocketbase import PocketBase, ServeOptions, command_marker, open_log
from openwebui_pocketbase.server.rundir import RunDir, ServerState
from openwebui_pocketbase.server.vitals import Vitals

__all__ = ["STOP_GRACE", "Supervisor", "main"]

# All in seconds.
TICK = 0.5  # between two looks at the leases
START_TICK = 0.01  # the same while PocketBase starts and workers wait for it
STOP_GRACE = 10.0  # PocketBase gives requests in progress one second, then closes its database
QUICK = 30.0  # an end sooner than this after the start counts as a quick failure
FIRST_DELAY = 0.1
LONGEST_DELAY = 10.0

MOST_QUICK_FAILURES = 6  # in a row, before giving up

REQUESTED = ("binary", "hooks_dir", "migrations_dir", "further_hooks")
PORT_TAKEN = "address already in use"

logger = logging.getLogger("openwebui_pocketbase.supervisor")


class Supervisor:
    """Runs PocketBase, again and again if need be, until nobody uses it.

    Its only threads are those that read PocketBase's output, one at a time: the process is started
    in the main thread, whose life the kernel ties it to.

    Args:
        options: What to serve.
        lock: The supervisor's lock, held.
    """

    def __init__(self, options: ServeOptions, lock: FileLock) -> None:
        self._options = options
        self._lock = lock
        self._data_dir = Path(options.data_dir)
        self._run_dir = RunDir(self._data_dir)
        self._log = open_log(self._run_dir.pocketbase_log)
        self._credentials = obtain_credentials(self._run_dir.superuser)
        # Pinned: a restore or a clean-up can put other files in their places, which say nothing about our workers.
        self._leases = PinnedFile(self._run_dir.leases_lock)
        self._superuser = PinnedFile(self._run_dir.superuser)
        self._code = ""
        self._over = ""
        self._terminated = False

    def terminate(self, *_: object) -> None:
        """Make `run` stop PocketBase and return within a tick; a signal handler."""
        self._terminated = True

    def is_displaced(self) -> bool:
        """Tell whether the run directory, or a file of it that workers rely on, is another one by now."""
        held = is_current(self._lock.fd, self._run_dir.supervisor_lock)
        return not (held and self._leases.is_current() and self._superuser.is_current())

    def run(self) -> None:
        """Serve until no worker holds a lease, or until terminated or displaced.

        Raises:
            ServerError: PocketBase cannot be started, or ended too often too soon.
            OSError: The files cannot be read or written.
        """
        self._tighten()
        port = self._take_over()
        ever_ready = False
        quick_failures = 0
        while not self._is_over():
            self._prepare()
            process = PocketBase(
                self._options, port, run_dir=self._run_dir, credentials=self._credentials, log=self._log
            )
            try:
                ready, wanted = self._watch(process, port)
            finally:
                process.stop(STOP_GRACE)
            if self._is_over():
                logger.info("PocketBase has stopped: %s", self._over)
                return
            if wanted:
                continue
            ever_ready = ever_ready or ready
            port = self._port_after(process, port, ever_ready=ever_ready)
            logger.warning("PocketBase ended %s", process.describe_end())
            quick_failures = quick_failures + 1 if time.monotonic() - process.started < QUICK else 0
            if quick_failures == MOST_QUICK_FAILURES:
                raise ServerError(
                    f"PocketBase was started {quick_failures} times in a row and ended each time within"
                    f" {QUICK:.0f} seconds; the last time {process.describe_end()}",
                    hint=f"The whole output is in {self._run_dir.pocketbase_log}",
                )
            self._pause(_restart_delay(quick_failures))

    def _tighten(self) -> None:
        if reasons := tighten_tree(self._data_dir):
            logger.warning("Other users may read %d of PocketBase's files: %s", len(reasons), reasons[0])

    def _take_over(self) -> int:
        """End what a supervisor left behind that had no end of its own; return the port to listen on."""
        previous = self._run_dir.read_previous_state()
        marker = command_marker(self._options.data_dir)
        left = set(find_servers(self._data_dir, marker=marker)) | ({previous.pocketbase} if previous else set())
        for pid in left:
            stop_orphan(pid, marker=marker, grace=STOP_GRACE)
        return choose_port(self._options.host, wanted=self._options.port, previous=previous.port if previous else None)

    def _prepare(self) -> None:
        options, run_dir = self._options, self._run_dir
        self._code = fingerprint(options)
        copy_code(Path(options.hooks_dir), run_dir.hooks, options.further_hooks)
        copy_code(Path(options.migrations_dir), run_dir.migrations)
        shutil.rmtree(run_dir.temporary, ignore_errors=True)
        run_dir.temporary.mkdir(mode=0o700, exist_ok=True)

    def _watch(self, process: PocketBase, port: int) -> tuple[bool, bool]:
        """Return when the process has ended, is no longer needed, or is to be started anew.

        Returns:
            Whether it ever was ready, and whether it is to be started anew because a worker asked for that.
        """
        vitals = Vitals(process, host=self._options.host, port=port, key=self._credentials.key)
        self._publish(process, port, ready=False)
        while not self._is_over() and process.wait(TICK if vitals.ready else START_TICK) is None:
            was_ready = vitals.ready
            vitals.check()
            if not vitals.ready:
                continue
            if not was_ready:
                self._run_dir.clear_failure()
                logger.info("PocketBase (process %d) is ready on port %d", process.pid, port)
            if not was_ready or self._run_dir.read_state() is None:  # somebody removed it: new workers need it
                self._publish(process, port, ready=True)
            if self._has_other_code_to_run():
                return True, True
        return vitals.ready, False

    def _has_other_code_to_run(self) -> bool:
        """Tell whether a worker has asked for other code than runs; takes that over."""
        request = self._run_dir.read_request()
        if request is None:
            return False
        try:
            wanted = replace(self._options, **{name: request[name] for name in REQUESTED})
            differs = fingerprint(wanted) != self._code
        except (KeyError, OSError) as error:  # of another version, or gone by now
            logger.warning("A worker's wish for other hooks and migrations cannot be met: %s", error)
            differs = False
        if not differs:
            self._run_dir.clear_request()
            return False
        logger.info("PocketBase is restarted with the hooks and migrations in %s", Path(wanted.hooks_dir).parent)
        self._options = wanted
        return True

    def _port_after(self, process: PocketBase, port: int, *, ever_ready: bool) -> int:
        """Return the port for the next start.

        Raises:
            ServerError: Another start would end as this one did.
        """
        if process.said(PORT_TAKEN):
            error = port_taken(self._options.host, port)
            if self._options.port:
                raise error
            logger.error("%s PocketBase moves to another port", error.args[0])
            return choose_port(self._options.host, wanted=0, previous=None)
        if not ever_ready:
            raise _start_error(process)
        return port

    def _publish(self, process: PocketBase, port: int, *, ready: bool) -> None:
        url = local_url(self._options.host, port)
        self._run_dir.write_state(ServerState(url, port, os.getpid(), process.pid, ready))

    def _pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._is_over() and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, TICK))

    def _is_over(self) -> bool:
        if not self._over:
            if self._terminated:
                self._over = "terminated"
            elif self.is_displaced():
                self._over = f"the files in {self._run_dir.path} were replaced or removed; workers start it again"
            # Once taken, the lock is kept to the end: a worker that comes now waits for its lease until
            # this supervisor has gone, and then starts another.
            elif self._leases.lock():
                self._over = "nobody uses it"
        return bool(self._over)


def _start_error(process: PocketBase) -> ServerError:
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
    """Run a supervisor, and leave word of its end for the workers; return the exit code of the process."""
    fd, given = arguments
    os.umask(0o077)  # for PocketBase too: its database, its backups, what it restores
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    lock = FileLock.adopt(int(fd))
    options = ServeOptions(**json.loads(given))
    run_dir = RunDir(Path(options.data_dir))
    error: ServerError | None = None
    displaced = False
    try:
        supervisor = Supervisor(options, lock)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, supervisor.terminate)
        try:
            supervisor.run()
        finally:
            displaced = supervisor.is_displaced()
    except ServerError as raised:
        error = raised
    except OSError as raised:
        error = ServerError(f"PocketBase cannot be run: {raised}.", hint=f"Look at the files in {run_dir.path}")
    if error:
        logger.error("%s", error)
    if not displaced:  # else the files are another supervisor's, or will be
        if error:
            run_dir.write_failure(error)
        run_dir.retire_state()
    lock.close()
    return 1 if error else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
