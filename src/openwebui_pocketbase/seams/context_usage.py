"""The share of a model's context that a chat takes, which the host computes whenever a chat is opened.

It reads all rows of messages for that before it looks whether anybody wants to know: only with context compaction,
which is off by default. What else its read is for are the rows of older chats: those that are missing are made.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import wraps
from types import FunctionType
from typing import Any, Final

from open_webui.models.chats import Chats

from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.repositories.chats._cache import cache_of
from openwebui_pocketbase.seams._rebind import rebound

__all__ = ["if_wanted"]

REMEMBERED = 10_000
"""Of how many chats is remembered that no row is missing."""

NO_MESSAGES: Final[dict[str, Any]] = {"": {}}
"""A map in which the host finds no message; an empty one would have it look into the chat's body."""


def if_wanted(stock: FunctionType) -> Callable[..., Awaitable[Any]]:
    """Return `get_chat_context_usage`, which reads no messages unless there is something to find out or to make.

    The stock function runs as it is, except that its global name ``Chats`` means what knows that.
    """
    known = _Linked()

    @wraps(stock)
    async def get_chat_context_usage(*args: Any, **kwargs: Any) -> Any:
        # A copy per call: the module's other functions may be replaced at any time.
        settings = stock.__globals__["_load_config"]
        return await rebound(stock, Chats=_MessagesIfWanted(known, settings))(*args, **kwargs)

    return get_chat_context_usage


class _MessagesIfWanted:
    """In the place of ``Chats``."""

    def __init__(self, known: _Linked, settings: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        self._known = known
        self._settings = settings

    async def get_messages_map_by_chat_id(self, chat_id: str) -> dict[str, Any] | None:
        """Return the messages of a chat by id, or `NO_MESSAGES`."""
        if not (await self._settings())["enable"] and await self._known.has(chat_id):
            return NO_MESSAGES
        found: dict[str, Any] | None = await Chats.get_messages_map_by_chat_id(chat_id)
        return found


class _Linked:
    """Chats of which every message has a row, as far as the rows' parents say; by id, the version it was seen at."""

    def __init__(self) -> None:
        self._versions: OrderedDict[str, int] = OrderedDict()

    async def has(self, chat_id: str) -> bool:
        """Return whether the host would make no rows; a chat that has not changed is not asked about again."""
        assert isinstance(Chats, PocketBaseChats)  # noqa: S101 - the seam is there only then
        reading = cache_of(Chats.pocketbase).reading(chat_id)
        if reading is not None and self._versions.get(chat_id) == reading.version:
            self._versions.move_to_end(chat_id)
            return True
        version, is_linked = await Chats.pocketbase.read("chat_messages/are_linked", {"chat_id": chat_id})
        if is_linked and version is not None:
            self._versions[chat_id] = version
            self._versions.move_to_end(chat_id)
            if len(self._versions) > REMEMBERED:
                self._versions.popitem(last=False)
        return bool(is_linked)
