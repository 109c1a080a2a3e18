"""The change feed: the numbers of a write's own changes, pages of it, and the reader who waits for the next one."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from itertools import pairwise
from typing import Any

import pytest

from openwebui_pocketbase.changes import feed as feed_module
from openwebui_pocketbase.changes.feed import Change, Feed, Page
from openwebui_pocketbase.changes.indexer import Indexer
from openwebui_pocketbase.changes.next_timer import NextTimer
from openwebui_pocketbase.changes.source import Source
from openwebui_pocketbase.client import PocketBaseClient, Reply
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.pocketbase import PocketBaseProcess

TAGS = "owui_tags"


@pytest.fixture
async def client(own_pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseClient]:
    client = own_pocketbase.client()
    yield client
    await client.aclose()


@pytest.fixture
async def feed(client: PocketBaseClient) -> AsyncIterator[Feed]:
    feed = Feed(client)
    yield feed
    await feed.aclose()


def pages_of(feed: Feed) -> list[Page]:
    pages: list[Page] = []
    feed.listen(pages.append)
    return pages


async def tag(client: PocketBaseClient, name: str) -> Reply:
    return await client.submit("tags/insert_new_tag", {"tag": {"id": name, "name": name, "user_id": "u", "meta": None}})


async def user(client: PocketBaseClient, name: str) -> None:
    columns = dict.fromkeys(column.name for column in TABLES["user"].columns)
    row = columns | {"id": name, "name": name, "email": f"{name}@example.com"}
    await client.write("users/insert_new_user", {"user": row})


async def until(condition: Any, seconds: float = 20.0) -> float:
    """Wait for something; return how long it took."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)
    return time.monotonic() - began


# The reply of a write


async def test_a_write_tells_which_changes_are_its_own(client: PocketBaseClient) -> None:
    replies = await asyncio.gather(*(tag(client, f"t{number}") for number in range(20)))
    names = {reply.answer[0]: reply for reply in replies}
    found = await client.read("changes/get_changes", {"since": "0", "limit": 100})
    assert len(found["changes"]) == 20
    assert sorted(reply.first or 0 for reply in replies) == [change[0] for change in found["changes"]]
    assert all(reply.first == reply.last for reply in replies)
    many = await client.submit("tags/delete_tags_by_ids_and_user_id", {"ids": ["t1", "t2", "t3"], "user_id": "u"})
    assert (many.first, many.last) == (21, 23)
    nothing = await client.submit("tags/delete_tags_by_ids_and_user_id", {"ids": ["none"], "user_id": "u"})
    assert (nothing.first, nothing.last) == (None, None)
    assert client.written == 23
    assert len(names) == 20


