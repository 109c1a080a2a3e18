"""The host's list of channels, which asks three repositories for something of each channel.

The stock function runs as it is, except that its global names of repositories mean one object, which answers from one
read. It lives as long as the request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from functools import wraps
from types import FunctionType, SimpleNamespace
from typing import Any

from open_webui.models.channels import ChannelMemberModel, ChannelModel, Channels
from open_webui.models.users import UserModel, Users
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec.rows import int64_of
from openwebui_pocketbase.repositories.channels._base import channels_of, member_of, reader
from openwebui_pocketbase.repositories.neighbours import is_on_pocketbase
from openwebui_pocketbase.repositories.users._base import user_of
from openwebui_pocketbase.seams._rebind import rebound

__all__ = ["in_one_read"]


def in_one_read(stock: FunctionType) -> Callable[..., Awaitable[Any]]:
    """Return `get_channels`, which asks PocketBase once, however many channels there are."""

    @wraps(stock)
    async def get_channels(*args: Any, **kwargs: Any) -> Any:
        listed = _Listed()
        return await rebound(stock, Channels=listed, Messages=listed, Users=listed)(*args, **kwargs)

    return get_channels


class _Listed:
    """In the place of ``Channels``, ``Messages`` and ``Users``: what the function asks them, of one user's channels."""

    def __init__(self) -> None:
        self._facts: dict[str, Any] = {}
        self._users: list[UserModel] = []

    async def get_channels_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[ChannelModel]:
        """Read everything; return the channels."""
        with_users = is_on_pocketbase("Users")
        parameters = {**await reader(user_id, db), "with_users": with_users}
        found, users = await Channels.pocketbase.read("channels/get_channel_list", parameters)
        channels = await channels_of([row for row, *_ in found], db)
        for channel, (_, *facts) in zip(channels, found, strict=True):
            self._facts[channel.id] = facts
        if with_users:
            self._users = [user_of(row) for row in users]
        elif ids := {user_id for *_, user_ids in found for user_id in user_ids or ()}:
            self._users = await Users.get_users_by_user_ids(list(ids), db=db)
        return channels

    async def get_last_message_by_channel_id(self, channel_id: str, db: AsyncSession | None = None) -> Any:
        """Return what has the time of the latest message, or None."""
        created_at = self._facts[channel_id][0]
        return None if created_at is None else SimpleNamespace(created_at=int64_of(created_at))

    async def get_member_by_channel_and_user_id(
        self, channel_id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChannelMemberModel | None:
        """Return the user's membership, or None."""
        return member_of(self._facts[channel_id][1])

    async def get_unread_message_count(
        self, channel_id: str, user_id: str, last_read_at: int | None = None, db: AsyncSession | None = None
    ) -> int:
        """Return how many messages of others are later than what the user has read."""
        unread: int = self._facts[channel_id][2]
        return unread

    async def get_members_by_channel_id(self, channel_id: str, db: AsyncSession | None = None) -> list[Any]:
        """Return what has the ids of a direct message's members."""
        return [SimpleNamespace(user_id=user_id) for user_id in self._facts[channel_id][3]]

    async def get_users_by_user_ids(self, user_ids: Collection[str], db: AsyncSession | None = None) -> list[UserModel]:
        """Return those users, by id."""
        wanted = set(user_ids)
        return [user for user in self._users if user.id in wanted]

    @staticmethod
    def is_active(user: UserModel) -> bool:
        """Return whether the user was there lately."""
        is_active: bool = Users.is_active(user)
        return is_active
