"""Databases that are not those of the installed Open WebUI."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import PROGRAM
from tests.support.house import insert, site_environment

OF_0_11_4 = "d4c1a8e37b62"

UPGRADE = """
import sys
from pathlib import Path
import alembic.command, alembic.config, open_webui
root = Path(open_webui.__file__).parent
config = alembic.config.Config(str(root / "alembic.ini"))
config.set_main_option("script_location", str(root / "migrations"))
alembic.command.upgrade(config, sys.argv[1])
"""

USER = {
    "id": "5a3e4ad8-4a2c-4f5e-9f0c-000000000001",
    "email": "ada@example.com",
    "name": "Ada",
    "role": "admin",
    "profile_image_url": "",
    "last_active_at": 1,
    "updated_at": 1,
    "created_at": 1,
}


def upgrade(env: dict[str, str], revision: str) -> None:
    """Bring the database up, as Open WebUI's own start does."""
    database = {"DATABASE_URL": f"sqlite:///{env['DATA_DIR']}/webui.db"}
    subprocess.run([sys.executable, "-c", UPGRADE, revision], env=env | database, check=True, capture_output=True)


def migrate(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), "migrate", *arguments, "--data-dir", env["DATA_DIR"]]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


WRITTEN_THROUGH = ("note", "prompt", "tool", "function", "skill", "knowledge", "memory", "feedback")
"""Tables that a database of that version has already, and whose rows Open WebUI's own code goes on writing."""

OF_KINDS = {"BOOLEAN": 1, "BIGINT": 1, "INTEGER": 1, "JSON": "{}"}
OF_NAMES = {"specs": "[]", "tags": "[]", "meta": "{}", "valves": "{}"}


def fill(database: sqlite3.Connection, table: str) -> None:
    """Insert a row with something in each column."""
    row: dict[str, Any] = {}
    for _, name, kind, *_ in database.execute(f"PRAGMA table_info({table})"):
        row[name] = OF_NAMES.get(name, OF_KINDS.get(kind, f"{table}-{name}"))
    insert(database, table, row | {"id": f"{table}_1", "user_id": USER["id"]})


@pytest.mark.slow
def test_an_older_database_is_refused_by_name_until_open_webui_has_brought_it_up(tmp_path: Path) -> None:
    env = site_environment(tmp_path)
    upgrade(env, OF_0_11_4)
    with closing(sqlite3.connect(tmp_path / "webui.db")) as database, database:
        insert(database, "user", USER)
        for table in WRITTEN_THROUGH:
            fill(database, table)
    refused = migrate(env, "copy")
    assert refused.returncode == 1
    assert f"has the revision {OF_0_11_4}" in refused.stderr
    assert "Start this Open WebUI once" in refused.stderr
    assert not (tmp_path / "pocketbase").exists()

    upgrade(env, "head")
    plan = migrate(env, "plan", "--json")
    assert plan.returncode == 0, plan.stderr
    found = {name: rows for table in json.loads(plan.stdout)["tables"] for name, rows in table["rows"].items()}
    assert {name: found[name] for name in ("user", *WRITTEN_THROUGH)} == dict.fromkeys(("user", *WRITTEN_THROUGH), 1)

    copied = migrate(env, "copy")
    assert copied.returncode == 0, copied.stdout + copied.stderr
    verified = migrate(env, "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert all(f"{name}: 1 equal\n" in verified.stdout for name in ("user", *WRITTEN_THROUGH)), verified.stdout

    # One that broke off, or is of something else.
    with closing(sqlite3.connect(tmp_path / "webui.db")) as database, database:
        database.execute("DELETE FROM alembic_version")
    refused = migrate(env, "plan")
    assert refused.returncode == 1
    assert "has the revision none" in refused.stderr
