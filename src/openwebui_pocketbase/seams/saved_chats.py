"""The few functions of the host that read the messages of the chat which a write returns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from openwebui_pocketbase.repositories.chats._lazy import reads_saved_chat

__all__ = ["reading_saved_chats"]

P = ParamSpec("P")
T = TypeVar("T")


def reading_saved_chats(stock: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Return a function of the host as it is; within it a write reads its chat while the event loop serves others."""

    @wraps(stock)
    async def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        before = reads_saved_chat.set(True)
        try:
            return await stock(*args, **kwargs)
        finally:
            reads_saved_chat.reset(before)

    return reading
