"""How many users there are, and who is active."""

from __future__ import annotations

import time

from open_webui.env import DATABASE_USER_ACTIVE_STATUS_UPDATE_INTERVAL
from open_webui.utils.misc import throttle
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.host_request import apart
from openwebui_pocketbase.repositories import signed_in
from openwebui_pocketbase.repositories.users._base import UserRows

__all__ = ["UserActivity"]

_ACTIVE_FOR = 180
"""Seconds after which a user is not active any more."""


class UserActivity(UserRows):
    """The methods of users that count, and that note or tell when somebody was active."""

    async def get_num_users(self, db: AsyncSession | None = None) -> int | None:
        """Count the users."""
        return int(await self._read("get_num_users"))

    async def has_users(self, db: AsyncSession | None = None) -> bool:
        """Tell whether there is any user."""
        return bool(await self._read("has_users"))

    async def get_num_users_active_today(self, db: AsyncSession | None = None) -> int | None:
        """Count the users who were active since midnight, UTC."""
        now = int(time.time())
        return await self._count_active_since(now - now % 86400 + 1)

    async def get_active_user_count(self, db: AsyncSession | None = None) -> int:
        """Count the users who were active in the last three minutes."""
        return await self._count_active_since(int(time.time()) - _ACTIVE_FOR)

    async def is_user_active(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """Tell whether the user was active in the last three minutes."""
        last_active_at = await self._read("get_last_active_at", id=user_id)
        return bool(last_active_at) and last_active_at >= int(time.time()) - _ACTIVE_FOR

    @throttle(DATABASE_USER_ACTIVE_STATUS_UPDATE_INTERVAL)  # type: ignore[untyped-decorator]  # the host's
    async def update_last_active_by_id(self, id: str, db: AsyncSession | None = None) -> None:
        """Note that the user is active now, at most once per interval."""
        now = int(time.time())
        # Frequent, and the host's SQL needs no exact state of it. Nor does the request that it is noted of, which goes
        # on meanwhile, have to read everything again.
        with apart():
            parameters = {"id": id, "last_active_at": now}
            await self.pocketbase.write("users/update_last_active_by_id", parameters, is_urgent=False)
        signed_in.note_activity(id, now)

    async def _count_active_since(self, since: int) -> int:
        return int(await self._read("count_active_since", since=since))
