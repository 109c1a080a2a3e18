"""Tags of chats."""

from __future__ import annotations

from typing import Any

from open_webui.models.chats import ChatTitleIdResponse
from open_webui.models.tags import TagModel
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import codec_of, list_of
from openwebui_pocketbase.repositories.chats._base import ChatRepository, checked_page, list_row, titles
from openwebui_pocketbase.repositories.errors import default_on_error, integrity_errors
from openwebui_pocketbase.repositories.tags import tag_id

__all__ = ["TagsOfChats"]

_TAG = codec_of("tag")


class TagsOfChats(ChatRepository):
    """The methods of `ChatTable` for tags; they need the group `tags` in PocketBase."""

    async def update_chat_tags_by_id(self, id: str, tags: list[str], user: Any) -> None:
        """Replace the chat's tags.

        Raises:
            AttributeError: The chat's ``meta`` is no object.
            IntegrityError: Two tags which the user does not have yet have the same id: the chat has them, and none
                was created.
        """
        names = [name for name in tags if tag_id(name) != "none"]
        parameters = {"id": id, "user_id": user.id, "ids": [tag_id(name) for name in names], "names": names}
        with integrity_errors("update_chat_tags_by_id"):
            answer = await self._write("update_chat_tags_by_id", **parameters)
        if answer == "no object":
            raise AttributeError("meta is no object")
        if answer == "conflict":
            raise IntegrityError("update_chat_tags_by_id", None, ValueError("two tags have the same id"))

    async def add_chat_tag_by_id_and_user_id_and_tag_name(
        self, id: str, user_id: str, tag_name: str, db: AsyncSession | None = None
    ) -> None:
        """Add a tag to the chat; the user has it then, even if there is no such chat."""
        parameters = {"id": id, "user_id": user_id, "tag": tag_id(tag_name), "name": tag_name}
        with integrity_errors("add_chat_tag"):
            await self._write("add_chat_tag", **parameters)

    @default_on_error(lambda: False)
    async def delete_tag_by_id_and_user_id_and_tag_name(
        self, id: str, user_id: str, tag_name: str, db: AsyncSession | None = None
    ) -> bool:
        """Take a tag from the chat; False if there is no such chat."""
        is_done: bool = await self._write("delete_chat_tag", id=id, tag=tag_id(tag_name))
        return is_done

    async def get_chat_tags_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> list[TagModel]:
        """Return those of the user's tags which the chat has."""
        wires = await self._read("get_chat_tags_by_id_and_user_id", id=id, user_id=user_id)
        return list_of(TagModel).validate_python([_TAG.decode(wire) for wire in wires])

    async def get_chat_list_by_user_id_and_tag_name(
        self, user_id: str, tag_name: str, skip: int = 0, limit: int = 50, db: AsyncSession | None = None
    ) -> list[ChatTitleIdResponse]:
        """Return the user's chats with a tag, archived ones included."""
        parameters = {"user_id": user_id, "tag": tag_id(tag_name), "skip": skip, "limit": limit or None}
        wires = await self._read("get_chat_list_by_user_id_and_tag_name", **checked_page(parameters))
        return titles([list_row(wire) for wire in wires])

    async def count_chats_by_tag_ids_and_user_id(
        self, tag_ids: list[str], user_id: str, db: AsyncSession | None = None
    ) -> dict[str, int]:
        """Return ``{tag_id: number of the user's chats with it}``."""
        if not tag_ids:
            return {}
        parameters = {"tags": [tag_id(given) for given in tag_ids], "user_id": user_id}
        counts = await self._read("count_chats_by_tag_ids_and_user_id", **parameters)
        return dict(zip(tag_ids, counts, strict=True))

    async def delete_orphan_tags_for_user(
        self, tag_ids: list[str], user_id: str, threshold: int = 0, db: AsyncSession | None = None
    ) -> None:
        """Delete those of the user's tags that at most ``threshold`` chats have."""
        if tag_ids:
            tags = [[given, tag_id(given)] for given in tag_ids]
            parameters = {"tags": tags, "user_id": user_id, "threshold": threshold}
            await self._write("delete_orphan_tags_for_user", **parameters)
