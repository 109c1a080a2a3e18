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

from tests.support.pocketbase import PocketBaseProcess, clone, prepare  # noqa: E402 - reads the environment

TESTS = Path(__file__).parent
TOGETHER = {"host", "packaging"}
"""Suites whose tests share what takes long to start: one process runs them all, and any process any other module."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        module = item.path.relative_to(TESTS)
        group = module.parts[0] if module.parts[0] in TOGETHER else str(module)
        if group == "host" and item.get_closest_marker("postgresql"):
            group = "host on PostgreSQL"  # instances of its own
        item.add_marker(pytest.mark.xdist_group(group))


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
