"""The commands that README, CI and pre-commit promise exist and stay connected."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.support.sources import ROOT, project_files

RECIPES = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
PROMISED = [
    "serve",
    "test",
    "test-fast",
    "coverage",
    "lint",
    "js",
    "format",
    "types",
    "docs",
    "bench",
    "build",
    "clean",
]
REGISTRIES = [
    "".join(parts)
    for parts in (
        ("pypi", ".org"),
        ("files.", "pythonhosted", ".org"),
        ("registry.", "npmjs", ".org"),
        ("debian", ".org"),
    )
]


@pytest.mark.parametrize("recipe", PROMISED)
def test_makefile_has_the_recipe(recipe: str) -> None:
    assert recipe in RECIPES
    subprocess.run(["make", "--dry-run", recipe], cwd=ROOT, check=True, capture_output=True)


def test_floors_names_tests_that_exist() -> None:
    plan = subprocess.run(["make", "--dry-run", "floors"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    named = re.findall(r"tests/[\w/]+\.py", plan)
    assert "tests/unit/test_settings.py" in named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_coverage_measures_branches_and_has_a_floor() -> None:
    plan = subprocess.run(
        ["make", "--dry-run", "coverage"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    named = re.findall(r" (tests/\w+)", plan)
    assert named
    assert [path for path in named if not (ROOT / path).is_dir()] == []
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]
    assert settings["run"]["branch"]
    assert "subprocess" in settings["run"]["patch"]
    assert settings["report"]["fail_under"] > 0


def test_ci_runs_what_developers_run() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "exec make test"


def test_the_public_ci_runs_the_same_with_all_services() -> None:
    (workflow,) = (ROOT / ".github" / "workflows").glob("*.yml")
    job = yaml.safe_load(workflow.read_text())["jobs"]["test"]
    assert job["steps"][-1]["run"].split()[-1] == ".ci/run"
    asked = re.findall(
        r"(\w+):(\d+)", (ROOT / ".ci" / "run").read_text().partition("for service in ")[2].partition(";")[0]
    )
    ports = {port for _, port in asked}
    assert len(ports) == 2
    assert {port for service in job["services"].values() for port in service["ports"]} == {f"{p}:{p}" for p in ports}


def test_issue_forms_are_complete() -> None:
    forms = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
    assert [form.stem for form in forms] == ["bug", "feature", "new-open-webui"]
    for form in forms:
        content = yaml.safe_load(form.read_text())
        assert {"name", "description", "labels", "body"} == content.keys()
        fields = [field for field in content["body"] if field["type"] != "markdown"]
        assert len({field["id"] for field in fields}) == len(fields)
        assert any(field.get("validations", {}).get("required") for field in fields)
        assert all(field["attributes"]["label"] for field in fields)


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
    files = project_files("assets/**/*.js")
    assert {file.parent.name for file in files} >= {"pb_hooks", "pb_migrations"}
    unchecked = [file.name for file in files if not file.read_text().startswith("// @ts-check\n")]
    assert unchecked == []
