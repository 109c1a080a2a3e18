"""The API keys of users, one each at most."""

from __future__ import annotations

import time

from open_webui.models.users import UserModel
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories import signed_in
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.users._base import UserRows

__all__ = ["UserApiKeys"]


class UserApiKeys(UserRows):
    """The methods of users about API keys."""

    async def get_user_by_api_key(self, api_key: str, db: AsyncSession | None = None) -> UserModel | None:
        """Return the user with this API key, or None."""
        if not signed_in.is_wanted():
            return await self._one("get_user_by_api_key", api_key=api_key)
        asked_at = time.monotonic()
        parameters = {"api_key": api_key, "groups": signed_in.has_groups_here()}
        row, groups = await self._read("get_person_by_api_key", **parameters)
        user: UserModel | None = self._model_of(row)
        if user is not None:
            signed_in.keep(signed_in.Person(user.id, row, groups), asked_at)
        return user

    async def get_user_api_key_by_id(self, id: str, db: AsyncSession | None = None) -> str | None:
        """Return the user's API key, or None."""
        key: str | None = await self._read("get_user_api_key_by_id", id=id)
        return key

    async def update_user_api_key_by_id(self, id: str, api_key: str, db: AsyncSession | None = None) -> bool:
        """Give the user this API key, and no other.

        Raises:
            IntegrityError: Another user has this key.
        """
        now = int(time.time())
        row = {"id": f"key_{id}", "user_id": id, "key": api_key, "created_at": now, "updated_at": now}
        row |= dict.fromkeys(("data", "expires_at", "last_used_at"))
        await self._write("update_user_api_key_by_id", api_key=codec_of("api_key").encode(row))
        return True

    async def delete_user_api_key_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete the user's API key; True also if there is none."""
        await self._write("delete_user_api_key_by_id", id=id)
        return True
