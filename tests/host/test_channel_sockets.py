"""What the browsers of three people in a channel hear over Socket.IO, and models that answer there."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.channel_people import PEOPLE, Told, people_on
from tests.support.fake_openai import FakeOpenAI
from tests.support.openwebui import DATABASES, with_and_without_users
from tests.support.scenarios import Step, configure, contrast, grant, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.channel_people import Event
    from tests.support.openwebui import Fleet, OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

CHANNELS = "/api/v1/channels"
OPENAI = "/openai/config"
MODEL = "/api/v1/models"
AT_ONCE = 16


def post(user: str, channel: str, text: str, save: str = "", status: int = 200, **form: Any) -> Step:
    return step(user, status, f"POST {CHANNELS}/${channel}/messages/post", {"content": text, **form}, save=save)


def send(user: str, path: str, body: Any = None, status: int = 200, **more: Any) -> Step:
    return step(user, status, f"{'GET' if body is None else 'POST'} {CHANNELS}/{path}", body, **more)


def delete(user: str, path: str, status: int = 200) -> Step:
    return step(user, status, f"DELETE {CHANNELS}/{path}/delete")


CONVERSATION: list[Step | Told] = [
    send(
        "admin",
        "create",
        {
            "name": "all $here",
            "access_grants": [grant(f"${name}", right) for name in PEOPLE for right in ("read", "write")],
        },
        save="all",
        sort=True,
    ),
    post("ann", "all", "Nobody has joined"),
    *[Told(name) for name in PEOPLE],
    post("ann", "all", "Now they have"),
    Told("bob", "all", "last_read_at"),
    send("ann", "create", {"name": "g $here", "type": "group", "user_ids": ["$bob"]}, save="g"),
    post("ann", "g", "Hello", "hello", temp_id="t", data={"files": []}),
    Told("bob", "g", "typing", data={"typing": True}),
    Told("bob", "g", "typing", message="hello", data={"typing": True}),
    Told("carl", "g", "typing", data={"typing": True}),
    post("bob", "g", "Hello, Ann", "reply", parent_id="$hello"),
    post("bob", "g", "A quote", "quote", reply_to_id="$reply"),
    send("ann", "$g/messages/$quote/reactions/add", {"name": "+1"}),
    send("bob", "$g/messages/$quote/reactions/add", {"name": "🎉"}),
    send("ann", "$g/messages/$quote/reactions/remove", {"name": "+1"}),
    send("ann", "$g/messages/$hello/update", {"content": "Hello!", "data": {"a": 1.0}}),
    send("ann", "$g/messages/$reply/pin", {"is_pinned": True}),
    send("bob", "", mine=True, sort=True),
    Told("bob", "g", "last_read_at"),
    Told("carl", "g", "last_read_at"),
    send("bob", "", mine=True, sort=True),
    send("bob", "$g/members/mute", {"is_channel_muted": True}),
    send("ann", "$g/update/members/add", {"user_ids": ["$carl"]}),
    post("carl", "g", "Here I am", "carls"),
    send("ann", "$g/webhooks/create", {"name": "Hook"}, save="w token", take="id token"),
    send("", "webhooks/$w/$token", {"content": "A post"}, save="hooks", take="message_id"),
    send("bob", "$g/members/active", {"is_active": False}),
    post("ann", "g", "Bob comes back"),
    send("ann", "$g/update/members/remove", {"user_ids": ["$carl"]}),
    post("ann", "g", "Without Carl"),
    Told("carl", "g", "typing", data={"typing": True}),
    delete("bob", "$g/messages/$hello", status=403),
    delete("bob", "$g/messages/$reply"),
    delete("ann", "$g/messages/$hello"),
    send("carl", "users/$ann", save="dm"),
    post("ann", "dm", "Between us"),
    send("ann", "create", {"type": "dm", "user_ids": ["$carl"]}),
    delete("ann", "$g"),
    send("ann", "$g", status=404),
    send("admin", "$all/access/update", {"access_grants": [grant("$bob", "read")]}, sort=True),
    post("admin", "all", "Only Bob is left"),
    delete("admin", "$all"),
]


async def converse(instance: OpenWebUI) -> list[tuple[str, Any, Any]]:
    """Have the conversation; return what happened: action, answer, what each browser heard."""
    log = []
    async with people_on(instance, "channel sockets") as people:
        for action in CONVERSATION:
            status, answer = await people.do(action)
            assert status == (action.status if isinstance(action, Step) else 0), f"{action}: {status} {answer}"
            log.append((str(action), answer, await people.hear()))
    return log


@pytest.mark.parametrize("database", DATABASES)
async def test_the_same_is_heard(fleet: Fleet, database: str) -> None:
    names = ("stock", "everything", with_and_without_users("messages", database)[-1])
    instances = fleet.start(*((name, database) for name in names))
    expected, *others = await asyncio.gather(*map(converse, instances))
    assert sum(len(events) for _, _, heard in expected for events in heard.values()) > 90
    for name, found in zip(names[1:], others, strict=True):
        assert not list(contrast(expected, found)), name


# A model answers.


@pytest.fixture(scope="module")
def model() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(pause=0.05) as model:
        yield model


@pytest.fixture(scope="module")
def answering(fleet: Fleet, model: FakeOpenAI) -> Iterator[dict[str, OpenWebUI]]:
    """Instances, by configuration, with a model that everybody may ask."""
    names = ("stock", "everything")
    instances = dict(zip(names, fleet.start(*((name, "sqlite") for name in names)), strict=True))
    mine = {"ENABLE_OPENAI_API": True, "OPENAI_API_BASE_URLS": [model.url], "OPENAI_API_KEYS": ["a-key"]}
    entry: dict[str, Any] = {"id": "fake", "name": "Fake", "meta": {}, "params": {}, "base_model_id": None}
    before = {name: request(instance, "GET", OPENAI) for name, instance in instances.items()}
    for name, instance in instances.items():
        request(instance, "POST", f"{OPENAI}/update", before[name] | mine)
        request(instance, "POST", f"{MODEL}/create", {**entry, "access_grants": [grant("*", "read")]})
        request(instance, "GET", "/api/models?refresh=true")
    yield instances
    for name, instance in instances.items():
        request(instance, "POST", f"{MODEL}/model/delete", {"id": "fake"})
        request(instance, "POST", f"{OPENAI}/update", before[name])
        request(instance, "GET", "/api/models?refresh=true")


def request(instance: OpenWebUI, method: str, path: str, body: Any = None) -> Any:
    answer = instance.request("admin", method, path, **({} if body is None else {"json": body}))
    assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json()


MENTION = "<@M:fake|Fake>"


def ended(events: list[Event]) -> list[Event]:
    """Return the last word of each answer of a model."""
    messages = [each["data"]["data"] for each in events if each["data"]["type"] == "message:update"]
    return [each for each in messages if (each["meta"] or {}).get("done")]


def growth(events: list[Event], id: str) -> list[str]:
    """Return what a message has been, one after the other."""
    return [
        each["data"]["data"]["content"]
        for each in events
        if each["message_id"] == id and each["data"]["type"] in ("message", "message:update")
    ]


async def ask(instance: OpenWebUI) -> list[Any]:
    """Ask the model: alone, in its own thread by quoting it, and in a channel without threads."""
    log: list[Any] = []
    async with people_on(instance, "channel models") as people:
        await people.do(send("ann", "create", {"name": "m $here", "type": "group", "user_ids": ["$bob"]}, save="c"))
        for number, (question, mode) in enumerate(
            [
                (post("ann", "c", f"{MENTION} Say something", "asked"), "thread"),
                (post("bob", "c", "And more", "more", parent_id="$asked", reply_to_id="$answer0"), "thread"),
                (post("ann", "c", f"{MENTION} In the channel", "third"), "channel"),
            ]
        ):
            await people.do(configure(CHANNEL_MODEL_RESPONSE_MODE=mode))
            await people.hear()
            log.append(await people.do(question))
            (answer, *_) = await people.until("answer", ended)
            people.player.names[f"answer{number}"] = answer["id"]
            words = growth(people.heard["ann", 0], answer["id"])
            assert len(words) > 3
            assert all(later.startswith(earlier.strip()) for earlier, later in itertools.pairwise(words)), words
            await people.hear()
            paths = (f"$answer{number}", f"$answer{number}/data", "$asked/thread", "$asked")
            log += [await people.do(send("bob", f"$c/messages/{path}")) for path in paths]
        await people.do(configure(CHANNEL_MODEL_RESPONSE_MODE="thread"))
        log.append(await people.do(send("bob", "$c/messages")))
    return log


async def test_a_model_answers_the_same(answering: dict[str, OpenWebUI]) -> None:
    expected, *others = await asyncio.gather(*map(ask, answering.values()))
    assert "fake heard 2 messages: ann" in str(expected)
    for found in others:
        assert not list(contrast(expected, found))


async def test_answers_at_once_are_all_complete(answering: dict[str, OpenWebUI]) -> None:
    async with people_on(answering["everything"], "answers at once") as people:
        await people.do(send("ann", "create", {"name": "m $here", "type": "group", "user_ids": []}, save="c"))
        questions = [post("ann", "c", f"{MENTION} {number} " + "again " * 20) for number in range(AT_ONCE)]
        statuses = [status for status, _ in await asyncio.gather(*map(people.do, questions))]
        assert statuses == [200] * AT_ONCE
        await people.until("answers", lambda events: len({each["id"] for each in ended(events)}) == AT_ONCE)
        await people.hear()
        answer = await asyncio.to_thread(people.player.exchange, send("ann", "$c/messages"))
        asked = answer[1]
        assert len(asked) == AT_ONCE
        for each in asked:
            assert each["reply_count"] == 1
            thread = (await asyncio.to_thread(people.player.exchange, send("ann", f"$c/messages/{each['id']}/thread")))[
                1
            ]
            said = each["content"].removeprefix(f"{MENTION} ").strip()
            assert thread[0]["content"].strip().endswith(f"Fake {said}")
            assert thread[0]["meta"] == {"model_id": "fake", "model_name": "Fake", "done": True}
