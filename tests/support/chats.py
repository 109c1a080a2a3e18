"""Builds chats, their messages and rows of both, and puts them into stock and PocketBase."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from open_webui.models.chat_messages import ChatMessage
from open_webui.models.chats import Chat

from openwebui_pocketbase.changes.indexer import Indexer
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.codec.json import NULL
from openwebui_pocketbase.codec.messages import APPEND
from openwebui_pocketbase.repositories.base import JSON
from openwebui_pocketbase.repositories.chats import PocketBaseChatMessages, PocketBaseChats
from openwebui_pocketbase.repositories.chats._codecs import MESSAGE
from openwebui_pocketbase.repositories.chats._parts import wire_of
from tests.support.differential import START, Contract, Pair

__all__ = [
    "CHAT",
    "CHATS",
    "NOBODY",
    "add_rows",
    "body",
    "chain",
    "chat",
    "columns_of",
    "entry",
    "index_all",
    "insert",
    "key",
    "linked",
    "message",
    "row",
    "seed",
    "seed_waiting",
    "unlinked",
]

Entry = dict[str, Any]

CHATS = Contract(
    name="Chats",
    tables=("chat", "chat_message"),
    subject=PocketBaseChats,
    bound={"ChatMessages": PocketBaseChatMessages},
)
"""Chats whose messages' rows are in PocketBase as well."""


def key(number: int) -> str:
    """Return the id of a chat."""
    return f"c0000000-0000-4000-8000-{number:012d}"


CHAT = key(1)

NOBODY = "c0000000-0000-4000-8000-00000000ffff"
"""An id that no chat has."""


def entry(id: str, parent: str | None = None, role: str = "user", **more: Any) -> Entry:
    """Return an entry of a chat's history."""
    return {"id": id, "parentId": parent, "childrenIds": [], "role": role, "content": f"text of {id}"} | more


def message(id: str, parent: str | None, role: str, **more: Any) -> Entry:
    """Return an entry with a time, without which the host takes one without parent for broken."""
    return entry(id, parent, role, **{"timestamp": 5, **more})


def linked(entries: dict[str, Entry]) -> dict[str, Entry]:
    """Let parents know their children."""
    for name, each in entries.items():
        if each["parentId"] in entries:
            entries[each["parentId"]]["childrenIds"].append(name)
    return entries


def chain(*ids: str) -> dict[str, Entry]:
    """Return messages of which each answers the one before."""
    parents = (None, *ids)
    made = [message(each, parents[n], "assistant" if n % 2 else "user") for n, each in enumerate(ids)]
    return linked({each["id"]: each for each in made})


def body(*ids: str, **more: Any) -> dict[str, Any]:
    """Return the body of a chat with a chain of messages."""
    history = {"messages": chain(*ids), "currentId": ids[-1] if ids else None}
    return {"title": "A chat", "models": ["m"], "history": history, "params": {}} | more


def unlinked(*messages: Entry, current: str = "x") -> dict[str, Any]:
    """Return the body of a chat whose messages are not linked to each other."""
    return body(history={"currentId": current, "messages": {each["id"]: each for each in messages}})


def chat(number: int | str, messages: dict[str, Any] | None = None, **columns: Any) -> Chat:
    """Return a chat with a history.

    Args:
        number: What its id is made from, or its id.
        messages: Of the history.
        columns: Columns that are unlike the usual ones.
    """
    title = f"Chat {number}"
    usual = {
        "user_id": "u1",
        "title": title,
        "chat": {"title": title, "history": {"messages": messages or {}, "currentId": None}},
        "created_at": START - 100 + number if isinstance(number, int) else 1,
        "updated_at": START + number if isinstance(number, int) else 2,
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
    return Chat(id=key(number) if isinstance(number, int) else number, **usual | columns)


def row(chat_number: int | str, message: str, **columns: Any) -> ChatMessage:
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
    chat_id = key(chat_number) if isinstance(chat_number, int) else chat_number
    return ChatMessage(id=f"{chat_id}-{message}", chat_id=chat_id, **usual | columns)


def columns_of(item: Any) -> dict[str, Any]:
    """Return the columns of a row."""
    return {column.name: getattr(item, column.name) for column in item.__table__.columns}


async def insert(client: PocketBaseClient, item: Chat, rows: Iterable[ChatMessage] = ()) -> None:
    """Put a chat with rows of its messages into PocketBase."""
    await client.write("chats/insert_chats", wire_of(columns_of(item), [*map(columns_of, rows)]))


async def seed(pair: Pair, chats: list[Chat], rows: list[ChatMessage] = []) -> None:  # noqa: B006 - is not changed
    """Put chats with rows of their messages into both."""
    for item in chats:
        await insert(pair.client, item, [each for each in rows if each.chat_id == item.id])
    async with pair.database.engine.begin() as connection:
        # An ORM object would get the column's default where it is None.
        await connection.execute(Chat.__table__.insert(), [*map(columns_of, chats)])
        if rows:
            await connection.execute(ChatMessage.__table__.insert(), [*map(columns_of, rows)])
    await pair._compare_rows("seed")


async def seed_waiting(pair: Pair, *chats: Chat) -> None:
    """Put chats into both; half of them wait for the full-text index."""
    for some in (chats[::2], chats[1::2]):
        await index_all(pair.client)
        if some:
            await seed(pair, [*some])


async def add_rows(pair: Pair, rows: list[tuple[ChatMessage, Entry]]) -> None:
    """Put rows into both; of every other one the chat's body has the given entry as well."""
    records = []
    for number, (each, given) in enumerate(rows):
        chat_id = each.chat_id
        message_id = each.id.removeprefix(f"{chat_id}-")
        position, copy = (0, NULL) if number % 2 else (APPEND, JSON.owned(given))
        fields = MESSAGE.fields(chat_id, message_id, position, copy, columns_of(each))
        records.append(MESSAGE.new_record(fields))
    await pair.client.write("chats/insert_chats", {"chats": [], "messages": records})
    async with pair.database.engine.begin() as connection:
        await connection.execute(ChatMessage.__table__.insert(), [columns_of(each) for each, _ in rows])
    await pair._compare_rows("seed")


async def index_all(client: PocketBaseClient) -> int:
    """Add what waits to the full-text indexes; return how much that was."""
    indexer = Indexer(client)
    total = 0
    while done := await indexer.index_waiting():
        total += done
    return total
