"""Groups and the tree that they form."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

from open_webui.models import groups
from open_webui.models.groups import (
    DEFAULT_GROUP_SHARE_PERMISSION,
    GroupForm,
    GroupListResponse,
    GroupModel,
    GroupResponse,
    GroupTable,
    GroupUpdateForm,
)
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import list_of
from openwebui_pocketbase.repositories.errors import default_on_error
from openwebui_pocketbase.repositories.groups.members import GroupMembers

__all__ = ["PocketBaseGroups"]

log = logging.getLogger(__name__)

PART = 250
"""Groups that are made in one transaction."""


class PocketBaseGroups(GroupMembers, GroupTable):
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
        return self._model_of(await self._write("insert_new_group", group=self._encoded(group.model_dump())))

    async def get_all_groups(self, db: AsyncSession | None = None) -> list[GroupModel]:
        """Return all groups, latest change first."""
        return await self._many("get_all_groups")

    @default_on_error(lambda: None)
    async def get_group_by_id(self, id: str, db: AsyncSession | None = None) -> GroupModel | None:
        """Return the group with this id, or None."""
        return await self._one("get_group_by_id", id=id)

    async def get_group_by_name(self, name: str, db: AsyncSession | None = None) -> GroupModel | None:
        """Return the oldest group of this name, or None."""
        return await self._one("get_group_by_name", name=name)

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
        return self._responses(await self._read("get_groups", **parameters))

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
        return {"items": self._responses(page["items"]), "total": page["total"]}  # as the stock method

    async def get_ancestor_ids(self, group_id: str, db: AsyncSession | None = None) -> set[str]:
        """Return the ids of the group and of all above it."""
        return set(await self._read("get_ancestor_ids", id=group_id))

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
        parameters = {"changes": self._encoded(values), "updated_at": int(time.time())}
        row, parent, affected = await self._write("update_group_by_id", id=id, **parameters)
        group: GroupModel = self._model_of(row)
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
        affected: set[str] = set()
        is_more = True
        while is_more:
            parameters = {"id": id, "is_begun": bool(affected), "updated_at": int(time.time())}
            parent, children, some, is_more = await self._write_many("delete_group_by_id", **parameters)
            affected.update(some)
        if changes is not None:
            changes.update(parent_group_id=parent, promoted_child_ids=children)
        await groups.refresh_group_sessions(affected)
        return True

    async def delete_all_groups(self, db: AsyncSession | None = None) -> bool:
        """Delete all groups, their memberships and grants."""
        await groups.refresh_group_sessions(await self._write_many("delete_all_groups"))
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
        # A name that is given twice makes two groups, which takes one request.
        part = PART if len({group.name for group in wanted}) == len(wanted) else len(wanted)
        made: list[GroupModel] = []
        for start in range(0, len(wanted), part):
            some = wanted[start : start + part]
            names, ids = [group.name for group in some], [group.id for group in some]
            parameters = {"names": names, "ids": ids, "group": self._encoded(wanted[0].model_dump())}
            made += self._models_of(await self._write_for(len(some), "create_groups_by_group_names", **parameters))
        return made

    def _responses(self, rows: list[Any]) -> list[GroupResponse]:
        """Return groups with the number of their direct members, from pairs of both."""
        decoded = [{**self._decoded(row), "member_count": count} for row, count in rows]
        return list_of(GroupResponse).validate_python(decoded)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        log.exception("Error creating a group")
        return False
    return True


def _named(filter: dict[str, Any]) -> dict[str, Any]:
    """Return the parameter for a search by name, if there is one."""
    return {"query": f"{filter['query']}".lower()} if "query" in filter else {}
