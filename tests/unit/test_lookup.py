"""`openwebui_pocketbase.repository`; its example in the documentation is run by tests/docs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

import pytest

import openwebui_pocketbase
from openwebui_pocketbase.catalog import CATALOG, StockRepository


def by_name(name: str) -> object:
    """Return a repository by a name of which the type checker does not know that there is one."""
    return cast("Callable[[str], object]", openwebui_pocketbase.repository)(name)


@pytest.mark.parametrize(
    "spec", [spec for group in CATALOG.values() for spec in group.all_repositories], ids=lambda spec: spec.name
)
def test_every_repository_is_found_by_its_name(spec: StockRepository) -> None:
    assert by_name(spec.name) is getattr(import_module(spec.module), spec.name)


def test_a_group_gives_its_main_repository() -> None:
    for name, group in CATALOG.items():
        assert by_name(name) is by_name(group.all_repositories[0].name)


def test_an_unknown_name_is_an_error_that_names_the_others() -> None:
    with pytest.raises(ValueError, match=r"'nothing'\. Groups: users, .*\. Repositories: Users, .*, Apps\."):
        by_name("nothing")
    with pytest.raises(ValueError, match=r"'tag'\. Did you mean 'tags'\? Groups: "):
        by_name("tag")


def run(program: str, data_dir: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"DATA_DIR": str(data_dir), "STORAGE_BACKEND": "pocketbase", **variables}
    return subprocess.run([sys.executable, "-S", "-c", program], env=env, capture_output=True, text=True, check=False)


WITHOUT_START_UP_FILES = f"""
import sys
sys.path += {[path for path in sys.path if path]}
"""
USE = """
from openwebui_pocketbase import repository
print(type(repository("tags")).__name__)
"""


@pytest.mark.parametrize(
    ("program", "variables", "class_name"),
    [
        (USE, {}, "PocketBaseTags"),
        (USE, {"OPENWEBUI_POCKETBASE_DISABLE": "1"}, "TagTable"),
        ("import open_webui.models.tags" + USE, {}, None),
    ],
    ids=["extended by the call", "disabled", "too late"],
)
def test_without_the_start_up_file(
    program: str, variables: dict[str, str], class_name: str | None, tmp_path: Path
) -> None:
    done = run(WITHOUT_START_UP_FILES + program, tmp_path, **variables)
    if class_name:
        assert done.stdout.split()[-1:] == [class_name], done.stderr
    else:
        assert done.returncode == 1
        assert "was imported before openwebui-pocketbase could extend it" in done.stderr


def test_importing_the_package_imports_nothing_else() -> None:
    program = "import sys; before = set(sys.modules); import openwebui_pocketbase; print(set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", WITHOUT_START_UP_FILES + program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "{'openwebui_pocketbase'}"
