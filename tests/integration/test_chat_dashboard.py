"""Chats and messages that are changed in PocketBase's dashboard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from open_webui.models import chat_messages
from open_webui.models.chats import ChatForm

from openwebui_pocketbase.client import AdminClient, PocketBaseClient
from openwebui_pocketbase.exceptions import ResponseError
from openwebui_pocketbase.host.binding import bind
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from tests.support.chats import CHAT as C
from tests.support.chats import body
from tests.support.pocketbase import PocketBaseProcess


@pytest.fixture
async def chats(own_pocketbase: PocketBaseProcess, may_create_chats: None) -> AsyncIterator[PocketBaseChats]:
    client: PocketBaseClient = own_pocketbase.client()
    chats = PocketBaseChats()
    chats.pocketbase = client
    await chats.insert_new_chat(C, "u1", ChatForm(chat=body("a", "b")))
    await chats.upsert_message_to_chat_by_id_and_message_id(C, "b", {"content": "ours", "done": False})
    repository = "openwebui_pocketbase.repositories.chats.message_rows:PocketBaseChatMessages"
    undo = bind(chat_messages, "ChatMessages", repository, {"pocketbase": client})
    yield chats
    undo()
    await client.aclose()


async def found(chats: PocketBaseChats, text: str) -> list[str]:
    return [chat.id for chat in await chats.get_chats_by_user_id_and_search_text("u1", text)]


def record(admin: AdminClient, message_id: str) -> str:
    (row,) = admin.sql(f"SELECT id FROM owui_chat_messages WHERE key = '{C}-{message_id}'")
    return f"/api/collections/owui_chat_messages/records/{row['id']}"


async def test_a_message_edited_meanwhile_is_not_overwritten(
    own_pocketbase: PocketBaseProcess, chats: PocketBaseChats
) -> None:
    with own_pocketbase.admin() as admin:
        entry = {"id": "b", "parentId": "a", "childrenIds": [], "role": "assistant", "content": "ÄNDERUNG", "x": 1}
        admin.send("PATCH", record(admin, "b"), {"entry": entry})
    assert await found(chats, "änd") == [C]
    assert await found(chats, "ours") == []
    await chats.upsert_message_to_chat_by_id_and_message_id(C, "b", {"done": True})
    chat = await chats.get_chat_by_id(C)
    assert chat is not None
    assert chat.chat["history"]["messages"]["b"] == {**entry, "done": True}


async def test_a_chat_made_there_can_be_read(own_pocketbase: PocketBaseProcess, chats: PocketBaseChats) -> None:
    with own_pocketbase.admin() as admin:
        made = admin.send("POST", "/api/collections/owui_chats/records", {"user_id": "u1", "title": "Made"})
        chat = await chats.get_chat_by_id(made["id"])
        assert chat is not None
        assert (chat.title, chat.chat, chat.meta, chat.variables) == ("Made", {}, {}, {})
        admin.send("PATCH", f"/api/collections/owui_chats/records/{made['id']}", {"meta": "", "chat": None})
    chat = await chats.get_chat_by_id(made["id"])
    assert chat is not None
    assert (chat.chat, chat.meta) == ({}, {})


async def test_a_message_deleted_meanwhile_is_gone(own_pocketbase: PocketBaseProcess, chats: PocketBaseChats) -> None:
    with own_pocketbase.admin() as admin:
        admin.send("DELETE", record(admin, "b"))
    await chats.upsert_message_to_chat_by_id_and_message_id(C, "c", {"parentId": "b", "content": "x"})
    chat = await chats.get_chat_by_id(C)
    assert chat is not None
    assert list(chat.chat["history"]["messages"]) == ["a", "c"]


async def test_a_renamed_chat_keeps_its_name(own_pocketbase: PocketBaseProcess, chats: PocketBaseChats) -> None:
    """In its body as well, which Open WebUI shows it from."""
    with own_pocketbase.admin() as admin:
        path = f"/api/collections/owui_chats/records/{C}"
        (row,) = admin.sql("SELECT chat, doc, tidy FROM owui_chats")
        admin.send("PATCH", path, {"title": "Ärger"})
        assert admin.sql("SELECT title_folded, doc, chat, tidy FROM owui_chats") == [
            {"title_folded": "ärger", **row, "chat": row["chat"].replace("A chat", "Ärger")}
        ]
        admin.send("PATCH", path, {"title": "Both", "chat": row["chat"].replace("A chat", "Another")})
        assert admin.sql("SELECT chat FROM owui_chats") == [{"chat": row["chat"].replace("A chat", "Another")}]
        admin.send("PATCH", path, {"title": "Ärger"})
    assert await found(chats, "ärg") == [C]
    await chats.upsert_message_to_chat_by_id_and_message_id(C, "b", {"done": True})
    chat = await chats.get_chat_by_id(C)
    assert chat is not None
    assert (chat.title, chat.chat["title"]) == ("Ärger", "Ärger")


async def test_a_message_made_there_is_found(own_pocketbase: PocketBaseProcess, chats: PocketBaseChats) -> None:
    with own_pocketbase.admin() as admin:
        new = {"key": f"{C}-z", "chat_id": C, "role": "user", "position": 9, "has_row": False}
        new["entry"] = {"id": "z", "parentId": "b", "childrenIds": [], "role": "user", "content": "Zebra"}
        admin.send("POST", "/api/collections/owui_chat_messages/records", new)
    assert await found(chats, "zeb") == [C]
    chat = await chats.get_chat_by_id(C)
    assert chat is not None
    assert list(chat.chat["history"]["messages"]) == ["a", "b", "z"]
    assert chat.chat["history"]["messages"]["b"]["childrenIds"] == ["z"]


async def test_many_can_be_made_at_once(own_pocketbase: PocketBaseProcess, chats: PocketBaseChats) -> None:
    """Each has a number of its own in the full-text index, and is found."""
    with own_pocketbase.admin() as admin, ThreadPoolExecutor(8) as threads:
        made = {"user_id": "u1", "chat": "{}", "meta": "{}"}
        path = "/api/collections/owui_chats/records"
        posts = [threads.submit(admin.send, "POST", path, made | {"title": f"Many {i}"}) for i in range(40)]
        ids = {post.result()["id"] for post in posts}
    assert set(await found(chats, "many")) == ids


async def test_only_an_edit_of_the_body_makes_a_chat_untidy(
    own_pocketbase: PocketBaseProcess, chats: PocketBaseChats
) -> None:
    asked = "SELECT tidy, version FROM owui_chats"
    with own_pocketbase.admin() as admin:
        path = f"/api/collections/owui_chats/records/{C}"
        (before,) = admin.sql(asked)
        assert before["tidy"] == "1"
        tag = admin.send("POST", "/api/collections/owui_tags/records", {"user_id": "u1", "name": "x"})
        assert admin.send("PATCH", path, {"tags": [tag["id"]]})["meta"] == {"tags": ["x"]}
        (after,) = admin.sql(asked)
        assert (after["tidy"], after["version"] == before["version"]) == ("1", False)
        (row,) = admin.sql("SELECT chat FROM owui_chats")
        admin.send("PATCH", path, {"chat": row["chat"].replace("A chat", "Another")})
        assert admin.sql(asked)[0]["tidy"] == "0"
        made = {"user_id": "u1", "title": "New", "chat": {"messages": [{"content": "Ärger"}]}}
        made = admin.send("POST", "/api/collections/owui_chats/records", made)
        (row,) = admin.sql(f"SELECT tidy, legacy_folded FROM owui_chats WHERE id = '{made['id']}'")
        assert row == {"tidy": "0", "legacy_folded": "ärger"}


async def test_a_malformed_meta_hides_no_other_chat(own_pocketbase: PocketBaseProcess, chats: PocketBaseChats) -> None:
    await chats.insert_new_chat("malformed", "u1", ChatForm(chat=body("z")))
    with own_pocketbase.admin() as admin:
        admin.sql("UPDATE owui_chats SET meta = '{' WHERE id = 'malformed'")
        admin.sql("UPDATE owui_chats SET archived = TRUE WHERE id = 'malformed'")
    for text in ("ours", "tag:none", "tag:none ours", "archived:false"):
        assert await found(chats, text) == [C]
    rest = {"sharing": "all", "folder_ids": [], "granted": [], "terms": [], "pieces": [], "number": 9}
    (shown, _) = await chats.pocketbase.read("chats/search_workspace", {"user_id": "u1", "query": "", **rest})
    assert [row[0] for row in shown] == [C]


async def test_an_edit_waits_for_who_has_locked_the_chat(
    own_pocketbase: PocketBaseProcess, chats: PocketBaseChats
) -> None:
    """Else its write, of what somebody has just said, would find another version and fail."""
    lock = f"INSERT INTO owui_chat_locks (chat_id, token, expires_at) VALUES ('{C}', 't', unixepoch() * 1000 + 30000)"
    with own_pocketbase.admin() as admin, ThreadPoolExecutor(2) as threads:
        path, message = f"/api/collections/owui_chats/records/{C}", record(admin, "b")
        admin.sql(lock)
        edits = [
            threads.submit(admin.send, "PATCH", path, {"title": "Later"}),
            threads.submit(admin.send, "PATCH", message, {"done": True}),
        ]
        await asyncio.sleep(0.5)
        assert not any(edit.done() for edit in edits)
        assert admin.sql("SELECT title FROM owui_chats") != [{"title": "Later"}]
        admin.sql("DELETE FROM owui_chat_locks")
        for edit in edits:
            edit.result(20)
        assert admin.sql("SELECT title FROM owui_chats") == [{"title": "Later"}]
        admin.sql(lock)
        with pytest.raises(ResponseError, match="Open WebUI is writing this chat"):
            admin.send("PATCH", path, {"title": "Never"})
