"""Tags in PocketBase; the hooks are in ``owui/tags.js``."""

from __future__ import annotations

import logging
from typing import Any

from open_webui.models.tags import TagModel, TagTable
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.exceptions import ConflictError
from openwebui_pocketbase.repositories.base import PocketBaseRepository
from openwebui_pocketbase.repositories.errors import default_on_error, integrity_error

__all__ = ["PocketBaseTags", "tag_id"]

log = logging.getLogger(__name__)


def tag_id(name: str) -> str:
    """Return the id of a tag with this name."""
    return name.replace(" ", "_").lower()


class PocketBaseTags(PocketBaseRepository, TagTable):
    """`open_webui.models.tags.TagTable` with its rows in PocketBase."""

    route = "tags"
    table = "tag"
    model = TagModel

    async def insert_new_tag(self, name: str, user_id: str, db: AsyncSession | None = None) -> TagModel | None:
        """Create a tag; None if the user has one with this id."""
        return await self._insert({"id": tag_id(name), "name": name, "user_id": user_id, "meta": None})

    @default_on_error(lambda: None, log.exception, "Error inserting tag")
    async def _insert(self, tag: dict[str, Any]) -> TagModel:
        return self._model_of(await self._write("insert_new_tag", tag=self._encoded(tag)))

    @default_on_error(lambda: None)
    async def get_tag_by_name_and_user_id(
        self, name: str, user_id: str, db: AsyncSession | None = None
    ) -> TagModel | None:
        """Return the user's tag of this name, or None."""
        return await self._one("get_tag_by_name_and_user_id", id=tag_id(name), user_id=user_id)

    async def get_tags_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[TagModel]:
        """Return the user's tags, oldest first."""
        return await self._many("get_tags_by_user_id", user_id=user_id)

    async def get_tags_by_ids_and_user_id(
        self, ids: list[str], user_id: str, db: AsyncSession | None = None
    ) -> list[TagModel]:
        """Return those of the user's tags, by id."""
        return await self._many("get_tags_by_ids_and_user_id", ids=ids, user_id=user_id)

    @default_on_error(lambda: False, log.error, "delete_tag")
    async def delete_tag_by_name_and_user_id(self, name: str, user_id: str, db: AsyncSession | None = None) -> bool:
        """Delete the user's tag of this name; True also if there is none."""
        return await self._delete([tag_id(name)], user_id)

    @default_on_error(lambda: False, log.error, "delete_tags_by_ids")
    async def delete_tags_by_ids_and_user_id(
        self, ids: list[str], user_id: str, db: AsyncSession | None = None
    ) -> bool:
        """Delete those of the user's tags."""
        return await self._delete(ids, user_id) if ids else True

    async def _delete(self, ids: list[str], user_id: str) -> bool:
        await self._write("delete_tags_by_ids_and_user_id", ids=ids, user_id=user_id)
        return True

    async def ensure_tags_exist(self, names: list[str], user_id: str, db: AsyncSession | None = None) -> None:
        """Create those tags that the user does not have.

        Raises:
            IntegrityError: Two of the new names have the same id; nothing is created then.
        """
        if not names:
            return
        try:
            await self._write("ensure_tags_exist", ids=[tag_id(name) for name in names], names=names, user_id=user_id)
        except ConflictError as error:
            raise integrity_error("ensure_tags_exist", error) from error
