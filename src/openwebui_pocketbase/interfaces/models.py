"""Protocols of the stock repositories of the group ``models``."""
# Generated from Open WebUI 0.12.4; to renew, run: python tools/generate_interfaces.py

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from open_webui.models.models import ModelForm, ModelListResponse, ModelModel, ModelUserResponse
    from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["IModelHistoriesRepo", "IModelsRepo"]


@runtime_checkable
class IModelsRepo(Protocol):
    """What callers use of ``Models``."""

    async def insert_new_model(
        self, form_data: ModelForm, user_id: str, db: AsyncSession | None = None
    ) -> ModelModel | None: ...

    async def get_all_models(self, db: AsyncSession | None = None) -> list[ModelModel]: ...

    async def get_models(
        self, writable_by_user_id: str | None = None, db: AsyncSession | None = None, ids: list[str] | None = None
    ) -> list[ModelUserResponse]: ...

    async def get_model_owner_ids_by_file_id(
        self, file_id: str, db: AsyncSession | None = None, include_background: bool = False
    ) -> dict[str, str]:
        """Find file references; include_background adds read-only background/avatar assets."""

    async def get_base_models(self, tag: str | None = None, db: AsyncSession | None = None) -> list[ModelModel]: ...

    async def search_models(
        self, user_id: str, filter: dict[str, Any] = {}, skip: int = 0, limit: int = 30, db: AsyncSession | None = None
    ) -> ModelListResponse: ...

    async def get_model_meta_by_id(
        self, id: str, db: AsyncSession | None = None
    ) -> tuple[dict[str, Any], str, int | None] | None:
        """Return (meta, user_id, updated_at) for a model, skipping access grant resolution."""

    async def get_all_tags(
        self, user_id: str, is_admin: bool = False, is_base_model: bool = False, db: AsyncSession | None = None
    ) -> set[str]:
        """Extract unique tag names from model meta, querying only the meta column."""

    async def get_model_by_id(self, id: str, db: AsyncSession | None = None) -> ModelModel | None: ...

    async def get_models_by_ids(self, ids: list[str], db: AsyncSession | None = None) -> list[ModelModel]: ...

    async def toggle_model_by_id(self, id: str, db: AsyncSession | None = None) -> ModelModel | None: ...

    async def update_model_by_id(
        self,
        id: str,
        model: ModelForm,
        db: AsyncSession | None = None,
        user_id: str | None = None,
        production_version_id: str | None = None,
    ) -> ModelModel | None: ...

    async def update_model_updated_at_by_id(self, id: str, db: AsyncSession | None = None) -> ModelModel | None: ...

    async def delete_model_by_id(self, id: str, db: AsyncSession | None = None) -> bool: ...

    async def delete_all_models(self, db: AsyncSession | None = None) -> bool: ...

    async def sync_models(
        self, user_id: str, models: list[ModelModel], db: AsyncSession | None = None
    ) -> list[ModelModel]: ...


@runtime_checkable
class IModelHistoriesRepo(Protocol):
    """What callers use of ``ModelHistories``."""

    async def delete_history_entry(self, model_id: Any, history_id: Any, db: Any = None) -> Any: ...

    def new_entry(
        self, model_id: Any, snapshot: Any, user_id: Any, parent_id: Any = None, commit_message: Any = None
    ) -> Any: ...

    async def get_history_by_id(self, model_id: Any, history_id: Any, db: Any = None) -> Any: ...

    async def get_history_by_model_id(self, model_id: Any, page: Any = 1, db: Any = None) -> Any: ...
