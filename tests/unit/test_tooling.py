"""The commands that README, CI and pre-commit promise exist and stay connected."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RECIPES = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
PROMISED = ["serve", "test", "test-fast", "lint", "js", "format", "types", "docs", "bench", "build", "clean"]
REGISTRIES = [
    "".join(parts)
    for parts in (
        ("pypi", ".org"),
        ("files.", "pythonhosted", ".org"),
        ("registry.", "npmjs", ".org"),
        ("debian", ".org"),
    )
]


def project_files(*patterns: str) -> list[Path]:
    """Files that are, or would be, in version control."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    files = [ROOT / name for name in listing.stdout.split("\0") if name]
    return [file for file in files if file.is_file()]


@pytest.mark.parametrize("recipe", PROMISED)
def test_makefile_has_the_recipe(recipe: str) -> None:
    assert recipe in RECIPES
    subprocess.run(["make", "--dry-run", recipe], cwd=ROOT, check=True, capture_output=True)


def test_floors_names_tests_that_exist() -> None:
    plan = subprocess.run(["make", "--dry-run", "floors"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    named = re.findall(r"tests/[\w/]+\.py", plan)
    assert "tests/unit/test_settings.py" in named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_ci_runs_what_developers_run() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "exec make test"


def test_all_checks_come_before_the_tests() -> None:
    plan = subprocess.run(["make", "--dry-run", "test"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    calls = ["ruff check", "ruff format --check", "lint-imports", "prettier --check", "tsc", "eslint", "mypy"]
    calls += ["mkdocs build", "python -m pytest"]
    positions = [plan.index(f"bin/{call}") for call in calls]
    assert positions == sorted(positions)


def test_pre_commit_hooks_call_existing_commands() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert {hook["id"] for hook in hooks} == {"ruff", "ruff-format", "import-contracts", "mypy", "javascript"}
    for hook in hooks:
        command, *arguments = shlex.split(hook["entry"])
        if command == "make":
            assert arguments[0] in RECIPES
        else:
            assert command.startswith(".venv/bin/")
            assert shutil.which(Path(command).name, path=sysconfig.get_path("scripts"))


def test_no_file_names_a_registry_host() -> None:
    files = project_files()
    assert ROOT / "package-lock.json" in files
    assert ROOT / "pyproject.toml" in files
    found = [
        (str(file.relative_to(ROOT)), host)
        for file in files
        for host in REGISTRIES
        if host.encode() in file.read_bytes()
    ]
    assert found == []


def test_hooks_and_migrations_are_type_checked() -> None:
    files = project_files("assets/*.js")
    assert {file.parent.name for file in files} >= {"pb_hooks", "pb_migrations"}
    unchecked = [file.name for file in files if not file.read_text().startswith("// @ts-check\n")]
    assert unchecked == []
