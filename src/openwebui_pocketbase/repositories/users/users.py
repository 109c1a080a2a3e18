"""Users in PocketBase; the hooks are in ``owui/users/users.js``."""

from __future__ import annotations

import time
from typing import Any

from open_webui.models.users import UserModel, UsersTable, UserStatus
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories import signed_in
from openwebui_pocketbase.repositories.users._base import delete_belongings, image_url, new_user, wire_of
from openwebui_pocketbase.repositories.users.activity import UserActivity
from openwebui_pocketbase.repositories.users.api_keys import UserApiKeys
from openwebui_pocketbase.repositories.users.lists import UserLists
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["PocketBaseUsers"]

_COLUMNS = frozenset(column.name for column in TABLES["user"].columns)
_LARGEST = 2**63 - 1
"""The largest integer of a database."""


class PocketBaseUsers(UserLists, UserActivity, UserApiKeys, UsersTable):
    """`open_webui.models.users.UsersTable` with its rows in PocketBase."""

    async def insert_new_user(
        self,
        id: str,
        name: str,
        email: str,
        profile_image_url: str = "/user.png",
        role: str = "pending",
        username: str | None = None,
        oauth: dict[str, Any] | None = None,
        db: AsyncSession | None = None,
    ) -> UserModel | None:
        """Store a new user.

        Raises:
            IntegrityError: There is a user with this id or address.
        """
        user = new_user(id, name, email, profile_image_url, role, username, oauth)
        await self._write("insert_new_user", user=wire_of(user))
        return user

    async def get_user_by_id(self, id: str, db: AsyncSession | None = None) -> UserModel | None:
        """Return the user with this id, or None."""
        if (taken := signed_in.take_user(id)) is not None:
            return self._model_of(taken[0])
        return await self._one("get_user_by_id", id=id)

    async def get_user_by_email(self, email: str, db: AsyncSession | None = None) -> UserModel | None:
        """Return the user with this address (any ASCII case), or None."""
        return await self._one("get_user_by_email", email=email.lower())

    async def get_user_by_oauth_sub(self, provider: str, sub: str, db: AsyncSession | None = None) -> UserModel | None:
        """Return the user whom an OAuth provider knows by this text, or by the number it spells, or None."""
        sub = str(sub)
        number = int(sub) if sub.isdecimal() else None
        if str(number) != sub or (number is not None and number > _LARGEST):
            number = None
        return await self._one("get_user_by_oauth_sub", provider=provider, sub=sub, number=number)

    async def get_user_by_scim_external_id(
        self, provider: str, external_id: str, db: AsyncSession | None = None
    ) -> UserModel | None:
        """Return the user whom a SCIM provider knows by this id, or None."""
        return await self._one("get_user_by_scim_external_id", provider=provider, external_id=external_id)

    async def get_scim_user_by_id(self, id: str, db: AsyncSession | None = None) -> UserModel | None:
        """Return the user with this id if there is an OAuth or SCIM identity, or None."""
        return await self._one("get_scim_user_by_id", id=id)

    async def get_first_user(self, db: AsyncSession | None = None) -> UserModel | None:
        """Return the user who was created first, an administrator if several were, or None."""
        return await self._one("get_first_user")

    async def get_super_admin_user(self, db: AsyncSession | None = None) -> UserModel | None:
        """Return the first of the administrators, or None."""
        return await self._one("get_super_admin_user")

    async def update_user_role_by_id(self, id: str, role: str, db: AsyncSession | None = None) -> UserModel | None:
        """Set the user's role; None if there is no such user."""
        return await self._update(id, {"role": role})

    async def update_user_status_by_id(
        self, id: str, form_data: UserStatus, db: AsyncSession | None = None
    ) -> UserModel | None:
        """Set what the form has of the user's status; None if there is no such user."""
        return await self._update(id, form_data.model_dump(exclude_none=True))

    async def update_user_profile_image_url_by_id(
        self, id: str, profile_image_url: str, db: AsyncSession | None = None
    ) -> UserModel | None:
        """Set the user's image, or the default one if it is not acceptable; None if there is no such user."""
        return await self._update(id, {"profile_image_url": image_url(profile_image_url)})

    async def update_user_oauth_by_id(
        self, id: str, provider: str, sub: str, db: AsyncSession | None = None
    ) -> UserModel | None:
        """Note by which text an OAuth provider knows the user; None if there is no such user."""
        changes = {"provider": provider, "sub": str(sub)}
        return self._model_of(await self._write("update_user_oauth_by_id", id=id, **changes))

    async def update_user_scim_by_id(
        self, id: str, provider: str, external_id: str | None, db: AsyncSession | None = None
    ) -> UserModel | None:
        """Note by which id a SCIM provider knows the user; None if there is no such user."""
        changes = {"provider": provider, "external_id": external_id, "updated_at": int(time.time())}
        return self._model_of(await self._write("update_user_scim_by_id", id=id, **changes))

    async def update_user_by_id(
        self, id: str, updated: dict[str, Any], db: AsyncSession | None = None
    ) -> UserModel | None:
        """Set columns of the user, and an address also of the credentials; None if there is no such user.

        Raises:
            IntegrityError: Another user has this address.
        """
        return await self._update(id, updated)

    async def update_user_settings_by_id(
        self, id: str, updated: dict[str, Any], db: AsyncSession | None = None
    ) -> UserModel | None:
        """Merge settings into the user's; of ``ui`` each key is set, or removed with None."""
        settings = dict(updated)
        ui = settings.pop("ui", None)
        parameters: dict[str, Any] = {"settings": self._json(settings), "ui": None, "reset": []}
        if ui is not None:
            parameters["ui"] = self._json({key: value for key, value in ui.items() if value is not None})
            parameters["reset"] = [key for key, value in ui.items() if value is None]
        return self._model_of(await self._write("update_user_settings_by_id", id=id, **parameters))

    async def delete_user_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete the user with their API keys and sessions; False if the chats could not be deleted."""
        if not await delete_belongings(id):
            return False
        await self._write("delete_user_by_id", id=id)
        return True

    async def _update(self, id: str, changes: dict[str, Any]) -> UserModel | None:
        # An attribute that is no column is not stored by the stock method either.
        known = {name: value for name, value in changes.items() if name in _COLUMNS}
        return self._model_of(await self._write("update_user_by_id", id=id, changes=self._encoded(known)))

    def _json(self, settings: dict[str, Any]) -> str:
        """Return settings as JSON text, as they are stored."""
        text: str = self._encoded({"settings": settings})["settings"]
        return text
