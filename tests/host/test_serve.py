"""``openwebui-pocketbase serve``, from its start to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from openwebui_pocketbase.server.rundir import RunDir
from openwebui_pocketbase.settings import GROUPS
from tests.support.ports import free_port
from tests.support.processes import LIGHT, SOURCE

START_SECONDS = 180.0
STOP_SECONDS = 30.0
UNWANTED = ("FROM_INIT_PY", "DATA_DIR", "WEBUI_SECRET_KEY", "ENABLE_DB_MIGRATIONS")

pytestmark = pytest.mark.slow


def unset() -> dict[str, str]:
    """Return an environment in which nothing of the host's or ours is set."""
    environ = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    return environ | {"PYTHONPATH": os.pathsep.join(map(str, (LIGHT, SOURCE)))}


class Served:
    """One run of the command in an empty working directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data_dir = directory / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        with (directory / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).with_name("openwebui-pocketbase")), "serve", f"--port={self.port}"],
                cwd=directory,
                env=unset() | {"OFFLINE_MODE": "true", "HF_HUB_OFFLINE": "1", "RAG_EMBEDDING_ENGINE": "openai"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log
            try:
                if httpx.get(f"{self.url}/health", trust_env=False).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise TimeoutError(self.log)

    def pocketbases(self) -> list[str]:
        listing = subprocess.run(["ps", "-ww", "-eo", "stat=,command="], capture_output=True, text=True, check=True)
        marker = f" serve --dir {self.data_dir / 'pocketbase'} "
        return [line for line in listing.stdout.splitlines() if marker in line and not line.startswith("Z")]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path.resolve())
    yield served
    served.process.kill()
    served.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve(served: Served, number: signal.Signals) -> None:
    served.wait_until_ready()
    config = httpx.get(f"{served.url}/api/config", trust_env=False)
    assert config.json()["name"] == "Open WebUI"
    assert f"{', '.join(sorted(GROUPS))} in PocketBase at" in served.log
    assert served.log.count(f"Open WebUI: {served.url}\n") == 1
    assert len(served.pocketbases()) == 1

    served.process.send_signal(number)
    # uvicorn shuts down, and then ends as the signal would have ended it, but takes Ctrl-C for a wish.
    assert served.process.wait(STOP_SECONDS) == (0 if number is signal.SIGINT else -number)
    # At once: the server was stopped by the command, not left to notice its end.
    assert served.pocketbases() == []
    assert RunDir(served.data_dir / "pocketbase").read_state() is None
    assert (served.data_dir / ".webui_secret_key").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in served.directory.iterdir()) == ["data", "log"]


def test_serve_stops_at_wrong_settings(tmp_path: Path) -> None:
    config = tmp_path / "my.toml"
    config.write_text('[groups]\nchats = "nowhere"')
    command = [str(Path(sys.executable).with_name("openwebui-pocketbase")), "serve", "--config", str(config)]
    result = subprocess.run(command, cwd=tmp_path, env=unset(), capture_output=True, text=True, check=False)
    assert result.returncode == 3
    assert "nothing installed stores chats there" in result.stderr
    assert "Traceback" not in result.stderr
