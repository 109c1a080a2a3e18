"""One chat, and facts about chats whose ids are given."""

from __future__ import annotations

from typing import Any, Literal

from open_webui.models.chats import Chat, ChatModel
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.chats._base import ChatRepository
from openwebui_pocketbase.repositories.chats._transaction import given_draft
from openwebui_pocketbase.repositories.errors import default_on_error

__all__ = ["GetChats"]


class GetChats(ChatRepository):
    """The methods of `ChatTable` that read chats by their ids."""

    @default_on_error(lambda: None)
    async def get_chat_by_id(self, id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Return the chat as it is shown: without NULs, with its messages linked; None if there is none."""
        return self._shown(await self._read_chat("get_chat_by_id", id=id))

    @default_on_error(lambda: None)
    async def get_chat_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChatModel | None:
        """Return the user's chat as `get_chat_by_id` does."""
        return self._shown(await self._read_chat("get_chat_by_id_and_user_id", id=id, user_id=user_id))

    async def get_accessible_chat_by_id(
        self,
        id: str,
        user: Any,
        db: AsyncSession | None = None,
        *,
        permission: Literal["read", "write"] = "read",
        chat: Chat | ChatModel | None = None,
    ) -> ChatModel | None:
        """Return the chat if the user may read or write it.

        While a turn is added to a chat of the user's, this is the chat as it was read for that.
        """
        draft = given_draft(id)
        if chat is None and draft is not None and draft.columns is not None and draft.columns["user_id"] == user.id:
            chat = ChatModel.model_validate(draft.row_of_chat())
        return await super().get_accessible_chat_by_id(id, user, db, permission=permission, chat=chat)

    def _shown(self, read: tuple[dict[str, Any], bool] | None) -> ChatModel | None:
        if read is None:
            return None
        columns, has_nul = read
        model = ChatModel.model_validate(columns)
        if has_nul:
            model.chat = self._clean_null_bytes(model.chat)
        self._repair_chat_current_id(model.chat)
        return model

    @default_on_error(lambda: False)
    async def is_chat_owner(self, id: str, user_id: str, db: AsyncSession | None = None) -> bool:
        """Return whether the chat is the user's."""
        is_owner: bool = await self._read("is_chat_owner", id=id, user_id=user_id)
        return is_owner

    @default_on_error(lambda: None)
    async def get_chat_folder_id(self, id: str, user_id: str, db: AsyncSession | None = None) -> str | None:
        """Return the folder of the user's chat."""
        found = await self._read("get_chat_folder_id", id=id, user_id=user_id)
        return found[0] if found else None

    async def get_chat_title_by_id(self, id: str) -> str | None:
        """Return the chat's title; None if there is no chat."""
        found = await self._read("get_chat_title_by_id", id=id)
        return (found[0] or "New Chat") if found else None

    async def get_chat_tasks_by_id(self, id: str) -> list[dict[str, Any]]:
        """Return the chat's list of tasks."""
        tasks = await self._read("get_chat_tasks_by_id", id=id)
        return [] if tasks is None else tasks

    async def get_chat_metas_by_chat_ids(
        self, chat_ids: list[str], include_archived: bool = False, db: AsyncSession | None = None
    ) -> list[dict[str, Any]]:
        """Return those of the chats' ``meta`` that are objects."""
        parameters = {"ids": chat_ids, "include_archived": include_archived}
        metas = await self._read("get_chat_metas_by_chat_ids", **parameters)
        return [meta for meta in metas if isinstance(meta, dict)]

    async def get_owner_ids_by_chat_ids(self, chat_ids: list[str], db: AsyncSession | None = None) -> dict[str, str]:
        """Return ``{chat_id: user_id}`` of those chats."""
        if not chat_ids:
            return {}
        return dict(await self._read("get_owner_ids_by_chat_ids", ids=chat_ids))

    async def get_participant_ids_by_chat_ids(
        self, chat_ids: list[str], db: AsyncSession | None = None
    ) -> dict[str, list[str]]:
        """Return ``{chat_id: ids of the authors of questions}``."""
        participants: dict[str, list[str]] = {chat_id: [] for chat_id in chat_ids}
        if chat_ids:
            pairs = await self._read("get_participant_ids_by_chat_ids", ids=chat_ids)
            for chat_id, author_id in pairs:
                participants[chat_id].append(author_id)
        return participants
