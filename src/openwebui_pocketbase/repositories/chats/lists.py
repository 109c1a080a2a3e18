"""Lists of chats, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from open_webui.models.chats import Chat, ChatListResponse, ChatModel, ChatTable, ChatTitleIdResponse
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec.chats import decode_chat
from openwebui_pocketbase.repositories.base import PocketBaseRepository

__all__ = ["AS_STORED", "ChatLists", "listed", "sendable", "titles"]

Order = list[tuple[str, bool]]
"""What is sorted by, and whether it descends; names as in ``chat_lists.js``."""

LATEST: Order = [("updated_at", True), ("id", False)]

LATEST_OF_FEW: Order = [("+updated_at", True), ("id", False)]
"""The same where a better index than that of the order finds the chats."""

AS_STORED: Order = [("rowid", False)]
"""The order in which SQLite answers the host where this does not ask for one."""

_COLUMNS = ("id", "title", "user_id", "updated_at", "created_at", "last_read_at")
_LIST = TypeAdapter(list[ChatTitleIdResponse])  # one call for all rows is faster than one for each

WHOLES_AT_ONCE = 50
"""Whole chats in one request, after the first one."""

INT64 = range(-(2**63), 2**63)


def listed(wire: list[Any]) -> dict[str, Any]:
    """Return the columns which ``chat_lists.js`` gives of a chat in a list."""
    return dict(zip(_COLUMNS, wire, strict=True))


def titles(rows: list[dict[str, Any]]) -> list[ChatTitleIdResponse]:
    """Return rows of a list as the host's objects."""
    return _LIST.validate_python(rows)


def sendable(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters.

    Raises:
        OverflowError: A page begins or ends beyond what SQLite can count; its driver says so, too.
    """
    for name in ("skip", "limit"):
        if (parameters.get(name) or 0) not in INT64:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
    return parameters


def _query(filter: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameter of the filter ``named``, if a text is looked for."""
    return {"query": f"{filter['query']}".lower()} if filter.get("query") else {}


def _sorted_like(sort_by: str, sort_dir: str, unread: str = "unread") -> Order:
    """Return the order which `open_webui.models.chats.chat_list_order` means."""
    if sort_by == "unread_updated_at":
        return [(unread, True), *LATEST]
    return [("title" if sort_by == "title" else "updated_at", sort_dir != "asc"), ("id", False)]


def _sorted_by(order_by: str, direction: str) -> Order:
    """Return the order by any column.

    Raises:
        AttributeError: There is no such column.
        ValueError: There is no such direction.
    """
    attribute = getattr(Chat, order_by)
    if direction.lower() not in ("asc", "desc"):
        raise ValueError("Invalid direction for ordering")
    column = attribute.asc().element.key  # what is no column has no such method
    return [(column, direction.lower() == "desc"), ("id", False)]


class ChatLists(PocketBaseRepository, ChatTable):
    """The methods of `ChatTable` that list and count chats."""

    async def _list(
        self, filters: list[str], order: Order, skip: int | None = None, limit: int | None = None, **parameters: Any
    ) -> list[dict[str, Any]]:
        """Return what lists have of chats.

        Args:
            filters: Names as in ``chat_lists.js``.
            order: What is sorted by.
            skip: How many are left out; fewer than one are none.
            limit: How many at most; none and less are all.
            parameters: Of the filters.
        """
        parameters |= {"filters": filters, "order": order, "skip": skip, "limit": limit or None}
        return [listed(wire) for wire in await self.pocketbase.read("chats/get_chat_list", sendable(parameters))]

    async def _titles(self, *args: Any, **parameters: Any) -> list[ChatTitleIdResponse]:
        return titles(await self._list(*args, **parameters))

    async def _wholes(self, filters: list[str], order: Order, **parameters: Any) -> tuple[list[ChatModel], int]:
        """Return whole chats, in parts if they are many, and how many there are if ``counted`` is true."""
        parameters |= {"filters": filters, "order": order}
        total, wires, others = await self.pocketbase.read("chats/get_whole_chats", sendable(parameters))
        chats = [ChatModel.model_validate(decode_chat(wire)) for wire in wires]
        for at in range(0, len(others), WHOLES_AT_ONCE):
            ids = others[at : at + WHOLES_AT_ONCE]
            rows = map(decode_chat, await self.pocketbase.read("chats/get_chats_by_ids", {"ids": ids}))
            by_id = {row["id"]: row for row in rows}
            chats += [ChatModel.model_validate(by_id[key]) for key in ids if key in by_id]
        return chats, total

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
        return await self._titles(filters, _sorted_like(sort_by, sort_dir), skip, limit, user_id=user_id)

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
                order = _sorted_by(order_by, direction)
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
                order = _sorted_by(order_by, direction)
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
        order = _sorted_like(sort_by, sort_dir)
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
        order = _sorted_like(sort_by, sort_dir, "unread" if unread_for_user_id is None else "unread_of_user")
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
                order = _sorted_by(order_by, direction)
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
