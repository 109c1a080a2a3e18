"""Channels themselves: creating, changing and deleting them, and which of them a user sees."""

from __future__ import annotations

import time
import uuid
from typing import Any

from open_webui.models.access_grants import normalize_access_grants
from open_webui.models.channels import ChannelForm, ChannelModel, CreateChannelForm
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.channels._base import ChannelRepository, channels_of, reader, records_of
from openwebui_pocketbase.repositories.errors import default_on_error
from openwebui_pocketbase.repositories.neighbours import is_on_pocketbase, neighbour

__all__ = ["ChannelRows"]

_RESOURCE = "channel"


class ChannelRows(ChannelRepository):
    """The methods of `ChannelTable` for channels."""

    async def insert_new_channel(
        self, form_data: CreateChannelForm, user_id: str, db: AsyncSession | None = None
    ) -> ChannelModel | None:
        """Create a channel with its grants; a group or direct message also with its members.

        Args:
            form_data: The form. Members are who is named, those who are in a named group now, and the creator.
            user_id: The creator.
            db: For groups and grants in the SQL database.
        """
        channel = ChannelModel(
            **{
                **form_data.model_dump(exclude={"access_grants"}),
                "type": form_data.type or None,
                "name": form_data.name.lower(),
                "id": str(uuid.uuid4()),
                "user_id": user_id,
                "created_at": time.time_ns(),
                "updated_at": time.time_ns(),
                "access_grants": [],
            }
        )
        members = []
        if form_data.type in {"group", "dm"}:
            users = await self._collect_unique_user_ids(user_id, form_data.user_ids, form_data.group_ids)
            members = self._create_membership_models(channel.id, user_id, users)
        with_grants = is_on_pocketbase("AccessGrants")
        row = await self._write_with_grants(
            "insert_new_channel",
            id=channel.id,
            channel_id=channel.id,
            channels=[codec_of("channel").record(channel.model_dump(exclude={"access_grants"}))],
            members=records_of(members),
            resource_type=_RESOURCE,
            resource_id=channel.id,
            grants=_grants(channel.id, form_data.access_grants) if with_grants else None,
        )
        if not with_grants:
            await neighbour("AccessGrants").set_access_grants(_RESOURCE, channel.id, form_data.access_grants, db=db)
        return await self._channel(row, db)

    async def get_channels(self, db: AsyncSession | None = None) -> list[ChannelModel]:
        """Return all channels, oldest first."""
        return await channels_of(await self._read("get_channels"), db)

    async def get_channels_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[ChannelModel]:
        """Return the channels that this user sees: those of their memberships, then those that are granted to them."""
        return await channels_of(await self._read("get_channels_by_user_id", **await reader(user_id, db)), db)

    async def get_dm_channel_by_user_ids(
        self, user_ids: list[str], db: AsyncSession | None = None
    ) -> ChannelModel | None:
        """Return the direct message of exactly these users, not counting members who are no users any more."""
        wanted = list(set(user_ids))
        if is_on_pocketbase("Users"):
            return await self._channel(await self._read("get_dm_channel_by_user_ids", user_ids=wanted), db)
        found = await self._read("get_dm_channels", user_ids=wanted)
        members = {user_id for _, user_ids in found for user_id in user_ids}
        existing = set(await neighbour("Users").get_valid_user_ids(list(members), db=db)) if members else set()
        for row, member_ids in found:
            here = [user_id for user_id in member_ids if user_id in existing]
            if len(here) == len(wanted) and set(here) <= set(wanted):
                return await self._channel(row, db)
        return None

    @default_on_error(lambda: None)
    async def get_channel_by_id(self, id: str, db: AsyncSession | None = None) -> ChannelModel | None:
        """Return the channel with this id, or None."""
        return await self._channel(await self._read("get_channel_by_id", id=id), db)

    async def get_channels_by_file_id(self, file_id: str, db: AsyncSession | None = None) -> list[ChannelModel]:
        """Return the channels in which this file is."""
        return await channels_of(await self._read("get_channels_by_file_id", file_id=file_id), db)

    async def get_channels_by_file_id_and_user_id(
        self, file_id: str, user_id: str, db: AsyncSession | None = None
    ) -> list[ChannelModel]:
        """Return those of the channels in which this file is that this user may read."""
        method = "get_channels_by_file_id_and_user_id"
        return await channels_of(await self._read(method, file_id=file_id, **await reader(user_id, db)), db)

    async def get_channel_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChannelModel | None:
        """Return the channel with this id if this user may read it, or None."""
        found = await self._read("get_channel_by_id_and_user_id", id=id, **await reader(user_id, db))
        return await self._channel(found, db)

    async def update_channel_by_id(
        self, id: str, form_data: ChannelForm, db: AsyncSession | None = None
    ) -> ChannelModel | None:
        """Change what a channel is called and shows, not who may read it; None if there is no such channel."""
        columns = form_data.model_dump(include={"name", "description", "is_private", "data", "meta"})
        changed = codec_of("channel").changes({**columns, "updated_at": time.time_ns()})
        return await self._channel(await self._write("update_channel_by_id", id=id, **changed), db)

    async def delete_channel_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete a channel and its grants; members, messages, files and webhooks stay, as in the host."""
        with_grants = is_on_pocketbase("AccessGrants")
        if not with_grants:
            await neighbour("AccessGrants").revoke_all_access(_RESOURCE, id, db=db)
        resource = {"resource_type": _RESOURCE, "resource_id": id}
        await self._write_with_grants("delete_channel_by_id", id=id, with_grants=with_grants, **resource)
        return True

    async def _write_with_grants(self, method: str, **parameters: Any) -> Any:
        """Call a method of the hooks that writes grants along: copies of these have to be there before it returns."""
        with self._host_errors(method):
            return await self.pocketbase.write(f"{self.route}/{method}", parameters)

    @staticmethod
    async def _channel(wire: Any, db: AsyncSession | None) -> ChannelModel | None:
        """Return a channel that came from PocketBase; None for none."""
        return (await channels_of([wire], db))[0] if wire else None


def _grants(channel_id: str, access_grants: list[Any] | None) -> list[dict[str, Any]]:
    """Return the grants of a form as PocketBase takes them."""
    resource = {"resource_type": _RESOURCE, "resource_id": channel_id}
    return [
        codec_of("access_grant").encode({**grant, **resource, "id": str(uuid.uuid4()), "created_at": int(time.time())})
        for grant in normalize_access_grants(access_grants)
    ]
