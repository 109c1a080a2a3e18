"""The type checker looks across the hooks' files: their requires have types."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from openwebui_pocketbase.assets import HOOKS_DIR
from tests.support.services import require

ROOT = Path(__file__).resolve().parents[2]
TSC = ROOT / "node_modules" / ".bin" / "tsc"


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    """Return a copy of the hooks in a directory that tsc checks as `make js` does."""
    require(TSC.exists() and (ROOT / ".cache").exists(), "TypeScript, which `make js` installs,")
    (tmp_path / ".cache").symlink_to(ROOT / ".cache")
    shutil.copy(ROOT / "tsconfig.json", tmp_path)
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("eslint", "*.py"))
    return shutil.copytree(HOOKS_DIR, tmp_path / "assets" / "pb_hooks")


def _errors(hooks: Path) -> str:
    command = [str(TSC), "--noEmit", "--pretty", "false"]
    project = hooks.parents[1]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, check=False).stdout


def test_types_are_right(hooks: Path) -> None:
    assert _errors(hooks) == ""


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("owui/lib/json.js", ", equal };", ", same: equal };", "no exported member 'equal'"),
        ("owui/users/_base.js", " insertUser,", " addUser: insertUser,", "no exported member 'insertUser'"),
        ("owui/version.js", " notePocketBase,", " noteVersion: notePocketBase,", "'notePocketBase' does not exist"),
        ("owui/lib/rows.js", "{ name: string, field", "{ title: string, field", "'name' does not exist"),
        (
            "owui/chats/dashboard.js",
            "  deletedMessage,\n",
            "  written: deletedMessage,\n",
            "'deletedMessage' does not exist",
        ),
    ],
)
def test_a_wrong_name_across_files_is_found(hooks: Path, file: str, old: str, new: str, told: str) -> None:
    script = (hooks / file).read_text()
    assert script.count(old) == 1
    (hooks / file).write_text(script.replace(old, new))
    elsewhere = [line for line in _errors(hooks).splitlines() if not line.startswith(f"assets/pb_hooks/{file}")]
    assert any(told in line for line in elsewhere)


def test_requires_below_owui_are_relative_constants() -> None:
    """What `require` is given decides whether its result has a type."""
    found = [
        (path.relative_to(HOOKS_DIR).as_posix(), given)
        for path in (HOOKS_DIR / "owui").rglob("*.js")
        for given in re.findall(r"\brequire\(([^)]*)\)", path.read_text())
        if not re.fullmatch(r'"\.\.?/[\w/.]+\.js(on)?"', given)
    ]
    assert found == []
