"""The commands that load the host, several in one process, for the host takes long to import."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.processes import environment

PROGRAM = """
import json, sys
from typer.testing import CliRunner
from openwebui_pocketbase.cli import app
results = []
for arguments, given in json.load(sys.stdin):
    result = CliRunner().invoke(app, arguments, input=given)
    results.append((result.exit_code, result.stdout, result.stderr))
json.dump(results, sys.stdout)
"""


def run_user(
    data_dir: Path, env: Mapping[str, str], *commands: tuple[str, ...], given: str = "", code: int = 0
) -> list[tuple[str, str]]:
    """Run ``openwebui-pocketbase user`` with each of the arguments; return what it prints.

    Args:
        data_dir: Open WebUI's data directory.
        env: Environment variables besides the usual ones.
        commands: The arguments.
        given: What each command is given on the standard input; none may print it.
        code: The exit code of each.
    """
    arguments = [["user", *command, "--data-dir", str(data_dir)] for command in commands]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
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
