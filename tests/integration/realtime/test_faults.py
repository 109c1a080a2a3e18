"""The feed and its announcements while PocketBase is killed, restored and cut off: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from openwebui_pocketbase.changes.feed import Change, Feed, Page
from openwebui_pocketbase.client import Authenticator, PocketBaseClient
from openwebui_pocketbase.exceptions import RequestError
from openwebui_pocketbase.realtime.announcements import Announcements
from openwebui_pocketbase.settings import PoolSettings, TimeoutSettings
from tests.support.pocketbase import PocketBaseProcess
from tests.support.proxies import Proxy

KILLS = 10
CUTS = 50
WRITERS = 4


@dataclass
class Reader:
    """A process that follows the feed, and what it was told since PocketBase was restored last."""

    changes: list[Change] = field(default_factory=list)
    refreshes: int = 0

    def notice(self, page: Page) -> None:
        if not page.follows:
            self.refreshes += 1
            self.changes.clear()
        self.changes += page.changes


@asynccontextmanager
async def reading(server: PocketBaseProcess, proxy: Proxy) -> AsyncIterator[Reader]:
    client = PocketBaseClient(timeouts=TimeoutSettings(connect=2.0, read=10.0, retry=30.0), pool=PoolSettings())
    client.connect(proxy.url, Authenticator(server.login, server.login()))
    feed, reader = Feed(client), Reader()
    announcements = Announcements(client, lambda: feed.wake(announcements.client_id))
    feed.listen(reader.notice)
    for task in (feed, announcements):
        task.start()
    try:
        yield reader
    finally:
        for task in (announcements, feed):
            await task.aclose()
        await client.aclose()


async def write(client: PocketBaseClient, name: str, stop: asyncio.Event) -> int:
    """Write one tag after the other until told to stop; return how many."""
    number = 0
    while not stop.is_set():
        tag = {"id": f"{name} {number}", "name": name, "user_id": "u", "meta": None}
        try:
            await client.write("tags/insert_new_tag", {"tag": tag})
        except RequestError:
            continue  # the server is away for long
        number += 1
    return number


async def test_nothing_is_lost_or_doubled(own_pocketbase: PocketBaseProcess) -> None:
    server, chance, stop = own_pocketbase, random.Random(7), asyncio.Event()
    writer = server.client()
    async with Proxy(server.port).running() as proxy, reading(server, proxy) as reader:
        await begun(reader)
        writers = [asyncio.create_task(write(writer, f"w{number}", stop)) for number in range(WRITERS)]

        async def cut() -> None:
            for _ in range(CUTS):
                await asyncio.sleep(chance.uniform(0.0, 0.2))
                await proxy.cut()

        async def kill() -> None:
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.2, 0.6))
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)

        await asyncio.gather(cut(), kill())
        stop.set()
        written = sum(await asyncio.gather(*writers))
        await writer.aclose()
        with server.admin() as admin:
            (row,) = admin.sql("SELECT count(*) AS n, max(seq) AS last FROM owui_changes")
        assert int(row["n"]) >= written > 0
        await reached(reader, int(row["last"]))
    assert reader.refreshes == 1  # its first page
    seen = [change.seq for change in reader.changes]
    assert seen == list(range(seen[0], int(row["last"]) + 1))
    assert len({change.record_id for change in reader.changes}) == len(seen)


async def test_a_restore_is_noticed(own_pocketbase: PocketBaseProcess) -> None:
    """And what is written after it comes, whatever number it has."""
    server = own_pocketbase
    writer = server.client()

    async def tag(name: str) -> None:
        tag = {"id": name, "name": name, "user_id": "u", "meta": None}
        await writer.write("tags/insert_new_tag", {"tag": tag})

    async with Proxy(server.port).running() as proxy, reading(server, proxy) as reader:
        await begun(reader)
        await tag("kept")
        with server.admin() as admin:
            await asyncio.to_thread(admin.send, "POST", "/api/backups", {"name": "good.zip"})
            for number in range(3):
                await tag(f"lost {number}")
            await reached(reader, 4)
            await asyncio.to_thread(admin.send, "POST", "/api/backups/good.zip/restore")
        async with asyncio.timeout(30):
            while reader.refreshes < 2:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.02)
        assert reader.refreshes == 2
        await tag("later")
        await reached(reader, 2)
    await writer.aclose()
    assert [change.seq for change in reader.changes] == [2]
    assert reader.refreshes == 2


async def begun(reader: Reader) -> None:
    """Wait until the reader has its first page: it is told of what comes behind that."""
    async with asyncio.timeout(60):
        while not reader.refreshes:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)


async def reached(reader: Reader, last: int) -> None:
    """Wait until the reader has been told of this change."""
    try:
        async with asyncio.timeout(60):
            while not reader.changes or reader.changes[-1].seq < last:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"the reader is at {reader.changes[-1:]}, not at {last}")
