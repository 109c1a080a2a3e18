"""Fixtures of all suites. The host's environment is set here, before anything of it is imported."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

# Only what the repositories need: no migrations, no downloads, a data directory of its own.
_HOST_DATA = tempfile.TemporaryDirectory(prefix="owui-tests-")
os.environ.update(
    FROM_INIT_PY="true",
    DATA_DIR=_HOST_DATA.name,
    ENABLE_DB_MIGRATIONS="false",
    OFFLINE_MODE="true",
    HF_HUB_OFFLINE="1",
    WEBUI_SECRET_KEY="tests",
)
for name in list(os.environ):
    if name == "STORAGE_BACKEND" or name.startswith("OPENWEBUI_POCKETBASE_"):
        del os.environ[name]

# Assertions in the modules that tests share explain themselves as well.
pytest.register_assert_rewrite("tests.support")

from tests.support.commands import Commands  # noqa: E402 - the modules read the environment
from tests.support.pocketbase import PocketBaseProcess, clone, prepare  # noqa: E402

TESTS = Path(__file__).parent
SHARED = {"fleet", "two_workers", "driver"}
"""Fixtures of the host suite which are instances that take long to start: one process runs all tests that have them."""

FIRST = ("host", "host on PostgreSQL", "host/", "integration/test_bench.py", "packaging")
"""The groups that take minutes each, or how their names begin; they begin first, so that none is alone at the end."""


def group_of(item: pytest.Item) -> str:
    """Return the name of the group of tests that one process runs."""
    module = item.path.relative_to(TESTS)
    if module.parts[0] == "packaging":
        return "packaging"  # they share virtual environments
    if module.parts[0] != "host" or not SHARED.intersection(getattr(item, "fixturenames", ())):
        return module.as_posix()
    return "host on PostgreSQL" if item.get_closest_marker("postgresql") else "host"


def length_of(group: str) -> int:
    """Return the rank of a group; the longest ones have the lowest, and unit tests, which take seconds, the highest."""
    for rank, name in enumerate(FIRST):
        if group == name or (name.endswith("/") and group.startswith(name)):
            return rank
    order = ("_machine.py", "contract/", "integration/", "unit/")
    return len(FIRST) + next((rank for rank, part in enumerate(order) if part in group), len(order))


@pytest.hookimpl(tryfirst=True)  # xdist looks for the groups in this hook as well
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    groups = {item: group_of(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    # The processes take the groups in this order.
    items.sort(key=lambda item: length_of(groups[item]))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run if xdist does not see the groups: each process would start the same servers again."""
    is_grouped = getattr(session.config.option, "loadgroup", False)  # only in xdist's processes
    if is_grouped and session.items and "@" not in session.items[0].nodeid:
        raise pytest.UsageError("This pytest-xdist does not group tests with this pytest; see pyproject.toml.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape the lone surrogates which the host has logged: a report of them would not get to another process."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(scope="session")
def prepared_pocketbase(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data directory with schema and superuser; clone it, never serve it."""
    return prepare(tmp_path_factory.mktemp("prepared") / "pb_data")


@pytest.fixture(scope="session")
def pocketbase(prepared_pocketbase: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocketBaseProcess]:
    """A server for tests which leave schema and settings alone and use user ids of their own."""
    server = PocketBaseProcess(clone(prepared_pocketbase, tmp_path_factory.mktemp("pocketbase")))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def fresh_pocketbase(
    prepared_pocketbase: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PocketBaseProcess]:
    """A server without statistics of its tables, which PocketBase makes at midnight: small ones are scanned then."""
    server = PocketBaseProcess(clone(prepared_pocketbase, tmp_path_factory.mktemp("fresh")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_pocketbase(prepared_pocketbase: Path, tmp_path: Path) -> Iterator[PocketBaseProcess]:
    """A server of the test's own, to break."""
    server = PocketBaseProcess(clone(prepared_pocketbase, tmp_path))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def may_create_chats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every user may create chats: permissions are the host's own."""

    async def allow(self: Any, user_id: str, db: Any = None) -> None:
        """Raise nothing."""

    monkeypatch.setattr("open_webui.models.chats.ChatTable.require_chat_creation_permission", allow)


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    return Commands(data_dir)
