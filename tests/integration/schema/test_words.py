"""A server whose index has other words than are looked up now is indexed anew, and its searches are exact meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.schema.bootstrap import bring_up
from tests.support.chats import chat as row_of
from tests.support.chats import index_all, insert, key
from tests.support.pocketbase import PocketBaseProcess
from tests.support.schema import MIGRATIONS, StartServer, changes, copied_migrations

BEFORE = 11
"""The last version of the schema that had words of eight letters without spaces."""

TEXTS = ["名前を検索する", "ค้นหาชื่อผู้ใช้", "a needle and 検索 too"]


def by_admin_api(server: PocketBaseProcess, tmp_path: Path) -> None:
    with server.admin() as admin:
        bring_up(admin)


def by_migrations(server: PocketBaseProcess, tmp_path: Path) -> None:
    server.stop()
    server.migrations_dir = copied_migrations(tmp_path / "all", MIGRATIONS)
    server.start()


def fill_as_before(admin: AdminClient) -> None:
    """Index the messages as that version did."""
    admin.sql("UPDATE owui_chat_messages SET waits = FALSE, doc = rowid")
    for number, text in enumerate(TEXTS):
        words = " ".join(word[start : start + 8] for word in text.split() for start in range(max(len(word) - 1, 0)))
        admin.sql(
            f"INSERT INTO owui_chat_messages_search (rowid, text) "
            f"SELECT doc, '{words}' FROM owui_chat_messages WHERE chat_id = '{key(number)}'"
        )


def indexed(admin: AdminClient) -> tuple[Any, ...]:
    found = admin.sql(
        "SELECT (SELECT count(*) FROM owui_chat_messages_search_docsize) AS docs, "
        "(SELECT count(*) FROM owui_chat_messages WHERE waits = TRUE AND doc < 0) AS waiting, "
        "(SELECT count(*) FROM owui_chat_messages_words WHERE term = '名前を検索する') AS whole, "
        "(SELECT count(*) FROM owui_chat_messages_words WHERE term = '検索') AS of_two"
    )
    return tuple(int(found[0][name]) for name in ("docs", "waiting", "whole", "of_two"))


async def searched(server: PocketBaseProcess) -> list[list[int]]:
    chats = object.__new__(PocketBaseChats)
    chats.pocketbase = server.client()
    asked = ["検索", "前を検索", "索す", "นหาช", "eedle", "検索 needle", "検索 名前", "索検"]
    found = [await chats.get_chats_by_user_id_and_search_text("u1", text) for text in asked]
    await chats.pocketbase.aclose()
    return [sorted(chat.updated_at for chat in page) for page in found]


EXPECTED = [[0, 2], [0], [0], [1], [2], [2], [], []]


@pytest.mark.parametrize("way", [by_admin_api, by_migrations])
async def test_an_index_of_former_words_is_made_anew(
    way: Callable[[PocketBaseProcess, Path], None], start: StartServer, tmp_path: Path
) -> None:
    server = start(BEFORE)
    client = server.client()
    for number, text in enumerate(TEXTS):
        message = {"id": "m", "role": "user", "content": text}
        await insert(client, row_of(number, chat={"history": {"messages": {"m": message}, "currentId": None}}))
    with server.admin() as admin:
        admin.sql("UPDATE owui_chats SET updated_at = CAST(substr(id, -1) AS INTEGER)")
        fill_as_before(admin)
        assert indexed(admin) == (len(TEXTS), 0, 1, 1)
        seen = changes(admin)
    await client.aclose()
    way(server, tmp_path)
    with server.admin() as admin:
        assert indexed(admin) == (0, len(TEXTS), 0, 0)
        assert changes(admin) == seen
        assert await searched(server) == EXPECTED
        client = server.client()
        await index_all(client)
        await client.aclose()
        assert indexed(admin) == (len(TEXTS), 0, 0, 2)
    assert await searched(server) == EXPECTED
