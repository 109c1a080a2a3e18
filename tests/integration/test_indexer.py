"""Messages that wait for the full-text index: found before, and after."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from open_webui.models import chat_messages
from open_webui.models.chats import ChatForm
from open_webui.models.messages import MessageForm
from open_webui.utils import apps

from openwebui_pocketbase.changes.indexer import AT_ONCE, Indexer, indexed
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.codec.words import FORM
from openwebui_pocketbase.host.binding import bind
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.repositories.messages import PocketBaseMessages
from tests.support import channel_messages, scripts
from tests.support.chats import CHAT as C
from tests.support.chats import body, columns_of, index_all, message, unlinked
from tests.support.pocketbase import PocketBaseProcess

FILE = "data:image/png;base64," + "iVBORw0KGgo" * 40


@pytest.fixture
async def client(own_pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseClient]:
    client = own_pocketbase.client()
    repository = "openwebui_pocketbase.repositories.chats.message_rows:PocketBaseChatMessages"
    undo = bind(chat_messages, "ChatMessages", repository, {"pocketbase": client})
    yield client
    undo()
    await client.aclose()


@pytest.fixture
async def chats(client: PocketBaseClient, may_create_chats: None) -> PocketBaseChats:
    chats = PocketBaseChats()
    chats.pocketbase = client
    await chats.insert_new_chat(C, "u1", ChatForm(chat=body("a", "b")))
    assert await index_all(client) == 2
    return chats


async def write(chats: PocketBaseChats, content: str, **more: Any) -> None:
    assert await chats.upsert_message_to_chat_by_id_and_message_id(C, "b", {"content": content, **more}) is not None


async def found(chats: PocketBaseChats, *texts: str) -> list[bool]:
    return [bool(await chats.get_chats_by_user_id_and_search_text("u1", text)) for text in texts]


def in_index(server: PocketBaseProcess) -> dict[str, bool]:
    """Which messages are in the index, by their record's key."""
    with server.admin() as admin:
        rows = admin.sql(
            "SELECT m.key, m.waits, EXISTS (SELECT 1 FROM owui_chat_messages_search_docsize d WHERE d.id = m.doc) AS n "
            "FROM owui_chat_messages m"
        )
    return {row["key"].removeprefix(f"{C}-"): row["n"] == "1" for row in rows if not (row["waits"] == "1" == row["n"])}


async def test_a_message_is_found_before_and_after(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, chats: PocketBaseChats
) -> None:
    indexer = Indexer(client)
    assert await indexer.index_waiting() == 0
    assert in_index(own_pocketbase) == {"a": True, "b": True}
    await write(chats, "a zebra")
    assert in_index(own_pocketbase) == {"a": True, "b": False}
    assert await found(chats, "zebra", "giraffe") == [True, False]
    assert await indexer.index_waiting() == 1
    assert in_index(own_pocketbase) == {"a": True, "b": True}
    assert await found(chats, "zebra", "ebr", "giraffe", "text of a") == [True, True, False, True]
    assert await indexer.index_waiting() == 0


async def test_what_is_still_written_does_not_wait(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, chats: PocketBaseChats
) -> None:
    await write(chats, "half a zeb", done=False)
    assert await Indexer(client).index_waiting() == 0
    assert await found(chats, "zeb", "zebra") == [True, False]
    await write(chats, "half a zebra", done=True)
    assert await Indexer(client).index_waiting() == 1
    assert await found(chats, "zebra") == [True]


async def test_files_are_looked_through(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, chats: PocketBaseChats
) -> None:
    await write(chats, FILE)
    assert await Indexer(client).index_waiting() == 0
    assert in_index(own_pocketbase) == {"a": True, "b": False}
    assert await found(chats, "ivborw0kggoi") == [True]


async def test_a_text_that_changed_meanwhile_is_not_indexed_as_it_was(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, chats: PocketBaseChats
) -> None:
    await write(chats, "a zebra")
    waiting = (await client.read("indexer/get_waiting", AT_ONCE))["chat_message"]
    await write(chats, "a giraffe")
    await client.write("indexer/index_messages_of_chats", indexed(waiting))
    assert in_index(own_pocketbase) == {"a": True, "b": False}
    assert await found(chats, "zebra", "giraffe") == [False, True]
    assert await Indexer(client).index_waiting() == 1
    assert await found(chats, "zebra", "giraffe") == [False, True]


