"""The versions of models: immutable snapshots of their configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from open_webui.models.model_history import ModelHistoryModel, ModelHistoryResponse, ModelHistoryTable
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import PocketBaseRepository
from openwebui_pocketbase.repositories.models._base import refusals
from openwebui_pocketbase.repositories.models._owners import names_of
from openwebui_pocketbase.repositories.neighbours import is_on_pocketbase

__all__ = ["PocketBaseModelHistories"]


class PocketBaseModelHistories(PocketBaseRepository, ModelHistoryTable):
    """`open_webui.models.model_history.ModelHistoryTable` with its rows in PocketBase."""

    route = "model_histories"
    table = "model_history"
    model = ModelHistoryModel
    _host_errors = staticmethod(refusals)

    async def delete_history_entry(self, model_id: str, history_id: str, db: AsyncSession | None = None) -> bool:
        """Delete a version; those that were made from it get its parent. False if there is no such version.

        Raises:
            HTTPException: 400 if it is the model's current version.
        """
        deleted: bool = await self._write("delete_history_entry", id=history_id, model_id=model_id)
        return deleted

    async def get_history_by_id(
        self, model_id: str, history_id: str, db: AsyncSession | None = None
    ) -> ModelHistoryModel | None:
        """Return a version with its author's name; None if the model has no such version."""
        found = await self._read("get_history_by_id", id=history_id, model_id=model_id)
        return ModelHistoryModel.model_validate((await self._with_authors([found], db))[0]) if found else None

    async def get_history_by_model_id(
        self, model_id: str, page: int = 1, db: AsyncSession | None = None
    ) -> list[ModelHistoryResponse]:
        """Return a page of 20 versions with their authors' names but without snapshots, newest first."""
        found = await self._read("get_history_by_model_id", model_id=model_id, page=max(1, page))
        return [ModelHistoryResponse(**row) for row in await self._with_authors(found, db)]

    async def _with_authors(self, found: Sequence[Sequence[Any]], db: AsyncSession | None) -> list[dict[str, Any]]:
        versions = [self._decoded(row) for row, _ in found]
        names = [name for _, name in found]
        if not is_on_pocketbase("Users"):
            known = await names_of({version["user_id"] for version in versions}, db)
            names = [known.get(version["user_id"]) for version in versions]
        return [
            {**version, "user": {"name": name} if name else None} for version, name in zip(versions, names, strict=True)
        ]
