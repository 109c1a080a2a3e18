"""Groups in PocketBase; the hooks are in ``groups.js``."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable
from typing import Any

from open_webui.models import groups
from open_webui.models.groups import (
    DEFAULT_GROUP_SHARE_PERMISSION,
    GroupForm,
    GroupHierarchyError,
    GroupListResponse,
    GroupModel,
    GroupResponse,
    GroupTable,
    GroupUpdateForm,
)
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.exceptions import InvalidRequestError, NotFoundError
from openwebui_pocketbase.repositories.base import PocketBaseRepository, codec_of
from openwebui_pocketbase.repositories.errors import default_on_error, integrity_errors

__all__ = ["PocketBaseGroups"]

log = logging.getLogger(__name__)

_CODEC = codec_of("group")
_LIST = TypeAdapter(list[GroupModel])  # one call for all rows is a third faster than one for each
_RESPONSES = TypeAdapter(list[GroupResponse])

_REFUSALS = {
    "group_not_found": ("Group not found.", 404),
    "parent_empty": ("Parent group must be a group ID or null.", 400),
    "parent_not_found": ("Parent group not found.", 404),
    "parent_below": ("A group cannot be its own parent or a descendant of itself.", 400),
}
"""Code of a hook -> what the stock repository says then."""


def _group(wire: list[Any]) -> GroupModel:
    return GroupModel.model_validate(_CODEC.decode(wire))


def _memberships(user_ids: Iterable[str]) -> list[tuple[str, str]]:
    """Give each user the id of a membership, for those who will be new."""
    return [(user_id, str(uuid.uuid4())) for user_id in set(user_ids)]


def _responses(wires: list[Any]) -> list[GroupResponse]:
    return _RESPONSES.validate_python([{**_CODEC.decode(wire), "member_count": count} for wire, count in wires])


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        log.exception("Error creating a group")
        return False
    return True


class PocketBaseGroups(PocketBaseRepository, GroupTable):
    """`open_webui.models.groups.GroupTable` with its rows in PocketBase.

    PocketBase has one writer: changes of the tree are serial, as the stock lock makes them.
    """

    async def insert_new_group(
        self, user_id: str, form_data: GroupForm, db: AsyncSession | None = None
    ) -> GroupModel | None:
        """Create a group."""
        values = self._ensure_default_share_config(form_data.model_dump(exclude_none=True))
        now = int(time.time())
        group = GroupModel(**values, id=str(uuid.uuid4()), user_id=user_id, created_at=now, updated_at=now)
        return _group(await self._write("insert_new_group", group=_CODEC.encode(group.model_dump())))

    async def get_all_groups(self, db: AsyncSession | None = None) -> list[GroupModel]:
        """Return all groups, latest change first."""
        wires = await self._read("get_all_groups")
        return _LIST.validate_python([_CODEC.decode(wire) for wire in wires])

    async def get_group_by_name(self, name: str, db: AsyncSession | None = None) -> GroupModel | None:
        """Return the oldest group of this name, or None."""
        wire = await self._read("get_group_by_name", name=name)
        return _group(wire) if wire else None

    async def get_groups(self, filter: Any, db: AsyncSession | None = None) -> list[GroupResponse]:
        """Return groups with the number of their direct members, latest change first.

        Args:
            filter: ``query`` is in the name; ``share`` and ``member_id``: with whom the group is shared; without
                ``share``, who is in the group or one below it.
            db: Ignored.
        """
        wanted = filter or {}
        parameters = _named(wanted)
        if "share" in wanted:
            parameters["share"] = bool(wanted["share"])
            if wanted["share"] and wanted.get("member_id"):
                parameters["user_ids"] = [wanted["member_id"]]
        elif "member_id" in wanted:
            parameters["user_ids"] = [wanted["member_id"]]
        return _responses(await self._read("get_groups", **parameters))

    async def search_groups(
        self, filter: dict[str, Any] | None = None, skip: int = 0, limit: int = 30, db: AsyncSession | None = None
    ) -> GroupListResponse:
        """Return a page of groups with the number of their direct members, latest change first, and their total."""
        wanted = filter or {}
        parameters = {**_named(wanted), "skip": skip, "limit": limit}
        if "member_id" in wanted:
            parameters["user_ids"] = [wanted["member_id"]]
        if "share" in wanted:
            parameters["share"] = str(wanted["share"])
        page = await self._read("search_groups", **parameters)
        return {"items": _responses(page["items"]), "total": page["total"]}  # the stock method gives a dictionary, too

    async def get_groups_by_member_ids(
        self, user_ids: list[str], db: AsyncSession | None = None, *, include_inherited: Any = False
    ) -> dict[str, list[GroupModel]]:
        """Return the groups of each user, latest change first.

        Args:
            user_ids: The users.
            db: Ignored.
            include_inherited: Also the groups above those they are in.
        """
        rows: dict[str, list[dict[str, Any]]] = {user_id: [] for user_id in user_ids}
        if not rows:
            return {}
        method = "get_inherited_groups_by_member_ids" if include_inherited else "get_groups_by_member_ids"
        for user_id, wire in await self._read(method, user_ids=list(rows)):
            rows[user_id].append(_CODEC.decode(wire))
        return {user_id: _LIST.validate_python(found) for user_id, found in rows.items()}

    async def get_ancestor_ids(self, group_id: str, db: AsyncSession | None = None) -> set[str]:
        """Return the ids of the group and of all above it."""
        return set(await self._read("get_ancestor_ids", id=group_id))

    @default_on_error(lambda: None)
    async def get_group_by_id(self, id: str, db: AsyncSession | None = None) -> GroupModel | None:
        """Return the group with this id, or None."""
        wire = await self._read("get_group_by_id", id=id)
        return _group(wire) if wire else None

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

    async def set_group_user_ids_by_id(
        self, group_id: str, user_ids: list[str], db: AsyncSession | None = None
    ) -> None:
        """Make these users, and no others, members of the group."""
        parameters = {"id": group_id, "members": _memberships(user_ids), "updated_at": int(time.time())}
        changed = await self._write("set_group_user_ids_by_id", **parameters)
        await groups.refresh_group_sessions(set(changed))

    async def get_group_member_counts_by_ids(
        self, ids: list[str], db: AsyncSession | None = None, *, include_inherited: Any = False
    ) -> dict[str, int]:
        """Return how many members those groups have that have some.

        Args:
            ids: The groups.
            db: Ignored.
            include_inherited: Also the members of the groups below them.
        """
        if not ids:
            return {}
        method = "get_inherited_group_member_counts_by_ids" if include_inherited else "get_group_member_counts_by_ids"
        return dict(await self._read(method, group_ids=list(ids)))

    async def update_group_by_id(
        self,
        id: str,
        form_data: GroupUpdateForm,
        overwrite: bool = False,
        db: AsyncSession | None = None,
        *,
        changes: dict[str, Any] | None = None,
    ) -> GroupModel | None:
        """Change a group; its data, and the ``config`` in it, are merged.

        Args:
            id: The group.
            form_data: Its ``parent_group_id`` counts only if it was set.
            overwrite: Ignored.
            db: Ignored.
            changes: Is given the parents before and after.

        Raises:
            GroupHierarchyError: There is no such group, or it cannot have this parent.
        """
        values = form_data.model_dump(exclude_none=True)
        if "parent_group_id" in form_data.model_fields_set:
            values["parent_group_id"] = form_data.parent_group_id
        parameters = {"id": id, "changes": _CODEC.encode(values), "updated_at": int(time.time())}
        wire, parent, affected = await self._write("update_group_by_id", **parameters)
        group = _group(wire)
        if changes is not None:
            changes.update(old_parent_group_id=parent, parent_group_id=group.parent_group_id)
        await groups.refresh_group_sessions(affected)
        return group

    async def delete_group_by_id(
        self, id: str, db: AsyncSession | None = None, *, changes: dict[str, Any] | None = None
    ) -> bool:
        """Delete a group, its memberships and grants; its children go to its parent.

        Args:
            id: The group.
            db: Ignored.
            changes: Is given that parent and the children.

        Raises:
            GroupHierarchyError: There is no such group.
        """
        parent, children, affected = await self._write("delete_group_by_id", id=id, updated_at=int(time.time()))
        if changes is not None:
            changes.update(parent_group_id=parent, promoted_child_ids=children)
        await groups.refresh_group_sessions(affected)
        return True

    async def delete_all_groups(self, db: AsyncSession | None = None) -> bool:
        """Delete all groups, their memberships and grants."""
        await groups.refresh_group_sessions(await self._write("delete_all_groups"))
        return True

    async def remove_user_from_all_groups(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """End all memberships of a user."""
        await self._write("remove_user_from_all_groups", user_ids=[user_id], updated_at=int(time.time()))
        await groups.refresh_group_sessions([user_id])
        return True

    async def create_groups_by_group_names(
        self, user_id: str, group_names: list[str], db: AsyncSession | None = None
    ) -> list[GroupModel]:
        """Create a group for each name that none has; one that fails does not stop the others."""
        now = int(time.time())
        common = {"description": "", "data": {"config": {"share": DEFAULT_GROUP_SHARE_PERMISSION}}}
        wanted = [
            GroupModel(id=str(uuid.uuid4()), user_id=user_id, name=name, created_at=now, updated_at=now, **common)
            for name in group_names
            if _is_text(name)
        ]
        if not wanted:
            return []
        names, ids = [group.name for group in wanted], [group.id for group in wanted]
        parameters = {"names": names, "ids": ids, "group": _CODEC.encode(wanted[0].model_dump())}
        created = []
        for wire in await self._write("create_groups_by_group_names", **parameters):
            if isinstance(wire, str):
                log.error("Error creating a group: %s", wire)
            else:
                created.append(_group(wire))
        return created

    async def sync_groups_by_group_names(
        self, user_id: str, group_names: list[str], db: AsyncSession | None = None
    ) -> bool:
        """Make a user a member of the groups with these names, and of no others."""
        parameters = {"user_ids": [user_id], "names": group_names, "updated_at": int(time.time())}
        if await self._write("sync_groups_by_group_names", **parameters):
            await groups.refresh_group_sessions([user_id])
        return True

    async def add_users_to_group(
        self, id: str, user_ids: list[str] | None = None, db: AsyncSession | None = None
    ) -> GroupModel | None:
        """Make users members of a group.

        Raises:
            GroupHierarchyError: There is no such group.
        """
        parameters = {"id": id, "members": _memberships(user_ids or []), "updated_at": int(time.time())}
        wire, added = await self._write("add_users_to_group", **parameters)
        await groups.refresh_group_sessions(set(added))
        return _group(wire)

    async def remove_users_from_group(
        self, id: str, user_ids: list[str] | None = None, db: AsyncSession | None = None
    ) -> GroupModel | None:
        """End the memberships of users in a group.

        Raises:
            GroupHierarchyError: There is no such group.
        """
        parameters = {"id": id, "user_ids": list(set(user_ids or [])), "updated_at": int(time.time())}
        wire, removed = await self._write("remove_users_from_group", **parameters)
        await groups.refresh_group_sessions(removed)
        return _group(wire)

    async def _read(self, method: str, **parameters: Any) -> Any:
        return await self.pocketbase.read(f"groups/{method}", parameters)

    async def _write(self, method: str, **parameters: Any) -> Any:
        try:
            with integrity_errors(method):
                return await self.pocketbase.write(f"groups/{method}", parameters)
        except (InvalidRequestError, NotFoundError) as error:
            if error.code not in _REFUSALS:
                raise
            raise GroupHierarchyError(*_REFUSALS[error.code]) from error


def _named(filter: dict[str, Any]) -> dict[str, Any]:
    """Return the parameter for a search by name, if there is one."""
    return {"query": f"{filter['query']}".lower()} if "query" in filter else {}
