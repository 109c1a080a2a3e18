"""Members of channels: what the stock class does, ours does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.channels import ChannelMember
from sqlalchemy.exc import IntegrityError

from openwebui_pocketbase.repositories.channels import PocketBaseChannels
from tests.support.channels import MIXES, NS, World, open_world
from tests.support.contracts import CHANNELS
from tests.support.differential import IDS, SURROGATES, Opened, share_of_hostile_names
from tests.support.stock import skip_postgresql

NOWHERE = IDS[4999]


@pytest.fixture
async def world(oracle: str, opened: Opened) -> AsyncIterator[World]:
    async with open_world(opened, oracle) as world:
        yield world


@pytest.fixture
async def ours(opened: Opened) -> AsyncIterator[PocketBaseChannels]:
    """Our class alone, for what happens at once."""
    async with opened(CHANNELS, "sqlite") as pair:
        yield pair.subject


async def look(world: World, channel: str, *users: str | None) -> None:
    """Compare what each reading method says of members."""
    await world.call("get_members_by_channel_id", channel, rows=False)
    for user in (*users, "nobody", None):
        for method in (
            "get_member_by_channel_and_user_id",
            "is_user_channel_member",
            "is_app_channel_member",
            "is_user_channel_manager",
        ):
            await world.call(method, channel, user, rows=False)


def member(channel: str, number: int, **columns: Any) -> ChannelMember:
    usual = {"is_active": True, "is_channel_muted": False, "is_channel_pinned": False, "joined_at": NS}
    return ChannelMember(id=f"member-{number}", channel_id=channel, **{**usual, **columns})


@pytest.mark.parametrize("channel_type", [None, "group", "dm"])
async def test_join_leave_and_come_back(world: World, channel_type: str | None) -> None:
    channel = await world.make("c", type=channel_type)
    for user in ("ann", "bob", "bob"):
        await world.call("join_channel", channel, user)
    await look(world, channel, "ann", "bob")
    assert await world.call("leave_channel", channel, "bob")
    assert not await world.call("leave_channel", channel, "carl")
    await look(world, channel, "bob", "carl")
    await world.call("join_channel", channel, "bob")
    await world.call("update_member_active_status", channel, "bob", True)
    await world.call("update_member_active_status", channel, "carl", True)
    await look(world, channel, "bob")
    await world.call("join_channel", NOWHERE, "bob")
    await look(world, NOWHERE, "bob")


@pytest.mark.parametrize("is_member", [True, False])
async def test_marks(world: World, *, is_member: bool) -> None:
    channel = await world.make("c", type="group", user_ids=["bob"] if is_member else [])
    assert await world.call("pin_channel", channel, "bob", True) is is_member
    assert await world.call("update_member_last_read_at", channel, "bob") is is_member
    for is_muted in (True, True, False):
        assert await world.call("update_member_mute_status", channel, "bob", is_muted) is is_muted
    await world.call("pin_channel", channel, "bob", False)
    await world.call("update_member_last_read_at", channel, "bob")
    await look(world, channel, "bob")
    await world.call("update_member_mute_status", channel, "dora", False)
    await look(world, channel, "dora")


@pytest.mark.parametrize("mix", MIXES)
async def test_add_and_remove(oracle: str, opened: Opened, mix: str) -> None:
    async with open_world(opened, oracle, mix) as world:
        channel = await world.make("c", type="group")
        for users, groups in (
            (["bob"], None),
            (["bob", "carl", "bob"], []),
            (None, [world.groups["top"], "no group"]),
            (None, None),
            (["nobody", "dora"], [world.groups["below"]]),
            (["dora"], []),
        ):
            await world.call("add_members_to_channel", channel, "ann", users, groups)
        await world.call("add_members_to_channel", channel, "a bystander", ["bob"])
        await look(world, channel, "ann", "bob", "carl", "dora")
        for users in ([], ["bob", "not one", "bob"], ["bob"], ["ann", "carl", "dora"]):
            await world.call("remove_members_from_channel", channel, users)
        await look(world, channel, "ann", "dora")
        await world.call("add_members_to_channel", NOWHERE, "ann", ["bob"])


async def test_apps(world: World) -> None:
    """Memberships of apps are none of a user's; without a user, the host looks at them."""
    channel = await world.make("c", type="group", user_ids=["bob"])
    rows: list[dict[str, Any]] = [
        {"app_id": "z"},
        {"app_id": "a", "is_active": False},
        {"app_id": "m", "role": "manager"},
        {"app_id": ""},
    ]
    await world.seed(*(member(channel, number, **row) for number, row in enumerate(rows)))
    await world.seed(member(NOWHERE, 9, app_id="z", is_active=False))
    for app in ("z", "a", "m", "", "x", None):
        await world.call("is_app_channel_member", channel, app, rows=False)
    await world.call("get_members_by_channel_id", channel)
    if world.pair.database.is_sqlite:  # others find them in another order
        await look(world, channel, "bob", "z", "")
        for method, *args in (
            ("join_channel",),
            ("leave_channel",),
            ("pin_channel", True),
            ("update_member_mute_status", True),
            ("update_member_last_read_at",),
        ):
            await world.call(method, channel, None, *args)
    await world.call("add_members_to_channel", channel, "ann", [None, "carl"])
    await world.call("remove_members_from_channel", channel, [None, "", "carl", "a", "z"])
    await world.call("join_channel", channel, "")
    await world.call("join_channel", channel, "")
    await world.call("add_members_to_channel", channel, "ann", ["", "dora"])
    await world.call("remove_members_from_channel", channel, [""])


