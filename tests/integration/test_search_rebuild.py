"""The full-text indexes, made anew by the command, are as the writes made them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from open_webui.models.chats import Chat
from open_webui.models.messages import Message
from typer.testing import CliRunner

from openwebui_pocketbase.changes.indexer import AT_ONCE
from openwebui_pocketbase.cli import app
from openwebui_pocketbase.cli import search as command
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.repositories.messages import PocketBaseMessages
from tests.support import channel_messages
from tests.support.chats import chat, columns_of, index_all, insert, key
from tests.support.differential import clear
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess

TEXTS: list[Any] = [
    "an early needle",
    "Größe ÄÖÜ",
    ["a list", 5],
    7,
    None,
    "名前を検索する",
    "x " * 40_000,
    "QUJD" * 60 + " file",
]
DONE = [None, True, False]


def made(number: int) -> Chat:
    messages = {}
    for index, content in enumerate(TEXTS):
        entry = {"id": f"m{index}", "role": "user", "content": content}
        done = DONE[(number + index) % len(DONE)]
        messages[f"m{index}"] = entry if done is None else entry | {"done": done}
    body = {"history": {"messages": messages, "currentId": None}, "messages": [{"content": f"legacy {number}"}]}
    return chat(number, chat=body, title=f"Title Nr. {number}", updated_at=number)


def said() -> list[Message]:
    """Messages of a channel; a model still writes the last one."""
    texts = [text for text in TEXTS if isinstance(text, str)]
    return [
        *(channel_messages.message(number, text) for number, text in enumerate(texts)),
        channel_messages.message(90, "an early needle", meta={"model_id": "m"}),
    ]


@pytest.fixture
async def chats(
    pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[PocketBaseChats]:
    for name, value in {"URL": pocketbase.url, "IDENTITY": IDENTITY, "PASSWORD": PASSWORD}.items():
        monkeypatch.setenv(f"OPENWEBUI_POCKETBASE_{name}", value)
    monkeypatch.setenv("STORAGE_BACKEND", "pocketbase")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr(command, "AT_ONCE", {**AT_ONCE, "limit": 3})  # so that there are several steps
    repository = object.__new__(PocketBaseChats)
    client = repository.pocketbase = pocketbase.client()
    await clear(client, "chat", "chat_message", "message")
    for number in range(5):
        await insert(client, made(number))
    for row in said():
        await channel_messages.insert(client, columns_of(row))
    await index_all(client)
    yield repository
    await clear(client, "chat", "chat_message", "message")
    await client.aclose()


def rebuild() -> str:
    result = CliRunner().invoke(app, ["search", "rebuild"])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


async def found(chats: PocketBaseChats, text: str) -> list[int]:
    return [chat.updated_at for chat in await chats.get_chats_by_user_id_and_search_text("u1", text)]


async def found_in_channel(chats: PocketBaseChats, text: str) -> int:
    messages = object.__new__(PocketBaseMessages)
    messages.pocketbase = chats.pocketbase
    return len(await messages.search_messages_by_channel_ids(["c1"], text))


def indexed(server: PocketBaseProcess) -> tuple[list[list[Any]], list[Any]]:
    """Return what the indexes have, and which messages are in none."""
    with server.admin() as admin:
        words = admin.sql("SELECT term, doc FROM owui_chat_messages_words ORDER BY term, doc")
        titles = admin.sql("SELECT id FROM owui_chats_search_docsize ORDER BY id")
        in_channels = admin.sql("SELECT term, doc FROM owui_messages_words ORDER BY term, doc")
        left_out = admin.sql("SELECT key FROM owui_chat_messages WHERE doc < 0 ORDER BY key")
        left_out += admin.sql("SELECT id FROM owui_messages WHERE doc < 0 ORDER BY id")
        return [words, titles, in_channels], left_out


async def test_it_is_as_the_writes_made_it(chats: PocketBaseChats, pocketbase: PocketBaseProcess) -> None:
    before = indexed(pocketbase)
    assert len(before[0][0]) > 50
    assert len(before[0][2]) > 20
    assert {"id": said()[-1].id} in before[1]
    assert rebuild().endswith(f"{5 * len(TEXTS) + len(said())} messages indexed.\n")
    assert indexed(pocketbase) == before


async def test_a_lost_index_comes_back(chats: PocketBaseChats, pocketbase: PocketBaseProcess) -> None:
    await chats.pocketbase.write("indexer/clear_indexes", {})
    assert await found(chats, "early needle") == [2]  # what is not done is looked through
    assert await found(chats, "title") == []
    assert await found_in_channel(chats, "early needle") == 1
    rebuild()
    assert await found_in_channel(chats, "early needle") == 2
    assert await found(chats, "early needle") == [4, 3, 2, 1, 0]
    assert await found(chats, "title") == await found(chats, "legacy") == [4, 3, 2, 1, 0]


async def test_what_others_have_changed(chats: PocketBaseChats, pocketbase: PocketBaseProcess) -> None:
    entry = "json_set(entry, '$.content', 'something strange')"
    with pocketbase.admin() as admin:
        admin.sql(f"UPDATE owui_chat_messages SET entry = {entry} WHERE key = '{key(0)}-m0'")
    assert await found(chats, "something strange") == [0]
    assert 0 not in await found(chats, "early needle")
    assert {"key": f"{key(0)}-m0"} in indexed(pocketbase)[1]
    rebuild()
    assert {"key": f"{key(0)}-m0"} not in indexed(pocketbase)[1]
    assert await found(chats, "something strange") == [0]
    assert 0 not in await found(chats, "early needle")


async def test_texts_in_lower_case_that_sql_left_behind(chats: PocketBaseChats, pocketbase: PocketBaseProcess) -> None:
    """SQLite itself knows only the letters of ASCII."""
    message = f"{key(0)}-m{TEXTS.index('Größe ÄÖÜ')}"
    first, second, *_ = (row.id for row in said())
    with pocketbase.admin() as admin:
        admin.sql(f"UPDATE owui_chat_messages SET entry = json_set(entry, '$.content', 'Öde') WHERE key = '{message}'")
        admin.sql(f"UPDATE owui_messages SET content = 'Öde Übung' WHERE id = '{first}'")
        admin.sql(f"UPDATE owui_messages SET content = 'A plain one' WHERE id = '{second}'")
    assert await found(chats, "öde") == []
    assert [await found_in_channel(chats, text) for text in ("öde", "plain", "größe")] == [0, 0, 1]
    rebuild()
    assert await found(chats, "öde") == [0]
    assert 0 not in await found(chats, "größe")
    assert [await found_in_channel(chats, text) for text in ("öde übung", "plain", "größe")] == [1, 1, 0]
    left_out = indexed(pocketbase)[1]
    assert not [row for row in left_out if row in ({"key": message}, {"id": first}, {"id": second})]
