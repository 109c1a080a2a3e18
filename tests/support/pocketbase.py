"""A real PocketBase with this package's schema and hooks, quickly made from a prepared data directory."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

from openwebui_pocketbase.assets import HOOKS_DIR, MIGRATIONS_DIR
from openwebui_pocketbase.client import AdminClient, Authenticator, PocketBaseClient
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.settings import EmbeddedSettings, PoolSettings, TimeoutSettings
from tests.support.ports import free_port

IDENTITY = "tests@example.com"
PASSWORD = "a-password-only-for-tests"


class PocketBaseProcess:
    """One server process, started and stopped by hand; no supervision, so that faults can be staged."""

    def __init__(
        self, data_dir: Path, *, hooks_dir: Path = HOOKS_DIR, migrations_dir: Path = MIGRATIONS_DIR, port: int = 0
    ) -> None:
        self.data_dir = data_dir
        self.hooks_dir = hooks_dir
        self.migrations_dir = migrations_dir
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = {"OWUI_SUPERUSER_IDENTITY": IDENTITY, "OWUI_SUPERUSER_PASSWORD": PASSWORD}
        """What it finds in its environment, besides this process's."""
        self._said_before = 0
        """Bytes of its log, when it was started."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.data_dir / "test.log").read_text(errors="replace")

    def start(self, *, wait: bool = True) -> PocketBaseProcess:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "test.log").open("ab") as log:
            self._said_before = log.tell()
            self.process = subprocess.Popen(
                [
                    str(find_binary(EmbeddedSettings())),
                    "serve",
                    f"--dir={self.data_dir}",
                    f"--hooksDir={self.hooks_dir}",
                    f"--migrationsDir={self.migrations_dir}",
                    f"--http=127.0.0.1:{self.port}",
                    "--automigrate=false",
                    "--hooksWatch=false",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
            )
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self, seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, f"PocketBase ended: {self.log}"
            with (self.data_dir / "test.log").open("rb") as log:
                log.seek(self._said_before)
                if b"Server started at" in log.read():  # a port that answers may be somebody else's
                    return
            time.sleep(0.01)
        raise TimeoutError(f"PocketBase does not listen: {self.log}")

    def kill(self) -> None:
        """End it as a crash would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)

    def login(self) -> str:
        with AdminClient(self.url) as admin:
            return admin.login(IDENTITY, PASSWORD)

    def admin(self) -> AdminClient:
        return AdminClient(self.url, token=self.login())

    def client(self, *, retry: float = 5.0, max_connections: int = PoolSettings().max_connections) -> PocketBaseClient:
        """Return a connected client; close it with ``await client.aclose()``."""
        client = PocketBaseClient(
            timeouts=TimeoutSettings(connect=2.0, read=20.0, retry=retry),
            pool=PoolSettings(max_connections=max_connections),
        )
        client.connect(self.url, Authenticator(self.login))
        return client


def prepare(directory: Path) -> Path:
    """Make a data directory with migrated schema and superuser, to be cloned."""
    server = PocketBaseProcess(directory)
    server.start()
    server.stop()
    (directory / "test.log").unlink()
    return directory


def clone(prepared: Path, parent: Path) -> Path:
    """Copy a prepared data directory."""
    copy = parent / f"pb-{secrets.token_hex(4)}"
    shutil.copytree(prepared, copy)
    return copy
