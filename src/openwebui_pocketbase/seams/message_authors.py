"""The authors of a chat's questions: nearly always the user who opens it, who is known already."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from typing import Any

__all__ = ["knowing_the_reader"]


def knowing_the_reader(stock: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return `shared_chat_response`, which reads the users that are not the reader.

    The stock function runs as it is. It takes a name from a question that has it; where no question of the reader has
    one, the first gets it.
    """

    @wraps(stock)
    async def shared_chat_response(chat: Any, user: Any = None, db: Any = None) -> Any:
        if user is not None and user.name:
            _name(chat, user)
        return await stock(chat, user, db)

    return shared_chat_response


def _name(chat: Any, reader: Any) -> None:
    """Give the first of the reader's questions the reader's name, unless one has a name."""
    questions = (message for message in _messages(chat.chat) if message.get("role") == "user")
    first = None
    for message in questions:
        author = message.get("user")
        author = author if isinstance(author, dict) else {}
        if (message.get("user_id") or author.get("id") or chat.user_id) != reader.id:
            continue
        if author.get("id") == reader.id and author.get("name"):
            return
        first = first or message
    if first is not None:
        first["user_id"] = reader.id  # the host sets both, in this order
        first["user"] = {"id": reader.id, "name": reader.name}


def _messages(body: Any) -> Iterator[dict[str, Any]]:
    """Yield the messages of a body that are where the host looks for them; what is none is left to the host."""
    history = body.get("history")
    entries = history.get("messages") if isinstance(history, dict) else None
    legacy = body.get("messages")
    yield from (each for each in entries.values() if isinstance(each, dict)) if isinstance(entries, dict) else ()
    yield from (each for each in legacy if isinstance(each, dict)) if isinstance(legacy, list) else ()
