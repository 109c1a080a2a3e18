"""Protocols of the stock repositories of the group ``files``."""
# Generated from Open WebUI 0.12.4; to renew, run: python tools/generate_interfaces.py

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from open_webui.models.files import (
        FileForm,
        FileListResponse,
        FileMetadataResponse,
        FileModel,
        FileModelResponse,
        FileUpdateForm,
    )
    from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["IFilesRepo"]


@runtime_checkable
class IFilesRepo(Protocol):
    """What callers use of ``Files``."""

    async def insert_new_file(
        self, user_id: str, form_data: FileForm, db: AsyncSession | None = None
    ) -> FileModel | None: ...

    async def get_file_by_id(self, id: str, db: AsyncSession | None = None) -> FileModel | None:
        """Look up a file by its primary key."""

    async def get_file_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> FileModel | None: ...

    async def get_file_metadata_by_id(self, id: str, db: AsyncSession | None = None) -> FileMetadataResponse | None: ...

    async def get_files(self, db: AsyncSession | None = None) -> list[FileModel]: ...

    async def count_files_by_user_id(self, user_id: str | None = None, db: AsyncSession | None = None) -> int: ...

    async def check_access_by_user_id(
        self, id: Any, user_id: Any, permission: Any = "write", db: AsyncSession | None = None
    ) -> bool: ...

    async def get_files_by_ids(self, ids: list[str], db: AsyncSession | None = None) -> list[FileModel]: ...

    async def get_file_metadatas_by_ids(
        self, ids: list[str], db: AsyncSession | None = None
    ) -> list[FileMetadataResponse]: ...

    async def get_files_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[FileModel]: ...

    async def get_file_list(
        self, user_id: str | None = None, skip: int = 0, limit: int = 50, db: AsyncSession | None = None
    ) -> FileListResponse: ...

    async def search_files(
        self,
        user_id: str | None = None,
        filename: str = "*",
        skip: int = 0,
        limit: int = 100,
        db: AsyncSession | None = None,
    ) -> list[FileModel]:
        """Search files with glob pattern matching, optional user filter, and pagination."""

    async def update_file_by_id(
        self, id: str, form_data: FileUpdateForm, db: AsyncSession | None = None
    ) -> FileModel | None: ...

    async def update_file_hash_by_id(
        self, id: str, hash: str | None, db: AsyncSession | None = None
    ) -> FileModel | None: ...

    async def update_file_data_by_id(
        self, id: str, data: dict[str, Any], db: AsyncSession | None = None
    ) -> FileModel | None: ...

    async def update_file_metadata_by_id(
        self, id: str, meta: dict[str, Any], db: AsyncSession | None = None
    ) -> FileModel | None: ...

    async def update_file_name_by_id(self, id: str, name: str, db: AsyncSession | None = None) -> FileModel | None: ...

    async def get_pending_files_for_knowledge(
        self, knowledge_id: str, db: AsyncSession | None = None
    ) -> list[FileModelResponse]:
        """Return files still being processed for this knowledge base."""

    async def delete_file_by_id(self, id: str, db: AsyncSession | None = None) -> bool: ...

    async def delete_all_files(self, db: AsyncSession | None = None) -> bool: ...
