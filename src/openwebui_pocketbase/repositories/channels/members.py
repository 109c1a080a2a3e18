"""Who is in a channel, and how each of them sees it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from typing import Any

from open_webui.models.channels import ChannelMemberModel
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.channels._base import ChannelRepository, member_of, members_of, records_of

__all__ = ["ChannelMembers", "joining"]


def joining(channel_id: str, user_id: str) -> ChannelMemberModel:
    """Return the membership of a user who joins a channel now."""
    return ChannelMemberModel(
        id=str(uuid.uuid4()),
        channel_id=channel_id,
        user_id=user_id,
        status="joined",
        joined_at=time.time_ns(),
        last_read_at=time.time_ns(),
        created_at=time.time_ns(),
        updated_at=time.time_ns(),
    )


class ChannelMembers(ChannelRepository):
    """The methods of `ChannelTable` for members.

    Nobody becomes a member twice here. Who is one twice already has both memberships in lists; else the first counts.
    """

    async def add_members_to_channel(
        self,
        channel_id: str,
        invited_by: str,
        user_ids: list[str] | None = None,
        group_ids: list[str] | None = None,
        db: AsyncSession | None = None,
    ) -> list[ChannelMemberModel]:
        """Make users members, those who are in the groups now, and whoever invites; return the new memberships."""
        users = await self._collect_unique_user_ids(invited_by, user_ids, group_ids)
        members = records_of(self._create_membership_models(channel_id, invited_by, users))
        ids = [member["id"] for member in members]
        return members_of(await self._write("add_members_to_channel", channel_id=channel_id, members=members, ids=ids))

    async def remove_members_from_channel(
        self, channel_id: str, user_ids: list[str], db: AsyncSession | None = None
    ) -> int:
        """End the memberships of users; return how many there were."""
        parameters = {"channel_id": channel_id, "user_ids": list(user_ids)}
        removed: int = await self._write("remove_members_from_channel", **parameters)
        return removed

    async def is_user_channel_manager(self, channel_id: str, user_id: str, db: AsyncSession | None = None) -> bool:
        """Return whether the channel is the user's, or the user is an active member with this role."""
        is_one: bool = await self._read("is_user_channel_manager", channel_id=channel_id, user_id=user_id)
        return is_one

    async def join_channel(
        self, channel_id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChannelMemberModel | None:
        """Make a user a member; return the membership, also one that was there already.

        Raises:
            IntegrityError: It is nobody.
        """
        members = records_of([joining(channel_id, user_id)])
        parameters = {"channel_id": channel_id, "user_id": user_id, "members": members}
        return member_of(await self._write("join_channel", **parameters))

    async def leave_channel(self, channel_id: str, user_id: str, db: AsyncSession | None = None) -> bool:
        """Note that a user has left the channel; False if there is no membership."""
        now = time.time_ns()
        return await self._change_member(
            channel_id, user_id, {"status": "left", "is_active": False, "left_at": now, "updated_at": now}
        )

    async def get_member_by_channel_and_user_id(
        self, channel_id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChannelMemberModel | None:
        """Return the user's membership, active or not, or None."""
        method = "get_member_by_channel_and_user_id"
        return member_of(await self._read(method, channel_id=channel_id, user_id=user_id))

    async def get_members_by_channel_id(
        self, channel_id: str, db: AsyncSession | None = None
    ) -> list[ChannelMemberModel]:
        """Return the memberships of users, not of apps, oldest first."""
        return members_of(await self._read("get_members_by_channel_id", channel_id=channel_id))

    async def pin_channel(self, channel_id: str, user_id: str, is_pinned: bool, db: AsyncSession | None = None) -> bool:
        """Pin a channel for a user, or undo that; False if there is no membership."""
        return await self._change_member(
            channel_id, user_id, {"is_channel_pinned": is_pinned, "updated_at": time.time_ns()}
        )

    async def update_member_mute_status(
        self, channel_id: str, user_id: str, is_channel_muted: bool, db: AsyncSession | None = None
    ) -> bool:
        """Mute a channel for a user, or undo that; whoever is no member becomes one, and has not read anything."""
        now = time.time_ns()
        member = ChannelMemberModel(
            id=str(uuid.uuid4()),
            channel_id=channel_id,
            user_id=user_id,
            status="joined",
            is_channel_muted=is_channel_muted,
            joined_at=now,
            created_at=now,
            updated_at=now,
        )
        changes = {"is_channel_muted": is_channel_muted, "updated_at": now}
        await self._change_member(channel_id, user_id, changes, [member])
        return is_channel_muted

    async def update_member_last_read_at(self, channel_id: str, user_id: str, db: AsyncSession | None = None) -> bool:
        """Note that a user has read the channel; False if there is no membership."""
        return await self._change_member(
            channel_id, user_id, {"last_read_at": time.time_ns(), "updated_at": time.time_ns()}
        )

    async def update_member_active_status(
        self, channel_id: str, user_id: str, is_active: bool, db: AsyncSession | None = None
    ) -> bool:
        """Show a channel to a user, or not; False if there is no membership."""
        return await self._change_member(channel_id, user_id, {"is_active": is_active, "updated_at": time.time_ns()})

    async def is_user_channel_member(self, channel_id: str, user_id: str, db: AsyncSession | None = None) -> bool:
        """Return whether the user is an active member."""
        is_one: bool = await self._read("is_user_channel_member", channel_id=channel_id, user_id=user_id)
        return is_one

    async def is_app_channel_member(self, channel_id: str, app_id: str, db: AsyncSession | None = None) -> bool:
        """Return whether the app is an active member."""
        is_one: bool = await self._read("is_app_channel_member", channel_id=channel_id, app_id=app_id)
        return is_one

    async def _change_member(
        self,
        channel_id: str,
        user_id: str,
        columns: dict[str, Any],
        otherwise: Iterable[ChannelMemberModel] = (),
    ) -> bool:
        """Change a user's membership; return whether there is one.

        Args:
            channel_id: The channel.
            user_id: The user.
            columns: Columns to set.
            otherwise: The membership to make if there is none.
        """
        changed = codec_of("channel_member").changes(columns)
        parameters = {"channel_id": channel_id, "user_id": user_id, "members": records_of(otherwise)}
        found: bool = await self._write("update_member", **parameters, **changed)
        return found
