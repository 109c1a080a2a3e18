"""The documentation's examples run, and what it lists is what there is."""

from __future__ import annotations

import ast
import inspect
import os
import re
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import openwebui_pocketbase
from openwebui_pocketbase import exceptions, interfaces
from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.cli import app
from openwebui_pocketbase.config_file import CONFIG_FILE
from openwebui_pocketbase.hookspecs import RepositoryBinding, StorageSpecs
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.settings import GROUPS, environment_names, load_settings
from tests.support.differential import pocketbase_rows
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import migrated_sqlite

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
HOOKS = (ROOT / "docs" / "hooks.md").read_text()

GROUPED = ("assets", "backup", "files", "guard", "migrate", "mirror", "schema", "search", "user")
"""Commands that are followed by another word."""


def blocks(language: str) -> list[Any]:
    """Return every fenced block of a language, as test parameters named by their page."""
    fence = re.compile(rf"^( *)```{language}\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
    found = [
        pytest.param(textwrap.dedent(text).strip(), id=f"{page.name}-{number}")
        for page in PAGES
        for number, (_, text) in enumerate(fence.findall(page.read_text()))
    ]
    assert found
    return found


PLUGIN = "[project.entry-points"  # a plugin's pyproject.toml


@pytest.mark.parametrize("example", [block for block in blocks("toml") if PLUGIN not in block.values[0]])
def test_config_examples_are_accepted(example: str, tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).write_text(example)
    assert load_settings(tmp_path, {}).wants_other_backend()


@pytest.mark.parametrize("example", blocks("bash"))
def test_commands_exist(example: str) -> None:
    recipes = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in example.splitlines():
        command = line.partition("#")[0].split()
        if command[:1] == ["make"]:
            assert command[1] in recipes
        if command and command[0].endswith("openwebui-pocketbase"):
            words = [word for word in command[1:] if re.fullmatch("[a-z]+", word)]
            subcommand = words[:2] if words[0] in GROUPED else words[:1]
            help_text = CliRunner().invoke(app, [*subcommand, "--help"])
            assert help_text.exit_code == 0
            for option in [
                word for word in command[: command.index("--") if "--" in command else None] if "--" in word
            ]:
                assert option in help_text.stdout


@pytest.mark.parametrize("example", blocks("yaml"))
def test_compose_files_give_settings_that_exist(example: str) -> None:
    for service in yaml.safe_load(example)["services"].values():
        ours = [name for name in service.get("environment", {}) if name.startswith("OPENWEBUI_POCKETBASE_")]
        assert set(ours) <= set(environment_names())


PLUGIN_EXAMPLE, TABLES_EXAMPLE, SCRIPT_EXAMPLE = re.findall(r"```python\n(.*?)```", HOOKS, re.DOTALL)


def test_the_plugin_example_works() -> None:
    names: dict[str, Any] = {}
    exec(PLUGIN_EXAMPLE, names)
    (binding,) = names["openwebui_register_repositories"](settings=None)
    assert isinstance(binding, RepositoryBinding)
    assert (binding.group, binding.backend) == ("tags", "memory")


def test_the_example_of_tables_is_what_another_distribution_has() -> None:
    """It is installed and used in `tests/packaging/test_third_party.py`."""
    plugin = ROOT / "tests" / "packaging" / "ratings_plugin" / "ratings_plugin" / "__init__.py"
    assert plugin.read_text().partition("annotations\n\n")[2] == TABLES_EXAMPLE


@pytest.mark.parametrize("backend", ["sqlalchemy", "pocketbase"])
def test_the_script_example_works(backend: str, pocketbase: PocketBaseProcess, tmp_path: Path) -> None:
    database = migrated_sqlite(tmp_path)
    variables = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{database}",
        "STORAGE_BACKEND": backend,
        "OPENWEBUI_POCKETBASE_URL": pocketbase.url,
        "OPENWEBUI_POCKETBASE_TOKEN": pocketbase.login(),
    }
    before = len(pocketbase_rows(pocketbase.data_dir, "tag"))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT_EXAMPLE], env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "['Machine Learning']"
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM tag").fetchone() == (backend == "sqlalchemy",)
    assert len(pocketbase_rows(pocketbase.data_dir, "tag")) - before == (backend == "pocketbase")


