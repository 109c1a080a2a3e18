"""Protocols of the stock repositories of the group ``groups``."""
# Generated from Open WebUI 0.12.4; to renew, run: python tools/generate_interfaces.py

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from open_webui.models.groups import (
        GroupForm,
        GroupListResponse,
        GroupModel,
        GroupResponse,
        GroupUpdateForm,
    )
    from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["IGroupsRepo"]


@runtime_checkable
class IGroupsRepo(Protocol):
    """What callers use of ``Groups``."""

    async def insert_new_group(
        self, user_id: str, form_data: GroupForm, db: AsyncSession | None = None
    ) -> GroupModel | None: ...

    async def get_all_groups(self, db: AsyncSession | None = None) -> list[GroupModel]: ...

    async def get_group_by_name(self, name: str, db: AsyncSession | None = None) -> GroupModel | None: ...

    async def get_groups(self, filter: Any, db: AsyncSession | None = None) -> list[GroupResponse]: ...

    async def search_groups(
        self, filter: dict[str, Any] | None = None, skip: int = 0, limit: int = 30, db: AsyncSession | None = None
    ) -> GroupListResponse: ...

    async def get_groups_by_member_id(
        self, user_id: str, db: AsyncSession | None = None, *, include_inherited: Any = False
    ) -> list[GroupModel]: ...

    async def get_groups_by_member_ids(
        self, user_ids: list[str], db: AsyncSession | None = None, *, include_inherited: Any = False
    ) -> dict[str, list[GroupModel]]: ...

    async def get_ancestor_ids(self, group_id: str, db: AsyncSession | None = None) -> set[str]: ...

    async def get_group_by_id(self, id: str, db: AsyncSession | None = None) -> GroupModel | None: ...

    async def get_group_user_ids_by_id(
        self, id: str, db: AsyncSession | None = None, *, include_inherited: Any = False
    ) -> list[str]: ...

    async def get_group_user_ids_by_ids(
        self, group_ids: list[str], db: AsyncSession | None = None, *, include_inherited: Any = False
    ) -> dict[str, list[str]]: ...

    async def set_group_user_ids_by_id(
        self, group_id: str, user_ids: list[str], db: AsyncSession | None = None
    ) -> None: ...

    async def get_group_member_count_by_id(
        self, id: str, db: AsyncSession | None = None, *, include_inherited: Any = False
    ) -> int: ...

    async def get_group_member_counts_by_ids(
        self, ids: list[str], db: AsyncSession | None = None, *, include_inherited: Any = False
    ) -> dict[str, int]: ...

    async def update_group_by_id(
        self,
        id: str,
        form_data: GroupUpdateForm,
        overwrite: bool = False,
        db: AsyncSession | None = None,
        *,
        changes: dict[str, Any] | None = None,
    ) -> GroupModel | None: ...

    async def delete_group_by_id(
        self, id: str, db: AsyncSession | None = None, *, changes: dict[str, Any] | None = None
    ) -> bool: ...

    async def delete_all_groups(self, db: AsyncSession | None = None) -> bool: ...

    async def remove_user_from_all_groups(self, user_id: str, db: AsyncSession | None = None) -> bool: ...

    async def create_groups_by_group_names(
        self, user_id: str, group_names: list[str], db: AsyncSession | None = None
    ) -> list[GroupModel]: ...

    async def sync_groups_by_group_names(
        self, user_id: str, group_names: list[str], db: AsyncSession | None = None
    ) -> bool: ...

    async def add_users_to_group(
        self, id: str, user_ids: list[str] | None = None, db: AsyncSession | None = None
    ) -> GroupModel | None: ...

    async def remove_users_from_group(
        self, id: str, user_ids: list[str] | None = None, db: AsyncSession | None = None
    ) -> GroupModel | None: ...
