"""The change feed as what tells a move which items have changed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping

import pytest

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.migrate.items import UNITS, Item, Key, Sized, Unit
from openwebui_pocketbase.migrate.pocketbase.feed import FeedChanges
from openwebui_pocketbase.migrate.pocketbase.store import PocketBaseStore
from tests.support.chats import chat, entry, key, row
from tests.support.moved_rows import CHAT, chat_item, item_of, one_row
from tests.support.pocketbase import PocketBaseProcess

TAG, MODEL, GROUP = (UNITS[name] for name in ("tag", "model", "group"))


class Other(PocketBaseStore):
    """The side that follows; of it only its keys are asked."""

    def __init__(self, client: PocketBaseClient) -> None:
        super().__init__(client)
        self.has: dict[str, list[Key]] = {}

    async def keys(self, unit: Unit) -> AsyncGenerator[list[Sized], None]:
        yield [Sized(each, 1) for each in self.has.get(unit.name, [])]


@pytest.fixture
def other(client: PocketBaseClient) -> Other:
    return Other(client)


@pytest.fixture
async def feed(client: PocketBaseClient, other: Other) -> FeedChanges:
    """What follows all units, from now on."""
    feed = FeedChanges(client, UNITS.values(), other)
    assert await feed.some() is None
    await feed.forget()
    return feed


async def save(client: PocketBaseClient, unit: Unit, *items: Item) -> None:
    store = PocketBaseStore(client)
    before = await store.load(unit, [item.key for item in items])
    assert await store.save(unit, [(item, before.get(item.key)) for item in items]) == []


async def new(feed: FeedChanges) -> Mapping[str, Collection[Key]]:
    """Return what has changed, by name of the unit, and have it dealt with."""
    found = await feed.some()
    assert found is not None
    await feed.forget()
    return {unit.name: set(keys) for unit, keys in found.items()}


@pytest.mark.parametrize("unit", UNITS.values(), ids=lambda unit: unit.name)
async def test_each_unit(unit: Unit, client: PocketBaseClient, feed: FeedChanges, other: Other) -> None:
    item = chat_item(chat(1, {"a": entry("a")})) if unit is CHAT else item_of(unit, one_row(unit.name, "one"))
    await save(client, unit, item)
    assert await feed.waiting() > 0
    assert await new(feed) == {unit.name: {item.key}}
    assert (await feed.waiting(), await new(feed)) == (0, {})
    other.has[unit.name] = [item.key]
    await save(client, unit, item)
    assert await new(feed) == {unit.name: {item.key}}
    await PocketBaseStore(client).remove(unit, [item.key])
    assert await new(feed) == {unit.name: {item.key}}


async def test_changes_come_until_they_are_dealt_with(
    client: PocketBaseClient, feed: FeedChanges, other: Other
) -> None:
    group = item_of(GROUP, one_row("group", "g"))
    await save(client, GROUP, group)
    first = await feed.some()
    assert first is not None
    assert first == await feed.some()
    assert await feed.waiting() == 1
    cursor = feed.cursor
    await feed.forget()
    assert feed.cursor != cursor
    assert await feed.waiting() == 0
    again = FeedChanges(client, [GROUP], other, cursor)
    assert await again.some() == first


async def test_a_message_is_its_chats(
    client: PocketBaseClient, feed: FeedChanges, fresh_pocketbase: PocketBaseProcess
) -> None:
    await save(client, CHAT, chat_item(chat(1, {"a": entry("a")}), [row(1, "a")]), chat_item(chat(2)))
    await new(feed)
    with fresh_pocketbase.admin() as admin:
        admin.sql("UPDATE owui_chat_messages SET role = 'other'")
        assert await new(feed) == {"chat": {(key(1),)}}
        admin.sql(f"UPDATE owui_chat_messages SET chat_id = '{key(2)}'")
        assert await new(feed) == {"chat": {(key(1),), (key(2),)}}
        admin.sql("DELETE FROM owui_chat_messages")
        assert await new(feed) == {"chat": {(key(2),)}}


async def test_a_tag_whose_key_nobody_tells(
    client: PocketBaseClient, feed: FeedChanges, other: Other, fresh_pocketbase: PocketBaseProcess
) -> None:
    """All tags of its user are named, after an edit as after a deletion; those of both users if it had two."""
    other.has["tag"] = [("u1", "a"), ("u1", "b"), ("u2", "a"), ("u3", "a")]
    await save(client, TAG, item_of(TAG, one_row("tag", "a", user_id="u1")))
    assert await new(feed) == {"tag": {("u1", "a")}}
    with fresh_pocketbase.admin() as admin:
        admin.sql("UPDATE owui_tags SET key = 'new'")
        assert await new(feed) == {"tag": {("u1", "new"), ("u1", "a"), ("u1", "b")}}
        admin.sql("UPDATE owui_tags SET user_id = 'u2'")
        assert await new(feed) == {"tag": {("u2", "new"), ("u2", "a"), ("u1", "a"), ("u1", "b")}}
        admin.sql("DELETE FROM owui_tags")
        assert await new(feed) == {"tag": {("u2", "a")}}


async def test_a_model_whose_key_nobody_tells(client: PocketBaseClient, feed: FeedChanges, other: Other) -> None:
    other.has["model"] = [("m1",), ("m2",)]
    await save(client, MODEL, item_of(MODEL, one_row("model", "m1")))
    await new(feed)
    await PocketBaseStore(client).remove(MODEL, [("m1",)])
    assert await new(feed) == {"model": {("m1",), ("m2",)}}


async def test_only_what_is_followed(client: PocketBaseClient, other: Other) -> None:
    feed = FeedChanges(client, [TAG], other)
    assert await feed.some() is None
    await feed.forget()
    await save(client, GROUP, item_of(GROUP, one_row("group", "g")))
    cursor = feed.cursor
    assert (await feed.waiting(), await new(feed)) == (0, {})
    assert feed.cursor != cursor


async def test_many_changes_come_in_parts(client: PocketBaseClient, feed: FeedChanges) -> None:
    await save(client, GROUP, *(item_of(GROUP, one_row("group", f"g{n:04}")) for n in range(1500)))
    assert await feed.waiting() == 1500
    found = [await new(feed) for _ in range(3)]
    assert [len(each.get("group", ())) for each in found] == [1000, 500, 0]


async def test_a_restored_server_tells_nothing(
    client: PocketBaseClient, feed: FeedChanges, fresh_pocketbase: PocketBaseProcess
) -> None:
    await save(client, GROUP, item_of(GROUP, one_row("group", "g")))
    await new(feed)
    with fresh_pocketbase.admin() as admin:
        admin.sql("UPDATE owui_changes SET at = at + 1")
    assert await feed.some() is None
    await feed.forget()
    assert await new(feed) == {}