async def test_nobody_joins(world: World) -> None:
    channel = await world.make("c", type="group")
    for method, *args in (
        ("join_channel", channel, None),
        ("update_member_mute_status", channel, None, True),
        ("add_members_to_channel", channel, "ann", [None, "bob"]),
        ("add_members_to_channel", channel, None, ["bob"]),
    ):
        assert isinstance(await world.call(method, *args), IntegrityError)
    for where, who in ((channel, None), (None, "bob"), (None, None)):
        await world.call("leave_channel", where, who)
        await world.call("get_member_by_channel_and_user_id", where, who)
        await world.call("is_user_channel_manager", where, who)
    await world.call("get_members_by_channel_id", None)


async def test_memberships_that_there_are_twice(world: World) -> None:
    """Joins race in stock, so there can be some: the first counts, and both are in lists."""
    skip_postgresql(world.pair.database, "namesakes")
    channel = await world.make("c", type="group")
    other = await world.make("d", "bob", type="dm")
    columns: list[dict[str, Any]] = [
        {"role": "manager", "is_active": False, "last_read_at": NS + 5},
        {"is_channel_muted": True, "status": "joined"},
        {"role": "manager"},
    ]
    rows = [
        member(where, 10 * at + number, user_id="ann", **row)
        for at, where in enumerate((channel, other))
        for number, row in enumerate(columns)
    ]
    await world.seed(*rows)
    await world.look("ann")
    for where in (channel, other):
        await look(world, where, "ann")
        for method, *args in (
            ("join_channel",),
            ("pin_channel", True),
            ("update_member_mute_status", True),
            ("update_member_last_read_at",),
            ("update_member_active_status", True),
            ("leave_channel",),
        ):
            await world.call(method, where, "ann", *args)
        await world.call("add_members_to_channel", where, "ann", ["ann"])
        await look(world, where, "ann")
    await world.look("ann")
    assert await world.call("remove_members_from_channel", channel, ["ann"]) > 2


NAMES = share_of_hostile_names(0, 4)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_hostile_ids(world: World, name: str) -> None:
    skip_postgresql(world.pair.database, "NUL", when="\x00" in name)
    skip_postgresql(world.pair.database, "long key", when=len(name) > 2000)
    for channel, user in (("c", name), (name, "bob"), (name, name)):
        await world.call("join_channel", channel, user)
        await world.call("update_member_mute_status", channel, user, True)
        await look(world, channel, user)
    await world.call("add_members_to_channel", "c", name, [name, "carl"])
    await world.call("remove_members_from_channel", "c", [name, f"{name}x"])
    await world.call("update_member_mute_status", "c", name, True)
    await world.call("leave_channel", "c", name)


@pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
async def test_surrogates(world: World, text: str) -> None:
    """They cannot be sent to any database; nothing is stored."""
    for method, *args in (
        ("join_channel", "c", text),
        ("add_members_to_channel", "c", "ann", [text]),
        ("remove_members_from_channel", "c", [text]),
        ("update_member_mute_status", text, "ann", True),
        ("is_user_channel_member", "c", text),
    ):
        await world.call(method, *args)


async def test_who_joins_at_once_is_a_member_once(ours: PocketBaseChannels) -> None:
    joined = await asyncio.gather(
        *(ours.join_channel("c", "bob") for _ in range(10)),
        *(ours.add_members_to_channel("c", "ann", ["bob", "carl"]) for _ in range(5)),
        *(ours.update_member_mute_status("c", "bob", True) for _ in range(5)),
    )
    members = await ours.get_members_by_channel_id("c")
    assert sorted(member.user_id for member in members) == ["ann", "bob", "carl"]
    assert len({each.id for each in joined[:10]}) == 1
    assert sum(len(each) for each in joined[10:15]) <= 3


async def test_marks_at_once_lose_nothing(ours: PocketBaseChannels) -> None:
    await ours.join_channel("c", "bob")
    await asyncio.gather(
        ours.pin_channel("c", "bob", True),
        ours.update_member_mute_status("c", "bob", True),
        ours.update_member_active_status("c", "bob", False),
        ours.update_member_last_read_at("c", "bob"),
    )
    member = await ours.get_member_by_channel_and_user_id("c", "bob")
    assert member
    assert (member.is_channel_pinned, member.is_channel_muted, member.is_active) == (True, True, False)
