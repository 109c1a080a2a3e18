"""Users and their API keys in PocketBase; the hooks are in ``users.js``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from open_webui.env import DATABASE_USER_ACTIVE_STATUS_UPDATE_INTERVAL
from open_webui.internal.db import get_async_db_context
from open_webui.models.users import UserModel, UsersTable, UserStatus, UserStatusModel
from open_webui.utils.misc import throttle
from open_webui.utils.validate import validate_image_url
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import PocketBaseRepository, codec_of
from openwebui_pocketbase.repositories.errors import integrity_errors
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["PocketBaseUsers", "delete_belongings", "new_user", "user_of", "wire_of"]

_CODEC = codec_of("user")
_KEY_CODEC = codec_of("api_key")
_LIST = TypeAdapter(list[UserModel])  # one call for all rows is a third faster than one for each
_COLUMNS = frozenset(column.name for column in TABLES["user"].columns)

_SORTABLE = frozenset({"name", "email", "created_at", "last_active_at", "updated_at", "role"})
_LARGEST = 2**63 - 1
"""The largest integer of a database."""
_ACTIVE_FOR = 180
"""Seconds after which a user is not active any more."""

# Repositories of other groups are imported where they are called: the modules of the host import each other, and
# this one is imported as soon as the users' is.


def user_of(wire: Sequence[Any]) -> UserModel:
    """Return the user of a row which came from PocketBase."""
    return UserModel.model_validate(_CODEC.decode(wire))


def wire_of(user: UserModel) -> dict[str, Any]:
    """Return the row of a new user as it goes to PocketBase."""
    return _CODEC.encode({**user.model_dump(), "variables": None})


def new_user(
    id: str,
    name: str,
    email: str,
    profile_image_url: str,
    role: str,
    username: str | None = None,
    oauth: dict[str, Any] | None = None,
) -> UserModel:
    """Return a user who begins now, with the default image if theirs is not acceptable."""
    return UserModel(
        id=id,
        email=email,
        name=name,
        role=role,
        profile_image_url=_image_url(profile_image_url),
        last_active_at=int(time.time()),
        created_at=int(time.time()),
        updated_at=int(time.time()),
        username=username,
        oauth=oauth,
    )


async def delete_belongings(user_id: str) -> bool:
    """Delete what the repositories of groups and chats keep of a user; False if the chats could not be deleted.

    It may be repeated, whatever comes after it.
    """
    from open_webui.models.chats import Chats  # noqa: PLC0415 - see above
    from open_webui.models.groups import Groups  # noqa: PLC0415 - see above

    await Groups.remove_user_from_all_groups(user_id)
    return bool(await Chats.delete_chats_by_user_id(user_id))


def _image_url(url: str) -> str:
    try:
        valid: str = validate_image_url(url)
    except ValueError:
        return "/user.png"
    return valid


class PocketBaseUsers(PocketBaseRepository, UsersTable):
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
        with integrity_errors("insert_new_user"):
            await self.pocketbase.write("users/insert_new_user", {"user": wire_of(user)})
        return user

    async def get_user_by_id(self, id: str, db: AsyncSession | None = None) -> UserModel | None:
        """Return the user with this id, or None."""
        return await self._get_one("get_user_by_id", id=id)

    async def get_user_by_api_key(self, api_key: str, db: AsyncSession | None = None) -> UserModel | None:
        """Return the user with this API key, or None."""
        return await self._get_one("get_user_by_api_key", api_key=api_key)

    async def get_user_by_email(self, email: str, db: AsyncSession | None = None) -> UserModel | None:
        """Return the user with this address (any ASCII case), or None."""
        return await self._get_one("get_user_by_email", email=email.lower())

    async def get_user_by_oauth_sub(self, provider: str, sub: str, db: AsyncSession | None = None) -> UserModel | None:
        """Return the user whom an OAuth provider knows by this text, or by the number it spells, or None."""
        sub = str(sub)
        number = int(sub) if sub.isdecimal() else None
        if str(number) != sub or (number is not None and number > _LARGEST):
            number = None
        return await self._get_one("get_user_by_oauth_sub", provider=provider, sub=sub, number=number)

    async def get_user_by_scim_external_id(
        self, provider: str, external_id: str, db: AsyncSession | None = None
    ) -> UserModel | None:
        """Return the user whom a SCIM provider knows by this id, or None."""
        return await self._get_one("get_user_by_scim_external_id", provider=provider, external_id=external_id)

    async def get_scim_users(
        self,
        filter: dict[str, Any] | None = None,
        sort: dict[str, Any] | None = None,
        skip: int | None = None,
        limit: int | None = None,
        db: AsyncSession | None = None,
    ) -> dict[str, Any]:
        """Return a page of the users who have an OAuth or SCIM identity, and the number of all of them."""
        parameters: dict[str, Any] = {"skip": skip, "limit": limit}
        if filter:
            if filter.get("id"):
                parameters["id"] = filter["id"]
            if filter.get("email"):
                parameters["email"] = filter["email"].lower()
        if sort and sort.get("order_by") == "created_at":
            parameters["ascending"] = sort.get("direction") == "asc"
        return await self._get_page("get_scim_users", **parameters)

    async def get_scim_user_by_id(self, id: str, db: AsyncSession | None = None) -> UserModel | None:
        """Return the user with this id if there is an OAuth or SCIM identity, or None."""
        return await self._get_one("get_scim_user_by_id", id=id)

    async def get_users(
        self,
        filter: dict[str, Any] | None = None,
        sort: dict[str, Any] | None = None,
        skip: int | None = None,
        limit: int | None = None,
        db: AsyncSession | None = None,
    ) -> dict[str, Any]:
        """Return a page of the users that match, and the number of all of them."""
        parameters: dict[str, Any] = {"skip": skip, "limit": limit}
        if filter:
            user_ids, group_ids = filter.get("user_ids"), filter.get("group_ids")
            if user_ids == [] and group_ids == []:
                return {"users": [], "total": 0}
            parameters |= _filters(filter)
            if filter.get("channel_id"):
                parameters["channel_user_ids"] = await _channel_user_ids(filter["channel_id"], db)
            if group_ids:
                parameters |= await _of_groups("group_ids", "group_user_ids", list(group_ids), include_inherited=True)
        order_by, direction = (sort.get("order_by"), sort.get("direction")) if sort else (None, None)
        parameters["ascending"] = direction == "asc"
        if order_by and order_by.startswith("group_id:"):
            group_ids = [order_by.partition(":")[2]]
            members = await _of_groups("order_group_ids", "order_user_ids", group_ids, include_inherited=False)
            parameters |= {"order_by": next(iter(members)), **members}
        elif order_by in _SORTABLE:
            parameters["order_by"] = order_by
        elif not filter:
            parameters |= {"order_by": "created_at", "ascending": False}
        return await self._get_page("get_users", **parameters)

    async def get_users_by_group_id(self, group_id: str, db: AsyncSession | None = None) -> list[UserModel]:
        """Return the members of the group itself."""
        found = await _of_groups("group_id", "ids", [group_id], include_inherited=False)
        if "ids" in found:
            return await self._get_many("get_users_by_user_ids", **found)
        return await self._get_many("get_users_by_group_id", group_id=group_id)

    async def get_users_by_user_ids(self, user_ids: list[str], db: AsyncSession | None = None) -> list[UserStatusModel]:
        """Return those users, by id."""
        return await self._get_many("get_users_by_user_ids", ids=list(user_ids))

    async def get_num_users(self, db: AsyncSession | None = None) -> int | None:
        """Count the users."""
        return int(await self.pocketbase.read("users/get_num_users", {}))

    async def has_users(self, db: AsyncSession | None = None) -> bool:
        """Tell whether there is any user."""
        return bool(await self.pocketbase.read("users/has_users", {}))

    async def get_first_user(self, db: AsyncSession | None = None) -> UserModel | None:
        """Return the user who was created first, an administrator if several were, or None."""
        return await self._get_one("get_first_user")

    async def get_num_users_active_today(self, db: AsyncSession | None = None) -> int | None:
        """Count the users who were active since midnight, UTC."""
        now = int(time.time())
        return await self._count_active_since(now - now % 86400 + 1)

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
        return await self._update(id, {"profile_image_url": _image_url(profile_image_url)})

    @throttle(DATABASE_USER_ACTIVE_STATUS_UPDATE_INTERVAL)  # type: ignore[untyped-decorator]  # the host's
    async def update_last_active_by_id(self, id: str, db: AsyncSession | None = None) -> None:
        """Note that the user is active now, at most once per interval."""
        parameters = {"id": id, "last_active_at": int(time.time())}
        # Frequent, and the host's SQL needs no exact state of it.
        await self.pocketbase.write("users/update_last_active_by_id", parameters, is_urgent=False)

    async def update_user_oauth_by_id(
        self, id: str, provider: str, sub: str, db: AsyncSession | None = None
    ) -> UserModel | None:
        """Note by which text an OAuth provider knows the user; None if there is no such user."""
        parameters = {"id": id, "provider": provider, "sub": str(sub)}
        return self._user_or_none(await self.pocketbase.write("users/update_user_oauth_by_id", parameters))

    async def update_user_scim_by_id(
        self, id: str, provider: str, external_id: str | None, db: AsyncSession | None = None
    ) -> UserModel | None:
        """Note by which id a SCIM provider knows the user; None if there is no such user."""
        parameters = {"id": id, "provider": provider, "external_id": external_id, "updated_at": int(time.time())}
        return self._user_or_none(await self.pocketbase.write("users/update_user_scim_by_id", parameters))

    async def update_user_by_id(
        self, id: str, updated: dict[str, Any], db: AsyncSession | None = None
    ) -> UserModel | None:
        """Set columns of the user, of the credentials an address, too; None if there is no such user.

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
        parameters: dict[str, Any] = {"id": id, "settings": _json(settings), "ui": None, "reset": []}
        if ui is not None:
            parameters["ui"] = _json({key: value for key, value in ui.items() if value is not None})
            parameters["reset"] = [key for key, value in ui.items() if value is None]
        return self._user_or_none(await self.pocketbase.write("users/update_user_settings_by_id", parameters))

    async def delete_user_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete the user, and what is nobody's without; False if the chats could not be deleted."""
        if not await delete_belongings(id):
            return False
        await self.pocketbase.write("users/delete_user_by_id", {"id": id})
        return True

    async def get_user_api_key_by_id(self, id: str, db: AsyncSession | None = None) -> str | None:
        """Return the user's API key, or None."""
        key: str | None = await self.pocketbase.read("users/get_user_api_key_by_id", {"id": id})
        return key

    async def update_user_api_key_by_id(self, id: str, api_key: str, db: AsyncSession | None = None) -> bool:
        """Give the user this API key, and no other.

        Raises:
            IntegrityError: Another user has this key.
        """
        now = int(time.time())
        row = {"id": f"key_{id}", "user_id": id, "key": api_key, "created_at": now, "updated_at": now}
        row |= dict.fromkeys(("data", "expires_at", "last_used_at"))
        with integrity_errors("update_user_api_key_by_id"):
            await self.pocketbase.write("users/update_user_api_key_by_id", {"api_key": _KEY_CODEC.encode(row)})
        return True

    async def delete_user_api_key_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete the user's API key; True also if there is none."""
        await self.pocketbase.write("users/delete_user_api_key_by_id", {"id": id})
        return True

    async def get_valid_user_ids(self, user_ids: list[str], db: AsyncSession | None = None) -> list[str]:
        """Return those of the ids that are users'."""
        ids: list[str] = await self.pocketbase.read("users/get_valid_user_ids", {"ids": list(user_ids)})
        return ids

    async def get_super_admin_user(self, db: AsyncSession | None = None) -> UserModel | None:
        """Return the first of the administrators, or None."""
        return await self._get_one("get_super_admin_user")

    async def get_active_user_count(self, db: AsyncSession | None = None) -> int:
        """Count the users who were active in the last three minutes."""
        return await self._count_active_since(int(time.time()) - _ACTIVE_FOR)

    async def is_user_active(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """Tell whether the user was active in the last three minutes."""
        last_active_at = await self.pocketbase.read("users/get_last_active_at", {"id": user_id})
        return bool(last_active_at) and last_active_at >= int(time.time()) - _ACTIVE_FOR

    async def _get_one(self, method: str, **parameters: Any) -> UserModel | None:
        return self._user_or_none(await self.pocketbase.read(f"users/{method}", parameters))

    async def _get_many(self, method: str, **parameters: Any) -> list[UserModel]:
        wires = await self.pocketbase.read(f"users/{method}", parameters)
        return _LIST.validate_python([_CODEC.decode(wire) for wire in wires])

    async def _get_page(self, method: str, **parameters: Any) -> dict[str, Any]:
        total, wires = await self.pocketbase.read(f"users/{method}", parameters)
        return {"users": _LIST.validate_python([_CODEC.decode(wire) for wire in wires]), "total": total}

    async def _count_active_since(self, since: int) -> int:
        return int(await self.pocketbase.read("users/count_active_since", {"since": since}))

    async def _update(self, id: str, changes: dict[str, Any]) -> UserModel | None:
        # An attribute that is no column is not stored by the stock method either.
        known = {name: value for name, value in changes.items() if name in _COLUMNS}
        parameters = {"id": id, "changes": _CODEC.encode(known)}
        with integrity_errors("update_user_by_id"):
            return self._user_or_none(await self.pocketbase.write("users/update_user_by_id", parameters))

    @staticmethod
    def _user_or_none(wire: list[Any] | None) -> UserModel | None:
        return user_of(wire) if wire else None


def _json(settings: dict[str, Any]) -> str:
    """Return settings as JSON text, as they are stored."""
    text: str = _CODEC.encode({"settings": settings})["settings"]
    return text


def _filters(filter: dict[str, Any]) -> dict[str, Any]:
    """Return those filters which need nobody else, as parameters."""
    parameters: dict[str, Any] = {}
    if filter.get("query"):
        parameters["query"] = f"{filter['query']}".lower()
    if filter.get("user_ids"):
        parameters["user_ids"] = list(filter["user_ids"])
    roles = filter.get("roles") or ()
    included = [role for role in roles if not role.startswith("!")]
    excluded = [role[1:] for role in roles if role.startswith("!")]
    return parameters | ({"roles": included} if included else {}) | ({"excluded_roles": excluded} if excluded else {})


async def _channel_user_ids(channel_id: str, db: AsyncSession | None) -> list[str]:
    """Return the ids of the users in a channel; the host keeps channels in SQL."""
    from open_webui.models.channels import ChannelMember  # noqa: PLC0415 - see above

    statement = select(ChannelMember.user_id).where(
        ChannelMember.channel_id == channel_id, ChannelMember.user_id.is_not(None)
    )
    async with get_async_db_context(db) as session:
        return list((await session.execute(statement)).scalars())


async def _of_groups(here: str, elsewhere: str, group_ids: list[str], *, include_inherited: bool) -> dict[str, Any]:
    """Return a parameter for the members of groups: the groups' ids, or their members' if they are not in PocketBase.

    Args:
        here: Name of the parameter for the ids of groups in PocketBase.
        elsewhere: Name of the parameter for ids of users.
        group_ids: The groups.
        include_inherited: Whether members of the groups below count.
    """
    from open_webui.models.groups import Groups  # noqa: PLC0415 - see above

    if isinstance(Groups, PocketBaseRepository):
        return {here: group_ids}
    members = await Groups.get_group_user_ids_by_ids(group_ids, include_inherited=include_inherited)
    return {elsewhere: [user_id for user_ids in members.values() for user_id in user_ids]}
