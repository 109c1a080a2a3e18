"""Protocols of the stock repositories of the group ``folders``."""
# Generated from Open WebUI 0.12.4; to renew, run: python tools/generate_interfaces.py

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from open_webui.models.folders import FolderForm, FolderModel, FolderUpdateForm
    from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["IFoldersRepo"]


@runtime_checkable
class IFoldersRepo(Protocol):
    """What callers use of ``Folders``."""

    async def insert_new_folder(
        self, user_id: str, form_data: FolderForm, parent_id: str | None = None, db: AsyncSession | None = None
    ) -> FolderModel | None: ...

    async def get_folder_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> FolderModel | None: ...

    async def get_folder_by_id(self, id: str, db: AsyncSession | None = None) -> FolderModel | None:
        """Fetch folder by ID only (no user_id filter). Used for shared access."""

    async def get_folders_by_ids(self, ids: list[str], db: AsyncSession | None = None) -> list[FolderModel]: ...

    async def get_shared_folder_ids_for_user(
        self, user_id: str, user_group_ids: set[str], db: AsyncSession | None = None
    ) -> dict[str, str]:
        """Returns {folder_id: highest_permission} for folders shared with or by user."""

    async def get_children_folders_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> list[FolderModel] | None: ...

    async def get_folders_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[FolderModel]: ...

    async def get_folder_by_parent_id_and_user_id_and_name(
        self, parent_id: str | None, user_id: str, name: str, db: AsyncSession | None = None
    ) -> FolderModel | None: ...

    async def get_folders_by_parent_id_and_user_id(
        self, parent_id: str | None, user_id: str, db: AsyncSession | None = None
    ) -> list[FolderModel]: ...

    async def get_folder_ids_by_id_and_user_id_in_subtree(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> list[str]: ...

    async def update_folder_parent_id_by_id_and_user_id(
        self, id: str, user_id: str, parent_id: str, db: AsyncSession | None = None
    ) -> FolderModel | None: ...

    async def update_folder_by_id_and_user_id(
        self, id: str, user_id: str, form_data: FolderUpdateForm, db: AsyncSession | None = None
    ) -> FolderModel | None: ...

    async def update_folder_is_expanded_by_id_and_user_id(
        self, id: str, user_id: str, is_expanded: bool, db: AsyncSession | None = None
    ) -> FolderModel | None: ...

    async def delete_folder_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> list[str]: ...

    def normalize_folder_name(self, name: str) -> str: ...

    async def search_folders_by_names(
        self, user_id: str, queries: list[str], db: AsyncSession | None = None
    ) -> list[FolderModel]:
        """Search for folders for a user where the name matches any of the queries, treating _ and space as equivalent, case-insensitive."""

    async def search_folders_by_name_contains(
        self, user_id: str, query: str, db: AsyncSession | None = None
    ) -> list[FolderModel]:
        """Partial match: normalized name contains (as substring) the normalized query."""