async def test_a_process_of_another_version_does_not_fill_the_index(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, chats: PocketBaseChats
) -> None:
    """Its words would not be found by what this version looks up."""
    await write(chats, "a zebra")
    waiting = (await client.read("indexer/get_waiting", AT_ONCE))["chat_message"]
    for form in ({}, {"form": FORM - 1}):
        made = {"messages": indexed(waiting)["messages"], **form}
        assert await client.write("indexer/index_messages_of_chats", made) == 0
    assert in_index(own_pocketbase) == {"a": True, "b": False}
    assert await Indexer(client).index_waiting() == 1
    assert in_index(own_pocketbase) == {"a": True, "b": True}


async def test_two_who_index_the_same(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, chats: PocketBaseChats
) -> None:
    await write(chats, "a zebra")
    waiting = (await client.read("indexer/get_waiting", AT_ONCE))["chat_message"]
    assert [await client.write("indexer/index_messages_of_chats", indexed(waiting)) for _ in range(2)] == [1, 0]
    assert in_index(own_pocketbase) == {"a": True, "b": True}
    assert await found(chats, "zebra") == [True]


async def test_old_messages_of_a_chat_wait_too(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, chats: PocketBaseChats
) -> None:
    for number, text in enumerate(["a zebra", "x " * 40_000 + "a giraffe"]):
        form = ChatForm(chat=body("a", messages=[{"role": "user", "content": text}]))
        await chats.insert_new_chat(f"{C[:-1]}{number + 5}", "u1", form)

    def titles() -> str:
        with own_pocketbase.admin() as admin:
            return str(admin.sql("SELECT count(*) AS n FROM owui_chats_search_docsize")[0]["n"])

    assert titles() == "1"
    assert await found(chats, "zebra", "giraffe", "lion") == [True, True, False]
    await index_all(client)
    assert titles() == "2"  # the other one is too long and is looked through for good
    assert await found(chats, "zebra", "giraffe", "lion") == [True, True, False]


async def test_a_transaction_has_so_many_bytes(client: PocketBaseClient, chats: PocketBaseChats) -> None:
    texts = ["\u540d\u524d" * 10_000, "a word " * 5_000, "\u691c\u7d22" * 20_000]
    for number, text in enumerate(texts):
        await chats.insert_new_chat(
            f"{C[:-1]}{number + 5}", "u1", ChatForm(chat=unlinked(message("m", None, "user", content=text)))
        )
    sizes = []
    for _ in texts:
        waiting = (await client.read("indexer/get_waiting", AT_ONCE | {"bytes": 90_000}))["chat_message"]
        sizes.append([len(text.encode()) for _, text in waiting])
        await client.write("indexer/index_messages_of_chats", indexed(waiting))
    assert sorted(sizes) == [[], [60_000, 35_000], [120_000]]


