"""One model: reading, creating, changing and deleting it; and all of them, replaced at once."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any

from open_webui.models.models import ModelForm, ModelModel, ModelsTable, log
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import JSON, codec_of
from openwebui_pocketbase.repositories.errors import default_on_error
from openwebui_pocketbase.repositories.models._base import Row
from openwebui_pocketbase.repositories.models._steps import change, changes_to_version, creation
from openwebui_pocketbase.repositories.models.lists import ModelLists

__all__ = ["PocketBaseModels"]

_META = SimpleResultMetaData(["meta", "user_id", "updated_at"])

FEW = 20
"""Models that are made ready for sending without a thread."""


class PocketBaseModels(ModelLists, ModelsTable):
    """`open_webui.models.models.ModelsTable` with its rows in PocketBase.

    Access grants are there as well: a model, its versions and its grants are one transaction.
    """

    @default_on_error(lambda: None)
    async def get_model_by_id(self, id: str, db: AsyncSession | None = None) -> ModelModel | None:
        """Return the model with this id, or None."""
        return await self._one("get_model_by_id", id=id)

    @default_on_error(lambda: None)
    async def get_model_meta_by_id(self, id: str, db: AsyncSession | None = None) -> Any:
        """Return meta, owner and time of the last change of a model, as a row of SQLAlchemy's, or None."""
        found = await self._read("get_model_meta_by_id", id=id)
        if found is None:
            return None
        meta, user_id, updated_at = found
        decoded = JSON.loads(meta) if isinstance(meta, str) else meta
        return IteratorResult(_META, iter([(decoded, user_id, updated_at)])).first()

    async def insert_new_model(
        self, form_data: ModelForm, user_id: str, db: AsyncSession | None = None
    ) -> ModelModel | None:
        """Create a model with its first version and its grants.

        Raises:
            IntegrityError: There is a model with this id.
        """
        return self._model_of(await self._write("insert_new_model", **creation(form_data, user_id)))

    async def update_model_by_id(
        self,
        id: str,
        model: ModelForm,
        db: AsyncSession | None = None,
        user_id: str | None = None,
        production_version_id: str | None = None,
    ) -> ModelModel | None:
        """Change a model's configuration, not its grants; None if there is no such model.

        Args:
            id: The model.
            model: The form.
            db: Ignored.
            user_id: Who made the change; the model's owner if None.
            production_version_id: The version that the form has; else there is a new one if anything differs.

        Raises:
            HTTPException: 409 if somebody else has changed the model meanwhile, 404 if there is no such version.
        """
        if production_version_id is not None:
            to = {"version_id": production_version_id, "changes": changes_to_version(model)}
            return self._model_of(await self._write("set_production_version", id=id, **to))
        # The host's own code compares the configurations, so the model is read first.
        row = await self._read("get_model_row", id=id)
        if row is None:
            return None
        current = codec_of("model").decode(row)
        return self._model_of(
            await self._write("update_model_by_id", **change(model, user_id or current["user_id"], current))
        )

    @default_on_error(lambda: None)
    async def toggle_model_by_id(self, id: str, db: AsyncSession | None = None) -> ModelModel | None:
        """Enable a disabled model, or the other way round; None if there is no such model."""
        return self._model_of(await self._write("toggle_model_by_id", id=id, updated_at=int(time.time())))

    async def update_model_updated_at_by_id(self, id: str, db: AsyncSession | None = None) -> ModelModel | None:
        """Note that a model changed now; None if there is no such model."""
        return await self._touch(id)

    @default_on_error(lambda: None, log.exception, "Failed to update the model updated_at by id")
    async def _touch(self, id: str) -> ModelModel | None:
        return self._model_of(await self._write("update_model_updated_at_by_id", id=id, updated_at=int(time.time())))

    async def delete_model_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete a model with its versions and grants, if there is one."""
        await self._write("delete_models", ids=[id])
        return True

    async def delete_all_models(self, db: AsyncSession | None = None) -> bool:
        """Delete all models with their versions and grants."""
        await self._write("delete_all_models")
        return True

    async def sync_models(
        self, user_id: str, models: list[ModelModel], db: AsyncSession | None = None
    ) -> list[ModelModel]:
        """Make these the only models; the others go with their versions and grants.

        Raises:
            IntegrityError: A new model is listed twice.
            HTTPException: 409 if somebody else has changed one of them meanwhile, or one is changed by two of the list.
        """
        ids = [model.id for model in models]
        existing, rows = await self._read("get_models_to_sync", ids=ids)
        make = partial(_sync, user_id, models, rows)
        steps = await asyncio.to_thread(make) if len(models) > FEW else make()
        deleted = list(set(existing).difference(ids))
        written = self._models_of(await self._write("sync_models", steps=steps, ids=ids, deleted=deleted))
        by_id = {model.id: model for model in written}
        return [by_id[model.id] for model in models]


def _sync(user_id: str, models: list[ModelModel], rows: list[Any]) -> list[Row]:
    """Return what becomes of each listed model; the rows are those that are there already."""
    existing = {row["id"]: row for row in map(codec_of("model").decode, rows)}
    steps = []
    for model in models:
        # Versions of models that come from elsewhere are none of here: the form has none.
        form = ModelForm(**model.model_dump())
        current = existing.get(model.id)
        steps.append(creation(form, user_id) if current is None else change(form, user_id, current))
    return steps
