"""Files of chats: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from open_webui.models.chats import ChatFile

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from tests.support.chats import chat, key, seed
from tests.support.differential import IDS, Contract, Opened, Pair

FILES = Contract(name="Chats", tables=("chat", "chat_file"), subject=PocketBaseChats)

A, B, C = (key(number) for number in range(1, 4))
NOBODY = key(99)


@pytest.fixture
async def on_sqlite(opened: Opened) -> AsyncIterator[Pair]:
    async with opened(FILES, "sqlite") as pair:
        yield pair


@pytest.fixture
def file_access(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Files by id, and users: the host's rules for access are its own."""
    known: dict[str, Any] = {
        **{f"f{number}": SimpleNamespace(user_id=owner) for number, owner in enumerate(["u1", "u2", "u3", "u1"], 1)},
        "u1": SimpleNamespace(id="u1", role="user"),
        "admin": SimpleNamespace(id="admin", role="admin"),
    }

    async def get(self: Any, id: str, db: Any = None) -> Any:
        return known.get(id)

    async def may_read(file_id: str, access: str, user: Any, db: Any = None) -> bool:
        return (file_id, user.id) == ("f2", "u1")

    monkeypatch.setattr("open_webui.models.files.FilesTable.get_file_by_id", get)
    monkeypatch.setattr("open_webui.models.users.UsersTable.get_user_by_id", get)
    monkeypatch.setattr("open_webui.utils.access_control.files.has_access_to_file", may_read)
    return known


@pytest.mark.usefixtures("file_access")
async def test_files(on_sqlite: Pair) -> None:
    await seed(on_sqlite, [chat(1, folder_id="x"), chat(2, share_id="s"), chat(3)])
    assert await on_sqlite.call("insert_chat_files", A, "m", ["f1"], "u1")
    for files in [["f1", "f2", "f3"], ["f1"], [], None, ["", None], ["nothing", "f3"], ["f2", "f2"]]:
        await on_sqlite.call("insert_chat_files", A, "m", files, "u1")
    await on_sqlite.call("insert_chat_files", A, None, ["f3", "f4"], "admin")
    await on_sqlite.call("insert_chat_files", B, "m", ["f1"], "u1")
    await on_sqlite.call("insert_chat_files", C, "m", ["f1"], "u1")
    await on_sqlite.call("insert_chat_files", NOBODY, "m", ["f1"], "u1")
    await on_sqlite.call("insert_chat_files", B, "m", ["f2"], "nobody")
    await on_sqlite.call("insert_chat_files", None, "m", ["f1"], "u1")
    await on_sqlite.call("insert_chat_files", B, "m", ["f4"], None)
    for chat_id in [A, B, NOBODY, None]:
        for message in ["m", "", None]:
            await on_sqlite.call("get_chat_files_by_chat_id_and_message_id", chat_id, message)
    for file in ["f1", "f3", "nothing", None]:
        await on_sqlite.call("get_shared_chat_ids_by_file_id", file)
    assert await on_sqlite.call("get_shared_chat_ids_by_file_id", "f1") == [A, B]
    for chat_id, file in [(A, "f1"), (A, "f1"), (None, None), (B, "nothing")]:
        await on_sqlite.call("delete_chat_file", chat_id, file)


async def test_files_of_the_same_time_and_without_message(on_sqlite: Pair) -> None:
    times = {"created_at": 5, "updated_at": 5}
    files = [
        ChatFile(id=IDS[n], user_id="u", chat_id=A, message_id=None, file_id=f"{9 - n}", **times) for n in range(5)
    ]
    record = codec_of("chat_file").record
    await on_sqlite.seed(files, lambda row: on_sqlite.client.write("chats/insert_chat_files", {"files": [record(row)]}))
    await on_sqlite.call("get_chat_files_by_chat_id_and_message_id", A, None)


async def test_a_file_that_somebody_else_has_linked_meanwhile(on_sqlite: Pair, file_access: dict[str, Any]) -> None:
    await seed(on_sqlite, [chat(1)])
    files = on_sqlite.subject

    async def link(self: Any, id: str, db: Any = None) -> Any:
        await files._insert_files(A, "other", ["f1"], "u1")
        return file_access["f1"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("open_webui.models.files.FilesTable.get_file_by_id", link)
        assert await files.insert_chat_files(A, "m", ["f1"], "u1") is None
    assert len(await files.get_chat_files_by_chat_id_and_message_id(A, "other")) == 1
