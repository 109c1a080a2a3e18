"""Who is in which group."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from typing import Any

from open_webui.models import groups
from open_webui.models.groups import GroupModel
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.groups._base import GroupRows

__all__ = ["GroupMembers"]


class GroupMembers(GroupRows):
    """The methods of groups about their members."""

    async def get_groups_by_member_ids(
        self, user_ids: list[str], db: AsyncSession | None = None, *, include_inherited: Any = False
    ) -> dict[str, list[GroupModel]]:
        """Return the groups of each user, latest change first.

        Args:
            user_ids: The users.
            db: Ignored.
            include_inherited: Also the groups above those they are in.
        """
        rows: dict[str, list[Any]] = {user_id: [] for user_id in user_ids}
        if not rows:
            return {}
        method = "get_inherited_groups_by_member_ids" if include_inherited else "get_groups_by_member_ids"
        for user_id, row in await self._read(method, user_ids=list(rows)):
            rows[user_id].append(row)
        return {user_id: self._models_of(found) for user_id, found in rows.items()}

    async def get_group_user_ids_by_ids(
        self, group_ids: list[str], db: AsyncSession | None = None, *, include_inherited: Any = False
    ) -> dict[str, list[str]]:
        """Return the members of each group.

        Args:
            group_ids: The groups.
            db: Ignored.
            include_inherited: Also the members of the groups below them.
        """
        users: dict[str, list[str]] = {group_id: [] for group_id in group_ids}
        if users:
            method = "get_inherited_group_user_ids_by_ids" if include_inherited else "get_group_user_ids_by_ids"
            for group_id, user_id in await self._read(method, group_ids=list(users)):
                users[group_id].append(user_id)
        return users

    async def get_group_member_counts_by_ids(
        self, ids: list[str], db: AsyncSession | None = None, *, include_inherited: Any = False
    ) -> dict[str, int]:
        """Return the member count of each group that has members.

        Args:
            ids: The groups.
            db: Ignored.
            include_inherited: Also the members of the groups below them.
        """
        if not ids:
            return {}
        method = "get_inherited_group_member_counts_by_ids" if include_inherited else "get_group_member_counts_by_ids"
        return dict(await self._read(method, group_ids=list(ids)))

    async def set_group_user_ids_by_id(
        self, group_id: str, user_ids: list[str], db: AsyncSession | None = None
    ) -> None:
        """Make these users, and no others, members of the group."""
        parameters = {"id": group_id, "members": _memberships(user_ids), "updated_at": int(time.time())}
        changed = await self._write("set_group_user_ids_by_id", **parameters)
        await groups.refresh_group_sessions(set(changed))

    async def add_users_to_group(
        self, id: str, user_ids: list[str] | None = None, db: AsyncSession | None = None
    ) -> GroupModel | None:
        """Make users members of a group.

        Raises:
            GroupHierarchyError: There is no such group.
        """
        parameters = {"id": id, "members": _memberships(user_ids or []), "updated_at": int(time.time())}
        row, added = await self._write("add_users_to_group", **parameters)
        await groups.refresh_group_sessions(set(added))
        return self._model_of(row)

    async def remove_users_from_group(
        self, id: str, user_ids: list[str] | None = None, db: AsyncSession | None = None
    ) -> GroupModel | None:
        """End the memberships of users in a group.

        Raises:
            GroupHierarchyError: There is no such group.
        """
        parameters = {"id": id, "user_ids": list(set(user_ids or [])), "updated_at": int(time.time())}
        row, removed = await self._write("remove_users_from_group", **parameters)
        await groups.refresh_group_sessions(removed)
        return self._model_of(row)

    async def remove_user_from_all_groups(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """End all memberships of a user."""
        await self._write("remove_user_from_all_groups", user_ids=[user_id], updated_at=int(time.time()))
        await groups.refresh_group_sessions([user_id])
        return True

    async def sync_groups_by_group_names(
        self, user_id: str, group_names: list[str], db: AsyncSession | None = None
    ) -> bool:
        """Make a user a member of the groups with these names, and of no others."""
        parameters = {"user_ids": [user_id], "names": group_names, "updated_at": int(time.time())}
        if await self._write("sync_groups_by_group_names", **parameters):
            await groups.refresh_group_sessions([user_id])
        return True


def _memberships(user_ids: Iterable[str]) -> list[tuple[str, str]]:
    """Give each user the id of a membership, for those who will be new."""
    return [(user_id, str(uuid.uuid4())) for user_id in set(user_ids)]
