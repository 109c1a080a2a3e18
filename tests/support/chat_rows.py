"""Rows of the tables of chats as tests seed them, in stock and in PocketBase."""

from __future__ import annotations

from typing import Any

from open_webui.models.chat_messages import ChatMessage
from open_webui.models.chats import Chat

from openwebui_pocketbase.codec.chats import chat_wire
from tests.support.differential import START, Pair

__all__ = ["chat", "entry", "key", "row", "seed"]


def key(number: int) -> str:
    """Return the id of a chat."""
    return f"c0000000-0000-4000-8000-{number:012d}"


def chat(number: int, messages: dict[str, Any] | None = None, **columns: Any) -> Chat:
    """Return a chat with a history.

    Args:
        number: What its id is made from.
        messages: Of the history.
        columns: Columns that are unlike the usual ones.
    """
    body = {"title": f"Chat {number}", "history": {"messages": messages or {}, "currentId": None}}
    usual = {
        "user_id": "u1",
        "title": f"Chat {number}",
        "chat": body,
        "created_at": START - 100 + number,
        "updated_at": START + number,
        "share_id": None,
        "archived": False,
        "pinned": False,
        "meta": {},
        "variables": {},
        "folder_id": None,
        "tasks": None,
        "summary": None,
        "current_message_id": None,
        "last_read_at": START,
        "timer_at": None,
    }
    return Chat(id=key(number), **usual | columns)


def entry(id: str, parent: str | None = None, role: str = "user", **more: Any) -> dict[str, Any]:
    """Return an entry of a chat's history."""
    return {"id": id, "parentId": parent, "childrenIds": [], "role": role, "content": f"text of {id}"} | more


def row(chat_number: int, message: str, **columns: Any) -> ChatMessage:
    """Return a row of ``chat_message``."""
    usual = {
        "user_id": "u1",
        "role": "user",
        "parent_id": None,
        "content": f"text of {message}",
        "output": None,
        "model_id": None,
        "files": None,
        "sources": None,
        "embeds": None,
        "meta": None,
        "done": True,
        "status_history": None,
        "error": None,
        "usage": None,
        "context_summary": None,
        "created_at": START,
        "updated_at": START,
    }
    chat_id = key(chat_number)
    return ChatMessage(id=f"{chat_id}-{message}", chat_id=chat_id, **usual | columns)


async def seed(pair: Pair, chats: list[Chat], rows: list[ChatMessage] = []) -> None:  # noqa: B006 - is not changed
    """Put chats with rows of their messages into both."""
    messages = [_columns(message) for message in rows]
    for item in map(_columns, chats):
        own = [message for message in messages if message["chat_id"] == item["id"]]
        await pair.client.write("chats/insert_chats", chat_wire(item, own))
    async with pair.database.engine.begin() as connection:
        # An ORM object would get the column's default where it is None.
        await connection.execute(Chat.__table__.insert(), [*map(_columns, chats)])
        if messages:
            await connection.execute(ChatMessage.__table__.insert(), messages)
    await pair._compare_rows("seed")


def _columns(item: Any) -> dict[str, Any]:
    return {column.name: getattr(item, column.name) for column in item.__table__.columns}
