"""How many chats there are, and short answers about several of them."""

from __future__ import annotations

from typing import Any

from open_webui.internal.db import get_async_db_context
from open_webui.models.chats import ACTIVE_CHAT_GAP_SECONDS, ChatTable
from open_webui.models.users import User, Users
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import PocketBaseRepository
from openwebui_pocketbase.repositories.chats.lists import sendable

__all__ = ["ChatFigures"]

NAMES_AT_ONCE = 500
"""Users in one SQL query; each is a variable of the statement."""


class ChatFigures(PocketBaseRepository, ChatTable):
    """The methods of `ChatTable` that count chats, or say something about several."""

    async def _count(self, *filters: str, **parameters: Any) -> int:
        number: int = await self.pocketbase.read("chats/count_chats", parameters | {"filters": filters})
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
        """Return ``{folder_id: number}`` of the user's chats with something new, where there are any."""
        if not folder_ids:
            return {}
        parameters = {"user_id": user_id, "folder_ids": folder_ids}
        return dict(await self.pocketbase.read("chats/count_unread_by_folder_ids", parameters))

    async def get_chat_metas_by_chat_ids(
        self, chat_ids: list[str], include_archived: bool = False, db: AsyncSession | None = None
    ) -> list[dict[str, Any]]:
        """Return what is noted in those chats' ``meta``."""
        parameters = {"ids": chat_ids, "include_archived": include_archived}
        metas = await self.pocketbase.read("chats/get_chat_metas_by_chat_ids", parameters)
        return [meta for meta in metas if isinstance(meta, dict)]

    async def get_owner_ids_by_chat_ids(self, chat_ids: list[str], db: AsyncSession | None = None) -> dict[str, str]:
        """Return ``{chat_id: user_id}`` of those chats."""
        if not chat_ids:
            return {}
        return dict(await self.pocketbase.read("chats/get_owner_ids_by_chat_ids", {"ids": chat_ids}))

    async def get_participant_ids_by_chat_ids(
        self, chat_ids: list[str], db: AsyncSession | None = None
    ) -> dict[str, list[str]]:
        """Return ``{chat_id: ids of those who asked}``."""
        participants: dict[str, list[str]] = {chat_id: [] for chat_id in chat_ids}
        if chat_ids:
            pairs = await self.pocketbase.read("chats/get_participant_ids_by_chat_ids", {"ids": chat_ids})
            for chat_id, author_id in pairs:
                participants[chat_id].append(author_id)
        return participants

    async def get_user_usage_chat_stats(self, user_id: str, db: AsyncSession | None = None) -> dict[str, int]:
        """Return how many chats the user has, and for how many seconds the longest of them went on."""
        parameters = {"user_id": user_id, "longest_pause": ACTIVE_CHAT_GAP_SECONDS}
        total, seconds = await self.pocketbase.read("chats/get_user_usage_chat_stats", parameters)
        return {"total_chats": total, "longest_chat_seconds": seconds}

    async def get_chats_by_model_id(
        self,
        model_id: str,
        filter: dict[str, Any] | None = None,
        skip: int = 0,
        limit: int = 50,
        db: AsyncSession | None = None,
    ) -> dict[str, Any]:
        """Return a page of the chats with messages of a model, and how many there are.

        The filter has ``start_date`` and ``end_date`` in seconds, ``order_by`` and ``direction``.
        """
        wanted = filter or {}
        order = wanted.get("order_by") if wanted.get("order_by") in ("title", "user_name") else "updated_at"
        is_ascending = wanted.get("direction") == "asc"
        is_here = isinstance(Users, PocketBaseRepository)
        sorts_here = order == "user_name" and not is_here
        parameters = {
            "model_id": model_id,
            "start": wanted.get("start_date") or None,
            "end": wanted.get("end_date") or None,
            "order": order,
            "ascending": is_ascending,
            "is_here": is_here,
            "skip": None if sorts_here else skip,
            "limit": None if sorts_here else limit or None,
        }
        total, rows = await self.pocketbase.read("chats/get_chats_by_model_id", sendable(parameters))
        if not is_here:
            names = await _names({row[1] for row in rows}, db)
            rows = [[*row[:4], names.get(row[1])] for row in rows]
        if sorts_here:
            rows.sort(key=lambda row: row[0])
            rows.sort(key=lambda row: (row[4] is not None, row[4] or ""), reverse=not is_ascending)
            rows = rows[max(skip or 0, 0) :]
            rows = rows[:limit] if limit and limit > 0 else rows
        return {"items": [_item(*row) for row in rows], "total": total}


def _item(chat_id: str, user_id: str | None, title: str, updated_at: int, user_name: str | None) -> dict[str, Any]:
    return {
        "chat_id": chat_id,
        "user_id": user_id,
        "user_name": user_name,
        "first_message": title,
        "updated_at": updated_at,
    }


async def _names(user_ids: set[str | None], db: AsyncSession | None) -> dict[str | None, str]:
    """Return the names of users who are in the SQL database."""
    wanted = [user_id for user_id in user_ids if user_id is not None]
    names: dict[str | None, str] = {}
    async with get_async_db_context(db) as session:
        for at in range(0, len(wanted), NAMES_AT_ONCE):
            some = wanted[at : at + NAMES_AT_ONCE]
            found = await session.execute(select(User.id, User.name).where(User.id.in_(some)))
            names |= dict(found.tuples().all())
    return names
