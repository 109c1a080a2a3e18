"""What a worker process uses: the embedded PocketBase, as long as it needs it."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import threading
import time
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server.binary import check_binary, check_platform, find_binary
from openwebui_pocketbase.server.credentials import Credentials, obtain_credentials, read_credentials
from openwebui_pocketbase.server.info import ServerInfo
from openwebui_pocketbase.server.launch import STOP_GRACE, launch
from openwebui_pocketbase.server.locks import FileLock, has_shared_holders, is_current, is_locked
from openwebui_pocketbase.server.pocketbase import ServeOptions
from openwebui_pocketbase.server.probe import Reply, probe
from openwebui_pocketbase.server.rundir import Failure, RunDir, ServerState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openwebui_pocketbase.settings import EmbeddedSettings

__all__ = ["EmbeddedServer"]

# All in seconds.
FIRST_PAUSE = 0.01
LONGEST_PAUSE = 0.1
HEALTH_TIMEOUT = 2.0
STOP_TIMEOUT = STOP_GRACE + 5.0

MOST_LAUNCHES = 3  # of supervisors that end without recording a failure, in one call
LAST_LINES = 5

logger = logging.getLogger(__name__)


class EmbeddedServer:
    """A share in the embedded PocketBase of a data directory.

    Any number of processes, and of objects in one process, may have a share. The server is started
    for the first and stopped after the last, however each of them ends. The methods block, and may
    be called from several threads. An object does not survive a fork: make one in the child.

    Usable as a context manager: ``with EmbeddedServer(...) as server: server.info.url``.
    """

    def __init__(
        self,
        settings: EmbeddedSettings,
        *,
        data_dir: Path,
        hooks_dir: Path,
        migrations_dir: Path,
        further_hooks: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._further_hooks = dict(further_hooks)
        self._settings = settings
        self._data_dir = data_dir.expanduser().resolve()
        self._hooks_dir = hooks_dir.resolve()
        self._migrations_dir = migrations_dir.resolve()
        self._run_dir = RunDir(self._data_dir)
        self._mutex = threading.RLock()
        self._lease: FileLock | None = None
        self._info: ServerInfo | None = None
        self._supervisor: subprocess.Popen[bytes] | None = None

    @property
    def info(self) -> ServerInfo:
        """How to reach the server, as of the last `acquire` or `ensure`.

        Raises:
            ServerError: The server is not acquired.
        """
        if self._info is None:
            raise _not_acquired()
        return self._info

    def acquire(self, *, create: bool = True) -> ServerInfo:
        """Take a share in the server: start it if need be, and wait until it answers.

        Does the same as `ensure` if this object has its share already.

        Args:
            create: Whether a server is made where there is none yet; else that is an error.

        Raises:
            ServerError: The server cannot be started, or did not answer within ``start_timeout``; or there is none.
        """
        with self._mutex:
            if self._lease is not None:
                return self.ensure()
            check_platform()
            if not create and not (self._data_dir / "data.db").exists():
                raise ServerError(
                    f"There is no PocketBase in {self._data_dir}.",
                    hint="Set DATA_DIR (for commands: --data-dir) to Open WebUI's data directory. A new PocketBase is"
                    " made when Open WebUI starts, and by: openwebui-pocketbase schema apply --create",
                )
            self._run_dir.create()
            # The lease comes first: a supervisor that finds none leaves.
            with self._usable_files():
                self._lease = self._take_lease()
            try:
                return self.ensure()
            except BaseException:
                self.release()
                raise

    def ensure(self) -> ServerInfo:
        """Check that the server answers, and wait for it, or start it again, if it does not.

        Raises:
            ServerError: The server is not acquired, or not to be had within ``start_timeout``.
        """
        with self._mutex:
            if self._lease is None:
                raise _not_acquired()
            with self._usable_files():
                before, self._info = self._info, self._wait_until_healthy()
            if before and before.url != self._info.url:
                log = self._run_dir.supervisor_log
                logger.warning("PocketBase moved from %s to %s; %s says why", before.url, self._info.url, log)
            return self._info

    def restart(self) -> None:
        """Have the server started anew with this package's program, hooks and migrations, unless it has them already.

        For a package that was upgraded while others of its processes ran on. Returns after ``start_timeout`` at the
        latest, also if nothing was done: the supervisor may be of a version which does not know this.

        Raises:
            ServerError: The server is not acquired, or cannot be started.
        """
        with self._mutex:
            if self._lease is None:
                raise _not_acquired()
            known_failure = self._run_dir.read_failure()
            self._run_dir.write_request(asdict(self._options()))
            deadline = time.monotonic() + self._settings.start_timeout
            while self._run_dir.read_request() is not None and time.monotonic() < deadline:
                self._raise_failure_since(known_failure)
                if not is_locked(self._run_dir.supervisor_lock):  # it has ended: the next one has our options anyway
                    break
                time.sleep(LONGEST_PAUSE)
            self._run_dir.clear_request()
            self.ensure()

    def running(self) -> ServerInfo | None:
        """Return how to reach the server if it runs for somebody; takes no share, starts and writes nothing.

        Raises:
            ServerError: It runs, but its credentials cannot be used.
            OSError: The files of the server cannot be read.
        """
        state = self._run_dir.read_state()
        # The lock tells a server that runs from what a crash has left.
        if not (state and is_locked(self._run_dir.supervisor_lock)):
            return None
        credentials = read_credentials(self._run_dir.superuser)
        if not (state.ready and credentials and _reply(state, credentials) is Reply.PROVED):
            return None
        return ServerInfo.of(state, credentials)

    def release(self) -> None:
        """Give up the share; after the last one, wait until PocketBase has stopped."""
        with self._mutex:
            if self._lease is None:
                return
            self._lease.close()
            self._lease = self._info = None
            deadline = time.monotonic() + STOP_TIMEOUT
            while is_locked(self._run_dir.supervisor_lock) and not has_shared_holders(self._run_dir.leases_lock):
                if time.monotonic() > deadline:
                    logger.warning("The embedded PocketBase has not stopped after %.0f seconds", STOP_TIMEOUT)
                    break
                time.sleep(FIRST_PAUSE)
            if not is_locked(self._run_dir.supervisor_lock):
                self._reap()

    def __enter__(self) -> EmbeddedServer:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    @contextlib.contextmanager
    def _usable_files(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ServerError(
                f"A file of the embedded PocketBase cannot be used: {error}.",
                hint=f"Files in {self._data_dir} must belong to the user who runs Open WebUI; a command that another"
                " user ran may have left one that does not. Run chown as root, and commands as that user.",
            ) from None

    def _take_lease(self) -> FileLock:
        deadline = time.monotonic() + STOP_TIMEOUT
        while (lease := FileLock.take(self._run_dir.leases_lock, shared=True)) is None:
            # A supervisor without users is stopping PocketBase; when it is done, a new one can start.
            if time.monotonic() > deadline:
                raise ServerError(
                    "The embedded PocketBase of an earlier run does not stop.",
                    hint="If a restore is going on (openwebui-pocketbase backup restore), wait until it has ended."
                    f" Else end the processes named in {self._run_dir.path}, and see the logs there.",
                )
            time.sleep(FIRST_PAUSE)
        return lease

    def _keep_lease(self) -> None:
        """Take the lease anew if its file is not the one that others look at: a restore or a clean-up replaced it."""
        assert self._lease is not None  # noqa: S101 - for the type checker
        if not is_current(self._lease.fd, self._run_dir.leases_lock):
            logger.warning("The files in %s were replaced or removed; starting PocketBase again", self._run_dir.path)
            self._run_dir.create()
            lost, self._lease = self._lease, self._take_lease()
            lost.close()

    def _wait_until_healthy(self) -> ServerInfo:
        deadline = time.monotonic() + self._settings.start_timeout
        known_failure = self._run_dir.read_failure()
        launches = 0
        pause = FIRST_PAUSE
        reply = Reply.CLOSED
        while True:
            self._raise_failure_since(known_failure)
            self._keep_lease()
            credentials = obtain_credentials(self._run_dir.superuser)
            # The lock is free only if there is no supervisor. Whoever gets it launches one, which
            # inherits the lock: so there is never a second one, nor a moment in which it is free.
            lock = FileLock.take(self._run_dir.supervisor_lock)
            if lock:
                with lock:
                    self._raise_failure_since(known_failure)
                    self._launch(lock, launches)
                launches += 1
            state = self._run_dir.read_state()
            if state and state.ready:
                reply = _reply(state, credentials)
                if reply is Reply.PROVED:
                    return ServerInfo.of(state, credentials)
            if time.monotonic() > deadline:
                raise self._no_answer(reply)
            time.sleep(pause)
            pause = min(pause * 1.2, LONGEST_PAUSE)

    def _no_answer(self, reply: Reply) -> ServerError:
        seconds = f"within {self._settings.start_timeout:g} seconds"
        if reply is Reply.OTHER:
            return ServerError(
                f"PocketBase did not prove {seconds} that it is the one of {self._data_dir}.",
                hint="If processes of Open WebUI run with an older version of this package, stop them all, and start"
                f" them again. Else another program has its port: see {self._run_dir.supervisor_log}",
            )
        return ServerError(
            f"PocketBase did not answer {seconds}.",
            hint=f"See {self._run_dir.pocketbase_log}. If it only needs more time, as for a large"
            " migration, raise [pocketbase.embedded] start_timeout.",
        )

    def _raise_failure_since(self, known: Failure | None) -> None:
        failure = self._run_dir.read_failure()
        if failure and failure != known:
            raise ServerError(failure.message, hint=failure.hint)

    def _launch(self, lock: FileLock, launches: int) -> None:
        log = self._run_dir.supervisor_log
        if launches == MOST_LAUNCHES:
            raise ServerError(
                f"The process that is to run PocketBase ended {launches} times. Its last words:\n"
                + "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]),
                hint=f"The whole output is in {log}",
            )
        options = self._options()
        check_binary(Path(options.binary))
        self._reap()  # as we have its lock, it has ended
        self._run_dir.retire_state()
        self._run_dir.clear_request()
        self._supervisor = launch(options, lock, log)

    def _options(self) -> ServeOptions:
        return ServeOptions(
            binary=str(find_binary(self._settings)),
            data_dir=str(self._data_dir),
            hooks_dir=str(self._hooks_dir),
            migrations_dir=str(self._migrations_dir),
            host=self._settings.host,
            port=self._settings.port,
            further_hooks=self._further_hooks,
        )

    def _reap(self) -> None:
        # A supervisor that this process launched stays a zombie until somebody takes note of its end.
        if self._supervisor:
            self._supervisor.wait()
            self._supervisor = None


def _not_acquired() -> ServerError:
    return ServerError("The embedded PocketBase is not in use.", hint="Call acquire() before ensure() or info.")


def _reply(state: ServerState, credentials: Credentials) -> Reply:
    return probe(state.url, credentials.key, seconds=HEALTH_TIMEOUT)
