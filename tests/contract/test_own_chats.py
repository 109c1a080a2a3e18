"""Saving a chat's title: what the host answers and stores, with a read less where it is known whose the chat is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import HTTPException
from open_webui.models.chats import Chat, ChatForm, Chats
from open_webui.models.folders import Folders
from open_webui.routers import chats as routes
from sqlalchemy import delete, update

from openwebui_pocketbase.client.transport import Answer, Transport
from openwebui_pocketbase.repositories.chats._cache import _CACHES
from openwebui_pocketbase.seams.own_chats import written_at_once
from tests.support.chats import CHATS, NOBODY, body, chat, insert, key, row, seed
from tests.support.contracts import ours
from tests.support.differential import Opened, Pair, _outcome, clear, same

ID = key(1)
USER = SimpleNamespace(id="u1", name="Ann", role="user")
OTHER = SimpleNamespace(id="u2", name="Bob", role="admin")

SAVE = ["chats/save_chat"]

FORMS: dict[str, dict[str, Any]] = {
    "a title": {"chat": {"title": "Größe 資料 \x00"}},
    "a number for title": {"chat": {"title": 5}},
    "no title": {"chat": {"title": None}},
    "nothing": {"chat": {}},
    "members": {"chat": {"models": ["m"], "x": {"y": [1, 1.0, 2**53 + 1, 1e16, None]}}},
    "variables": {"chat": {"title": "t"}, "variables": {"a": 1.0}},
    "legacy messages": {"chat": {"messages": [{"id": "z", "role": "user", "content": "c"}], "currentId": "z"}},
    "a history": {"chat": {"title": "t", "history": {"messages": {}, "currentId": "a"}}},
    "half a surrogate pair": {"chat": {"title": "\ud83d"}},
}


@pytest.fixture
async def pair(oracle: str, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    async def nothing(*_args: Any, **_kwargs: Any) -> None:
        pass

    monkeypatch.setattr(routes, "publish_event", nothing)
    monkeypatch.setattr(type(Folders), "get_folder_by_id_and_user_id", nothing)
    async with opened(CHATS, oracle) as pair:
        _CACHES.pop(pair.client, None)  # what other tests have left in chats with the same ids
        pair.contract = replace(pair.contract, bound=ours("Chats", "ChatMessages"))
        yield pair


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the requests that were sent."""
    sent: list[str] = []
    send = Transport.send

    async def count(self: Transport, head: bytes, body: bytes, **more: bool) -> Answer:
        sent.append(head.split(b" ")[1].decode().removeprefix("/api/owui/"))
        return await send(self, head, body, **more)

    monkeypatch.setattr(Transport, "send", count)
    return sent


async def save(pair: Pair, form: dict[str, Any], user: Any = USER, chat_id: str = ID) -> Any:
    """Return what the host answers, which must be the same with ours, as must be the rows then."""

    def asked() -> dict[str, Any]:
        request = SimpleNamespace(app=None)
        return {"request": request, "id": chat_id, "form_data": ChatForm(**form), "user": user, "db": None}

    pair.clock.now += 1
    with pair.database.active():
        expected = await _outcome(routes.update_chat_by_id, (), asked())
        with pair.bound():
            actual = await _outcome(written_at_once(routes.update_chat_by_id), (), asked())
    same(f"{form}", expected, actual)
    await pair._compare_rows(f"{form}")
    return expected


async def seed_one(pair: Pair, user_id: str = "u1") -> None:
    """Put a chat with messages into both."""
    await seed(pair, [chat(1, chat=body("a", "b"), user_id=user_id)], [row(1, "a"), row(1, "b", role="assistant")])


async def meet(pair: Pair) -> None:
    """Read the chat in this process."""
    with pair.database.active(), pair.bound():
        await Chats.get_chat_by_id(ID)


async def forget_all(pair: Pair) -> None:
    """Delete the chats of both, behind the back of this process."""
    await clear(pair.client, "chat", "chat_message")
    async with pair.database.engine.begin() as connection:
        for table in ("chat", "chat_message"):
            await connection.execute(delete(Chat.metadata.tables[table]))


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("is_known", [False, True])
async def test_saving(pair: Pair, name: str, *, is_known: bool) -> None:
    await seed_one(pair)
    if is_known:
        await meet(pair)
    for _ in range(2):
        await save(pair, FORMS[name])
    await save(pair, {"chat": {"title": "Another"}})


async def test_one_request_saves_a_title_of_a_known_chat(pair: Pair, requests: list[str]) -> None:
    await seed_one(pair)
    await meet(pair)
    for number in range(3):
        requests.clear()
        saved = await save(pair, {"chat": {"title": f"Title {number}"}})
        assert saved.title == f"Title {number}"
        assert requests == SAVE


async def test_a_chat_of_somebody_else(pair: Pair, requests: list[str]) -> None:
    await seed_one(pair, "u2")
    await meet(pair)
    requests.clear()
    assert isinstance(await save(pair, {"chat": {"title": "x"}}), HTTPException)
    assert "chats/save_chat" not in requests
    assert isinstance(await save(pair, {"chat": {"title": "x"}}, chat_id=NOBODY), HTTPException)


async def test_a_chat_that_is_gone(pair: Pair) -> None:
    await seed_one(pair)
    await meet(pair)
    await forget_all(pair)
    assert isinstance(await save(pair, {"chat": {"title": "x"}}), HTTPException)


async def test_a_chat_that_is_somebody_elses_now(pair: Pair) -> None:
    await seed_one(pair)
    await meet(pair)
    await save(pair, {"chat": {"title": "Mine"}})
    await forget_all(pair)
    await seed_one(pair, "u2")
    assert isinstance(await save(pair, {"chat": {"title": "x"}}), HTTPException)
    assert (await save(pair, {"chat": {"title": "y"}}, OTHER)).title == "y"


async def test_a_chat_that_others_changed(pair: Pair) -> None:
    await seed_one(pair)
    await meet(pair)
    changed = chat(1, chat=body("a", "b", x=1.0), title="By others")
    await clear(pair.client, "chat", "chat_message")
    await insert(pair.client, changed, [row(1, "a"), row(1, "b", role="assistant")])
    async with pair.database.engine.begin() as connection:
        values = {"chat": changed.chat, "title": changed.title}
        await connection.execute(update(Chat.__table__).values(**values))
    saved = await save(pair, {"chat": {"models": ["n"]}})
    assert (saved.chat["x"], saved.chat["models"]) == (1.0, ["n"])
