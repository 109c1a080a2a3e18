"""What the modules of channels share: a channel with its grants, who may read it, and new memberships."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from open_webui.internal.db import get_async_db_context
from open_webui.models.access_grants import AccessGrant
from open_webui.models.channels import ChannelMemberModel, ChannelModel, ChannelTable
from open_webui.models.groups import Group, user_group_memberships
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import PocketBaseRepository, codec_of, list_of
from openwebui_pocketbase.repositories.errors import integrity_errors
from openwebui_pocketbase.repositories.neighbours import is_on_pocketbase, neighbour

__all__ = ["ChannelRepository", "channels_of", "member_of", "members_of", "reader", "records_of"]


class ChannelRepository(PocketBaseRepository, ChannelTable):
    """Mixed into each of the classes whose methods make up `PocketBaseChannels`.

    What the host's SQL joins of a channel are its grants, so only writes of these are urgent.
    """

    route = "channels"
    table = "channel"
    model = ChannelModel
    is_urgent = False
    _host_errors = staticmethod(integrity_errors)


async def channels_of(wires: Iterable[Sequence[Any]], db: AsyncSession | None) -> list[ChannelModel]:
    """Return channels that came from PocketBase, each as its row and the rows of its grants.

    Args:
        wires: The channels.
        db: For grants in the SQL database.
    """
    decode, decode_grant = codec_of("channel").decode, codec_of("access_grant").decode
    if is_on_pocketbase("AccessGrants"):
        rows = [{**decode(row), "access_grants": [decode_grant(grant) for grant in grants]} for row, grants in wires]
        return list_of(ChannelModel).validate_python(rows)
    channels = list_of(ChannelModel).validate_python([decode(row) for row, _ in wires])
    ids = list(dict.fromkeys(channel.id for channel in channels))
    found = await neighbour("AccessGrants").get_grants_by_resources("channel", ids, db=db)
    for channel in channels:
        channel.access_grants = found[channel.id]
    return channels


async def reader(user_id: str, db: AsyncSession | None) -> dict[str, Any]:
    """Return the parameters of a read that say which channels this user may see.

    Args:
        user_id: The user.
        db: For grants in the SQL database.
    """
    granted = None if is_on_pocketbase("AccessGrants") else await _granted(user_id, db)
    return {"user_id": user_id, "resource_type": "channel", "permission": "read", "granted": granted}


async def _granted(user_id: str, db: AsyncSession | None) -> list[str]:
    """Return the channels that this user is granted, which the stock repository of grants does not tell.

    In SQL the tables of grants and groups are complete, wherever their groups of data are: they are mirrored.
    """
    memberships = user_group_memberships([user_id], include_inherited=True)
    groups = select(Group.id).join(memberships, Group.id == memberships.c.group_id)
    principal = or_(
        and_(AccessGrant.principal_type == "user", AccessGrant.principal_id.in_(["*", user_id])),
        and_(AccessGrant.principal_type == "group", AccessGrant.principal_id.in_(groups)),
    )
    statement = select(AccessGrant.resource_id).where(
        AccessGrant.resource_type == "channel", AccessGrant.permission == "read", principal
    )
    async with get_async_db_context(db) as session:
        return list((await session.execute(statement.distinct())).scalars())


def member_of(wire: Sequence[Any] | None) -> ChannelMemberModel | None:
    """Return a membership that came from PocketBase; None for none."""
    return ChannelMemberModel.model_validate(codec_of("channel_member").decode(wire)) if wire else None


def members_of(wires: Iterable[Sequence[Any]]) -> list[ChannelMemberModel]:
    """Return memberships that came from PocketBase."""
    decode = codec_of("channel_member").decode
    return list_of(ChannelMemberModel).validate_python([decode(wire) for wire in wires])


def records_of(members: Iterable[Any]) -> list[dict[str, Any]]:
    """Return new memberships, as the host makes them, as records."""
    return [
        codec_of("channel_member").record(ChannelMemberModel.model_validate(member).model_dump()) for member in members
    ]
