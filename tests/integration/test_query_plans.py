"""SQLite answers every read by an index: no read of one user's rows looks at those of all."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sysconfig
from typing import TYPE_CHECKING

import pytest

from openwebui_pocketbase.assets import HOOKS_DIR
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.services import require

if TYPE_CHECKING:
    from openwebui_pocketbase.client import AdminClient
    from tests.support.pocketbase import PocketBaseProcess

GROUPS = sorted({table.group for table in TABLES.values()})
COLLECTIONS = [table.collection for table in TABLES.values()]

LOAD = """
globalThis.__hooks = process.argv[1];
const groups = process.argv.slice(2);
const reads = groups.map((group) => [group, require(`${__hooks}/${group}.js`).reads]);
console.log(JSON.stringify(Object.fromEntries(reads)));
"""
"""The modules need nothing of PocketBase to make their SQL."""

PARAMETERS = {"id": "i", "ids": ["i", "j"], "name": "n", "parent_id": "p", "user_id": "u"}
LONGEST = 5000
"""Characters PocketBase takes in one statement of its SQL endpoint."""


@pytest.fixture(scope="module")
def reads() -> dict[str, str]:
    """Every read of the hooks: path -> SQL."""
    # The tests' own node comes from a wheel, into the scripts directory.
    node = shutil.which("node", path=sysconfig.get_path("scripts")) or shutil.which("node")
    require(node is not None, "node")
    assert node
    command = [node, "-e", LOAD, str(HOOKS_DIR), *GROUPS]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return {f"{group}/{name}": sql for group, found in json.loads(result.stdout).items() for name, sql in found.items()}


def plan(admin: AdminClient, sql: str) -> list[str]:
    """Return the steps in which SQLite runs a statement of the hooks."""
    body = "'" + json.dumps(PARAMETERS).replace("'", "''") + "'"
    statement = f"EXPLAIN QUERY PLAN {sql.replace('{:body}', body)}"
    assert len(statement) <= LONGEST
    assert not re.search(r"\{:|\[\[|\{\{", statement)  # PocketBase would replace that
    return [row["detail"] for row in admin.sql(statement)]


def full_scans(sql: str, steps: list[str]) -> list[str]:
    """Return those steps which look at every row of one of our tables."""
    names = "|".join(COLLECTIONS)
    aliases = {alias for _, alias in re.findall(rf"\b({names}) (?!ON\b|WHERE\b|JOIN\b)(\w+)", sql)}
    ours = aliases | set(COLLECTIONS)
    return [step for step in steps if step.startswith("SCAN ") and step.split()[1] in ours]


@pytest.mark.parametrize("group", GROUPS)
def test_no_read_scans_a_table(group: str, reads: dict[str, str], pocketbase: PocketBaseProcess) -> None:
    found = {}
    with pocketbase.admin() as admin:
        for path, sql in reads.items():
            if path.startswith(f"{group}/"):
                steps = plan(admin, sql)
                assert any(re.search(r"SEARCH \w+ USING .*INDEX", step) for step in steps), (path, steps)
                if scans := full_scans(sql, steps):
                    found[path] = scans
    assert found == {}


def test_all_reads_are_looked_at(reads: dict[str, str]) -> None:
    names = {path.partition("/")[0] for path in reads}
    assert names == set(GROUPS)
    assert len(reads) > 10
    parameters = {name for sql in reads.values() for name in re.findall(r"'\$\.(\w+)'", sql)}
    assert parameters <= PARAMETERS.keys()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM owui_tags t WHERE t.name = 'x'",
        "SELECT * FROM owui_tags t ORDER BY t.rowid",
        "SELECT t.user_id, t.key FROM owui_tags t",  # by an index, but all of it
        "SELECT * FROM owui_folders WHERE lower(name) = 'x'",
    ],
)
def test_check_finds_scans(sql: str, pocketbase: PocketBaseProcess) -> None:
    with pocketbase.admin() as admin:
        assert full_scans(sql, plan(admin, sql))
