"""Changing chats besides their messages: title, parameters, models, marks, places.

A method that sets columns leaves the chat's version alone: it does not get in the way of those who write messages
meanwhile. One that changes the body is a write like those of messages.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from open_webui.models.chats import Chat, ChatModel, ChatTitleIdResponse
from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.chats._base import ChatRepository, list_row
from openwebui_pocketbase.repositories.chats._codecs import CHAT
from openwebui_pocketbase.repositories.chats._draft import Draft
from openwebui_pocketbase.repositories.chats._lazy import SavedChat, saved_chat
from openwebui_pocketbase.repositories.chats._transaction import raises_outages
from openwebui_pocketbase.repositories.errors import default_on_error

__all__ = ["UpdateChats"]


class UpdateChats(ChatRepository):
    """The methods of `ChatTable` that change chats."""

    async def _edit_body(
        self, chat_id: str, edit: Callable[[Chat], None], owner: str | None = None
    ) -> ChatModel | None:
        """Change a chat besides its messages, and return it.

        Args:
            chat_id: Id of the chat; there need not be one, which gives None.
            edit: Changes it.
            owner: If it is not this user's chat, it is left alone and None is returned; None for any user's.
        """

        def edit_draft(draft: Draft) -> tuple[Draft, int, dict[str, Any]] | None:
            if draft.version is None or draft.columns is None or owner not in (None, draft.columns["user_id"]):
                return None
            draft.edited = draft.chat()
            edit(draft.edited)
            model = ChatModel.model_validate(draft.edited)  # the host does not write what it could not read
            return draft, draft.version, {name: getattr(model, name) for name in inspect(draft.edited).committed_state}

        edited = await self._edit(chat_id, (), edit_draft, with_row=True)
        if edited is None:
            return None
        draft, before, changed = edited
        assert draft.version is not None  # noqa: S101 - for the type checker
        model = ChatModel.model_validate({**draft.row_of_chat(), **changed})
        messages = self._cache.rename(chat_id, before, draft.version)
        if messages is None:
            return await saved_chat(model, lambda: self._whole(chat_id))
        return SavedChat.of(model, lambda: {"chat": {"history": {"messages": messages()}}})

    @raises_outages
    @default_on_error(lambda: None)
    async def update_chat_by_id(
        self, id: str, chat: dict[str, Any], db: AsyncSession | None = None, *, touch: bool = True
    ) -> ChatModel | None:
        """Set members of a chat's body, and merge its messages if they are among them; None if there is no chat."""
        if "history" in chat:
            return await super().update_chat_by_id(id, chat, db, touch=touch)
        return await self._set_members(id, chat, touch=touch)

    def is_probably_owner(self, id: str, user_id: str) -> bool:
        """Return whether the chat was the user's when this process met it last."""
        return self._cache.owner(id) == user_id

    @raises_outages
    @default_on_error(lambda: None)
    async def update_own_chat_by_id(
        self, id: str, user_id: str, chat: dict[str, Any], *, touch: bool
    ) -> ChatModel | None:
        """Set members of the body of the user's chat, messages not among them; None if it is not theirs."""
        return await self._set_members(id, chat, touch=touch, owner=user_id)

    async def _set_members(
        self, id: str, chat: dict[str, Any], *, touch: bool, owner: str | None = None
    ) -> ChatModel | None:
        def edit(item: Chat) -> None:
            item.chat = self._clean_null_bytes({**(item.chat or {}), **chat})
            item.title = item.chat.get("title", "New Chat")
            if any(key in chat for key in ("messages", "currentId", "branchPointMessageId")):
                item.current_message_id = self.get_current_message_id(item.chat)
            if touch:
                item.updated_at = int(time.time())

        return await self._edit_body(id, edit, owner)

    async def update_chat_params_by_id(self, id: str, params: dict[str, Any]) -> ChatModel | None:
        """Set some of a chat's parameters; None if there is no chat."""

        def edit(item: Chat) -> None:
            stored = item.chat or {}
            item.chat = {**stored, "params": self._clean_null_bytes({**(stored.get("params") or {}), **params})}

        return await self._edit_body(id, edit)

    @default_on_error(lambda: None)
    async def update_chat_title_by_id(self, id: str, title: str) -> ChatModel | None:
        """Set a chat's title; None if there is no chat."""
        clean_title = self._clean_null_bytes(title)

        def edit(item: Chat) -> None:
            item.title = clean_title
            item.chat = {**(item.chat or {}), "title": clean_title}

        return await self._edit_body(id, edit)

    async def _change_one(
        self, method: str, id: str, columns: dict[str, Any], toggled: str | None = None, **parameters: Any
    ) -> ChatModel | None:
        """Change columns of a chat, and return it; the host hardly ever looks at its messages."""
        wire = await self._change(method, columns, toggled, id=id, **parameters)
        if not wire:
            return None
        return await saved_chat(ChatModel.model_validate(CHAT.decode(wire)), lambda: self._whole(id))

    @default_on_error(lambda: None)
    async def update_chat_variables_by_id(
        self, id: str, variables: dict[str, Any] | None, db: AsyncSession | None = None, *, touch: bool = True
    ) -> ChatModel | None:
        """Set the variables of the chat's prompt."""
        columns: dict[str, Any] = {"variables": variables if isinstance(variables, dict) else {}}
        columns |= {"updated_at": int(time.time())} if touch else {}
        return await self._change_one("update_chat", id, columns)

    @default_on_error(lambda: None)
    async def update_chat_share_id_by_id(
        self, id: str, share_id: str | None, db: AsyncSession | None = None
    ) -> ChatModel | None:
        """Note under which id the chat is shared; None also if another chat is shared under it."""
        return await self._change_one("update_chat", id, {"share_id": share_id})

    @default_on_error(lambda: None)
    async def update_chat_tasks_by_id(self, id: str, tasks: list[dict[str, Any]]) -> ChatModel | None:
        """Set the chat's list of tasks."""
        return await self._change_one("update_chat", id, {"tasks": tasks})

    @default_on_error(lambda: None)
    async def toggle_chat_pinned_by_id(self, id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Pin the chat, or unpin it."""
        now = int(time.time())
        columns = {"updated_at": now, "last_read_at": now}
        return await self._change_one("toggle_chat_pinned_by_id", id, columns, "pinned")

    @default_on_error(lambda: None)
    async def toggle_chat_archive_by_id(self, id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Archive the chat, or take it out of the archive; it leaves its folder."""
        now = int(time.time())
        columns = {"folder_id": None, "updated_at": now, "last_read_at": now}
        return await self._change_one("toggle_chat_archive_by_id", id, columns, "archived")

    @default_on_error(lambda: None)
    async def update_chat_folder_id_by_id_and_user_id(
        self, id: str, user_id: str, folder_id: str, db: AsyncSession | None = None
    ) -> ChatModel | None:
        """Move the chat, whoever owns it; it is no longer pinned, nor archived if it is in a folder now."""
        columns: dict[str, Any] = {"folder_id": folder_id, "updated_at": int(time.time()), "pinned": False}
        columns |= {"archived": False} if folder_id is not None else {}
        return await self._change_one("update_chat_folder_id", id, columns, user_id=user_id)

    @default_on_error(lambda: None)
    async def update_chat_last_read_at_by_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> tuple[int, bool] | None:
        """Note that the user looked at the chat; return when, and whether it was unread."""
        now = int(time.time())
        method = "update_chat_last_read_at_by_id"
        was_unread = await self._change(method, {"last_read_at": now}, id=id, user_id=user_id)
        return None if was_unread is None else (now, was_unread)

    @default_on_error(lambda: None)
    async def mark_chat_unread_by_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChatTitleIdResponse | None:
        """Mark the user's chat as unread."""
        wire = await self._change("mark_chat_unread_by_id", {"last_read_at": 0}, id=id, user_id=user_id)
        return ChatTitleIdResponse.model_validate(list_row(wire)) if wire else None

    async def mark_chats_read_by_folder_ids(
        self, user_id: str, folder_ids: list[str], db: AsyncSession | None = None
    ) -> int:
        """Mark the user's chats in those folders as read; return how many there are."""
        if not folder_ids:
            return 0
        return await self._mark_read("mark_chats_read_by_folder_ids", user_id=user_id, folder_ids=folder_ids)

    async def mark_chats_read_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> int:
        """Mark the user's chats as read; return how many there are."""
        return await self._mark_read("mark_chats_read_by_user_id", user_id=user_id)

    async def _mark_read(self, method: str, **parameters: Any) -> int:
        number: int = await self._change(method, {}, "last_read_at", **parameters)
        return number

    @default_on_error(lambda: False)
    async def archive_all_chats_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """Archive the user's chats; they leave their folders."""
        await self._change("archive_all_chats_by_user_id", {"archived": True, "folder_id": None}, user_id=user_id)
        return True

    @default_on_error(lambda: False)
    async def unarchive_all_chats_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """Take the user's chats out of the archive."""
        await self._change("unarchive_all_chats_by_user_id", {"archived": False}, user_id=user_id)
        return True

    @default_on_error(lambda: False)
    async def move_chats_by_folder_id(
        self, folder_id: str, new_folder_id: str | None, db: AsyncSession | None = None
    ) -> bool:
        """Move all users' chats from one folder to another."""
        await self._change("move_chats_by_folder_id", {"folder_id": new_folder_id}, folder_id=folder_id)
        return True
