"""What a worker process uses: the embedded PocketBase, as long as it needs it."""

from __future__ import annotations

import http.client
import json
import logging
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server import supervisor
from openwebui_pocketbase.server.binary import check_binary, find_binary
from openwebui_pocketbase.server.credentials import Credentials, obtain_credentials
from openwebui_pocketbase.server.locks import FileLock, has_shared_holders, is_locked
from openwebui_pocketbase.server.pocketbase import ServeOptions
from openwebui_pocketbase.server.rundir import Failure, RunDir, ServerState

if TYPE_CHECKING:
    from pathlib import Path

    from openwebui_pocketbase.settings import EmbeddedSettings

__all__ = ["EmbeddedServer", "ServerInfo"]

SUPPORTED = os.name == "posix"

# All in seconds.
FIRST_PAUSE = 0.01
LONGEST_PAUSE = 0.1
HEALTH_TIMEOUT = 2.0
STOP_TIMEOUT = supervisor.STOP_GRACE + 5.0

MOST_LAUNCHES = 3  # of supervisors that end without recording a failure, in one call
LAST_LINES = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerInfo:
    """How to reach the embedded server.

    Attributes:
        url: Address of the server.
        identity: E-mail address of its superuser.
        password: Password of its superuser.
        key: What the server's proof is made with; see `openwebui_pocketbase.proof`.
        listen: ``host:port`` of ``url``, which is part of the proof.
        pid: Process id of PocketBase at the moment; another one after a restart.
    """

    url: str
    identity: str
    password: SecretStr
    key: str = field(repr=False)
    listen: str
    pid: int

    @classmethod
    def of(cls, state: ServerState, credentials: Credentials) -> ServerInfo:
        """Put together what the supervisor says and what only we know."""
        return cls(
            url=state.url,
            identity=credentials.identity,
            password=SecretStr(credentials.password),
            key=credentials.key,
            listen=urlsplit(state.url).netloc,
            pid=state.pocketbase,
        )


class EmbeddedServer:
    """A share in the embedded PocketBase of a data directory.

    Any number of processes, and of objects in one process, may have a share. The server is started
    for the first and stopped after the last, however each of them ends. The methods block, and may
    be called from several threads. An object does not survive a fork: make one in the child.

    Usable as a context manager: ``with EmbeddedServer(...) as server: server.info.url``.
    """

    def __init__(self, settings: EmbeddedSettings, *, data_dir: Path, hooks_dir: Path, migrations_dir: Path) -> None:
        self._settings = settings
        self._data_dir = data_dir.expanduser().resolve()
        self._hooks_dir = hooks_dir.resolve()
        self._migrations_dir = migrations_dir.resolve()
        self._run_dir = RunDir(self._data_dir)
        self._mutex = threading.RLock()
        self._lease: FileLock | None = None
        self._credentials: Credentials | None = None
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
            if not SUPPORTED:
                raise ServerError(
                    "The embedded PocketBase needs Linux or macOS.",
                    hint="Run PocketBase yourself, and set [pocketbase] url, identity and password.",
                )
            if not create and not (self._data_dir / "data.db").exists():
                raise ServerError(
                    f"There is no PocketBase in {self._data_dir}.",
                    hint="Name the data directory of Open WebUI with --data-dir or DATA_DIR. A new PocketBase is made"
                    " when Open WebUI starts, and by: openwebui-pocketbase schema apply --create",
                )
            self._run_dir.create()
            # The lease comes first: a supervisor that finds none leaves.
            self._lease = self._take_lease()
            try:
                self._credentials = obtain_credentials(self._run_dir.superuser)
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
            if self._lease is None or self._credentials is None:
                raise _not_acquired()
            state = self._wait_until_healthy()
            self._info = ServerInfo.of(state, self._credentials)
            return self._info

    def running(self) -> ServerInfo | None:
        """Return how to reach the server if it runs for somebody; takes no share, starts and writes nothing.

        Raises:
            ServerError: It runs, but its credentials cannot be used.
            OSError: The files of the server cannot be read.
        """
        state = self._run_dir.read_state()
        # The lock tells a server that runs from what a crash has left.
        if not (state and self._run_dir.supervisor_lock.exists() and is_locked(self._run_dir.supervisor_lock)):
            return None
        if not (state.ready and _is_healthy(state.url) and self._run_dir.superuser.exists()):
            return None
        credentials = obtain_credentials(self._run_dir.superuser)
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

    def _take_lease(self) -> FileLock:
        deadline = time.monotonic() + STOP_TIMEOUT
        while (lease := FileLock.take(self._run_dir.leases_lock, shared=True)) is None:
            # A supervisor without users is stopping PocketBase; when it is done, a new one can start.
            if time.monotonic() > deadline:
                raise ServerError(
                    "The embedded PocketBase of an earlier run does not stop.",
                    hint=f"End the processes named in {self._run_dir.path}, and see the logs there.",
                )
            time.sleep(FIRST_PAUSE)
        return lease

    def _wait_until_healthy(self) -> ServerState:
        deadline = time.monotonic() + self._settings.start_timeout
        known_failure = self._run_dir.read_failure()
        launches = 0
        pause = FIRST_PAUSE
        while True:
            self._raise_failure_since(known_failure)
            # The lock is free only if there is no supervisor. Whoever gets it launches one, which
            # inherits the lock: so there is never a second one, nor a moment in which it is free.
            lock = FileLock.take(self._run_dir.supervisor_lock)
            if lock:
                with lock:
                    self._raise_failure_since(known_failure)
                    self._launch(lock, launches)
                launches += 1
            state = self._run_dir.read_state()
            if state and state.ready and _is_healthy(state.url):
                return state
            if time.monotonic() > deadline:
                raise ServerError(
                    f"PocketBase did not answer within {self._settings.start_timeout:g} seconds.",
                    hint=f"See {self._run_dir.pocketbase_log}. If it only needs more time, as for a large"
                    " migration, raise [pocketbase.embedded] start_timeout.",
                )
            time.sleep(pause)
            pause = min(pause * 1.2, LONGEST_PAUSE)

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
        binary = find_binary(self._settings)
        check_binary(binary)
        options = ServeOptions(
            binary=str(binary),
            data_dir=str(self._data_dir),
            hooks_dir=str(self._hooks_dir),
            migrations_dir=str(self._migrations_dir),
            host=self._settings.host,
            port=self._settings.port,
        )
        self._reap()  # as we have its lock, it has ended
        self._run_dir.retire_state()
        with log.open("ab") as output:
            self._supervisor = subprocess.Popen(  # noqa: S603 - fixed arguments
                # -P: nothing is imported from the working directory, which stays ours for PYTHONPATH's sake.
                [sys.executable, "-P", "-m", supervisor.__name__, str(lock.fd), json.dumps(asdict(options))],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[lock.fd],
                start_new_session=True,  # Ctrl-C in the terminal is for the workers only
            )

    def _reap(self) -> None:
        # A supervisor that this process launched stays a zombie until somebody takes note of its end.
        if self._supervisor:
            self._supervisor.wait()
            self._supervisor = None


def _not_acquired() -> ServerError:
    return ServerError("The embedded PocketBase is not in use.", hint="Call acquire() before ensure() or info.")


def _is_healthy(url: str) -> bool:
    # Not urllib: it would send this through the proxy that the environment may name.
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=HEALTH_TIMEOUT)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
