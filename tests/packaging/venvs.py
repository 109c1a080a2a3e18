"""Virtual environments to install the built distributions into, and programs to run in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.settings import EmbeddedSettings
from tests.support.processes import LIGHT

CLEAN = ("PYTHON", "PIP_", "OPENWEBUI_POCKETBASE_", "STORAGE_BACKEND", "VIRTUAL_ENV", "DATA_DIR")
"""Beginnings of the names of environment variables that would change what is tested."""

Result = subprocess.CompletedProcess[str]


def run(command: list[str | Path], *, env: dict[str, str] | None = None, cwd: Path | None = None) -> Result:
    """Run a program to its end, in an environment in which nothing of ours is set."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(CLEAN)} | (env or {})
    return subprocess.run(
        command,
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def succeed(command: list[str | Path], *, env: dict[str, str] | None = None, cwd: Path | None = None) -> Result:
    """Run a program that has to succeed."""
    result = run(command, env=env, cwd=cwd)
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def host_environment(data_dir: Path) -> dict[str, str]:
    """Environment in which Open WebUI's modules can be imported by themselves."""
    return {
        "DATA_DIR": str(data_dir),
        "ENABLE_DB_MIGRATIONS": "false",
        "FROM_INIT_PY": "true",
        "HF_HUB_OFFLINE": "1",
        "OFFLINE_MODE": "true",
        "OPENWEBUI_POCKETBASE_EMBEDDED_BINARY": str(find_binary(EmbeddedSettings())),  # these environments have none
        "WEBUI_SECRET_KEY": "x",
    }


class Venv:
    """A virtual environment without pip.

    Args:
        root: Where to make it.
        shared: Whether the packages of the environment that runs the tests can be imported, too. Its start-up
            files are not run: Python reads them only in directories that it adds by itself.
    """

    def __init__(self, root: Path, *, shared: bool = False) -> None:
        self.root = root
        succeed([sys.executable, "-m", "venv", "--without-pip", root])
        self.python = root / "bin" / "python"
        places = {"base": str(root), "platbase": str(root)}
        self.site_packages = Path(sysconfig.get_path("purelib", vars=places))
        # pip removes directories that it leaves empty; a real environment's never is.
        (self.site_packages / "other.py").touch()
        if shared:
            (self.site_packages / "zz_shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
            shutil.copy(LIGHT / "markdown.py", self.site_packages)  # before the shared one

    def install(self, distribution: Path) -> None:
        self._pip("install", "--no-deps", "--no-index", str(distribution))

    def uninstall(self, name: str) -> None:
        self._pip("uninstall", "--yes", name)

    def files(self) -> set[str]:
        """Every file and directory, by its path in the environment."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*")}

    def run(self, program: str, *options: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> Result:
        """Run a Python program."""
        # Without -B the first program would write the bytecode of the second.
        return run([self.python, "-B", *options, "-c", program], env=env, cwd=cwd or self.root)

    def output(self, program: str, *options: str, env: dict[str, str] | None = None) -> list[str]:
        """Run a Python program that has to succeed; return the words it printed."""
        result = self.run(program, *options, env=env)
        assert result.returncode == 0, result.stderr
        return result.stdout.split()

    def _pip(self, *arguments: str) -> None:
        succeed(
            [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", self.python, *arguments],
            env={"PIP_CONFIG_FILE": os.devnull},
        )
