"""A worker that starts agrees with those that are there, whatever the config file has said a moment ago."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from open_webui.internal import db
from sqlalchemy import create_engine

from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.host import switching
from openwebui_pocketbase.host.gate import Gate
from openwebui_pocketbase.host.switching import Switching
from openwebui_pocketbase.migrate.control.command import Control
from openwebui_pocketbase.migrate.control.orders import Backends

SQL = {"tags": "sqlalchemy"}
MOVED = {"tags": "pocketbase"}


class Board:
    """Has what a config file says, as soon as that is read."""

    def __init__(self, file: dict[str, Backends]) -> None:
        self._file = file
        self.backends = file["now"]
        self.lock = asyncio.Lock()

    def reload(self) -> None:
        self.backends = self._file["now"]

    async def prepare(self, _wanted: Backends) -> str:
        return ""

    async def rest(self) -> None:
        async with self.lock:
            pass

    async def switch(self, backends: Backends, _number: int) -> None:
        self.backends = backends

    async def go_on(self) -> None: ...

    async def close(self) -> None: ...


class Site:
    """Workers of one site."""

    def __init__(self) -> None:
        self.file: dict[str, Backends] = {"now": SQL}
        self.workers: list[Switching] = []

    async def start(self) -> Board:
        board: Any = Board(self.file)
        worker = Switching(board, Gate())
        self.workers.append(worker)
        async with worker.joining():
            pass
        return board  # type: ignore[no-any-return]  # it is one


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(db, "engine", create_engine(f"sqlite:///{tmp_path / 'webui.db'}"))
    site = Site()
    yield site
    for worker in site.workers:
        await worker.end()
    db.engine.dispose()


async def test_the_first_one_takes_what_the_file_says(site: Site) -> None:
    site.file["now"] = MOVED
    assert (await site.start()).backends == MOVED
    (report,) = await Control(db.engine).workers()
    assert (report.backends, report.serves) in ((MOVED, 0), (MOVED, 1))


async def test_one_that_starts_while_others_are_held_has_what_is_decided(site: Site) -> None:
    first = await site.start()
    control = Control(db.engine)
    await control.prepare(MOVED)
    await control.hold()
    starting = asyncio.create_task(site.start())  # it has read the file before
    await asyncio.wait([starting], timeout=0.5)
    assert not starting.done()
    site.file["now"] = MOVED
    await control.switch()
    assert (await starting).backends == MOVED
    await control.finished()
    assert first.backends == MOVED


async def test_one_whose_file_says_otherwise_than_others_do_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "AGREEMENT", 0.5)
    await site.start()
    async with asyncio.timeout(30.0):
        while not [each for each in await Control(db.engine).workers() if each.serves]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    site.file["now"] = MOVED
    with pytest.raises(ConfigurationError, match="have tags in sqlalchemy"):
        await site.start()


async def test_after_all_have_ended_the_file_decides(site: Site) -> None:
    await site.start()
    await site.workers.pop().end()
    site.file["now"] = MOVED
    assert (await site.start()).backends == MOVED
