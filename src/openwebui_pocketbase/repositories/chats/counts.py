"""How many chats there are."""

from __future__ import annotations

from typing import Any

from open_webui.models.chats import ACTIVE_CHAT_GAP_SECONDS
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.chats._base import ChatRepository

__all__ = ["CountChats"]


class CountChats(ChatRepository):
    """The methods of `ChatTable` that count chats."""

    async def _count(self, *filters: str, **parameters: Any) -> int:
        number: int = await self._read("count_chats", filters=filters, **parameters)
        return number

    async def count_archived_chats_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> int:
        """Return how many archived chats the user has."""
        return await self._count("of_user", "archived", "visible", user_id=user_id)

    async def count_chats_by_folder_id_and_user_id(
        self, folder_id: str, user_id: str, db: AsyncSession | None = None
    ) -> int:
        """Return how many chats the user has in a folder."""
        return await self._count("of_user", "in_folder", "visible", folder_id=folder_id, user_id=user_id)

    async def count_chats_by_folder_ids_and_user_id(
        self, folder_ids: list[str], user_id: str, db: AsyncSession | None = None
    ) -> int:
        """Return how many chats the user has in several folders."""
        if not folder_ids:
            return 0
        return await self._count("of_user", "in_folders", "visible", folder_ids=folder_ids, user_id=user_id)

    async def count_all_chats_by_folder_id(self, folder_id: str, db: AsyncSession | None = None) -> int:
        """Return how many chats of all users a folder shows."""
        return await self._count("in_folder", "unpinned", "active", "visible", folder_id=folder_id)

    async def count_unread_by_folder_ids(
        self, user_id: str, folder_ids: list[str], db: AsyncSession | None = None
    ) -> dict[str, int]:
        """Return ``{folder_id: number}`` of the user's unread chats, where there are any."""
        if not folder_ids:
            return {}
        return dict(await self._read("count_unread_by_folder_ids", user_id=user_id, folder_ids=folder_ids))

    async def get_user_usage_chat_stats(self, user_id: str, db: AsyncSession | None = None) -> dict[str, int]:
        """Return how many chats the user has, and for how many seconds the longest of them went on."""
        total, seconds = await self._read(
            "get_user_usage_chat_stats", user_id=user_id, longest_pause=ACTIVE_CHAT_GAP_SECONDS
        )
        return {"total_chats": total, "longest_chat_seconds": seconds}
