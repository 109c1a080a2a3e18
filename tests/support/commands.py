"""The commands of ``openwebui-pocketbase``, as processes of their own; those that load the host several at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess
from tests.support.processes import environment

PROGRAM = Path(sys.executable).with_name("openwebui-pocketbase")


class Commands:
    """Runs commands on a data directory, with settings from the environment."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        unwanted = ("FROM_INIT_PY", "DATA_DIR", "WEBUI_SECRET_KEY", "ENABLE_DB_MIGRATIONS")
        self.env = {name: value for name, value in os.environ.items() if name not in unwanted}
        self.env["STORAGE_BACKEND"] = "pocketbase"

    def use(self, server: PocketBaseProcess, password: str = PASSWORD) -> Commands:
        self.env |= {
            "OPENWEBUI_POCKETBASE_URL": server.url,
            "OPENWEBUI_POCKETBASE_IDENTITY": IDENTITY,
            "OPENWEBUI_POCKETBASE_PASSWORD": password,
        }
        return self

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [str(PROGRAM), *arguments],
            cwd=self.data_dir.parent,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert result.returncode == code, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        assert PASSWORD not in result.stdout + result.stderr
        return result

    def doctor(self, *, code: int) -> dict[str, dict[str, str]]:
        answer = json.loads(self.run("doctor", "--json", "--data-dir", str(self.data_dir), code=code).stdout)
        assert answer["ok"] is (code == 0)
        return {check["name"]: check for check in answer["checks"]}

    def status(self, *, code: int) -> dict[str, Any]:
        answer = self.run("schema", "status", "--json", "--data-dir", str(self.data_dir), code=code)
        return dict(json.loads(answer.stdout))


IN_ONE_PROCESS = """
import json, sys
from typer.testing import CliRunner
from openwebui_pocketbase.cli import app
results = []
for arguments, given in json.load(sys.stdin):
    result = CliRunner().invoke(app, arguments, input=given)
    results.append((result.exit_code, result.stdout, result.stderr))
json.dump(results, sys.stdout)
"""


IN_ONE_PROCESS_AT_ONCE = f"""
from openwebui_pocketbase.storage import move
move.GRACE = 0.0  # nobody reads meanwhile
{IN_ONE_PROCESS}
"""


def run_files(data_dir: Path, env: Mapping[str, str], *commands: str) -> list[tuple[int, str]]:
    """Run ``openwebui-pocketbase files`` with each of the arguments in one process; return exit codes and output.

    Args:
        data_dir: Open WebUI's data directory.
        env: All environment variables.
        commands: The arguments, as one text each.
    """
    done = subprocess.run(
        [sys.executable, "-c", IN_ONE_PROCESS_AT_ONCE],
        cwd=data_dir.parent,
        env=dict(env),
        input=json.dumps([(["files", *command.split(), "--data-dir", str(data_dir)], "") for command in commands]),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return [(status, stdout + stderr) for status, stdout, stderr in json.loads(done.stdout)]


def run_user(
    data_dir: Path, env: Mapping[str, str], *commands: tuple[str, ...], given: str = "", code: int = 0
) -> list[tuple[str, str]]:
    """Run ``openwebui-pocketbase user`` with each of the arguments in one process; return what it prints.

    Args:
        data_dir: Open WebUI's data directory.
        env: Environment variables besides the usual ones.
        commands: The arguments.
        given: What each command is given on the standard input; none may print it.
        code: The exit code of each.
    """
    arguments = [["user", *command, "--data-dir", str(data_dir)] for command in commands]
    done = subprocess.run(
        [sys.executable, "-c", IN_ONE_PROCESS],
        cwd=data_dir.parent,
        env=environment(data_dir, dict(env)),
        input=json.dumps([(each, given) for each in arguments]),
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    results = json.loads(done.stdout)
    assert [status for status, _, _ in results] == [code] * len(commands), results
    assert not done.stderr
    assert not given.strip() or given.strip() not in done.stdout
    return [(stdout, stderr) for _, stdout, stderr in results]
