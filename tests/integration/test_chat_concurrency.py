"""Many who write to one chat at once, in processes that are killed: what was written is there, once."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.chats import ChatForm

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from tests.support.chat_writer import LEASE
from tests.support.chats import body
from tests.support.pocketbase import PocketBaseProcess

CHAT = "c0000000-0000-4000-8000-000000000001"
WRITERS = 8
"""Tasks of each of the two processes."""
KILLS = 4


class Writer:
    """A process of writers; what it says it has written is collected."""

    def __init__(self, server: PocketBaseProcess, name: str) -> None:
        self.written: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.chat_writer", server.url, server.login(), CHAT, name, str(WRITERS)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "FROM_INIT_PY": "true"},
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):  # the last one may be cut off
                self.written.append(line.strip())

    def wait_for(self, lines: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.written) < lines:
            assert self._process.poll() is None, self._process.stderr and self._process.stderr.read()
            assert time.monotonic() < deadline, f"only {len(self.written)} lines"
            time.sleep(0.005)

    def kill(self) -> list[str]:
        """End it as a crash would; return the ids of the messages it had written."""
        assert self._process.poll() is None, self._process.stderr and self._process.stderr.read()
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        assert self.written[0] == "ready"
        return self.written[1:]


@pytest.fixture
async def client(own_pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseClient]:
    client = own_pocketbase.client()
    yield client
    await client.aclose()


def repository(client: PocketBaseClient) -> PocketBaseChats:
    chats = PocketBaseChats()
    chats.pocketbase = client
    return chats


@pytest.fixture
async def chats(client: PocketBaseClient, may_create_chats: None) -> PocketBaseChats:
    chats = repository(client)
    root: dict[str, Any] = {"id": "root", "parentId": None, "childrenIds": [], "role": "user", "content": "?"}
    root["timestamp"] = 1
    form = ChatForm(chat={"history": {"messages": {"root": root}, "currentId": "root"}})
    await chats.insert_new_chat(CHAT, "u1", form)
    return chats


async def test_a_cancelled_writer_leaves_no_lock(own_pocketbase: PocketBaseProcess, may_create_chats: None) -> None:
    chats = PocketBaseChats()
    chats.pocketbase = client = own_pocketbase.client()
    await chats.insert_new_chat(CHAT, "u1", ChatForm(chat=body("a", "b")))
    for milliseconds in range(12):
        writing = asyncio.create_task(chats.delete_message_from_chat_by_id_and_message_id(CHAT, "none"))
        await asyncio.sleep(milliseconds / 2000)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    with own_pocketbase.admin() as admin:
        assert admin.sql("SELECT * FROM owui_chat_locks") == []
    await client.aclose()


async def test_killed_writers_lose_nothing(own_pocketbase: PocketBaseProcess, chats: PocketBaseChats) -> None:
    chance = random.Random(7)
    writers = [Writer(own_pocketbase, f"w{number}") for number in range(2)]
    written: list[str] = []

    def kill_one_after_another() -> None:
        for number in range(KILLS):
            for writer in writers:
                writer.wait_for(1 + 20)
            time.sleep(chance.random() / 5)
            written.extend(writers.pop(0).kill())
            if number < KILLS - 2:
                writers.append(Writer(own_pocketbase, f"w{number + 2}"))

    await asyncio.to_thread(kill_one_after_another)
    assert writers == []
    chat = await chats.get_chat_by_id(CHAT)
    assert chat is not None
    messages = chat.chat["history"]["messages"]
    assert len(written) > KILLS * 20
    assert set(written) <= set(messages)
    assert len(set(written)) == len(written)
    children = Counter(messages["root"]["childrenIds"])
    assert set(children) == set(messages) - {"root"}
    assert set(children.values()) == {1}
    for message_id in written:
        is_piecewise = int(message_id.split(".")[1]) % 4 != 3
        assert messages[message_id].get("statusHistory") == ([{"action": "done"}] if is_piecewise else None)


async def test_a_crashed_holder_s_lock_ends(
    own_pocketbase: PocketBaseProcess, chats: PocketBaseChats, client: PocketBaseClient
) -> None:
    draft = await client.write("chats/lock_chat", {"id": CHAT, "token": "dead", "milliseconds": LEASE, "keys": []})
    message = {"parentId": "root", "role": "assistant", "content": "x"}
    begun = time.monotonic()
    assert await chats.upsert_message_to_chat_by_id_and_message_id(CHAT, "a", message) is not None
    assert time.monotonic() - begun > LEASE / 2000  # it did wait for the lock
    late: dict[str, Any] = {"id": CHAT, "version": None, "token": "dead", "changes": {}, "columns": [], "nones": []}
    answer = await client.write("chats/save_chat", {**late, "version": draft[1], "messages": [], "removed": []})
    assert answer == "changed"  # who lost the lock writes nothing any more


async def test_who_reads_before_others_write_does_not_undo_it(
    own_pocketbase: PocketBaseProcess, chats: PocketBaseChats
) -> None:
    """Two processes which write piece by piece, each with its own idea of what the other has not changed yet."""
    other_client = own_pocketbase.client()
    other = repository(other_client)
    for number in range(5):
        for one, key in ((chats, "a"), (other, "b"), (chats, "a")):
            content = {"parentId": "root", "role": "assistant", "content": f"{key} {number}"}
            assert await one.upsert_message_to_chat_by_id_and_message_id(CHAT, key, content) is not None
        await chats.update_chat_title_by_id(CHAT, "ours")
        await other.update_chat_title_by_id(CHAT, "theirs")
        await chats.update_chat_title_by_id(CHAT, "ours")
    await other_client.aclose()
    chat = await chats.get_chat_by_id(CHAT)
    assert chat is not None
    messages = chat.chat["history"]["messages"]
    assert [messages[key]["content"] for key in ("a", "b")] == ["a 4", "b 4"]
    assert messages["root"]["childrenIds"] == ["a", "b"]
    assert chat.title == "ours"