async def test_a_repetition_gives_the_same_reply(own_pocketbase: PocketBaseProcess, client: PocketBaseClient) -> None:
    """Also if it asks for mirrored rows: those are as they are now."""
    with own_pocketbase.admin() as admin:

        def send(path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
            found: dict[str, Any] = admin.send(
                "POST", f"/api/owui/{path}", body, {"Idempotency-Key": key, "X-Owui-Mirrored-Up-To": "0"}
            )
            return found

        columns = dict.fromkeys(column.name for column in TABLES["user"].columns)
        body = {"user": columns | {"id": "u1", "name": "Ada", "email": "u1@example.com"}}
        first = send("users/insert_new_user", body, "a")
        assert (first["first"], first["last"], first["changes"]["last"]) == (1, 1, 1)
        await user(client, "u2")
        again = send("users/insert_new_user", body, "a")
        assert {**again, "changes": None} == {**first, "changes": None}
        assert [row[1] for row in again["changes"]["rows"]] == ["u1", "u2"]
        assert admin.sql("SELECT count(*) AS n FROM owui_users") == [{"n": "2"}]


async def test_a_write_is_answered_though_the_changes_cannot_be_read(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient
) -> None:
    with closing(sqlite3.connect(own_pocketbase.data_dir / "data.db", timeout=10)) as database, database:
        database.execute("PRAGMA legacy_alter_table = ON")  # else all triggers are compiled, also those it cannot
        database.execute("ALTER TABLE owui_access_grants RENAME TO gone")
    columns = dict.fromkeys(column.name for column in TABLES["user"].columns)
    body = {"user": columns | {"id": "u1", "name": "Ada", "email": "u1@example.com"}}
    reply = await client.submit("users/insert_new_user", body, mirrored_up_to="0")
    assert (reply.first, reply.last, reply.changes) == (1, 1, None)


# Pages


async def test_pages_of_any_table(client: PocketBaseClient) -> None:
    for number in range(3):
        await tag(client, f"t{number}")
        await user(client, f"u{number}")

    async def page(since: str, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = await client.read("changes/get_changes", {"since": since, "limit": 2, **more})
        return found

    seen, cursor, more = [], "0", True
    while more:
        found = await page(cursor)
        assert found["follows"]
        assert len(found["changes"]) <= 2
        seen += [(seq, collection, op) for seq, collection, _, op, *_ in found["changes"]]
        assert found["last"] == found["changes"][-1][0]
        cursor, more = found["cursor"], found["more"]
    expected = [(2 * n + k + 1, name, "create") for n in range(3) for k, name in enumerate((TAGS, "owui_users"))]
    assert seen == expected
    some = await page("0", collections=["owui_users"])
    assert [change[0] for change in some["changes"]] == [2, 4]
    assert (some["last"], some["more"]) == (4, True)
    rest = await page(some["cursor"], collections=["owui_users"])
    assert [change[0] for change in rest["changes"]] == [6]
    assert (rest["last"], rest["more"]) == (6, False)
    assert await page(cursor) == {**found, "changes": []}
    strange = await page("3/create/1/none")
    assert (strange["follows"], strange["changes"], strange["last"]) == (False, [], 6)


async def test_mirrored_rows_come_in_pages(client: PocketBaseClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put together they are what one page would have been."""
    for number in range(7):
        await user(client, f"u{number}")
        await tag(client, f"t{number}")
    await client.write("users/delete_user_by_id", {"id": "u3"})
    await client.write("users/update_user_by_id", {"id": "u1", "changes": {"role": "admin"}})
    source = Source(client)
    whole = await source.since("0")
    assert (whole.more, len(whole.rows), whole.last) == (False, 7, 16)
    for limit in (1, 2, 3, 15):
        monkeypatch.setattr("openwebui_pocketbase.changes.source.PAGE", limit)
        found = await source.since("0")
        assert sorted(map(tuple, found.rows)) == sorted(map(tuple, whole.rows))
        assert (found.last, found.cursor, found.more) == (whole.last, whole.cursor, False)


# The reader


async def test_listeners_are_given_each_change_once_and_in_order(
    client: PocketBaseClient, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "LIMIT", 4)
    monkeypatch.setattr(feed_module, "PAUSE", 0.05)
    await tag(client, "before")
    pages, others = pages_of(feed), pages_of(feed)
    feed.start()
    await until(lambda: feed.is_reading)
    assert [(page.follows, page.last, page.changes) for page in pages] == [(False, 1, [])]
    for number in range(25):
        await tag(client, f"t{number}")
    await until(lambda: pages[-1].last == 26)
    assert [change.seq for page in pages for change in page.changes] == [*range(2, 27)]
    assert all(page.after == before.last for before, page in pairwise(pages))
    assert all(len(page.changes) <= 4 and page.follows for page in pages[1:])
    assert isinstance(pages[1].changes[0], Change)
    assert others == pages


async def test_changes_of_other_programs_are_there_within_two_seconds(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, feed: Feed
) -> None:
    await tag(client, "one")
    pages = pages_of(feed)
    feed.start()
    await until(lambda: feed.is_reading)
    database = sqlite3.connect(own_pocketbase.data_dir / "data.db", timeout=10)
    try:
        for name in ("two", "three"):
            with database:
                database.execute(f"UPDATE {TAGS} SET name = ?", (name,))
            took = await until(lambda: len([each for page in pages for each in page.changes]) == 1)
            assert took < 2.5  # of a busy machine
            pages.clear()
    finally:
        database.close()


async def test_an_idle_process_asks_once_in_ten_seconds(
    client: PocketBaseClient, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all that works in the background; the waiting request of the start may end, and one more begin."""
    await tag(client, "one")
    monkeypatch.setattr("openwebui_pocketbase.changes.indexer.INTERVAL", 0.1)
    timer = NextTimer()
    timer.follow(client, feed)
    tasks = [Indexer(client, feed), feed]
    for task in tasks:
        task.start()
    await until(lambda: feed.is_reading)
    await asyncio.sleep(2)
    asked = []
    send = client._send

    async def counted(method: str, path: str, *rest: Any, **more: Any) -> Any:
        asked.append(path)
        return await send(method, path, *rest, **more)

    monkeypatch.setattr(client, "_send", counted)
    moment = timer.moment()
    timer.note(None, moment)
    for _ in range(10):
        assert not timer.may_be_due("1")
        await asyncio.sleep(1)
    assert len(asked) <= 1
    await tag(client, "two")
    assert timer.may_be_due("1")
    for task in tasks:
        await task.aclose()


async def test_a_restart_of_pocketbase_is_survived(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops at once, though a request waits; what happens then is read from where the reader was."""
    monkeypatch.setattr(feed_module, "PAUSE", 0.05)
    await tag(client, "one")
    pages = pages_of(feed)
    feed.start()
    await until(lambda: feed.is_reading)
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await asyncio.to_thread(own_pocketbase.stop)
    assert time.monotonic() - began < 8
    own_pocketbase.start()
    await tag(client, "two")
    await until(lambda: pages[-1].last == 2)
    assert [page.follows for page in pages] == [False] + [True] * (len(pages) - 1)
    assert [change.seq for page in pages for change in page.changes] == [2]
    assert pages[0].run != pages[1].run == pages[-1].run


async def test_timers_of_others_are_known(client: PocketBaseClient, feed: Feed) -> None:
    timer = NextTimer()
    assert timer.may_be_due("5")  # nothing is known without a feed
    timer.follow(client, feed)
    moment = timer.moment()
    timer.note("7", moment)
    assert timer.may_be_due("5")  # the feed is not read
    feed._is_current, feed._task = True, asyncio.current_task()
    assert (timer.may_be_due("5"), timer.may_be_due("7")) == (False, True)
    page = Page("e", "r", follows=True, after=1, last=2, more=False, cursor="c", changes=[])
    timer._notice(page)
    assert not timer.may_be_due("5")
    timer._notice(Page("e", "r", True, 2, 3, False, "c", [Change(3, "owui_chats", "c", "update", 1, [], "")]))
    assert timer.may_be_due("5")
    timer.note("7", moment)  # asked for before
    assert timer.may_be_due("5")
    timer.note("7", timer.moment())
    client.written += 1
    assert timer.may_be_due("5")
    feed._task = None


# Whose a change is, and whom it concerns


async def test_changes_say_whose_they_are(own_pocketbase: PocketBaseProcess, client: PocketBaseClient) -> None:
    await tag(client, "ours")
    other = own_pocketbase.client()
    await tag(other, "theirs")
    await other.aclose()
    with own_pocketbase.admin() as admin:
        admin.send("POST", f"/api/collections/{TAGS}/records", {"key": "api", "name": "api", "user_id": "v"})
        admin.send(
            "POST",
            "/api/owui/tags/insert_new_tag",
            {"tag": {"id": "strange", "name": "s", "user_id": "u", "meta": None}},
            {"Idempotency-Key": "a key as nobody here makes it"},
        )
    found = await client.read("changes/get_changes", {"since": "0", "limit": 100})
    origins = [change[6] for change in found["changes"]]
    assert origins == [client.origin, other.origin, "", ""]
    assert [change[5] for change in found["changes"]] == [["u"], ["u"], ["v"], ["u"]]
    assert client.origin != other.origin


async def test_a_repeated_write_keeps_its_origin(own_pocketbase: PocketBaseProcess, client: PocketBaseClient) -> None:
    await tag(client, "one")
    with own_pocketbase.admin() as admin:
        (row,) = admin.sql("SELECT key FROM owui_idempotency")
        body = {"tag": {"id": "one", "name": "one", "user_id": "u", "meta": None}}
        admin.send("POST", "/api/owui/tags/insert_new_tag", body, {"Idempotency-Key": row["key"]})
    found = await client.read("changes/get_changes", {"since": "0", "limit": 100})
    assert [change[6] for change in found["changes"]] == [client.origin]


async def test_an_update_concerns_both_whom_it_was_taken_from_and_whom_it_was_given(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient
) -> None:
    with own_pocketbase.admin() as admin:
        path = "/api/collections/owui_folders/records"
        made = admin.send("POST", path, {"name": "f", "user_id": "ann"})
        admin.send("PATCH", f"{path}/{made['id']}", {"user_id": "bob"})
        admin.send("PATCH", f"{path}/{made['id']}", {"name": "g"})
        admin.send("DELETE", f"{path}/{made['id']}")
    found = await client.read("changes/get_changes", {"since": "0", "limit": 100})
    assert [change[5] for change in found["changes"]] == [["ann"], ["bob", "ann"], ["bob"], ["bob"]]


# Who is woken


async def test_one_request_of_several_at_once_gives_a_change(client: PocketBaseClient, feed: Feed) -> None:
    """The request that waits and the one of a reader who was woken: each change is in one page."""
    pages = pages_of(feed)
    await feed.read()
    waiting = [asyncio.create_task(feed.read(wait=5.0)) for _ in range(2)]
    await asyncio.sleep(0.3)  # until they wait
    await tag(client, "a")
    await feed.read()
    await asyncio.gather(*waiting)
    await tag(client, "b")
    await asyncio.gather(*(feed.read() for _ in range(5)))
    assert [change.record_id for page in pages for change in page.changes] == [
        change.record_id for change in (await all_changes(client))
    ]
    assert all(page.after == before.last for before, page in pairwise(pages) if page.changes)


async def all_changes(client: PocketBaseClient) -> list[Change]:
    found = await client.read("changes/get_changes", {"since": "0", "limit": 1000})
    return [Change(*change) for change in found["changes"]]
