"""Changes of chats besides what is said in them: marks, places, links."""

from __future__ import annotations

import time
from typing import Any

from open_webui.models.chats import ChatModel, ChatTitleIdResponse
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec.chats import CHAT, decode_chat
from openwebui_pocketbase.repositories.chats._lazy import answer_of
from openwebui_pocketbase.repositories.chats.history import ChatHistory
from openwebui_pocketbase.repositories.chats.lists import listed
from openwebui_pocketbase.repositories.errors import default_on_error

__all__ = ["ChatState"]


class ChatState(ChatHistory):
    """The methods of `ChatTable` that set columns, and nothing else."""

    async def _change(self, method: str, columns: dict[str, Any], toggled: str | None = None, **parameters: Any) -> Any:
        """Change columns of one or many chats.

        Args:
            method: Name of the hook.
            columns: What the hook sets.
            toggled: A column that can be None which the hook sets by itself.
            parameters: What else it needs.
        """
        changes = CHAT.changes(columns)
        changes["columns"] += [toggled] if toggled else []
        return await self.pocketbase.write(f"chats/{method}", changes | parameters)

    async def _change_one(
        self, method: str, id: str, columns: dict[str, Any], toggled: str | None = None, **parameters: Any
    ) -> ChatModel | None:
        wire = await self._change(method, columns, toggled, id=id, **parameters)
        return ChatModel.model_validate(decode_chat(wire)) if wire else None

    async def _set(self, id: str, columns: dict[str, Any]) -> ChatModel | None:
        """Set columns, and answer with the chat, of which the host hardly ever looks at the messages."""
        wire = await self._change("update_chat", columns, id=id)
        if not wire:
            return None
        return await answer_of(ChatModel.model_validate(CHAT.decode(wire)), lambda: self._whole(id))

    @default_on_error(lambda: None)
    async def update_chat_variables_by_id(
        self, id: str, variables: dict[str, Any] | None, db: AsyncSession | None = None, *, touch: bool = True
    ) -> ChatModel | None:
        """Set the variables of the chat's prompt."""
        columns: dict[str, Any] = {"variables": variables if isinstance(variables, dict) else {}}
        columns |= {"updated_at": int(time.time())} if touch else {}
        return await self._set(id, columns)

    @default_on_error(lambda: None)
    async def update_chat_share_id_by_id(
        self, id: str, share_id: str | None, db: AsyncSession | None = None
    ) -> ChatModel | None:
        """Note under which id the chat is shared; None also if another chat is shared under it."""
        return await self._set(id, {"share_id": share_id})

    @default_on_error(lambda: None)
    async def update_chat_tasks_by_id(self, id: str, tasks: list[dict[str, Any]]) -> ChatModel | None:
        """Set the chat's list of tasks."""
        return await self._set(id, {"tasks": tasks})

    @default_on_error(lambda: None)
    async def toggle_chat_pinned_by_id(self, id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Pin the chat, or not any more."""
        now = int(time.time())
        columns = {"updated_at": now, "last_read_at": now}
        return await self._change_one("toggle_chat_pinned_by_id", id, columns, "pinned")

    @default_on_error(lambda: None)
    async def toggle_chat_archive_by_id(self, id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Archive the chat, or not any more; it leaves its folder."""
        now = int(time.time())
        columns = {"folder_id": None, "updated_at": now, "last_read_at": now}
        return await self._change_one("toggle_chat_archive_by_id", id, columns, "archived")

    @default_on_error(lambda: None)
    async def update_chat_folder_id_by_id_and_user_id(
        self, id: str, user_id: str, folder_id: str, db: AsyncSession | None = None
    ) -> ChatModel | None:
        """Move the chat, whoever's it is; in its folder it is neither pinned nor archived."""
        columns: dict[str, Any] = {"folder_id": folder_id, "updated_at": int(time.time()), "pinned": False}
        columns |= {"archived": False} if folder_id is not None else {}
        return await self._change_one("update_chat_folder_id", id, columns, user_id=user_id)

    @default_on_error(lambda: None)
    async def update_chat_last_read_at_by_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> tuple[int, bool] | None:
        """Note that the user looked at the chat: return when, and whether there was something new."""
        now = int(time.time())
        method = "update_chat_last_read_at_by_id"
        was_unread = await self._change(method, {"last_read_at": now}, id=id, user_id=user_id)
        return None if was_unread is None else (now, was_unread)

    @default_on_error(lambda: None)
    async def mark_chat_unread_by_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChatTitleIdResponse | None:
        """Show the user's chat as one with something new."""
        wire = await self._change("mark_chat_unread_by_id", {"last_read_at": 0}, id=id, user_id=user_id)
        return ChatTitleIdResponse.model_validate(listed(wire)) if wire else None

    async def mark_chats_read_by_folder_ids(
        self, user_id: str, folder_ids: list[str], db: AsyncSession | None = None
    ) -> int:
        """Show the user's chats in those folders as read; return how many these are."""
        if not folder_ids:
            return 0
        return await self._mark_read("mark_chats_read_by_folder_ids", user_id=user_id, folder_ids=folder_ids)

    async def mark_chats_read_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> int:
        """Show the user's chats as read; return how many these are."""
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

    @default_on_error(lambda: False)
    async def delete_shared_chats_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """Delete the snapshots of the user's chats, and the links to them."""
        await self._change("delete_shared_chats_by_user_id", {"share_id": None}, user_id=user_id)
        return True
