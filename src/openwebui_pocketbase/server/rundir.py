"""The directory ``<data_dir>/.owui``, with every file through which workers and supervisor communicate."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server.permissions import make_directory, open_private, tighten

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Failure", "RunDir", "ServerState"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerState:
    """What the supervisor says about the server.

    Attributes:
        url: Address of PocketBase for clients on this machine.
        port: Port PocketBase listens on.
        supervisor: Process id of the supervisor.
        pocketbase: Process id of PocketBase.
        ready: Whether PocketBase accepts connections.
    """

    url: str
    port: int
    supervisor: int
    pocketbase: int
    ready: bool


@dataclass(frozen=True)
class Failure:
    """Why a supervisor gave up.

    Attributes:
        message: What failed.
        hint: What the reader can do about it.
        at: Nanoseconds since the epoch; tells one failure from an earlier, equal one.
    """

    message: str
    hint: str
    at: int


class RunDir:
    """Names, reading and writing of the files; each is replaced in one step, never half-written.

    Attributes:
        path: The directory itself.
        supervisor_lock: Held exclusively by the supervisor as long as it lives.
        leases_lock: Held shared by every worker that uses the server; exclusively by a supervisor
            that found it free and is on its way out.
        superuser: The superuser's identity and password.
        pocketbase_log: What PocketBase printed.
        supervisor_log: What the supervisor did since it was launched.
        public: Directory PocketBase serves static files from. It does not exist, so there are none.
        hooks: Copy of the hooks that PocketBase runs; see `.code`.
        migrations: The same of the migrations.
        temporary: PocketBase's directory for temporary files, which can hold anybody's data.
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / ".owui"
        self.supervisor_lock = self.path / "supervisor.lock"
        self.leases_lock = self.path / "leases.lock"
        self.superuser = self.path / "superuser.json"
        self.pocketbase_log = self.path / "pocketbase.log"
        self.supervisor_log = self.path / "supervisor.log"
        self.public = self.path / "public"
        self.hooks = self.path / "hooks"
        self.migrations = self.path / "migrations"
        self.temporary = self.path / "tmp"
        self._state = self.path / "server.json"
        self._previous = self.path / "previous.json"
        self._failure = self.path / "failure.json"
        self._request = self.path / "request.json"

    def create(self) -> None:
        """Make the directory, and the data directory above it.

        Raises:
            ServerError: The data directory is not a directory, or cannot be written to.
        """
        data_dir = self.path.parent
        hint = "Correct [pocketbase.embedded] data_dir, or the permissions of that directory."
        try:
            make_directory(data_dir, 0o700)
            make_directory(self.path, 0o700)
        except (FileExistsError, NotADirectoryError):
            raise ServerError(f"PocketBase's data directory {data_dir} is not a directory.", hint=hint) from None
        except OSError as error:
            raise ServerError(
                f"PocketBase's data directory {data_dir} cannot be created: {error}.", hint=hint
            ) from None
        for directory in (data_dir, self.path):
            if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
                raise ServerError(f"The directory {directory} is not writable.", hint=hint)
        for path in (data_dir, self.path, self.superuser):
            if reason := tighten(path):
                logger.warning("Other users of this machine may read PocketBase's files: %s", reason)

    def read_state(self) -> ServerState | None:
        """Return what the supervisor last wrote, or None."""
        return _as_state(_read(self._state))

    def write_state(self, state: ServerState) -> None:
        """Publish the server's state."""
        _write(self._state, asdict(state))

    def retire_state(self) -> None:
        """Withdraw the server's state, keeping it for the next supervisor.

        To be called with the supervisor's lock held: by the supervisor at its end, or by the worker
        that launches the next one after a supervisor that had no end of its own.
        """
        with contextlib.suppress(FileNotFoundError):
            self._state.replace(self._previous)

    def read_previous_state(self) -> ServerState | None:
        """Return the state that was retired last, or None."""
        return _as_state(_read(self._previous))

    def read_failure(self) -> Failure | None:
        """Return why the last supervisor gave up, or None."""
        values = _read(self._failure)
        try:
            return Failure(values["message"], values["hint"], values["at"])
        except KeyError:
            return None

    def write_failure(self, error: ServerError) -> None:
        """Record why the supervisor gives up."""
        failure = Failure(str(error.args[0]), error.hint, time.time_ns())
        _write(self._failure, asdict(failure))

    def read_request(self) -> dict[str, Any] | None:
        """Return what a worker wants PocketBase to be started with, or None."""
        return _read(self._request) or None

    def write_request(self, options: dict[str, Any]) -> None:
        """Ask the supervisor to start PocketBase anew, with these options, unless it has them already."""
        _write(self._request, options)

    def clear_request(self) -> None:
        """Tell whoever asked that it is done."""
        self._request.unlink(missing_ok=True)

    def clear_failure(self) -> None:
        """Forget the last failure."""
        self._failure.unlink(missing_ok=True)


def _as_state(values: dict[str, Any]) -> ServerState | None:
    try:
        return ServerState(values["url"], values["port"], values["supervisor"], values["pocketbase"], values["ready"])
    except KeyError:
        return None


def _read(path: Path) -> dict[str, Any]:
    # What is missing, or not ours, says nothing: that is a correct answer for each of these files.
    try:
        values = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _write(path: Path, values: dict[str, Any]) -> None:
    # Several processes and threads may write a request at once.
    temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    with os.fdopen(open_private(temporary, os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8") as file:
        json.dump(values, file)
    temporary.replace(path)