def test_every_hook_is_listed_with_its_arguments() -> None:
    listed = dict(re.findall(r"^\| `(openwebui_\w+)\((.*?)\)`", HOOKS, re.MULTILINE))
    hooks = {
        name: ", ".join(list(inspect.signature(hook).parameters)[1:])
        for name, hook in vars(StorageSpecs).items()
        if name.startswith("openwebui_")
    }
    assert listed == hooks


def test_whom_changes_concern_is_listed() -> None:
    text = (ROOT / "docs" / "realtime.md").read_text().partition("| `concerned` |")[2].partition("\n\n")[0]
    listed = {
        collection: re.findall("`(.*?)`", columns)
        for collections, columns in re.findall(r"^\| (`.*?) \| (`.*?) \|$", text, re.MULTILINE)
        for collection in re.findall("`(.*?)`", collections)
    }
    assert listed == {table.collection: list(table.concerns) for table in TABLES.values() if table.concerns}


def test_the_readme_lists_the_groups() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| .*? \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert {group for group, _ in rows} == set(GROUPS)
    for group, repositories in rows:
        assert repositories.split(", ") == [spec.name for spec in CATALOG[group].all_repositories]


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target


def listed_in(section: str, text: str) -> list[str]:
    """Return the names at the start of table rows below a line of the public names."""
    table = text.partition(section)[2].partition("| --- | --- |\n")[2].partition("\n\n")[0]
    return [name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split(" | ")[0])]


def test_public_names_are_listed() -> None:
    public = HOOKS.partition("## Public names")[2]
    protocols = re.findall(r"`(I\w+Repo)`", public)
    assert sorted(listed_in("Everything else", public)) == sorted(openwebui_pocketbase.__all__)
    assert protocols == interfaces.__all__
    assert sorted(listed_in("has the errors", public)) == sorted({*exceptions.__all__} - {"OpenWebUIPocketBaseError"})


@pytest.mark.parametrize("module", [openwebui_pocketbase, exceptions, interfaces], ids=lambda module: module.__name__)
def test_public_names_exist(module: ModuleType) -> None:
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError):
        module.nothing  # noqa: B018


def test_what_a_public_module_defines_is_public_or_private_by_its_name() -> None:
    for module in (exceptions, interfaces):
        classes = {name for name, value in vars(module).items() if isinstance(value, type) and not name.startswith("_")}
        assert classes - {"Any"} == set(module.__all__)


def test_type_checkers_see_every_public_name() -> None:
    """Names that are loaded on first use stand in a block for type checkers as well."""
    tree = ast.parse(inspect.getsource(openwebui_pocketbase))
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imported = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    annotated = {ast.unparse(node.target) for node in block.body if isinstance(node, ast.AnnAssign)}
    assert imported - {"RepositoryLookup"} | annotated | {"__version__"} == set(openwebui_pocketbase.__all__)


def test_examples_import_public_names_only() -> None:
    modules = {module.__name__: module.__all__ for module in (openwebui_pocketbase, exceptions, interfaces)}
    found = [
        (node.module, alias.name)
        for page in PAGES
        for example in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        for node in ast.walk(ast.parse(example))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("openwebui_pocketbase")
        for alias in node.names
    ]
    assert found
    assert [(module, name) for module, name in found if name not in modules.get(module or "", [])] == []


def test_the_changelog_begins_with_this_version() -> None:
    titles = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert titles[0] == "[Unreleased]"
    version, _, day = titles[1].partition(" - ")
    assert version == f"[{openwebui_pocketbase.__version__}]"
    assert date.fromisoformat(day)
