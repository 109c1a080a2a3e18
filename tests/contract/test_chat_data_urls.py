"""Chats with pictures and other files within themselves: what the stock classes do, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.chats import ChatForm, ChatImportForm

from openwebui_pocketbase.data_urls import LARGE, PREFIX
from openwebui_pocketbase.repositories.chats import PocketBaseChatMessages, PocketBaseChats
from openwebui_pocketbase.repositories.chats.snapshots import PocketBaseSharedChats
from tests.support.chats import CHAT, body, chain, key, message, row, seed
from tests.support.chats import chat as new_chat
from tests.support.differential import Contract, Opened, Pair

ALL = Contract(
    name="Chats",
    tables=("chat", "chat_message", "shared_chat"),
    subject=PocketBaseChats,
    bound={"ChatMessages": PocketBaseChatMessages, "SharedChats": PocketBaseSharedChats},
)

PNG, OTHER = (f"data:image/png;base64,{letter * LARGE}" for letter in "Aq")
SMALL = "data:image/png;base64,AAAA"
MARK = f"{PREFIX}{'0' * 40}"


def picture(url: str) -> dict[str, Any]:
    return {"type": "image", "url": url}


def of(**more: Any) -> dict[str, Any]:
    """A chat as browsers save it: its messages in the history, and again in a list."""
    messages = chain("a", "b", "c")
    messages["a"].update(more)
    return body(history={"messages": messages, "currentId": "c"}, messages=[*messages.values()])


BODIES = {
    "a picture": of(files=[picture(PNG)]),
    "twice, and another": of(files=[picture(PNG), picture(PNG), picture(OTHER), picture(SMALL)]),
    "as content": of(content=PNG, files=[picture(PNG)]),
    "in content": of(content=[{"type": "image_url", "image_url": {"url": PNG}}], output=[{"image": PNG}]),
    "cut off in content": of(content=f'see <img src="{PNG}'),
    "as a member's name": of(files=[{PNG: 1}]),
    "within other text": of(content=f'see "{PNG}"', files=[picture(f"{PNG} and more"), picture(f"{PNG}\n")]),
    "spelled otherwise": of(files=[picture(f"{PNG}\\"), picture(f"{PNG}é"), picture(f'{PNG}"')]),
    "marks": of(content=MARK, files=[picture(MARK), picture(PNG)], sources=[{"x": f"{PREFIX}x"}]),
    "numbers": of(files=[picture(PNG), {"n": [1.0, 2**60, 1e300]}]),
}


@pytest.fixture
async def pair(oracle: str, opened: Opened, may_create_chats: None) -> AsyncIterator[Pair]:
    async with opened(ALL, oracle) as pair:
        yield pair


@pytest.mark.parametrize("name", BODIES)
async def test_chats_are_as_they_were(pair: Pair, name: str) -> None:
    """Made, read, changed, copied, shared, saved as a whole."""
    given = BODIES[name]
    await pair.call("insert_new_chat", CHAT, "u1", ChatForm(chat=given))
    await pair.call("get_chat_by_id", CHAT)
    if name != "in content" or pair.database.is_sqlite:  # on PostgreSQL stock's search looks at texts only
        await pair.call("get_chats_by_user_id_and_search_text", "u1", "AAAAAAA")
    await pair.call("update_chat_title_by_id", CHAT, "another")
    await pair.call("upsert_message_to_chat_by_id_and_message_id", CHAT, "a", {"content": "edited"})
    await pair.call("add_message_status_to_chat_by_id_and_message_id", CHAT, "a", {"description": "a step"})
    await pair.call("add_message_files_by_id_and_message_id", CHAT, "c", [picture(PNG)])
    await pair.call("get_message_by_id_and_message_id", CHAT, "a")
    await pair.call("get_message_metadata", CHAT, "a", "files")
    await pair.call("toggle_chat_pinned_by_id", CHAT)
    await pair.call("import_chats", "u2", [ChatImportForm(chat=given), ChatImportForm(chat=given)])
    await pair.call("insert_shared_chat_by_chat_id", CHAT)
    await pair.call("update_chat_by_id", CHAT, {**given, "title": "as a whole"})
    await pair.call("get_chats_by_user_id", "u2")
    for words in ("base64", "png", PREFIX, "edited"):
        if name == "in content" and not pair.database.is_sqlite:
            continue  # stock's search on PostgreSQL looks at texts only, ours as on SQLite
        await pair.call("get_chats_by_user_id_and_search_text", "u1", words)
    await pair.call("delete_message_from_chat_by_id_and_message_id", CHAT, "c")
    await pair.call("get_chat_by_id", CHAT)


async def test_what_sql_has_stays_readable(pair: Pair) -> None:
    """Rows whose entries say something else than the row."""
    messages = {"a": message("a", None, "user", files=[picture(PNG)])}
    await seed(pair, [new_chat(CHAT, messages)], [row(CHAT, "a", files=[picture(OTHER)], sources=[picture(PNG)])])
    await pair.call("get_chat_by_id", CHAT)
    await pair.call("upsert_message_to_chat_by_id_and_message_id", CHAT, "a", {"content": "edited"})
    await pair.call("insert_new_chat", key(2), "u1", ChatForm(chat=of(files=[picture(OTHER)])))
