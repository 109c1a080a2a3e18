"""The steps of docs/container.md on the official image's layout, without a container daemon.

The image runs Open WebUI from its source tree in /app/backend, with nothing but its dependencies installed. Here: the
wheel installed beside these, a user without a name whose home is closed, a root file system that is read-only, and one
volume.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from openwebui_pocketbase.host.contract import installed_open_webui
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.settings import EmbeddedSettings
from tests.packaging.builds import Distributions
from tests.packaging.venvs import Venv
from tests.support.ports import free_port
from tests.support.processes import ENVIRONMENT, LIGHT, START_SECONDS, STOP_SECONDS, eventually
from tests.support.services import require

UID = 54321
NOT_IN_THE_IMAGE = ("open_webui", "openwebui_pocketbase", "_openwebui", "__editable__", "pip")

pytestmark = pytest.mark.slow


class Container:
    """Mounts of its own, and one server in them.

    Args:
        root: What is `/` in the image.
        wheel: What `pip install` installs.
    """

    def __init__(self, root: Path, wheel: Path) -> None:
        found = installed_open_webui()
        assert found is not None
        self.root = root
        self.backend = root / "app" / "backend"
        self.data_dir = self.backend / "data"
        self.volume = root / "volume"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        package_dir, version = found
        packages = Path(sysconfig.get_path("purelib"))
        self.mounts = {
            Path(sys.base_prefix): root / "python",
            packages: root / "packages",
            package_dir: self.backend / "open_webui",
            package_dir / "frontend": root / "app" / "build",
        }
        for directory in (*self.mounts.values(), self.data_dir, self.volume, root / "tmp"):
            directory.mkdir(parents=True)
        (root / "app" / "package.json").write_text(json.dumps({"name": "open-webui", "version": version}))
        shutil.copy(package_dir / "CHANGELOG.md", root / "app")
        shutil.copytree(LIGHT, root / "light")
        os.chown(self.volume, UID, UID)
        self.venv = Venv(root / "venv")
        self.venv.install(wheel)
        self._move_python(packages)
        self.process: subprocess.Popen[bytes] | None = None

    def _move_python(self, packages: Path) -> None:
        """Let the environment have a Python, and packages, that everybody may read."""
        home = self.root / "python" / "bin"
        (self.venv.root / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
        self.venv.python.unlink()
        self.venv.python.symlink_to(home / f"python3.{sys.version_info.minor}")
        for path in packages.iterdir():
            if path.suffix != ".pth" and not path.name.startswith(NOT_IN_THE_IMAGE):
                (self.venv.site_packages / path.name).symlink_to(self.root / "packages" / path.name)
        shutil.copy(find_binary(EmbeddedSettings()), self.venv.root / "bin")

    def start(self) -> None:
        # Not exec'ed through a shell of the image: what start.sh does before is no matter of ours.
        uvicorn = f"{self.venv.python} -m uvicorn open_webui.main:app --host 127.0.0.1 --port {self.port}"
        mounts = [f"mount --bind {source} {target}" for source, target in self.mounts.items()]
        mounts += [f"mount -o remount,bind,ro {target}" for target in self.mounts.values()]
        steps = [
            "set -e",
            f"mount --bind {self.root} {self.root}",
            f"cd {self.root}",  # what was mounted, not what is below
            *mounts,
            f"mount --bind {self.volume} {self.data_dir}",
            f"mount -t tmpfs -o mode=1777 tmpfs {self.root / 'tmp'}",
            f"mount -o remount,bind,ro {self.root}",
            f"cd {self.backend}",
            f"exec {self._as_user()} {uvicorn}",
        ]
        with (self.root / "log").open("wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", "\n".join(steps)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        eventually(self._is_ready, f"Open WebUI answers on {self.url}", seconds=START_SECONDS)

    def run(self, command: str, directory: Path) -> subprocess.CompletedProcess[str]:
        """Run a command as `docker exec --workdir` would."""
        assert self.process is not None
        user = self._as_user().replace("env -i", f"env --chdir={directory} -i")
        inside = f"nsenter --mount --target {self.process.pid} {user} {self.venv.root / 'bin'}/{command}"
        return subprocess.run(shlex.split(inside), cwd="/", capture_output=True, text=True, check=False, timeout=120)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(STOP_SECONDS)

    @property
    def log(self) -> str:
        return (self.root / "log").read_text(errors="replace")

    def _as_user(self) -> str:
        environ = ENVIRONMENT | {
            "STORAGE_BACKEND": "pocketbase",  # the Dockerfile's only variable
            "HOME": "/root",  # the image's, and closed to this user
            "PATH": f"{self.venv.root / 'bin'}:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(self.root / "light"),
            "LD_LIBRARY_PATH": f"{sys.base_prefix}/lib:{self.root}/python/lib",
            "STATIC_DIR": f"{self.root}/tmp/static",
            "TMPDIR": f"{self.root}/tmp",
        }
        variables = " ".join(shlex.quote(f"{name}={value}") for name, value in environ.items())
        return f"setpriv --reuid {UID} --regid {UID} --clear-groups --no-new-privs env -i {variables}"

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log[-5000:]
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/health", trust_env=False).is_success
        return False


@pytest.fixture(scope="module")
def container(distributions: Distributions) -> Iterator[Container]:
    can_mount = os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0
    require(can_mount and shutil.which("setpriv") is not None, "root, with mounts of its own")
    root = Path(tempfile.mkdtemp())  # pytest's directories are closed to other users
    root.chmod(0o755)
    container = Container(root, distributions.wheel)
    try:
        container.start()
        yield container
    finally:
        container.stop()
        shutil.rmtree(root)


def test_users_go_to_pocketbase(container: Container) -> None:
    someone = {"name": "Ada", "email": "ada@example.org", "password": "a-password"}
    answer = httpx.post(f"{container.url}/api/v1/auths/signup", json=someone, trust_env=False)
    assert answer.status_code == 200, answer.text
    with closing(sqlite3.connect(container.volume / "pocketbase" / "data.db")) as database:
        assert database.execute("SELECT email FROM owui_users").fetchall() == [("ada@example.org",)]
    assert "in PocketBase at" in container.log


@pytest.mark.parametrize("where", ["working directory of the image", "elsewhere"])
def test_doctor(where: str, container: Container) -> None:
    if where == "elsewhere":
        result = container.run(f"openwebui-pocketbase doctor --json --data-dir {container.data_dir}", Path("/"))
    else:
        result = container.run("openwebui-pocketbase doctor --json", container.backend)
    assert result.stdout, result.stderr
    found = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert [check for check in found.values() if check["status"] == "problem"] == []
    assert str(container.backend / "open_webui") in found["Open WebUI"]["detail"]
    assert found["data directory"]["detail"] == str(container.data_dir)
    assert "users: pocketbase" in found["groups"]["detail"]
    assert "signed in" in found["PocketBase"]["detail"]


def test_it_stops_as_a_whole(container: Container) -> None:
    container.stop()
    assert (
        "pocketbase serve"
        not in subprocess.run(
            ["ps", "-ww", "-u", str(UID), "-o", "args="], capture_output=True, text=True, check=False
        ).stdout
    )
