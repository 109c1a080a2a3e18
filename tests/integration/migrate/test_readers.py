"""What was copied into PocketBase is read by the repositories, and found by a search."""

from __future__ import annotations

from typing import Any

import pytest

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import UnavailableError
from openwebui_pocketbase.migrate.items import UNITS
from openwebui_pocketbase.migrate.pocketbase.store import PocketBaseStore
from openwebui_pocketbase.repositories.access import PocketBaseAccessGrants
from openwebui_pocketbase.repositories.channels import PocketBaseChannels
from openwebui_pocketbase.repositories.chats import PocketBaseChatMessages, PocketBaseChats, PocketBaseSharedChats
from openwebui_pocketbase.repositories.files import PocketBaseFiles
from openwebui_pocketbase.repositories.folders import PocketBaseFolders
from openwebui_pocketbase.repositories.groups import PocketBaseGroups
from openwebui_pocketbase.repositories.messages import PocketBaseMessages
from openwebui_pocketbase.repositories.models import PocketBaseModels
from openwebui_pocketbase.repositories.tags import PocketBaseTags
from openwebui_pocketbase.repositories.users.users import PocketBaseUsers
from tests.support.chats import body, chat, key, message, row
from tests.support.moved_rows import CHAT, as_bytes, chat_item, item_of, one_row
from tests.support.pocketbase import PocketBaseProcess

READERS: dict[str, tuple[type, str, list[str]]] = {
    "user": (PocketBaseUsers, "get_user_by_id", ["one"]),
    "group": (PocketBaseGroups, "get_group_by_id", ["one"]),
    "access_grant": (PocketBaseAccessGrants, "get_grants_by_resource", ["one resource_type", "one resource_id"]),
    "tag": (PocketBaseTags, "get_tags_by_user_id", ["one user_id"]),
    "folder": (PocketBaseFolders, "get_folder_by_id_and_user_id", ["one", "one user_id"]),
    "model": (PocketBaseModels, "get_model_by_id", ["one"]),
    "file": (PocketBaseFiles, "get_file_by_id", ["one"]),
    "shared_chat": (PocketBaseSharedChats, "get_by_id", ["one"]),
    "channel_webhook": (PocketBaseChannels, "get_webhook_by_id", ["one"]),
    "message": (PocketBaseMessages, "get_message_by_id", ["one"]),
}
"""Table -> who reads a row named "one" of it."""

COLUMNS: dict[str, dict[str, Any]] = {
    "user": {"scim": None, "oauth": None},
    "message": {"user_id": None, "app_id": None},  # users and apps are in the SQL database
}
"""Columns that are unlike those of other rows."""


@pytest.mark.parametrize("table", READERS)
async def test_repositories_read_what_was_copied(table: str, store: PocketBaseStore, client: PocketBaseClient) -> None:
    values = one_row(table, "one", **COLUMNS.get(table, {}))
    assert await store.save(UNITS[table], [(item_of(UNITS[table], values), None)]) == []
    kind, method, arguments = READERS[table]
    repository: Any = object.__new__(kind)
    repository.pocketbase = client
    found = await getattr(repository, method)(*arguments)
    model = found[0] if isinstance(found, list) else found
    read: dict[str, Any] = model.model_dump()
    assert len(values.keys() & read.keys()) >= 4
    assert type(model).model_validate({**read, **values}).model_dump() == read


async def test_repositories_read_chats_that_were_copied(store: PocketBaseStore, client: PocketBaseClient) -> None:
    item = chat_item(chat(1, chat=body("a", "b"), meta={"tags": ["x"]}), [row(1, "a"), row(1, "b"), row(1, "c")])
    assert await store.save(CHAT, [(item, None)]) == []
    chats, messages = PocketBaseChats(), PocketBaseChatMessages()
    chats.pocketbase = messages.pocketbase = client
    read = await chats.get_chat_by_id(key(1))
    assert read is not None
    assert read.model_dump() == item.rows["chat"][0]
    rows = await messages.get_messages_by_chat_id(key(1))
    assert sorted(each.id for each in rows) == [each["id"] for each in item.rows["chat_message"]]
    assert rows[0].content == item.rows["chat_message"][0]["content"]


