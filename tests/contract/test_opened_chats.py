"""Opening a chat: what the host says of its context and its authors, it says with fewer reads, and stores the same."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from open_webui.models.chats import Chats
from open_webui.models.users import Users
from open_webui.routers import chats as routes
from open_webui.utils import context_compaction as compaction

from openwebui_pocketbase.client.transport import Answer, Transport
from openwebui_pocketbase.seams.context_usage import if_wanted
from openwebui_pocketbase.seams.message_authors import knowing_the_reader
from tests.support.chats import CHATS, chat, entry, key, row, seed
from tests.support.contracts import ours
from tests.support.differential import Opened, Pair, _outcome, same

ID = key(1)
OTHER = key(2)
USAGE = {"prompt_tokens": 300, "completion_tokens": 160}

ENTRIES = {
    "a": entry("a", content="one"),
    "b": entry("b", "a", "assistant", usage=USAGE),
    "c": entry("c", "b", content="a longer text " * 20),
}
ROWS = [
    row(1, "a"),
    row(1, "b", parent_id="a", role="assistant", usage=USAGE),
    row(1, "c", parent_id="b", content="a longer text " * 20),
]
BODIES: dict[str, Any] = {
    "all rows": ({"history": {"messages": ENTRIES, "currentId": "c"}}, ROWS),
    "no rows": ({"history": {"messages": ENTRIES, "currentId": "c"}}, []),
    "a row's parent has none": ({"history": {"messages": ENTRIES, "currentId": "c"}}, [ROWS[0], ROWS[2]]),
    "a parent that is nowhere": ({"history": {"messages": {}, "currentId": "c"}}, [row(1, "c", parent_id="x")]),
    "a parent in another chat": (
        {"history": {"messages": {}, "currentId": "c"}},
        [row(1, "c", parent_id="x"), row(2, "x")],
    ),
    "a parent without id": ({"history": {"messages": {}, "currentId": "c"}}, [row(1, "c", parent_id="")]),
    "a current message without row": ({"history": {"messages": ENTRIES, "currentId": "c"}}, ROWS[:2]),
    "no current message": ({"history": {"messages": ENTRIES}}, ROWS),
    "a current message that is a number": ({"history": {"messages": ENTRIES, "currentId": 5}}, ROWS),
    "a list of messages": ({"messages": [{"id": "a"}, {"id": "c"}]}, ROWS),
    "a text for messages": ({"history": {"messages": "abc", "currentId": "c"}}, []),
    "entries that are none": ({"history": {"messages": {"c": "x"}, "currentId": "c"}}, []),
    "nothing": ({}, []),
}

every_body = pytest.mark.parametrize("name", BODIES)
wanted_or_not = pytest.mark.parametrize("is_wanted", [False, True])


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(CHATS, oracle) as pair:
        pair.contract = replace(pair.contract, bound=ours("Chats", "ChatMessages"))
        yield pair


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the settings of compaction are."""
    found = {"enable": False, "token_threshold": 900, "token_cap": 800, "retention_percentage": 40}

    async def load() -> dict[str, Any]:
        return found

    monkeypatch.setattr(compaction, "_load_config", load)
    return found


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


async def compare(pair: Pair, name: str, *args: Any) -> Any:
    """Return what the host says of a chat's context, which must be the same with ours, as must be the rows then."""
    stock = compaction.get_chat_context_usage
    with pair.database.active():
        expected = await _outcome(stock, (await Chats.get_chat_by_id(ID), *args), {})
        with pair.bound():
            actual = await _outcome(if_wanted(stock), (await Chats.get_chat_by_id(ID), *args), {})
    same(name, expected, actual)
    await pair._compare_rows(name)
    return expected


@every_body
@wanted_or_not
async def test_context_usage(pair: Pair, settings: dict[str, Any], name: str, *, is_wanted: bool) -> None:
    body, rows = BODIES[name]
    settings["enable"] = is_wanted
    await seed(pair, [chat(1, chat=copy.deepcopy(body)), chat(2)], rows)
    for model in (None, "m"):
        found = await compare(pair, name, model)
    if name == "all rows":
        assert bool(found) == is_wanted


