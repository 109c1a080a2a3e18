"""The directory ``<data_dir>/.owui``: every file through which workers and supervisor talk."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from openwebui_pocketbase.exceptions import ServerError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Failure", "RunDir", "ServerState"]


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
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / ".owui"
        self.supervisor_lock = self.path / "supervisor.lock"
        self.leases_lock = self.path / "leases.lock"
        self.superuser = self.path / "superuser.json"
        self.pocketbase_log = self.path / "pocketbase.log"
        self.supervisor_log = self.path / "supervisor.log"
        self.public = self.path / "public"
        self._state = self.path / "server.json"
        self._previous = self.path / "previous.json"
        self._failure = self.path / "failure.json"

    def create(self) -> None:
        """Make the directory, and the data directory above it.

        Raises:
            ServerError: The data directory is not a directory, or cannot be written to.
        """
        data_dir = self.path.parent
        hint = "Correct [pocketbase.embedded] data_dir, or the permissions of that directory."
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise ServerError(f"PocketBase's data directory {data_dir} is not a directory.", hint=hint) from None
        except OSError as error:
            raise ServerError(
                f"PocketBase's data directory {data_dir} cannot be created: {error}.", hint=hint
            ) from None
        for directory in (data_dir, self.path):
            if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
                raise ServerError(f"The directory {directory} is not writable.", hint=hint)

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
    # Only the holder of the supervisor's lock writes, so one temporary name is enough.
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(values), encoding="utf-8")
    temporary.replace(path)
