"""Saving a chat's title and the like: the host reads the whole chat first, to see whose it is.

This process often knows that. Then it writes at once, on the condition that the chat is still the user's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from types import FunctionType, SimpleNamespace
from typing import Any

from open_webui.models.chats import Chats

from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.seams._rebind import rebound
from openwebui_pocketbase.seams.saved_chats import reading_saved_chats

__all__ = ["written_at_once"]


class _NotTheirsError(Exception):
    """The chat is not, or no longer, the user's."""


def written_at_once(stock: FunctionType) -> Callable[..., Awaitable[Any]]:
    """Return `update_chat_by_id`, which reads no chat that is known to be the user's.

    The stock function runs as it is, except that its global name ``Chats`` means one that knows whose the chat is; and
    once more, with the real one, if that was wrong.
    """
    plain = reading_saved_chats(stock)

    @wraps(stock)
    async def update_chat_by_id(**given: Any) -> Any:
        user_id = given["user"].id
        assert isinstance(Chats, PocketBaseChats)  # noqa: S101 - the seam is there only then
        if "history" not in given["form_data"].chat and Chats.is_probably_owner(given["id"], user_id):
            at_once = reading_saved_chats(rebound(stock, Chats=_Own(Chats, user_id)))
            try:
                return await at_once(**given)
            except _NotTheirsError:
                pass  # nothing was written
        return await plain(**given)

    return update_chat_by_id


class _Own:
    """In the place of ``Chats``: what the function asks it of a chat of one user."""

    def __init__(self, chats: PocketBaseChats, user_id: str) -> None:
        self._chats = chats
        self._user_id = user_id

    async def get_chat_by_id(self, id: str, db: Any = None) -> SimpleNamespace:
        """Return what has the owner that the chat has, as far as is known."""
        return SimpleNamespace(id=id, user_id=self._user_id)

    async def update_chat_by_id(self, id: str, chat: dict[str, Any], db: Any = None, *, touch: bool = True) -> Any:
        """Change the chat.

        Raises:
            _NotTheirsError: There is no such chat of the user's.
        """
        saved = await self._chats.update_own_chat_by_id(id, self._user_id, chat, touch=touch)
        if saved is None:
            raise _NotTheirsError
        return saved

    async def update_chat_variables_by_id(self, *args: Any, **kwargs: Any) -> Any:
        """Set the variables of the chat's prompt."""
        return await self._chats.update_chat_variables_by_id(*args, **kwargs)
