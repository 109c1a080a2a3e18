"""Channels: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.channels import Channel, ChannelFile, ChannelForm, ChannelMember
from open_webui.models.files import File

from openwebui_pocketbase.repositories.channels import PocketBaseChannels
from tests.support.channels import MIXES, NS, World, form, grant, open_world
from tests.support.differential import (
    IDS,
    JSON_OBJECTS,
    START,
    SURROGATES,
    Opened,
    public_methods,
    share_of_hostile_names,
)
from tests.support.stock import skip_postgresql

FILE = "f0000000-0000-4000-8000-000000000001"


@pytest.fixture(params=MIXES)
async def mixed(oracle: str, opened: Opened, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with open_world(opened, oracle, request.param) as world:
        yield world


@pytest.fixture
async def world(oracle: str, opened: Opened) -> AsyncIterator[World]:
    async with open_world(opened, oracle) as world:
        yield world


def test_every_method_is_ours() -> None:
    classes = [base for base in PocketBaseChannels.__mro__ if "pocketbase" in base.__module__]
    assert public_methods("Channels") <= {name for base in classes for name in vars(base)}


async def test_nothing_there(mixed: World) -> None:
    await mixed.look()
    await mixed.call("get_channels_by_file_id", FILE)
    await mixed.call("get_channels_by_file_id_and_user_id", FILE, "ann")
    await mixed.call("get_dm_channel_by_user_ids", [])
    await mixed.call("get_dm_channel_by_user_ids", ["ann", "bob"])
    await mixed.call("update_channel_by_id", "nowhere", ChannelForm(name="x"))
    await mixed.call("delete_channel_by_id", "nowhere")


async def test_who_sees_what(mixed: World) -> None:
    """Members of groups and direct messages; of others the owner and to whom it is granted, with inherited groups."""
    grants = {
        "own": None,
        "public": [grant("*")],
        "to bob": [grant("bob"), grant("bob", "write"), grant("bob")],
        "to write": [grant("bob", "write"), grant("*", "write")],
        "to top": [grant(mixed.groups["top"], kind="group")],
        "to below": [grant(mixed.groups["below"], kind="group"), grant("dora", "own"), grant("", "read")],
        "to anyone": [grant("*", kind="anyone")],
    }
    for name, some in grants.items():
        await mixed.make(name, access_grants=some)
        await mixed.make(f"{name} of bob", "bob", access_grants=some, type="")
    await mixed.make("other type", type="news", access_grants=[grant("carl")])
    for kind in ("group", "dm"):
        await mixed.make(f"{kind} of one", type=kind, access_grants=[grant("*"), grant("dora")])
        await mixed.make(f"{kind} of two", "dora", type=kind, user_ids=["bob", "dora", "bob"])
        await mixed.make(f"{kind} of groups", "ann", type=kind, group_ids=[mixed.groups["top"], "no group"])
        await mixed.call("update_member_active_status", mixed.ids[f"{kind} of two"], "bob", False)
    await mixed.make("not of members", user_ids=["bob"], group_ids=[mixed.groups["below"]])
    await mixed.look()
    for name in ("to bob", "group of two", "own"):
        await mixed.call("delete_channel_by_id", mixed.ids[name])
    await mixed.look("bob")


async def test_archived_and_deleted(world: World) -> None:
    """There is no method that does this: plugins and administrators do it in the database."""
    await world.pair.database.add(File(id=FILE, user_id="ann", filename="f", created_at=1, updated_at=1))
    stamps = {"created_at": NS, "updated_at": NS + 1}
    for number, (kind, column) in enumerate(
        (kind, column) for kind in (None, "dm", "group", "x") for column in ("archived_at", "deleted_at")
    ):
        channel = Channel(
            id=IDS[number + 4000], user_id="ann", name="n", type=kind, **stamps, **{column: NS + number}, updated_by="a"
        )
        await world.seed(channel)
        await world.seed(link(channel.id, number))
        await world.call("join_channel", channel.id, "ann")
        world.ids[channel.id] = channel.id
    await world.look()
    await world.call("get_channels_by_file_id", FILE)
    await world.call("get_channels_by_file_id_and_user_id", FILE, "ann")


def link(channel: str, number: int, file: str = FILE) -> ChannelFile:
    times = {"created_at": START, "updated_at": START}
    return ChannelFile(id=f"link-{number}", user_id="ann", channel_id=channel, file_id=file, **times)


async def test_by_file(mixed: World) -> None:
    for file in (FILE, "other"):
        await mixed.pair.database.add(File(id=file, user_id="ann", filename="f", created_at=1, updated_at=1))
    forms: list[dict[str, Any]] = [
        {},
        {"access_grants": [grant("bob")]},
        {"access_grants": [grant(mixed.groups["top"], kind="group")]},
        {"type": "dm", "user_ids": ["bob"]},
        {"type": "group", "user_ids": ["carl"], "access_grants": [grant("bob")]},
    ]
    for number, more in enumerate(forms):
        channel = await mixed.make(f"c{number}", "dora", **more)
        await mixed.call("add_file_to_channel_by_id", channel, FILE, "ann")
    await mixed.call("add_file_to_channel_by_id", mixed.ids["c0"], "other", "ann")
    for key in (FILE, "other", "none", "", None):
        await mixed.call("get_channels_by_file_id", key)
        for user in ("ann", "bob", "carl", "dora", "", None):
            await mixed.call("get_channels_by_file_id_and_user_id", key, user, rows=False)


async def test_direct_messages(mixed: World) -> None:
    """Those whose members, of the users who are still there, are exactly these."""
    # Which of several that are found is the first is not defined in PostgreSQL.
    several = [["bob", "carl"], ["bob", "carl", "dora"], ["bob"]] if mixed.pair.database.is_sqlite else []
    for users in (["ann"], ["bob"], ["carl", "dora"], *several):
        await mixed.make(f"dm of {users}", type="dm", user_ids=users)
    await mixed.make("group", type="group", user_ids=["dora"])
    await mixed.call("update_member_active_status", mixed.ids["dm of ['carl', 'dora']"], "carl", False)

    async def look() -> None:
        for users in (
            ["ann"],
            ["ann", "ann"],
            ["ann", "bob"],
            ["bob", "ann", "bob"],
            ["bob"],
            ["ann", "carl", "bob"],
            ["ann", "dora", "carl"],
            ["ann", "carl"],
            ["ann", "bob", "carl", "dora"],
            ["ann", "bob", "nobody"],
            ["ann", "nobody"],
            ["", None, "ann"],
            [None],
            [""],
        ):
            await mixed.call("get_dm_channel_by_user_ids", users, rows=False)

    await look()
    for user in ("dora", "carl", "bob", "ann") if several else ("dora",):
        await mixed.remove_user(user)
        await look()
    await mixed.look("ann")


async def test_direct_message_with_a_member_twice(mixed: World) -> None:
    """Stock counts memberships, not members."""
    for users in (["ann", "bob"], ["ann"], ["ann", "bob", "carl"]):
        channel = await mixed.make(f"{users}", type="dm", user_ids=users)
        await mixed.seed(member(channel, "ann"))
    app = member(channel, None, app_id="app")
    await mixed.seed(app)
    for users in (["ann"], ["ann", "bob"], ["ann", "carl"], ["ann", "bob", "carl"], ["ann", "bob", "carl", "dora"]):
        await mixed.call("get_dm_channel_by_user_ids", users)
    await mixed.look("ann", "bob")


def member(channel: str, user: str | None, **more: Any) -> ChannelMember:
    usual = {"is_active": True, "is_channel_muted": False, "is_channel_pinned": False, "joined_at": NS}
    return ChannelMember(id=f"{channel}-{user or 'app'}-twice", channel_id=channel, user_id=user, **{**usual, **more})


async def test_update(world: World) -> None:
    channel = await world.make("MiXed Case", type="group", description="d", is_private=True, data={"a": 1}, meta={})
    for changes in (
        {"name": "Upper CASE"},
        {"name": "", "description": "", "is_private": False, "data": {}, "meta": {"x": None}},
        {"data": {"b": 1.0, "a": 2**63 - 1}, "group_ids": ["g"], "user_ids": ["bob"]},
        {"is_private": True},
    ):
        await world.call("update_channel_by_id", channel, ChannelForm(**changes))
        await world.call("get_channel_by_id", channel, rows=False)
    other = await world.make("other", access_grants=[grant("bob")])
    await world.call("update_channel_by_id", other, form("n", access_grants=[grant("carl")], type="dm"))


async def test_what_a_deleted_channel_leaves(world: World) -> None:
    await world.pair.database.add(File(id=FILE, user_id="ann", filename="f", created_at=1, updated_at=1))
    skip_postgresql(world.pair.database, "foreign keys")
    channel = await world.make("c", type="group", user_ids=["bob"], access_grants=[grant("*")])
    await world.call("add_file_to_channel_by_id", channel, FILE, "ann")
    await world.call("AccessGrants.set_access_grants", "note", channel, [grant("bob")])
    await world.call("delete_channel_by_id", channel)
    await world.look()
    await world.call("get_channels_by_file_id", FILE)
    await world.call("get_channels_by_file_id_and_user_id", FILE, "ann")


NAMES = share_of_hostile_names(2, 4)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_hostile_texts(world: World, name: str) -> None:
    skip_postgresql(world.pair.database, "NUL", when="\x00" in name)
    skip_postgresql(world.pair.database, "folding", when=name.lower() != name and not name.isascii())
    skip_postgresql(world.pair.database, "long key", when=len(name) > 2000)
    made = form(name, description=name, data={"x": name}, access_grants=[grant(name), grant("bob")])
    channel = await world.call("insert_new_channel", made, name)
    group = await world.call("insert_new_channel", form(name, type="group", user_ids=[name]), "ann")
    dm = await world.call("insert_new_channel", form(name, type="dm", user_ids=[name]), "ann")
    for user in (name, "bob"):
        await world.call("get_channels_by_user_id", user, rows=False)
        for each in (channel, group, dm):
            await world.call("get_channel_by_id_and_user_id", each.id, user, rows=False)
    await world.call("get_channel_by_id", name)
    await world.call("get_channel_by_id_and_user_id", name, name, rows=False)
    await world.call("get_dm_channel_by_user_ids", ["ann", name])
    await world.call("update_channel_by_id", channel.id, ChannelForm(name=name, description=name, meta={name: name}))
    await world.call("update_channel_by_id", name, ChannelForm(name=name))
    await world.call("get_channels_by_file_id_and_user_id", name, name)
    await world.call("delete_channel_by_id", name)


@pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
async def test_surrogates(world: World, text: str) -> None:
    """They cannot be sent to any database; nothing is stored."""
    for method, *args in [
        ("insert_new_channel", form(text), "ann"),
        ("insert_new_channel", form("c"), text),
        ("get_channel_by_id", text),
        ("get_channel_by_id_and_user_id", text, "ann"),
        ("update_channel_by_id", text, ChannelForm(name="n")),
        ("delete_channel_by_id", text),
        ("get_channels_by_file_id", text),
    ]:
        await world.call(method, *args)


@pytest.mark.parametrize("value", JSON_OBJECTS.values(), ids=JSON_OBJECTS)
async def test_json(world: World, value: dict[str, Any]) -> None:
    """Key order, number spelling and types survive."""
    skip_postgresql(world.pair.database, "NUL", when="\\x00" in repr(value))
    if any(isinstance(n, int) and not -(2**63) <= n < 2**64 for n in value.values()):
        pytest.skip("stored as a float by ours")
    channel = await world.make("c", data=value, meta={"x": value})
    await world.call("update_channel_by_id", channel, ChannelForm(name="c", data={"y": value}, meta=value))
    await world.call("get_channel_by_id", channel, rows=False)


@pytest.mark.parametrize("number", [0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63), NS + 1])
async def test_nanoseconds(world: World, number: int) -> None:
    stamps = dict.fromkeys(("created_at", "updated_at"), number)
    await world.seed(Channel(id=IDS[4000], user_id="ann", name="n", **stamps))
    more = dict.fromkeys(("invited_at", "left_at", "last_read_at", "created_at", "updated_at"), number)
    await world.seed(member(IDS[4000], "ann", **{"joined_at": number, **more}))
    world.ids["c"] = IDS[4000]
    await world.look()


async def test_rows_that_the_host_cannot_read(world: World) -> None:
    unlike: list[dict[str, Any]] = [{"name": None}, {"user_id": None}, {"created_at": None}, {"data": ["x"]}]
    for number, columns in enumerate(unlike):
        usual = {"user_id": "ann", "name": "n", "created_at": NS, "updated_at": NS}
        await world.seed(Channel(id=IDS[4000 + number], **{**usual, **columns}))
        await world.call("get_channel_by_id", IDS[4000 + number])
        await world.call("get_channels")
        await world.call("get_channel_by_id_and_user_id", IDS[4000 + number], "ann")
        await world.call("is_user_channel_manager", IDS[4000 + number], None)
