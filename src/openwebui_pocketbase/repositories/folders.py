"""Folders in PocketBase; the hooks are in ``owui/folders.js``."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from typing import Any

from open_webui.internal.db import get_async_db_context
from open_webui.models.access_grants import AccessGrant
from open_webui.models.folders import FolderForm, FolderModel, FolderTable, FolderUpdateForm
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import PocketBaseRepository, list_of
from openwebui_pocketbase.repositories.errors import default_on_error

__all__ = ["PocketBaseFolders"]

log = logging.getLogger(__name__)

Row = dict[str, Any]

REACHABLE_COLUMNS = ("id", "name", "parent_id", "user_id")
"""What `PocketBaseFolders.get_reachable_rows` gives."""


def _descendants(rows: list[Row], root: str) -> list[Row]:
    """Return what is below a folder in the stock order: each folder behind its own descendants.

    Args:
        rows: The folders, siblings in their order.
        root: Id of the folder.
    """
    children: dict[str | None, list[Row]] = {}
    for row in rows:
        children.setdefault(row["parent_id"], []).append(row)
    found: list[Row] = []
    seen = {root}
    path: list[tuple[Iterator[Row], Row | None]] = [(iter(children.get(root, ())), None)]
    while path:
        siblings, parent = path[-1]
        child = next((row for row in siblings if row["id"] not in seen), None)
        if child is not None:
            seen.add(child["id"])
            path.append((iter(children.get(child["id"], ())), child))
        else:
            path.pop()
            if parent is not None:
                found.append(parent)
    return found


class PocketBaseFolders(PocketBaseRepository, FolderTable):
    """`open_webui.models.folders.FolderTable` with its rows in PocketBase."""

    route = "folders"
    table = "folder"
    model = FolderModel

    async def insert_new_folder(
        self,
        user_id: str,
        form_data: FolderForm,
        parent_id: str | None = None,
        db: AsyncSession | None = None,
    ) -> FolderModel | None:
        """Create a folder."""
        now = int(time.time())
        folder = FolderModel(
            **{
                "id": str(uuid.uuid4()),
                "user_id": user_id,
                **form_data.model_dump(exclude_unset=True),
                "parent_id": parent_id,
                "created_at": now,
                "updated_at": now,
            }
        )
        return await self._insert(folder.model_dump())

    @default_on_error(lambda: None, log.exception, "Error inserting a new folder")
    async def _insert(self, folder: Row) -> FolderModel:
        return self._model_of(await self._write("insert_new_folder", folder=self._encoded(folder)))

    @default_on_error(lambda: None)
    async def get_folder_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> FolderModel | None:
        """Return the user's folder with this id, or None."""
        return await self._one("get_folder_by_id_and_user_id", id=id, user_id=user_id)

    @default_on_error(lambda: None)
    async def get_folder_by_id(self, id: str, db: AsyncSession | None = None) -> FolderModel | None:
        """Return the folder with this id, or None."""
        return await self._one("get_folder_by_id", id=id)

    async def get_folders_by_ids(self, ids: list[str], db: AsyncSession | None = None) -> list[FolderModel]:
        """Return those folders, latest change first."""
        return await self._many("get_folders_by_ids", ids=ids)

    async def get_shared_folder_ids_for_user(
        self, user_id: str, user_group_ids: set[str], db: AsyncSession | None = None
    ) -> dict[str, str]:
        """Return ``{folder_id: highest permission}`` of the folders shared with or by the user."""
        own = await self._read("get_folder_ids_by_user_id", user_id=user_id)
        # The stock repository of grants has no such query. In SQL their table is complete: it is mirrored.
        conditions = [
            AccessGrant.resource_id.in_(own),
            and_(AccessGrant.principal_type == "user", AccessGrant.principal_id.in_(["*", user_id])),
        ]
        if user_group_ids:
            conditions.append(and_(AccessGrant.principal_type == "group", AccessGrant.principal_id.in_(user_group_ids)))
        statement = select(AccessGrant.resource_id, AccessGrant.permission).where(
            AccessGrant.resource_type == "folder", or_(*conditions)
        )
        permissions: dict[str, str] = {}
        async with get_async_db_context(db) as session:
            for folder_id, permission in await session.execute(statement):
                if permissions.get(folder_id) != "write":
                    permissions[folder_id] = permission
        return permissions

    @default_on_error(lambda: None)
    async def get_children_folders_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> list[FolderModel] | None:
        """Return everything below the user's folder, or None if there is no such folder."""
        rows = await self._rows("get_subtree", id=id, user_id=user_id)
        return list_of(FolderModel).validate_python(_descendants(rows, id)) if rows else None

    async def get_folders_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[FolderModel]:
        """Return the user's folders, oldest first."""
        return await self._many("get_folders_by_user_id", user_id=user_id)

    @default_on_error(lambda: None, log.error, "get_folder_by_parent_id_and_user_id_and_name")
    async def get_folder_by_parent_id_and_user_id_and_name(
        self, parent_id: str | None, user_id: str, name: str, db: AsyncSession | None = None
    ) -> FolderModel | None:
        """Return the user's folder of this name (any ASCII case) under this parent, or None."""
        method = "get_folder_by_parent_id_and_user_id_and_name"
        return await self._one(method, parent_id=parent_id, user_id=user_id, name=name)

    async def get_folders_by_parent_id_and_user_id(
        self, parent_id: str | None, user_id: str, db: AsyncSession | None = None
    ) -> list[FolderModel]:
        """Return the user's folders directly under this parent, latest change first."""
        return await self._many("get_folders_by_parent_id_and_user_id", parent_id=parent_id, user_id=user_id)

    async def get_folder_ids_by_id_and_user_id_in_subtree(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> list[str]:
        """Return the ids of the user's folder and of everything below it."""
        ids: list[str] = await self._read("get_subtree_ids", id=id, user_id=user_id)
        return ids

    async def update_folder_parent_id_by_id_and_user_id(
        self, id: str, user_id: str, parent_id: str | None, db: AsyncSession | None = None
    ) -> FolderModel | None:
        """Move the user's folder; None if there is no such folder."""
        return await self._update("update_folder_parent_id_by_id_and_user_id", id, user_id, parent_id=parent_id)

    @default_on_error(lambda: None, log.error, "update_folder")
    async def update_folder_by_id_and_user_id(
        self, id: str, user_id: str, form_data: FolderUpdateForm, db: AsyncSession | None = None
    ) -> FolderModel | None:
        """Rename the user's folder and merge its data and meta; None if a sibling has this name."""
        changes = form_data.model_dump(exclude_unset=True)
        for name in ("data", "meta"):
            if name in changes:
                changes[name] = {**changes[name]}  # None is a TypeError here, as in the stock merge
        return await self._update("update_folder_by_id_and_user_id", id, user_id, changes=self._encoded(changes))

    async def update_folder_is_expanded_by_id_and_user_id(
        self, id: str, user_id: str, is_expanded: bool, db: AsyncSession | None = None
    ) -> FolderModel | None:
        """Open or close the user's folder in the sidebar; None if there is no such folder."""
        return await self._update("update_folder_is_expanded_by_id_and_user_id", id, user_id, is_expanded=is_expanded)

    @default_on_error(list, log.error, "delete_folder")
    async def delete_folder_by_id_and_user_id(self, id: str, user_id: str, db: AsyncSession | None = None) -> list[str]:
        """Delete the user's folder and everything below it; return their ids, the folder's first."""
        deleted = await self._write("delete_folder_by_id_and_user_id", id=id, user_id=user_id)
        rows = [{"id": folder_id, "parent_id": parent_id} for folder_id, parent_id in deleted]
        return [id, *(row["id"] for row in _descendants(rows, id))] if rows else []

    async def search_folders_by_names(
        self, user_id: str, queries: list[str], db: AsyncSession | None = None
    ) -> list[FolderModel]:
        """Return the user's folders with one of these normalised names, and everything below them."""
        wanted = [self.normalize_folder_name(query) for query in queries]
        if not wanted:
            return []
        rows = await self._rows("get_folders_by_user_id", user_id=user_id)
        latest_first = sorted(rows, key=lambda row: row["updated_at"], reverse=True)
        found: dict[str, FolderModel] = {}
        for row in rows:
            if self.normalize_folder_name(row["name"]) in wanted:
                for match in (row, *_descendants(latest_first, row["id"])):
                    found[match["id"]] = FolderModel.model_validate(match)
        return list(found.values())

    async def search_folders_by_name_contains(
        self, user_id: str, query: str, db: AsyncSession | None = None
    ) -> list[FolderModel]:
        """Return the user's folders whose normalised name contains the normalised text."""
        wanted = self.normalize_folder_name(query)
        rows = await self._rows("get_folders_by_user_id", user_id=user_id)
        return [FolderModel.model_validate(row) for row in rows if wanted in self.normalize_folder_name(row["name"])]

    async def get_reachable_rows(self, user_id: str, ids: list[str]) -> list[Row]:
        """Return id, name, parent_id and user_id of the user's folders, of those, and of all below them."""
        rows = await self._read("get_reachable_folders", user_id=user_id, ids=ids)
        return [dict(zip(REACHABLE_COLUMNS, row, strict=True)) for row in rows]

    async def _rows(self, method: str, **parameters: Any) -> list[Row]:
        """Return the folders that a reading method finds, as dictionaries: few of them become models."""
        return [self._decoded(row) for row in await self._read(method, **parameters)]

    @default_on_error(lambda: None, log.error, "update_folder")
    async def _update(self, method: str, id: str, user_id: str, **parameters: Any) -> FolderModel | None:
        parameters |= {"id": id, "user_id": user_id, "updated_at": int(time.time())}
        return self._model_of(await self._write(method, **parameters))
