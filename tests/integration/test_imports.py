"""New chats that are sent in parts: how they are cut, who sees them when, and what is left of those that fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
from open_webui.models.chats import ChatForm, ChatImportForm
from sqlalchemy.exc import IntegrityError

from openwebui_pocketbase.client import PocketBaseClient, encode
from openwebui_pocketbase.exceptions import InvalidRequestError, UnavailableError
from openwebui_pocketbase.repositories.chats import PocketBaseChats, _parts
from tests.support.chats import CHAT as C
from tests.support.chats import body
from tests.support.pocketbase import PocketBaseProcess

PART = 4 << 20
LARGE = 1_500_000


class Client:
    """Passes requests on, notes what writes send, and calls something after each of them."""

    def __init__(self, client: PocketBaseClient) -> None:
        self.client = client
        self.sent: list[tuple[str, bytes]] = []
        self.after: Callable[[str], Awaitable[None]] | None = None
        self.read = client.read
        self.read_bytes = client.read_bytes

        self.start_job = client.start_job

    async def write(
        self, path: str, parameters: Mapping[str, Any], *, is_urgent: bool = True, is_large: bool = False
    ) -> Any:
        self.sent.append((path.removeprefix("chats/"), encode(parameters)))
        answer = await self.client.write(path, parameters, is_urgent=is_urgent, is_large=is_large)
        if self.after:
            await self.after(self.sent[-1][0])
        return answer

    @property
    def methods(self) -> list[str]:
        return [name for name, _ in self.sent]


@pytest.fixture
async def client(own_pocketbase: PocketBaseProcess) -> AsyncIterator[Client]:
    client = own_pocketbase.client(retry=1.0)
    yield Client(client)
    await client.aclose()


@pytest.fixture
def chats(client: Client, may_create_chats: None) -> PocketBaseChats:
    chats = PocketBaseChats()
    chats.pocketbase = client
    return chats


def large(*contents: str, **more: Any) -> dict[str, Any]:
    """A chat's body with messages whose contents are long, and found by their first word."""
    ids = [f"m{number}" for number in range(len(contents))]
    made = body(*ids, **more)
    for each, content in zip(ids, contents, strict=True):
        made["history"]["messages"][each]["content"] = f"{content} " + "x y " * (LARGE // 4)
    return made


def form(*contents: str, **more: Any) -> ChatImportForm:
    return ChatImportForm(chat=large(*contents, **more))


def stored(server: PocketBaseProcess) -> dict[str, int]:
    with server.admin() as admin:
        tables = {"chats": "owui_chats", "messages": "owui_chat_messages", "markers": "owui_chat_locks"}
        return {name: int(admin.sql(f"SELECT count(*) AS n FROM {table}")[0]["n"]) for name, table in tables.items()}


NOTHING = {"chats": 0, "messages": 0, "markers": 0}


def until_pruned(server: PocketBaseProcess, wanted: dict[str, int]) -> None:
    """Let what has begun expire, and wait until the job of PocketBase has run."""
    with server.admin() as admin:
        admin.sql("UPDATE owui_chat_locks SET expires_at = 1 WHERE token GLOB 'new-*'")
        admin.send("POST", "/api/crons/owui_remains")
    deadline = time.monotonic() + 20
    while stored(server) != wanted:
        assert time.monotonic() < deadline, stored(server)
        time.sleep(0.05)


async def test_what_fits_is_one_request(client: Client, chats: PocketBaseChats) -> None:
    await chats.insert_new_chat(C, "u1", ChatForm(chat=body("a", "b")))
    await chats.import_chats("u1", [ChatImportForm(chat=body(*"abc")) for _ in range(30)])
    assert client.methods == ["insert_chats", "insert_chats"]


async def test_parts_by_bytes(client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess) -> None:
    longer = form("longest")
    longer.chat["history"]["messages"]["m0"]["content"] = "z " * 3_000_000
    await chats.import_chats("u1", [form("one", "two"), form("three", "four"), longer, form("five")])
    assert client.methods == ["begin_import", *["insert_chats"] * 4, "finish_import"]
    sizes = [len(sent) for name, sent in client.sent if name == "insert_chats"]
    assert [size > PART for size in sizes] == [False, False, True, False]
    assert len(client.sent[-1][1]) < 10_000
    assert not any(b'"words"' in sent for _, sent in client.sent)
    assert stored(own_pocketbase) == {"chats": 4, "messages": 6, "markers": 0}


async def test_many_short_messages(client: Client, chats: PocketBaseChats) -> None:
    """They are cut as well: what each costs in the indexes counts."""
    imported = await chats.import_chats("u1", [ChatImportForm(chat=body(*(f"m{n}" for n in range(3000))))])
    assert client.methods.count("insert_chats") == 2
    read = await chats.get_chat_by_id(imported[0].id)
    assert read is not None
    assert read.chat == imported[0].chat


async def test_nobody_sees_half_a_chat(client: Client, chats: PocketBaseChats) -> None:
    others = PocketBaseChats()
    others.pocketbase = client.client
    seen: list[tuple[int, list[int]]] = []

    async def look(_name: str) -> None:
        found = await others.get_chats_by_user_id_and_search_text("u1", "one")
        listed = await others.get_chat_list_by_user_id("u1")
        again = await others.insert_new_chat(f"{C[:-2]}{len(seen) + 10}", "u2", ChatForm(chat=body("a")))
        assert again is not None  # others write meanwhile
        whole = [await others.get_chat_by_id(chat.id) for chat in listed]
        seen.append((len(found), [len(chat.chat["history"]["messages"]) for chat in whole if chat]))

    client.after = look
    await chats.import_chats("u1", [form("one", "two", "three"), form("four", "five")])
    assert len(seen) > 3
    assert {*map(str, seen[:-1])} == {str((0, []))}
    assert (seen[-1][0], sorted(seen[-1][1])) == (1, [2, 3])


async def test_bodies_that_are_long_themselves(client: Client, chats: PocketBaseChats) -> None:
    others = PocketBaseChats()
    others.pocketbase = client.client
    seen: list[list[int]] = []

    async def look(_name: str) -> None:
        seen.append([len(chat.chat["messages"]) for chat in (await others.get_chats_by_user_id("u1")).items])

    client.after = look
    old = [{"role": "user", "id": "x", "content": "old " * (LARGE // 4)}]
    made = await chats.import_chats("u1", [ChatImportForm(chat=body("a", messages=old)) for _ in range(4)])
    assert client.methods == ["begin_import", *["insert_chats"] * (len(client.sent) - 2), "finish_import"]
    assert all(each == [1] * len(each) for each in seen)  # whole ones only
    assert len(seen[-1]) == 4
    read = await others.get_chat_by_id(made[0].id)
    assert read is not None
    assert read.chat == made[0].chat


async def test_an_import_that_is_cancelled_leaves_nothing(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    async def cancel(_name: str) -> None:
        if stored(own_pocketbase)["messages"]:
            client.after = None
            raise asyncio.CancelledError

    client.after = cancel
    with pytest.raises(asyncio.CancelledError):
        await chats.import_chats("u1", [form("one", "two", "three", "four"), form("five")])
    assert client.methods == ["begin_import", "insert_chats", "abandon_import"]
    assert stored(own_pocketbase) == NOTHING


async def test_chats_that_have_appeared_go_again(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_parts, "PART", 5000)
    await chats.insert_new_chat(C, "u2", ChatForm(chat=body("a")))
    old = [{"role": "user", "id": "x", "content": "old " * 1500}]

    async def fail(_name: str) -> None:
        if stored(own_pocketbase)["chats"] == 3:
            raise asyncio.CancelledError

    client.after = fail
    with pytest.raises(asyncio.CancelledError):
        await chats.import_chats("u1", [ChatImportForm(chat=body("a", messages=old)) for _ in range(4)])
    assert stored(own_pocketbase) == {"chats": 1, "messages": 1, "markers": 0}


async def test_a_taken_id(client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess) -> None:
    before = await chats.insert_new_chat(C, "u2", ChatForm(chat=body("a")))
    for new in (body("b"), large("one", "two", "three")):
        with pytest.raises(IntegrityError):
            await chats.insert_new_chat(C, "u1", ChatForm(chat=new))
    until_pruned(own_pocketbase, {"chats": 1, "messages": 1, "markers": 0})
    assert await chats.get_chat_by_id(C) == before


async def test_pocketbase_dies_between_parts_and_comes_back(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    async def die(name: str) -> None:
        if name == "insert_chats" and client.methods.count(name) == 1:
            own_pocketbase.kill()
            own_pocketbase.start()

    client.after = die
    made = await chats.import_chats("u1", [form("one", "two", "three", "four")])
    assert stored(own_pocketbase) == {"chats": 1, "messages": 4, "markers": 0}
    read = await chats.get_chat_by_id(made[0].id)
    assert read is not None
    assert read.chat == made[0].chat


async def test_an_import_that_is_never_finished(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    async def die(name: str) -> None:
        if name == "insert_chats":
            own_pocketbase.kill()

    client.after = die
    with pytest.raises(UnavailableError):
        await chats.import_chats("u1", [form("one", "two", "three", "four")])
    client.after = None
    own_pocketbase.start()
    assert await chats.get_chat_list_by_user_id("u1") == []
    assert await chats.get_chats_by_user_id_and_search_text("u1", "one") == []
    again = await chats.import_chats("u1", [form("one", "two", "three", "four")])
    assert stored(own_pocketbase)["chats"] == 1
    assert stored(own_pocketbase)["messages"] > 4
    until_pruned(own_pocketbase, {"chats": 1, "messages": 4, "markers": 0})
    read = await chats.get_chat_by_id(again[0].id)
    assert read is not None
    assert read.chat == again[0].chat


async def test_what_was_given_up_does_not_appear_after_all(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    """The process slept for too long, say."""

    async def sleep(name: str) -> None:
        if client.methods.count("insert_chats") == 1:
            until_pruned(own_pocketbase, NOTHING)

    client.after = sleep
    with pytest.raises(InvalidRequestError, match="import again"):
        await chats.import_chats("u1", [form("one", "two", "three", "four", "five", "six")])
    assert stored(own_pocketbase) == NOTHING


async def test_a_long_import_says_that_it_goes_on(
    client: Client, chats: PocketBaseChats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_parts, "LEASE", 0.001)
    await chats.import_chats("u1", [form("one", "two", "three", "four", "five", "six")])
    assert client.methods == ["begin_import", *["insert_chats", "begin_import"] * 3, "finish_import"]
