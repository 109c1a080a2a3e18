"""The host's list of channels: what it says with stock repositories, it says with one read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from open_webui.models.access_grants import AccessGrant
from open_webui.models.channels import Channel, ChannelMember
from open_webui.models.messages import Message
from open_webui.routers import channels as routes
from sqlalchemy import event

from openwebui_pocketbase.seams.channel_list import in_one_read
from tests.support.channels import MIXES, NS, PEOPLE, World, grant, open_world
from tests.support.contracts import ours
from tests.support.differential import Opened, same
from tests.support.records import put
from tests.support.stock import StockDatabase


@pytest.fixture(params=MIXES)
async def world(
    oracle: str, opened: Opened, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    async def may(_request: Any, _user: Any) -> None:
        """Let everybody see channels: whether they may is the host's own."""

    monkeypatch.setattr(routes, "check_channels_access", may)
    async with open_world(opened, oracle, request.param) as world:
        contract = world.pair.contract
        world.pair.contract = replace(contract, bound={**contract.bound, **ours("Channels", "Messages")})
        yield world


async def compare(world: World, *users: str) -> list[Any]:
    """Return what the list says for each user, which must be the same with ours."""
    found = []
    for user in users:
        asked = (SimpleNamespace(), SimpleNamespace(id=user, role="user"), None)
        with world.pair.database.active():
            expected = await routes.get_channels(*asked)
            with world.pair.bound():
                actual = await in_one_read(routes.get_channels)(*asked)
        same(f"list for {user}", expected, actual, sort=not world.pair.database.is_sqlite)
        found.append(expected)
    return found


def message(number: int, channel: str, user: str | None, **more: Any) -> Message:
    stamps = {"created_at": NS + number, "updated_at": NS}
    usual = {"content": "c", "is_pinned": False, **stamps}
    return Message(id=f"message-{number}", channel_id=channel, user_id=user, **{**usual, **more})


async def put_both(world: World, *rows: Any) -> None:
    put(world.pair.server.data_dir, rows)
    await world.pair.database.add(*rows)


async def test_list(world: World) -> None:
    await compare(world, "ann", "nobody")
    public = await world.make("public", access_grants=[grant("*")])
    await world.make("for top", "dora", access_grants=[grant(world.groups["top"], kind="group")])
    group = await world.make("group", type="group", user_ids=["bob"])
    dm = await world.make("dm", type="dm", user_ids=["bob", "carl", "gone"])
    await world.make("dm of one", type="dm")
    await world.call("join_channel", public, "ann")
    await world.call("update_member_mute_status", public, "carl", True)
    await world.call("update_member_last_read_at", group, "bob")
    await world.call("leave_channel", dm, "carl")
    first = NS + 10**12
    rows = [
        message(number, channel, user, created_at=first + 10 * number)
        for number, (channel, user) in enumerate(
            (channel, user) for channel in (public, group, dm) for user in (*PEOPLE, None, "gone")
        )
    ]
    rows += [
        message(100, public, "bob", parent_id="message-0", created_at=first + 10**6),
        message(101, public, "bob", parent_id="", created_at=first + 5),
        message(102, public, "bob", created_at=1),
        message(103, public, None, app_id="app", created_at=-5),
        message(104, dm, "bob", created_at=2**63 - 1),
    ]
    old = await world.make("old", "ann")
    rows.append(message(105, old, "bob", created_at=-(10**18)))
    await put_both(world, *rows)
    lists = await compare(world, *PEOPLE, "nobody")
    assert max(each.unread_count for each in lists[0]) > 1
    await world.call("update_member_last_read_at", public, "ann")
    for user in ("carl", "ann"):
        await world.remove_user(user)
        await compare(world, "ann", "bob")


async def test_a_user_who_is_in_a_channel_twice(world: World) -> None:
    channel = await world.make("dm", type="dm", user_ids=["bob"])
    usual = {"is_active": True, "is_channel_muted": True, "is_channel_pinned": False, "joined_at": NS}
    second = ChannelMember(id="second", channel_id=channel, user_id="bob", last_read_at=0, **usual)
    await put_both(world, second, message(1, channel, "ann"))
    if world.pair.database.is_sqlite:
        assert len((await compare(world, "bob"))[0]) == 2
    await compare(world, "ann")


class Counted:
    """A client that counts requests."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.paths: list[str] = []

    def __getattr__(self, name: str) -> Any:
        send = getattr(self._client, name)

        async def counted(path: str, parameters: Mapping[str, Any], **more: Any) -> Any:
            self.paths.append(path)
            return await send(path, parameters, **more)

        return counted


@contextmanager
def statements(database: StockDatabase) -> Iterator[list[str]]:
    """Note the statements that the SQL database is given."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def many(number: int) -> list[Any]:
    """Return channels that ann sees: some for members, some direct, some that everybody sees."""
    rows: list[Any] = []
    for n in range(number):
        key, kind = f"channel-{number}-{n}", ("group", "dm", None)[n % 3]
        rows.append(Channel(id=key, user_id="bob", name="n", type=kind, created_at=NS, updated_at=NS))
        usual = {"is_active": True, "is_channel_muted": False, "is_channel_pinned": False, "joined_at": NS}
        rows += [
            ChannelMember(id=f"{key}-{user}", channel_id=key, user_id=user, **usual) for user in ("ann", PEOPLE[n % 4])
        ][: 1 if PEOPLE[n % 4] == "ann" else 2]
        rows += [message(1000 * number + n, key, "bob")]
    return rows


async def test_the_number_of_requests_is_that_of_one_channel(world: World) -> None:
    counts = []
    for number in (10, 100):
        await put_both(world, *many(number))
        for n in range(number):
            public = {"principal_type": "user", "principal_id": "*", "permission": "read", "created_at": 1}
            key = f"channel-{number}-{n}"
            await world.pair.database.add(
                AccessGrant(id=f"grant-{key}", resource_type="channel", resource_id=key, **public)
            )
            if "AccessGrants" in world.pair.contract.bound:
                put(
                    world.pair.server.data_dir,
                    [AccessGrant(id=f"grant-{key}", resource_type="channel", resource_id=key, **public)],
                )
        client = Counted(world.pair.client)
        with world.pair.database.active(), world.pair.bound(), statements(world.pair.database) as sql:
            routes.Channels.pocketbase = client
            found = await in_one_read(routes.get_channels)(None, SimpleNamespace(id="ann", role="user"), None)
        assert len(found) == (10 if number == 10 else 110)
        counts.append((client.paths, len(sql)))
        await compare(world, "ann")
    assert counts[0] == counts[1]
    paths, in_sql = counts[0]
    assert paths == ["channels/get_channel_list"]
    mixed = {"Users", "AccessGrants"} - world.pair.contract.bound.keys()
    assert in_sql == {"Users": 1, "AccessGrants": 2}.get(next(iter(mixed), ""), 0) if len(mixed) < 2 else 3
