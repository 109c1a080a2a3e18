"""People, groups and channels that are compared, wherever their neighbours' rows are."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from open_webui.models import groups as stock_groups
from open_webui.models.channels import ChannelMember, ChannelTable, CreateChannelForm
from open_webui.models.groups import GroupForm
from open_webui.models.users import User

from openwebui_pocketbase.repositories.base import codec_of
from tests.support.contracts import CHANNELS
from tests.support.differential import START, Opened, Pair
from tests.support.stock import stock_class

__all__ = ["MIXES", "NS", "PEOPLE", "World", "foreseeable", "form", "grant", "open_world"]

PEOPLE = ("ann", "bob", "carl", "dora")

NS = START * 10**9
"""When a test begins, in nanoseconds."""

MIXES: dict[str, tuple[str, ...]] = {
    "all in PocketBase": (),
    "users in SQL": ("Users",),
    "grants and groups in SQL": ("AccessGrants", "Groups"),
    "all but channels in SQL": ("Users", "AccessGrants", "Groups"),
}
"""Which neighbours ours finds in the SQL database."""

_TABLES = {"Users": {"user"}, "AccessGrants": {"access_grant"}, "Groups": {"group", "group_member"}}


def grant(principal: str, permission: str = "read", kind: str = "user") -> dict[str, Any]:
    return {"principal_type": kind, "principal_id": principal, "permission": permission}


def form(name: str = "Channel", **more: Any) -> CreateChannelForm:
    return CreateChannelForm(name=name, **more)


@dataclass
class World:
    """Channels in stock and in ours.

    Attributes:
        pair: Both repositories.
        ids: The channels that were made, by the name they were given.
        groups: The groups, by name.
    """

    pair: Pair
    ids: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method on both and compare; one of a neighbour in SQL is called once, for both."""
        singleton, _, name = method.rpartition(".")
        if not singleton or singleton in self.pair.contract.bound:
            return await self.pair.call(method, *args, **kwargs)
        with self.pair.database.active():
            return await getattr(stock_class(singleton)(), name)(*args)

    async def make(self, name: str, owner: str = "ann", **more: Any) -> str:
        """Make a channel; return its id."""
        channel = await self.call("insert_new_channel", form(name, **more), owner)
        self.ids[name] = channel.id
        return str(channel.id)

    async def seed(self, table: str, *objects: Any) -> None:
        """Put rows into both which no method makes."""

        async def write(row: dict[str, Any]) -> None:
            await self.pair.client.write("changes/adopt_rows", {"rows": [[table, codec_of(table).encode(row)]]})

        await self.pair.seed([*objects], write)

    async def remove_user(self, id: str) -> None:
        """Delete a user's row."""
        if "Users" in self.pair.contract.bound:
            await self.pair.client.write("users/delete_user_by_id", {"id": id})
        async with self.pair.database.sessions() as session:
            await session.delete(await session.get(User, id))
            await session.commit()

    async def look(self, *users: str) -> None:
        """Compare what those methods that give channels say of each channel and of each of these users, or of all."""
        for user in users or (*PEOPLE, "nobody", "", None):
            await self.call("get_channels_by_user_id", user, rows=False)
            for channel in (*self.ids.values(), "nowhere"):
                await self.call("get_channel_by_id_and_user_id", channel, user, rows=False)
        await self.call("get_channels", rows=False)


@asynccontextmanager
async def open_world(opened: Opened, oracle: str, mix: str = "all in PocketBase") -> AsyncIterator[World]:
    """Give a world with people and two groups, ``top`` with carl and ``below`` with bob, and no channels."""

    async def nobody_is_connected(_user_ids: Any) -> None:
        pass

    async with opened(CHANNELS, oracle) as pair:
        # Only now: the pair has set the neighbours' clocks, wherever these are.
        in_sql = MIXES[mix]
        tables = set().union(*(_TABLES[name] for name in in_sql))
        pair.contract = replace(
            pair.contract,
            tables=tuple(table for table in pair.contract.tables if table not in tables),
            bound={name: kind for name, kind in pair.contract.bound.items() if name not in in_sql},
        )
        world = World(pair)
        with patch.object(stock_groups, "refresh_group_sessions", nobody_is_connected), foreseeable(pair):
            await _people(world)
            yield world


async def _people(world: World) -> None:
    times = {"last_active_at": START, "created_at": START, "updated_at": START}
    people = [
        User(id=name, name=name.title(), email=f"{name}@example.org", role="user", profile_image_url="", **times)
        for name in PEOPLE
    ]
    if "Users" in world.pair.contract.bound:
        await world.seed("user", *people)
    else:
        await world.pair.database.add(*people)
    for name, member in (("top", "carl"), ("below", "bob")):
        made = GroupForm(name=name, description="", parent_group_id=world.groups.get("top"))
        group = await world.call("Groups.insert_new_group", "ann", made)
        world.groups[name] = group.id
        await world.call("Groups.add_users_to_group", group.id, [member])


@contextmanager
def foreseeable(pair: Pair) -> Iterator[None]:
    """Have both make the same tokens, and the same members: the stock class takes these from a set."""
    make = ChannelTable._create_membership_models

    def in_order(self: Any, channel_id: str, invited_by: str, user_ids: set[str]) -> list[ChannelMember]:
        members: list[ChannelMember] = make(self, channel_id, invited_by, sorted(user_ids, key=str))
        for member in members:
            member.id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{channel_id} {member.user_id}"))
        return members

    with (
        patch.object(ChannelTable, "_create_membership_models", in_order),
        patch.object(secrets, "token_urlsafe", lambda _size: f"token-{pair.identifiers.next}"),
    ):
        yield