async def test_a_search_finds_what_was_copied(store: PocketBaseStore, client: PocketBaseClient) -> None:
    """At once, and when it is in the index; and no longer what was replaced."""
    texts = {
        "a": message("a", None, "user", content="Größe und Mähdrescher"),
        "b": message("b", "a", "user", content="x"),
    }
    items = [chat_item(chat(1, texts)), chat_item(chat(2, chat={"messages": [{"content": "Mähdrescher"}]}))]
    assert await store.save(CHAT, [(item, None) for item in items]) == []
    chats = PocketBaseChats()
    chats.pocketbase = client

    async def found(text: str) -> set[str]:
        return {each.id for each in await chats.get_chats_by_user_id_and_search_text("u1", text)}

    waiting = await client.read("indexer/get_waiting", {"limit": 10, "bytes": 1000, "longest": 1000})
    assert (len(waiting["chat_message"]), waiting["chats"]) == (2, 1)
    assert await found("mähdresch") == {key(1), key(2)}
    assert sum([done async for done in store.index()]) == 3
    assert [done async for done in store.index()] == []
    assert await found("mähdresch") == {key(1), key(2)}
    changed = chat_item(chat(1, {**texts, "a": {**texts["a"], "content": "Traktor"}}))
    assert await store.save(CHAT, [(changed, items[0])]) == []
    assert (await found("mähdresch"), await found("TRAKTOR")) == ({key(2)}, {key(1)})
    assert sum([done async for done in store.index()]) == 1
    assert (await found("mähdresch"), await found("TRAKTOR")) == ({key(2)}, {key(1)})


async def test_channel_messages_are_indexed(store: PocketBaseStore) -> None:
    """But not what a model is writing."""
    unit = UNITS["message"]
    metas = {"plain": None, "answer": {"model_id": "m", "done": True}, "streamed": {"model_id": "m"}}
    items = [item_of(unit, one_row("message", name, meta=meta)) for name, meta in metas.items()]
    assert await store.save(unit, [(item, None) for item in items]) == []
    assert sum([done async for done in store.index()]) == 2


async def test_a_lost_answer_does_no_harm(
    store: PocketBaseStore, client: PocketBaseClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever saves anew what was written is at the same end, whether or not they have seen it."""
    items = [chat_item(chat(n, chat=body("a", "b")), [row(n, "a"), row(n, "c")]) for n in (1, 2)]
    write = client.write

    async def lose(path: str, parameters: Any, **more: Any) -> Any:
        answer = await write(path, parameters, **more)
        if path == "migrate/put_owui_chat_messages":
            raise UnavailableError("lost", url="")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(client, "write", lose)
        with pytest.raises(UnavailableError):
            await store.save(CHAT, [(item, None) for item in items])
    for before in ({}, await store.load(CHAT, [item.key for item in items])):
        assert await store.save(CHAT, [(item, before.get(item.key)) for item in items]) == []
        found = await store.load(CHAT, [item.key for item in items])
        assert [as_bytes(found[item.key]) for item in items] == [as_bytes(item) for item in items]
    assert (await store.count(CHAT))["chat_message"][0] == 4


async def test_a_broken_off_copy_goes_on(
    store: PocketBaseStore, client: PocketBaseClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a chat and its messages the chat is there, and differs."""
    item = chat_item(chat(1, chat=body("a", "b")), [row(1, "a")])
    write = client.write

    async def fail(path: str, parameters: Any, **more: Any) -> Any:
        if path == "migrate/put_owui_chat_messages":
            raise UnavailableError("gone", url="")
        return await write(path, parameters, **more)

    with monkeypatch.context() as patch:
        patch.setattr(client, "write", fail)
        with pytest.raises(UnavailableError):
            await store.save(CHAT, [(item, None)])
    before = (await store.load(CHAT, [item.key]))[item.key]
    assert as_bytes(before) != as_bytes(item)
    assert await store.save(CHAT, [(item, before)]) == []
    assert as_bytes((await store.load(CHAT, [item.key]))[item.key]) == as_bytes(item)


async def test_identity_is_that_of_the_data(store: PocketBaseStore, fresh_pocketbase: PocketBaseProcess) -> None:
    with fresh_pocketbase.admin() as admin:
        epoch = admin.sql("SELECT value FROM owui_meta WHERE key = 'epoch'")[0]["value"]
        assert await store.identity() == f"pocketbase {epoch}"
        admin.sql("UPDATE owui_meta SET value = 'another' WHERE key = 'epoch'")
        assert await store.identity() == "pocketbase another"