async def test_messages_are_read_only_if_somebody_wants_to_know(
    pair: Pair, settings: dict[str, Any], requests: list[str]
) -> None:
    body, rows = BODIES["all rows"]
    await seed(pair, [chat(1, chat=body), chat(2, chat=body)], rows)
    usage = if_wanted(compaction.get_chat_context_usage)
    with pair.database.active(), pair.bound():

        async def sent_for(chat_id: str = ID) -> list[str]:
            opened = await Chats.get_chat_by_id(chat_id)
            requests.clear()
            await usage(opened)
            return [*requests]

        assert await sent_for() == ["chat_messages/are_linked"]
        assert await sent_for() == []
        made = await sent_for(OTHER)  # it has no rows
        assert made[:2] == ["chat_messages/are_linked", "chat_messages/get_messages_map_by_chat_id"]
        assert made[-1] == "chats/save_chat"
        assert await sent_for(OTHER) == ["chat_messages/are_linked"]
        assert await sent_for(OTHER) == []
        await Chats.upsert_message_to_chat_by_id_and_message_id(ID, "c", {"content": "changed"})
        assert await sent_for() == ["chat_messages/are_linked"]
        assert await sent_for(ID) == []
        settings["enable"] = True
        assert await sent_for() == ["chat_messages/get_messages_map_by_chat_id"]


READER = SimpleNamespace(id="u1", name="Ann", role="user")
QUESTIONS: dict[str, list[dict[str, Any]]] = {
    "without author": [entry("a"), entry("b", "a", "assistant", meta={"x": 1}), entry("c", "b")],
    "with ids": [entry("a", user_id="u1"), entry("b", "a", user_id="u2"), entry("c", user_id="gone")],
    "with names": [entry("a", user={"id": "u1", "name": "Then"}), entry("c", "a")],
    "with a name behind": [entry("a"), entry("c", "a", user={"id": "u1", "name": "Then"})],
    "with names of others": [entry("a", user={"id": "u2", "name": "Bob"}), entry("c", "a", user={"id": "u1"})],
    "with a name of another id": [entry("a", user_id="u1", user={"id": "u2", "name": "Bob"}), entry("c")],
    "with an empty name": [entry("a", user={"id": "u1", "name": ""}), entry("c")],
    "with what is no author": [entry("a", user="u1"), entry("b", user=["u1"]), entry("c", user_id="")],
    "with other members": [{"user_id": None, "role": "user", "user": {"z": 1, "id": "u1"}, "x": 1.0}, entry("c")],
    "no question": [entry("a", role="assistant")],
    "none": [],
}


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("owner", ["u1", "u2"])
async def test_authors(monkeypatch: pytest.MonkeyPatch, name: str, owner: str, *, legacy: bool) -> None:
    asked: list[list[str]] = []

    async def read(_self: Any, user_ids: list[str], db: Any = None) -> list[Any]:
        asked.append(sorted(user_ids))
        names = {"u1": "Ann", "u2": "Bob in the database"}
        return [SimpleNamespace(id=each, name=names[each]) for each in user_ids if each in names]

    monkeypatch.setattr(type(Users), "get_users_by_user_ids", read)
    messages = QUESTIONS[name]
    body: dict[str, Any] = {"history": {"messages": {str(n): each for n, each in enumerate(messages)}}}
    body |= {"messages": messages} if legacy else {}
    for reader in (READER, SimpleNamespace(id="u1", name="", role="user"), None):
        said, reads = [], []
        for respond in (routes.shared_chat_response, knowing_the_reader(routes.shared_chat_response)):
            shown = SimpleNamespace(**vars(chat(1, user_id=owner, chat=copy.deepcopy(body))))
            asked.clear()
            said.append(json.dumps(await respond(shown, reader)))
            reads.append([*asked])
        assert said[0] == said[1]
        expected = [[each for each in ids if reader is not READER or each != "u1"] for ids in reads[0]]
        assert reads[1] == [ids for ids in expected if ids]


@pytest.mark.parametrize("body", [{"history": None}, {"history": []}, {"history": {"messages": {"a": "x"}}}])
async def test_what_is_no_history_fails_as_in_the_host(body: dict[str, Any]) -> None:
    outcomes = []
    for respond in (routes.shared_chat_response, knowing_the_reader(routes.shared_chat_response)):
        shown = SimpleNamespace(**vars(chat(1, chat=copy.deepcopy(body))))
        outcomes.append(await _outcome(respond, (shown, READER), {}))
    same("shared_chat_response", *outcomes)
