"""Several users at once: lists, pages and searches."""

from __future__ import annotations

from typing import Any

from open_webui.models.users import UserModel, UserStatusModel
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.neighbours import is_on_pocketbase, neighbour
from openwebui_pocketbase.repositories.users._base import UserRows

__all__ = ["UserLists"]

_SORTABLE = frozenset({"name", "email", "created_at", "last_active_at", "updated_at", "role"})


class UserLists(UserRows):
    """The methods of users that return several."""

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
                parameters |= await _of_channel(filter["channel_id"], db)
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
        return await self._page_of_users("get_users", **parameters)

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
        return await self._page_of_users("get_scim_users", **parameters)

    async def get_users_by_group_id(self, group_id: str, db: AsyncSession | None = None) -> list[UserModel]:
        """Return the members of the group itself."""
        found = await _of_groups("group_id", "ids", [group_id], include_inherited=False)
        if "ids" in found:
            return await self._many("get_users_by_user_ids", **found)
        return await self._many("get_users_by_group_id", group_id=group_id)

    async def get_users_by_user_ids(self, user_ids: list[str], db: AsyncSession | None = None) -> list[UserStatusModel]:
        """Return those users, by id."""
        return await self._many("get_users_by_user_ids", ids=list(user_ids))

    async def get_valid_user_ids(self, user_ids: list[str], db: AsyncSession | None = None) -> list[str]:
        """Return those of the ids that are users'."""
        ids: list[str] = await self._read("get_valid_user_ids", ids=list(user_ids))
        return ids

    async def _page_of_users(self, method: str, **parameters: Any) -> dict[str, Any]:
        total, rows = await self._read(method, **parameters)
        return {"users": self._models_of(rows), "total": total}


def _filters(filter: dict[str, Any]) -> dict[str, Any]:
    """Return the filters that need no other repository, as parameters."""
    parameters: dict[str, Any] = {}
    if filter.get("query"):
        parameters["query"] = f"{filter['query']}".lower()
    if filter.get("user_ids"):
        parameters["user_ids"] = list(filter["user_ids"])
    roles = filter.get("roles") or ()
    included = [role for role in roles if not role.startswith("!")]
    excluded = [role[1:] for role in roles if role.startswith("!")]
    return parameters | ({"roles": included} if included else {}) | ({"excluded_roles": excluded} if excluded else {})


async def _of_channel(channel_id: str, db: AsyncSession | None) -> dict[str, Any]:
    """Return a parameter for the members of a channel: its id, or the members' if it is not in PocketBase."""
    if is_on_pocketbase("Channels"):
        return {"channel_id": channel_id}
    members = await neighbour("Channels").get_members_by_channel_id(channel_id, db=db)
    return {"channel_user_ids": [member.user_id for member in members]}


async def _of_groups(here: str, elsewhere: str, group_ids: list[str], *, include_inherited: bool) -> dict[str, Any]:
    """Return a parameter for the members of groups: the groups' ids, or their members' if they are not in PocketBase.

    Args:
        here: Name of the parameter for the ids of groups in PocketBase.
        elsewhere: Name of the parameter for ids of users.
        group_ids: The groups.
        include_inherited: Whether members of the groups below count.
    """
    if is_on_pocketbase("Groups"):
        return {here: group_ids}
    members = await neighbour("Groups").get_group_user_ids_by_ids(group_ids, include_inherited=include_inherited)
    return {elsewhere: [user_id for user_ids in members.values() for user_id in user_ids]}
