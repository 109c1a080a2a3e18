"""Fixtures of the repositories that are written through: both databases of a module's group, emptied for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.pocketbase import PocketBaseProcess, clone
from tests.support.written_through import Compared, open_comparison


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def opened(
    request: pytest.FixtureRequest, prepared_pocketbase: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Compared]:
    """Both databases, with the groups ``GROUPS`` of the module."""
    directory = tmp_path_factory.mktemp("through")
    server = PocketBaseProcess(clone(prepared_pocketbase, directory))
    server.start()
    try:
        async with open_comparison(request.module.GROUPS, request.param, server, directory) as compared:
            yield compared
    finally:
        server.stop()


@pytest.fixture
async def both(opened: Compared) -> Compared:
    """Both databases, with users, a group and files, but nothing else."""
    await opened.clear()
    return opened
