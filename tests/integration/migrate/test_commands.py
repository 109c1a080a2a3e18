"""What the commands of ``migrate`` say of files whose contents are gone, and of a switch that nobody can confirm."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.commands import IN_ONE_PROCESS, PROGRAM
from tests.support.house import insert, sqlite_site
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess

LOST = ("lost-1", "lost-2")
GONE = "Files whose contents are gone, at the source as well: 2 (lost-1, lost-2). Nobody could open them before."


def add_file(data_dir: Path, file_id: str, contents: str | None) -> None:
    path = data_dir / "uploads" / f"{file_id}_a.txt"
    if contents is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(contents)
    row = {"id": file_id, "user_id": "u", "hash": None, "filename": "a.txt", "path": str(path), "created_at": 5}
    with closing(sqlite3.connect(data_dir / "webui.db")) as connection, connection:
        insert(connection, "file", {**row, "data": {}, "meta": {"size": 750_000}, "updated_at": 7})


def test_contents_that_are_gone_are_told_and_a_switch_is_not_begun_unasked(
    own_pocketbase: PocketBaseProcess, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    env = sqlite_site(tmp_path) | {
        "OPENWEBUI_POCKETBASE_URL": own_pocketbase.url,
        "OPENWEBUI_POCKETBASE_IDENTITY": IDENTITY,
        "OPENWEBUI_POCKETBASE_PASSWORD": PASSWORD,
    }
    for file_id, contents in ((LOST[0], None), ("kept", "here"), (LOST[1], None)):
        add_file(tmp_path, file_id, contents)
    notes = [f"  file {each}: There are no contents: {tmp_path}/uploads/{each}_a.txt" for each in LOST]

    def run(*commands: str) -> list[tuple[int, str, str]]:
        done = subprocess.run(
            [sys.executable, "-c", IN_ONE_PROCESS],
            env=env,
            input=json.dumps([(["migrate", *command.split()], "y\n") for command in commands]),
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
        )
        results: list[tuple[int, str, str]] = json.loads(done.stdout)
        return results

    (_, plan, _), (_, as_json, _) = run("plan files", "plan files --json")
    assert "Contents of files on this disk, which are copied: 1, 4 bytes.\n" in plan
    assert [line for line in plan.splitlines() if line in notes] == notes
    (planned,) = json.loads(as_json)["tables"]
    assert planned["contents"] == {"files": 1, "bytes": 4}
    assert [(note["key"], note["is_left_out"]) for note in planned["notes"]] == [(each, False) for each in LOST]

    follow = [str(PROGRAM), "migrate", "copy", "--follow"]
    for _ in range(2):  # the second time everything was copied before
        following = subprocess.Popen(follow, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        request.addfinalizer(following.kill)
        assert following.stdout is not None
        told: list[str] = []
        while not told or not told[-1].startswith("Following"):
            told.append(following.stdout.readline().rstrip("\n"))
            assert told[-1], told
        assert told[-3:-1] == notes
        if "before" in told[0]:
            break
        following.terminate()
        following.communicate(timeout=30)

    (_, verified, _), (_, as_json, _), refused = run("verify", "verify files --json", "switch")
    assert GONE in verified.splitlines()
    assert "file: 3 equal" in verified
    found = json.loads(as_json)
    assert (found["equal"], found["tables"][0]["without_contents"]) == (True, [*LOST])
    code, output, errors = refused
    assert (code, output) == (1, "")
    assert "What to do: Add --yes if it is stopped" in errors
    assert following.poll() is None  # nobody was told to hand over

    (_, switched, _), (_, back, _) = run("switch --yes", "switch --to sqlalchemy --yes")
    assert switched.splitlines()[0] == back.splitlines()[0] == GONE
    assert following.communicate(timeout=30)[0] == "`switch` has taken over.\n"
