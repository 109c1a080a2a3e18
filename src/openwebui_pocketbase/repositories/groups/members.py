"""Who is in which group."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from open_webui.models import groups
from open_webui.models.groups import GroupModel
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories import signed_in
from openwebui_pocketbase.repositories.groups._base import GroupRows

__all__ = ["GroupMembers"]

PART = 1000
"""Memberships that begin, or end, in one transaction."""


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
        if include_inherited and len(rows) == 1:
            (user_id,) = rows
            return {user_id: self._models_of(await self._inherited_of(user_id))}
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
        changed: set[str] = set()
        parts = _parts(user_ids)
        # All ids there can be are divided among the parts.
        starts = ["", *(part[0] for part in parts[1:]), None]
        for part, start, end in zip(parts, starts, starts[1:], strict=False):
            is_more = True
            while is_more:
                bounds = {"from": start, "before": end}
                left, joined, is_more = await self._change("set_group_user_ids_by_id", group_id, part, **bounds)
                changed.update(left, joined)
        await groups.refresh_group_sessions(changed)

    async def add_users_to_group(
        self, id: str, user_ids: list[str] | None = None, db: AsyncSession | None = None
    ) -> GroupModel | None:
        """Make users members of a group.

        Raises:
            GroupHierarchyError: There is no such group.
        """
        return await self._change_all("add_users_to_group", id, user_ids)

    async def remove_users_from_group(
        self, id: str, user_ids: list[str] | None = None, db: AsyncSession | None = None
    ) -> GroupModel | None:
        """End the memberships of users in a group.

        Raises:
            GroupHierarchyError: There is no such group.
        """
        return await self._change_all("remove_users_from_group", id, user_ids)

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
        has_changed, is_more = False, True
        while is_more:
            reply = await self._write_for(len(group_names), "sync_groups_by_group_names", **parameters)
            has_changed, is_more = has_changed or reply[0], reply[1]
        if has_changed:
            await groups.refresh_group_sessions([user_id])
        return True

    async def _inherited_of(self, user_id: str) -> Sequence[Sequence[Any]]:
        """Return the rows of a user's groups and of those above them: most requests ask for their own user's."""
        person = signed_in.person(user_id)
        if person is not None and person.groups is not None:
            return person.groups
        found = await self._read("get_inherited_groups_by_member_ids", user_ids=[user_id])
        rows = [row for _, row in found]
        signed_in.keep_groups(user_id, rows)
        return rows

    async def _change_all(self, method: str, id: str, user_ids: Iterable[str] | None) -> GroupModel | None:
        """Let users join or leave a group; return the group."""
        changed: list[str] = []
        for part in _parts(user_ids):
            row, some = await self._change(method, id, part)
            changed += some
        await groups.refresh_group_sessions(changed)
        return self._model_of(row)

    async def _change(self, method: str, id: str, user_ids: list[str], **bounds: Any) -> Any:
        parameters = {"id": id, "user_ids": user_ids, "updated_at": int(time.time()), **bounds}
        return await self._write_for(len(user_ids), method, **parameters)


def _parts(user_ids: Iterable[str] | None) -> list[list[str]]:
    """Return users in the order of their ids, in parts: others can write in between.

    What was broken off is finished by the same call, as each part does what has not been done.
    """
    users = sorted(set(user_ids or []))
    return [users[start : start + PART] for start in range(0, len(users), PART)] or [[]]
