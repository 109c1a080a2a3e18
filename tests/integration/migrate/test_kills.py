"""A copy that is killed again and again, and goes on where it was."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import PROGRAM
from tests.support.house import fill, sqlite_site
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess

KILLS = 30
ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_a_copy_that_is_killed_thirty_times_ends_equal(own_pocketbase: PocketBaseProcess, tmp_path: Path) -> None:
    env = sqlite_site(tmp_path) | {
        "OPENWEBUI_POCKETBASE_URL": own_pocketbase.url,
        "OPENWEBUI_POCKETBASE_IDENTITY": IDENTITY,
        "OPENWEBUI_POCKETBASE_PASSWORD": PASSWORD,
    }
    fill(tmp_path / "webui.db", chats=300, messages=20)
    command = [
        sys.executable,
        "-m",
        "tests.support.killing",
        str(KILLS),
        "0.5",
        "migrate",
        "copy",
        "--data-dir",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"killed: {KILLS}" in done.stdout
    verify = subprocess.run(
        [str(PROGRAM), "migrate", "verify", "--json", "--data-dir", str(tmp_path)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(verify.stdout)
    assert found["equal"], verify.stdout[:2000]
    assert next(each for each in found["tables"] if each["table"] == "chat")["rows"] == {
        "chat": 300,
        "chat_message": 6000,
    }
    assert not [*(tmp_path / "openwebui-pocketbase").glob("*.new")]
