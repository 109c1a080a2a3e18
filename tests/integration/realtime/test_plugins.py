"""Other plugins are told of each change in PocketBase: the example of the documentation, on a real one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pluggy
import pytest

from openwebui_pocketbase.changes.feed import Change, Feed, Page
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.hookspecs import PROJECT, StorageSpecs, hookimpl
from openwebui_pocketbase.realtime import listeners as module
from openwebui_pocketbase.realtime.listeners import Listeners
from tests.support.pocketbase import PocketBaseProcess

PAGE = Path(__file__).parents[3] / "docs" / "realtime.md"
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
CHATS = "/api/collections/owui_chats/records"


def listeners_of(*plugins: object) -> Listeners:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(StorageSpecs)
    for plugin in plugins:
        manager.register(plugin)
    return Listeners(lambda change: manager.hook.openwebui_change(change=change))


@pytest.fixture
async def client(own_pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseClient]:
    client = own_pocketbase.client()
    yield client
    await client.aclose()


async def test_the_example_works(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, object] = {}
    exec(EXAMPLE, names)
    listeners, feed = listeners_of(SimpleNamespace(**names)), Feed(client)
    feed.listen(listeners.notice)
    listeners.start()
    await feed.read()
    with own_pocketbase.admin() as admin:
        chat = admin.send("POST", CHATS, {"title": "A chat", "user_id": "ann"})["id"]
        admin.send("DELETE", f"{CHATS}/{chat}")
    await feed.read()
    try:
        async with asyncio.timeout(20):
            while not (printed := capsys.readouterr().out):  # noqa: ASYNC110 - printed by the plugin
                await asyncio.sleep(0.01)
    finally:
        await listeners.aclose()
    assert printed == f"chat {chat} of ann is gone\n"


def page(*numbers: int, follows: bool = True, after: int = 1) -> Page:
    changes = [Change(seq, "owui_tags", "t", "update", 0, ["u"], "") for seq in numbers]
    return Page("e", "r", follows, after, max(numbers, default=after), False, "c", changes)


class Slow:
    """A plugin that takes its time, and fails now and then."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []
        self.may_go_on = asyncio.Event()

    @hookimpl
    async def openwebui_change(self, change: Change) -> None:
        await self.may_go_on.wait()
        self.told.append((change.seq, change.op))
        if change.seq == 2:
            raise ValueError("of the plugin")


async def run(listeners: Listeners, plugin: Slow, *pages: Page) -> list[tuple[int, str]]:
    listeners.start()
    for each in pages:
        listeners.notice(each)
        await asyncio.sleep(0)
    plugin.may_go_on.set()
    async with asyncio.timeout(20):
        while listeners._waiting or not plugin.told:  # noqa: ASYNC110 - of another task
            await asyncio.sleep(0)
    await listeners.aclose()
    return plugin.told


async def test_in_order_whatever_fails(caplog: pytest.LogCaptureFixture) -> None:
    plugin = Slow()
    told = await run(listeners_of(plugin), plugin, page(1, 2, 3), page(4))
    assert told == [(1, "update"), (2, "update"), (3, "update"), (4, "update")]
    assert "A plugin failed when it was told of a change of owui_tags" in caplog.text


async def test_who_is_too_far_behind_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 4)
    plugin = Slow()
    told = await run(listeners_of(plugin), plugin, page(1), page(2, 3), page(*range(4, 10)), page(10))
    assert told[-2:] == [(9, "lost"), (10, "update")]
    assert len(told) <= 4


async def test_a_restore_is_told() -> None:
    plugin = Slow()
    first, restored = page(follows=False, after=0), page(follows=False, after=7)
    assert await run(listeners_of(plugin), plugin, first, page(3), restored) in (
        [(3, "update"), (7, "lost")],
        [(7, "lost")],
    )