async def test_words_are_made_in_a_thread(
    client: PocketBaseClient, chats: PocketBaseChats, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(chats, "a zebra")
    threads: list[int] = []

    def words(_: object) -> str:
        threads.append(threading.get_ident())
        return ""

    monkeypatch.setattr("openwebui_pocketbase.changes.indexer.index_words", words)
    await index_all(client)
    assert threads
    assert threading.get_ident() not in threads


@pytest.fixture
async def messages(client: PocketBaseClient, monkeypatch: pytest.MonkeyPatch) -> PocketBaseMessages:
    async def tell(*_: Any) -> None: ...

    monkeypatch.setattr(apps, "publish_app_message_event", tell)
    messages = object.__new__(PocketBaseMessages)
    messages.pocketbase = client
    return messages


async def said(messages: PocketBaseMessages, *texts: str) -> list[bool]:
    return [bool(await messages.search_messages_by_channel_ids(["c1"], text)) for text in texts]


async def post(client: PocketBaseClient, number: int, content: str, **columns: Any) -> str:
    row = channel_messages.message(number, content, **columns)
    await channel_messages.insert(client, columns_of(row))
    return str(row.id)


def waiting_and_indexed(server: PocketBaseProcess) -> list[tuple[str, str]]:
    """Of each message of channels: whether it waits, and whether it is in the index."""
    with server.admin() as admin:
        rows = admin.sql(
            "SELECT m.waits, EXISTS (SELECT 1 FROM owui_messages_search_docsize d WHERE d.id = m.doc) AS n "
            "FROM owui_messages m ORDER BY m.created_at"
        )
    return [(row["waits"], row["n"]) for row in rows]


async def test_messages_of_channels_are_found_before_and_after(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, messages: PocketBaseMessages
) -> None:
    first = await post(client, 1, "a zebra")
    await post(client, 2, FILE)
    for indexed_now in (2, 0):
        assert await said(messages, "zebra", "ebr", "giraffe", "ivborw0kggoi") == [True, True, False, True]
        assert await Indexer(client).index_waiting() == indexed_now
    assert waiting_and_indexed(own_pocketbase) == [("0", "1"), ("0", "0")]
    await messages.update_message_by_id(first, MessageForm(content="a giraffe"))
    assert waiting_and_indexed(own_pocketbase)[0] == ("1", "0")
    assert await said(messages, "zebra", "giraffe") == [False, True]
    assert await Indexer(client).index_waiting() == 1
    assert waiting_and_indexed(own_pocketbase)[0] == ("0", "1")
    assert await said(messages, "zebra", "giraffe") == [False, True]
    await messages.update_is_pinned_by_id(first, True)
    assert await Indexer(client).index_waiting() == 0
    await messages.delete_message_by_id(first)
    assert await said(messages, "giraffe") == [False]


async def test_what_a_model_still_writes_in_a_channel_does_not_wait(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, messages: PocketBaseMessages
) -> None:
    answer = await post(client, 1, "", meta={"model_id": "m", "model_name": "M"})
    for content in ("half", "half a zeb"):
        await messages.update_message_by_id(answer, MessageForm(content=content))
        assert await Indexer(client).index_waiting() == 0
    assert await said(messages, "zeb", "zebra") == [True, False]
    await messages.update_message_by_id(answer, MessageForm(content="half a zebra", meta={"done": True}))
    assert await Indexer(client).index_waiting() == 1
    assert waiting_and_indexed(own_pocketbase) == [("0", "1")]
    assert await said(messages, "zebra") == [True]


async def test_a_message_of_a_channel_that_changed_meanwhile(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, messages: PocketBaseMessages
) -> None:
    posted = await post(client, 1, "a zebra")
    waiting = (await client.read("indexer/get_waiting", AT_ONCE))["message"]
    await messages.update_message_by_id(posted, MessageForm(content="a giraffe"))
    assert await client.write("indexer/index_messages_of_channels", indexed(waiting)) == 0
    assert waiting_and_indexed(own_pocketbase) == [("1", "0")]
    assert await said(messages, "zebra", "giraffe") == [False, True]


async def test_texts_without_spaces_take_no_more_than_twice_their_bytes(
    own_pocketbase: PocketBaseProcess, client: PocketBaseClient, messages: PocketBaseMessages
) -> None:
    for language in ("Chinese", "Japanese", "Thai"):
        texts = scripts.frequent_as_in_a_language(language, 100, 200)
        for number, text in enumerate(texts):
            await post(client, number, text, id=str(uuid4()))
        assert await index_all(client) == len(texts)
        assert await said(messages, texts[7][90:99], texts[7][:2], texts[7][90:94] + texts[8][:4]) == [
            True,
            True,
            False,
        ]
        with own_pocketbase.admin() as admin:
            taken = admin.sql("SELECT sum(octet_length(block)) AS n FROM owui_messages_search_data")
            admin.write("indexer/clear_indexes", {})
        assert int(taken[0]["n"]) <= 2 * sum(len(text.encode()) for text in texts), language
