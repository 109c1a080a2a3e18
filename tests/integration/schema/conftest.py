"""Servers at any version of the schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openwebui_pocketbase.assets import HOOKS_DIR
from tests.support.pocketbase import PocketBaseProcess
from tests.support.schema import MIGRATIONS, StartServer, copied_migrations


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartServer]:
    """Start a server with the first so many migrations, on a new data directory or on that of another server."""
    servers: list[PocketBaseProcess] = []

    def start(
        migrations: int = len(MIGRATIONS), *, data_dir: Path | None = None, hooks_dir: Path = HOOKS_DIR
    ) -> PocketBaseProcess:
        data_dir = data_dir or tmp_path / f"pb_data_{len(servers)}"
        directory = tmp_path / f"migrations_{migrations}"
        if not directory.exists():
            copied_migrations(directory, MIGRATIONS[:migrations])
        server = PocketBaseProcess(data_dir, hooks_dir=hooks_dir, migrations_dir=directory)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.stop()
