"""Several models at once: lists, a search, their tags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from open_webui.models.models import ModelListResponse, ModelModel, ModelsTable, ModelUserResponse, log
from open_webui.utils.misc import json_text_variants
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import JSON, list_of
from openwebui_pocketbase.repositories.errors import default_on_error
from openwebui_pocketbase.repositories.models import _owners
from openwebui_pocketbase.repositories.models._base import ModelRows
from openwebui_pocketbase.repositories.models._patterns import containing
from openwebui_pocketbase.repositories.neighbours import is_on_pocketbase

__all__ = ["ModelLists"]

_OWNER = ("id", "name", "role", "email")


class ModelLists(ModelRows):
    """The methods of models that return several, or something about several."""

    async def get_all_models(self, db: AsyncSession | None = None) -> list[ModelModel]:
        """Return all models with their grants, oldest first, but not those that the host cannot read."""
        return await self._made(self._readable, "get_all_models")

    async def get_models(
        self, writable_by_user_id: str | None = None, db: AsyncSession | None = None, ids: list[str] | None = None
    ) -> list[ModelUserResponse]:
        """Return models that are based on another one, with their owners.

        Args:
            writable_by_user_id: Only models which this user owns or may write, in person or as member of a group.
            db: For users in the SQL database.
            ids: Only these; they come in the order of their ids, others oldest first.
        """
        of = {"resource_type": "model", "permission": "write", "user_id": writable_by_user_id or None}
        page = await self._with_owners("get_models", db, ids=None if ids is None else list(ids), **of)
        return list(page.items)

    async def get_base_models(self, tag: str | None = None, db: AsyncSession | None = None) -> list[ModelModel]:
        """Return models that change one of a provider's, oldest first; of a tag, if one is given."""

        def tagged(rows: list[Any]) -> list[ModelModel]:
            models = [self._decoded(row) for row in rows]
            if tag:
                models = [model for model in models if ModelsTable._meta_has_tag(model["meta"], tag)]  # noqa: SLF001 - the host's own
            return list_of(ModelModel).validate_python(models)

        return await self._made(tagged, "get_base_models")

    @default_on_error(list)
    async def get_models_by_ids(self, ids: list[str], db: AsyncSession | None = None) -> list[ModelModel]:
        """Return those models in the order of their ids."""
        return await self._made(self._models_of, "get_models_by_ids", ids=list(ids))

    async def search_models(
        self,
        user_id: str,
        filter: dict[str, Any] = {},  # noqa: B006 - as the stock method; nothing changes it
        skip: int = 0,
        limit: int = 30,
        db: AsyncSession | None = None,
    ) -> ModelListResponse:
        """Return a page of the models that are based on another one, with their owners, and how many there are.

        Args:
            user_id: Who asks.
            filter: ``query`` is in the model's name, in that of its base, or in its owner's names or address; ``%``
                and ``_`` are wildcards. ``view_option`` ``created`` or ``shared``: models of whoever asks, or of
                others. ``user_id`` and ``group_ids``: what these may read. ``tag``; ``order_by`` and ``direction``.
                An empty filter: latest first.
            skip: How many models are before the page.
            limit: Most models on a page; 0 for all.
            db: For users in the SQL database.
        """
        asked: dict[str, Any] = {"limit": limit or None, "skip": skip or None, "ascending": True}
        if not filter:
            asked |= {"order_by": "created_at", "ascending": False}
            return await self._with_owners("search_models", db, **asked)
        if query := filter.get("query"):
            asked["query"] = f"{query}".lower()
            if is_on_pocketbase("Users"):
                asked["username_pattern"] = next(iter(containing(f"{query}", has_wildcards=True)), None)
            else:
                asked["owner_ids"] = await _owners.owners_like(query, await self._read("get_owner_ids"), db)
        view = {"created": "created_by", "shared": "not_created_by"}.get(filter.get("view_option", ""))
        asked |= {view: user_id} if view else {}
        reader, groups = filter.get("user_id"), filter.get("group_ids")
        if reader or groups:
            asked |= {"resource_type": "model", "permission": "read"}
            asked |= {"user_id": reader or None, "user_group_ids": list(groups or ())}
        if tag := filter.get("tag"):
            asked["tag_patterns"] = [
                pattern for variant in json_text_variants(tag) for pattern in containing(f'"{variant}"')
            ]
        if order_by := filter.get("order_by"):
            asked |= {"order_by": order_by, "ascending": filter.get("direction") == "asc"}
        return await self._with_owners("search_models", db, **asked)

    async def get_all_tags(
        self,
        user_id: str,
        is_admin: bool = False,
        is_base_model: bool = False,
        db: AsyncSession | None = None,
    ) -> set[str]:
        """Return the names of all tags.

        Args:
            user_id: Only those of models which this user owns or may read, in person or as member of a group.
            is_admin: All the same, of all models.
            is_base_model: Of the models that change one of a provider's, instead of those based on another one.
            db: Ignored.
        """
        of = {"resource_type": "model", "permission": "read", "user_id": None if is_admin else user_id or None}
        found = await self._read("get_all_tags", is_base_model=bool(is_base_model), **of)
        return {name for tags in found for name in _names(tags)}

    async def get_model_owner_ids_by_file_id(
        self, file_id: str, db: AsyncSession | None = None, include_background: bool = False
    ) -> dict[str, str]:
        """Return the owners of models that have a file, by the model's id.

        Args:
            file_id: The file.
            db: Ignored.
            include_background: Also models that show the file: as background, or as part of an avatar.
        """
        found = await self._read("get_models_by_file_id", file_id=file_id, include_background=bool(include_background))
        return {
            model_id: user_id
            for model_id, user_id, text in found
            if _has_file(meta := JSON.loads(text), file_id) or (include_background and _shows_file(meta, file_id))
        }

    def _readable(self, rows: Sequence[Any]) -> list[ModelModel]:
        try:
            return self._models_of(rows)
        except ValidationError:
            return list(self._one_by_one(rows))

    def _one_by_one(self, rows: Sequence[Any]) -> Iterator[ModelModel]:
        for row in rows:
            model = self._decoded(row)
            try:
                yield ModelModel.model_validate(model)
            except ValidationError as error:
                log.error("Skipping model %r during get_all_models due to error: %s", model["id"], error)

    async def _with_owners(self, method: str, db: AsyncSession | None, **parameters: Any) -> ModelListResponse:
        with_users = is_on_pocketbase("Users")

        def decoded(page: dict[str, Any]) -> dict[str, Any]:
            return page | {"models": [self._decoded(row) for row in page["models"]]}

        page = await self._made(decoded, method, with_users=with_users, **parameters)
        rows = page["owners"] if with_users else await _owners.owners({row["user_id"] for row in page["models"]}, db)
        owners = {row[0]: dict(zip(_OWNER, row, strict=True)) for row in rows}
        items = [{**row, "user": owners.get(row["user_id"])} for row in page["models"]]
        return ModelListResponse(items=list_of(ModelUserResponse).validate_python(items), total=page["total"])


def _names(tags: Any) -> Iterator[str]:
    """Yield the names of a model's tags, whatever somebody has made of these."""
    for tag in tags:
        name = tag.get("name") if isinstance(tag, dict) else str(tag)
        if name and not isinstance(name, dict | list):
            yield name


def _has_file(meta: Any, file_id: str) -> bool:
    """Return whether a model has the file in its knowledge."""
    knowledge = meta.get("knowledge") or []
    return any(
        isinstance(item, dict) and item.get("type") == "file" and item.get("id") == file_id for item in knowledge
    )


def _shows_file(meta: Any, file_id: str) -> bool:
    """Return whether a model has the file as its background, or in its avatar."""
    avatar = meta.get("voice_avatar") or {}
    assets = [avatar, *avatar.get("states", {}).values(), *avatar.get("gestures", [])]
    is_background = meta.get("background_image_url") == f"/api/v1/files/{file_id}/content"
    return is_background or any(asset.get("file_id") == file_id for asset in assets)
