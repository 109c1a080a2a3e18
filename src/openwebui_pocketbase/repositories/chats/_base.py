"""What the methods of `ChatTable` have in common: reading whole chats, listing rows, changing columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from open_webui.models.chats import ChatModel, ChatTable, ChatTitleIdResponse
from pydantic import TypeAdapter

from openwebui_pocketbase.codec.chats import join
from openwebui_pocketbase.repositories.base import LARGE, in_thread_if
from openwebui_pocketbase.repositories.chats._codecs import CHAT
from openwebui_pocketbase.repositories.chats._orders import Order
from openwebui_pocketbase.repositories.chats._transaction import ChatWriter

__all__ = ["ChatRepository", "checked_page", "list_row", "titles"]

_COLUMNS = ("id", "title", "user_id", "updated_at", "created_at", "last_read_at")
_TITLES = TypeAdapter(list[ChatTitleIdResponse])  # one call for all rows is faster than one for each

CHATS_AT_ONCE = 50
"""Whole chats in one request, after the first one."""

INT64 = range(-(2**63), 2**63)


def list_row(wire: list[Any]) -> dict[str, Any]:
    """Return the columns of a chat in a list, as ``owui/chats/_filters.js`` sends them."""
    return dict(zip(_COLUMNS, wire, strict=True))


def titles(rows: list[dict[str, Any]]) -> list[ChatTitleIdResponse]:
    """Return rows of a list as the host's models."""
    return _TITLES.validate_python(rows)


def checked_page(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of a page.

    Raises:
        OverflowError: The page begins or ends beyond what SQLite can count; its driver raises the same.
    """
    for name in ("skip", "limit"):
        if (parameters.get(name) or 0) not in INT64:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
    return parameters


class ChatRepository(ChatWriter, ChatTable):
    """Mixed into each of the classes whose methods make up `PocketBaseChats`."""

    route = "chats"
    table = "chat"
    model = ChatModel

    async def _read_chat(self, method: str, **parameters: Any) -> tuple[dict[str, Any], bool] | None:
        """Read a chat as it is stored, without its messages if they have not changed since it was read last.

        Args:
            method: A method that finds the chat.
            parameters: Its parameters; the chat's ``id`` is among them.

        Returns:
            The chat's columns, and whether a NUL may be in its texts; None if there is no such chat.
        """
        chat_id = parameters["id"]
        before = self._cache.reading(chat_id)
        asked = parameters | {"version": before.version if before else None}
        reply = await self.pocketbase.read_bytes(f"{self.route}/{method}", asked)

        def decoded() -> tuple[dict[str, Any], bool] | None:
            read = self._cache.read(chat_id, before, reply)
            if read is None:
                return None
            row, messages, has_nul = read
            columns = CHAT.decode(row)
            join(columns["chat"], messages)
            return columns, has_nul

        size = len(reply) + (before.size if before else 0)
        return await in_thread_if(size >= LARGE, decoded)

    async def _whole(self, chat_id: str) -> ChatModel | None:
        """Return a chat as it is stored, with its messages."""
        read = await self._read_chat("get_chat_by_id", id=chat_id)
        return ChatModel.model_validate(read[0]) if read else None

    def _whole_of(self, wire: list[Any] | None) -> ChatModel | None:
        """Return a whole chat that came from PocketBase; None for none."""
        return ChatModel.model_validate(CHAT.decode_whole(wire)) if wire else None

    def _wholes_of(self, wires: Iterable[list[Any]]) -> list[ChatModel]:
        """Return whole chats that came from PocketBase."""
        return [ChatModel.model_validate(CHAT.decode_whole(wire)) for wire in wires]

    async def _list(
        self, filters: list[str], order: Order, skip: int | None = None, limit: int | None = None, **parameters: Any
    ) -> list[dict[str, Any]]:
        """Return the rows of a list of chats.

        Args:
            filters: Names as in ``owui/chats/_filters.js``.
            order: What is sorted by.
            skip: How many are left out; fewer than one are none.
            limit: How many at most; none and less are all.
            parameters: Of the filters.
        """
        parameters |= {"filters": filters, "order": order, "skip": skip, "limit": limit or None}
        return [list_row(wire) for wire in await self._read("get_chat_list", **checked_page(parameters))]

    async def _wholes(self, filters: list[str], order: Order, **parameters: Any) -> tuple[list[ChatModel], int]:
        """Return whole chats, in parts if they are many, and how many there are if ``counted`` is true."""
        parameters |= {"filters": filters, "order": order}
        total, wires, others = await self._read("get_whole_chats", **checked_page(parameters))
        chats = self._wholes_of(wires)
        for at in range(0, len(others), CHATS_AT_ONCE):
            ids = others[at : at + CHATS_AT_ONCE]
            by_id = {chat.id: chat for chat in self._wholes_of(await self._read("get_chats_by_ids", ids=ids))}
            chats += [by_id[key] for key in ids if key in by_id]
        return chats, total

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
        return await self._write(method, **changes, **parameters)
