"""Lists of chats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from open_webui.models.chats import Chat, ChatListResponse, ChatModel, ChatTitleIdResponse
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.chats._base import ChatRepository, checked_page, titles
from openwebui_pocketbase.repositories.chats._names import names_in_sql
from openwebui_pocketbase.repositories.chats._orders import AS_STORED, LATEST, LATEST_OF_FEW, by_column, by_host_names
from openwebui_pocketbase.repositories.neighbours import is_on_pocketbase

__all__ = ["ListChats"]


def _query(filter: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameter of the filter ``named``, if a text is searched for."""
    return {"query": f"{filter['query']}".lower()} if filter.get("query") else {}


class ListChats(ChatRepository):
    """The methods of `ChatTable` that list chats."""

    async def _titles(self, *args: Any, **parameters: Any) -> list[ChatTitleIdResponse]:
        return titles(await self._list(*args, **parameters))

    async def get_chat_title_id_list_by_user_id(
        self,
        user_id: str,
        include_archived: bool = False,
        include_folders: bool = False,
        include_pinned: bool = False,
        sort_by: str = "updated_at",
        sort_dir: str = "desc",
        skip: int | None = None,
        limit: int | None = None,
        db: AsyncSession | None = None,
    ) -> list[ChatTitleIdResponse]:
        """Return the user's chats as the sidebar lists them."""
        filters = ["of_user", "visible"]
        filters += [] if include_folders else ["in_no_folder"]
        filters += [] if include_pinned else ["unpinned"]
        filters += [] if include_archived else ["active"]
        return await self._titles(filters, by_host_names(sort_by, sort_dir), skip, limit, user_id=user_id)

    async def get_chat_list_by_user_id(
        self,
        user_id: str,
        include_archived: bool = False,
        filter: dict[str, Any] | None = None,
        skip: int = 0,
        limit: int = 50,
        db: AsyncSession | None = None,
    ) -> list[ChatTitleIdResponse]:
        """Return the user's chats, with a text in their titles if the filter has a ``query``.

        Raises:
            AttributeError: There is no such column to sort by.
            ValueError: There is no such direction.
        """
        filters = ["of_user", "visible", *([] if include_archived else ["active"])]
        order, query = LATEST, {}
        if filter:
            query = _query(filter)
            order_by, direction = filter.get("order_by"), filter.get("direction")
            if order_by and direction:
                order = by_column(order_by, direction)
            elif not include_archived:
                order = AS_STORED
        filters += ["named"] if query else []
        return await self._titles(filters, order, skip, limit, user_id=user_id, **query)

    async def get_archived_chat_list_by_user_id(
        self,
        user_id: str,
        filter: dict[str, Any] | None = None,
        skip: int = 0,
        limit: int = 50,
        db: AsyncSession | None = None,
    ) -> list[ChatTitleIdResponse]:
        """Return the user's archived chats as `get_chat_list_by_user_id` does.

        Raises:
            ValueError: There is no such column or direction to sort by.
        """
        order, query = LATEST_OF_FEW, {}
        if filter:
            query = _query(filter)
            order_by, direction = filter.get("order_by"), filter.get("direction")
            order = AS_STORED
            if order_by and direction:
                if not getattr(Chat, order_by, None):
                    raise ValueError("Invalid order_by field")
                order = by_column(order_by, direction)
        filters = ["of_user", "archived", "visible", *(["named"] if query else [])]
        rows = await self._list(filters, order, skip, limit, user_id=user_id, **query)
        return titles([row | {"last_read_at": None} for row in rows])

    async def get_pinned_chats_by_user_id(
        self, user_id: str, db: AsyncSession | None = None
    ) -> list[ChatTitleIdResponse]:
        """Return the user's pinned chats, latest change first."""
        return await self._titles(["of_user", "pinned", "active", "visible"], LATEST_OF_FEW, user_id=user_id)

    async def get_chats_by_folder_id_and_user_id(
        self,
        folder_id: str,
        user_id: str,
        skip: int = 0,
        limit: int = 60,
        sort_by: str = "updated_at",
        sort_dir: str = "desc",
        db: AsyncSession | None = None,
    ) -> list[ChatTitleIdResponse]:
        """Return the user's chats in a folder, as it shows them."""
        filters = ["in_folder", "of_user", "unpinned", "active", "visible"]
        order = by_host_names(sort_by, sort_dir)
        return await self._titles(filters, order, skip, limit, folder_id=folder_id, user_id=user_id)

    async def get_all_chats_by_folder_id(
        self,
        folder_id: str,
        skip: int = 0,
        limit: int = 60,
        sort_by: str = "updated_at",
        sort_dir: str = "desc",
        unread_for_user_id: str | None = None,
        db: AsyncSession | None = None,
    ) -> list[dict[str, Any]]:
        """Return all users' chats in a folder, as it shows them; only this user's can be unread if one is named."""
        order = by_host_names(sort_by, sort_dir, "unread" if unread_for_user_id is None else "unread_of_user")
        filters = ["in_folder", "unpinned", "active", "visible"]
        return await self._list(filters, order, skip, limit, folder_id=folder_id, user_id=unread_for_user_id)

    async def get_chats(self, skip: int = 0, limit: int = 50, db: AsyncSession | None = None) -> list[ChatModel]:
        """Return all chats of all users, latest change first."""
        order = [("updated_at", True), ("user_id", True), ("rowid", True)]
        return (await self._wholes(["visible"], order))[0]

    async def get_chats_by_user_id(
        self,
        user_id: str,
        filter: dict[str, Any] | None = None,
        skip: int | None = None,
        limit: int | None = None,
        db: AsyncSession | None = None,
    ) -> ChatListResponse:
        """Return the user's chats, changed after a time if the filter has ``updated_at``, and how many these are."""
        filters, order, parameters = ["of_user", "visible"], LATEST, {}
        if filter:
            if filter.get("updated_at"):
                filters.append("newer")
                parameters["newer_than"] = filter["updated_at"]
            order_by, direction = filter.get("order_by"), filter.get("direction")
            if order_by and direction and hasattr(Chat, order_by) and direction.lower() in ("asc", "desc"):
                order = by_column(order_by, direction)
        page = {"skip": skip, "limit": limit, "counted": True}
        chats, total = await self._wholes(filters, order, user_id=user_id, **page, **parameters)
        return ChatListResponse(items=chats, total=total)

    async def get_archived_chats_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[ChatModel]:
        """Return the user's archived chats, latest change first."""
        return (await self._wholes(["of_user", "archived", "visible"], LATEST_OF_FEW, user_id=user_id))[0]

    async def get_chats_by_folder_ids_and_user_id(
        self, folder_ids: list[str], user_id: str, db: AsyncSession | None = None
    ) -> list[ChatModel]:
        """Return the user's chats in those folders, latest change first."""
        filters = ["in_folders", "of_user", "unpinned", "active", "visible"]
        return (await self._wholes(filters, LATEST_OF_FEW, folder_ids=folder_ids, user_id=user_id))[0]

    async def get_chat_list_by_chat_ids(
        self, chat_ids: list[str], skip: int = 0, limit: int = 50, db: AsyncSession | None = None
    ) -> list[ChatModel]:
        """Return those of the chats which lists have, latest change first."""
        return (await self._wholes(["in_list", "active", "visible"], LATEST_OF_FEW, ids=chat_ids))[0]

    async def get_internal_chat_ids_by_parent_id(self, parent_chat_id: str, user_id: str) -> list[str]:
        """Return the ids of the chats which the host made for sub-agents of a chat."""
        filters = ["of_user", "of_parent"]
        rows = await self._list(filters, LATEST, parent_chat_id=parent_chat_id, user_id=user_id)
        return [row["id"] for row in rows]

    async def get_internal_chat_by_note_id(
        self, note_id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChatModel | None:
        """Return the latest of the chats which the host made for a note."""
        return next(iter(await self._of_note(note_id, user_id, limit=1)), None)

    async def get_internal_chats_by_note_id(
        self, note_id: str, user_id: str, db: AsyncSession | None = None
    ) -> list[ChatModel]:
        """Return the chats which the host made for a note, latest change first."""
        return await self._of_note(note_id, user_id)

    async def _of_note(self, note_id: str, user_id: str, limit: int | None = None) -> list[ChatModel]:
        order = [("updated_at", True), ("created_at", True), ("id", False)]
        parameters = {"note_id": note_id, "user_id": user_id, "limit": limit}
        return (await self._wholes(["of_user", "of_note"], order, **parameters))[0]

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
        is_here = is_on_pocketbase("Users")
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
        total, rows = await self._read("get_chats_by_model_id", **checked_page(parameters))
        if not is_here:
            names = await names_in_sql({row[1] for row in rows}, db)
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
