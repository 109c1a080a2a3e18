"""Conversations with a model, as browsers hold them over HTTP and Socket.IO: the same as with a stock Open WebUI."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browser import Browser, Turn
from tests.support.chat_steps import CHATS, FOLDERS, GROUPS
from tests.support.fake_openai import MODELS, USAGE, FakeOpenAI
from tests.support.processes import eventually
from tests.support.scenarios import MISSING, Player, contrast, grant, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.openwebui import Fleet, OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

AUTOMATIONS = "/api/v1/automations"
MODEL = "/api/v1/models"
OPENAI = "/openai/config"
SUBAGENTS = "/api/v1/configs/subagents"
ALL_TASKS = {"title_generation": True, "tags_generation": True, "follow_up_generation": True}


@pytest.fixture(scope="module")
def fake_openai() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        yield server


@pytest.fixture(scope="module")
def talkative(fleet: Fleet, fake_openai: FakeOpenAI) -> Iterator[dict[str, OpenWebUI]]:
    """Instances, by configuration, with a model that everybody may talk to, tools for it, and timers."""
    names = ("stock", "everything")
    instances = dict(zip(names, fleet.start(*((name, "sqlite") for name in names)), strict=True))
    before = {name: connect(instance, fake_openai.url) for name, instance in instances.items()}
    yield instances
    for name, instance in instances.items():
        disconnect(instance, before[name])


def connect(instance: OpenWebUI, url: str) -> dict[str, Any]:
    """Have an instance use the server; return the settings that were changed."""
    before = {path: send(instance, "GET", path) for path in (OPENAI, SUBAGENTS)}
    openai = {"ENABLE_OPENAI_API": True, "OPENAI_API_BASE_URLS": [url], "OPENAI_API_KEYS": ["a-key"]}
    subagents = {"ENABLE_SUBAGENTS": True, "SUBAGENTS_BACKGROUND_ENABLED": True}
    configure(instance, {OPENAI: before[OPENAI] | openai, SUBAGENTS: before[SUBAGENTS] | subagents})
    for name in MODELS:
        meta = {"capabilities": {"usage": True}}
        model = {"id": name, "name": name.title(), "meta": meta, "params": {}, "base_model_id": None}
        send(instance, "POST", f"{MODEL}/create", {**model, "access_grants": [grant("*", "read")]})
    send(instance, "GET", "/api/models?refresh=true")
    return before


def disconnect(instance: OpenWebUI, before: dict[str, Any]) -> None:
    for name in MODELS:
        send(instance, "POST", f"{MODEL}/model/delete", {"id": name})
    configure(instance, before)


def configure(instance: OpenWebUI, settings: dict[str, Any]) -> None:
    send(instance, "POST", f"{OPENAI}/update", settings[OPENAI])
    send(instance, "POST", SUBAGENTS, settings[SUBAGENTS])
    send(instance, "GET", "/api/models?refresh=true")


def send(instance: OpenWebUI, method: str, path: str, body: Any = None) -> Any:
    answer = instance.request("admin", method, path, **({} if body is None else {"json": body}))
    assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json()


async def turns(alice: Browser, _: FakeOpenAI) -> None:
    """A title, tags, follow-ups, a second turn, another answer, two models, an answer in one piece."""
    first = await alice.say("Hello, model", tasks=ALL_TASKS)
    assert [kind for kind in first.types if kind != "response:completion"] == [
        "chat:list",
        "chat:active",
        *["chat:completion"] * 2,
        "chat:list",
        "chat:completion",
        "chat:message:follow_ups",
        "chat:tags",
        "chat:active",
    ]
    messages = await alice.look()
    answer = messages[first.answers[0]]
    assert list(messages) == [first.asked, *first.answers]
    assert answer["content"] == "fake heard 1 messages: Hello, model"
    assert answer["usage"].items() >= USAGE.items()
    assert answer["followUps"] == ["What else?", "Why is that?"]
    assert answer["done"]
    await alice.send(200, f"GET {CHATS}/all/tags", sort=True)

    second = await alice.say("Go on", after=first, tasks={"follow_up_generation": True})
    again = await alice.say("", again=second)
    messages = await alice.look()
    assert messages[second.asked]["childrenIds"] == [*second.answers, *again.answers]
    assert messages[second.asked]["content"] == "Go on"

    both = await alice.say("Both of you", after=again, models=list(MODELS))
    messages = await alice.look()
    assert [messages[each]["modelIdx"] for each in both.answers] == [0, 1]
    assert [messages[each]["content"][:8] for each in both.answers] == ["fake hea", "fake-two"]

    whole = await alice.say("All at once", after=both, stream=False)
    messages = await alice.look()
    assert messages[whole.answers[0]]["content"] == "fake heard 7 messages: All at once"


async def errors(alice: Browser, _: FakeOpenAI) -> None:
    """The model fails; turns that the server refuses."""
    first = await alice.say("FAIL at once", tasks=ALL_TASKS)
    assert "chat:message:error" in first.types
    broken = (await alice.look())[first.answers[0]]
    assert (broken["error"], broken["done"]) == ({"content": "The model broke."}, True)
    second = await alice.say("And now?", after=first)
    third = await alice.say("FAIL again", after=second)
    await alice.say("", again=third)
    await alice.look()

    nowhere = Turn(str(uuid.uuid4()), [str(uuid.uuid4())], 0)
    await alice.begin("After nothing", after=nowhere, status=409)
    await alice.begin("The wrong one", again=Turn(second.answers[0], [], 0, parent=second.asked), status=403)
    await alice.begin("To nobody", after=second, models=["nobody"], status=400)
    await alice.look()
    chat_id, alice.chat_id = alice.chat_id, MISSING
    await alice.begin("In no chat", after=second, status=404)
    alice.chat_id = chat_id


async def stops(alice: Browser, _: FakeOpenAI) -> None:
    """Answers that are stopped: by the user, by archiving and by deleting the chat."""
    first = await alice.say("Hello")
    waiting, _key = await alice.begin_waiting(after=first)
    await alice.send(409, f"POST {CHATS}/{alice.chat_id}/fork", {})
    tasks = await alice.send(200, f"GET /api/tasks/chat/{alice.chat_id}")
    assert len(tasks["task_ids"]) == 1
    await alice.send(200, f"GET {CHATS}/?page=1")
    await alice.send(200, f"POST /api/tasks/chat/{alice.chat_id}/stop")
    await alice.until_quiet(waiting.since)
    assert "chat:tasks:cancel" in alice.keep_events(waiting.since)
    await alice.look()
    await alice.send(200, f"POST /api/tasks/chat/{alice.chat_id}/stop")
    stopped = (await alice.look())[waiting.answers[0]]
    assert stopped["done"]

    waiting, _key = await alice.begin_waiting(after=first)
    await alice.send(200, f"POST {CHATS}/{alice.chat_id}/archive")
    await alice.until_quiet(waiting.since)
    await alice.look()

    waiting, _key = await alice.begin_waiting(after=first)
    await alice.send(200, f"DELETE {CHATS}/{alice.chat_id}")
    await alice.until_quiet(waiting.since)
    await alice.send(401, f"GET {CHATS}/{alice.chat_id}")
    await alice.send(200, f"GET {CHATS}/?page=1")


async def tools(alice: Browser, _: FakeOpenAI) -> None:
    """The model calls tools which search, read and make chats."""
    other = await alice.send(200, f"POST {CHATS}/new", OTHER)
    found = await alice.say('CALL search_chats {"query": "needle"}')
    messages = await alice.look()
    output = messages[found.answers[0]]["output"]
    assert [item["type"] for item in output] == ["function_call", "function_call_output", "message"]
    assert other["id"] in output[1]["output"][0]["text"]
    seen = await alice.say(f'CALL view_chat {{"chat_id": "{other["id"]}"}}', after=found)
    assert "a needle in it" in (await alice.look())[seen.answers[0]]["content"]
    unknown = await alice.say('CALL view_chat {"chat_id": "nothing"}', after=seen)
    await alice.say("CALL no_such_tool {}", after=unknown)
    await alice.look()


async def delegation(alice: Browser, openai: FakeOpenAI) -> None:
    """The model gives tasks to others, in chats that are not in the list; in the background, too."""
    first = await alice.say('CALL delegate_task {"task": "Count to three"}')
    assert "heard 2 messages: Count to three" in (await alice.look())[first.answers[0]]["content"]

    # The other one has done it when nobody works on the chat ...
    key = str(uuid.uuid4())
    call = f'CALL delegate_task {{"task": "WAIT {key}", "background": true}}'
    second = await alice.say(call, after=first)
    openai.released.add(key)
    reloaded = await alice.until_reload(second.since)
    await alice.until_quiet(reloaded)
    *_, result, answer = (await alice.look()).values()
    assert result["parentId"] == second.answers[0]
    assert "--- RESULT ---" in result["content"]
    assert answer["content"].startswith("fake heard ")

    # ... and while somebody does.
    key = str(uuid.uuid4())
    third = await alice.say(f'CALL delegate_task {{"task": "WAIT {key}", "background": true}}', after=second)
    waiting, keep_working = await alice.begin_waiting(after=third)
    openai.released.add(key)
    reloaded = await alice.until_reload(waiting.since)
    await alice.look()
    openai.released.add(keep_working)
    reloaded = await alice.until_reload(reloaded)
    await alice.until_quiet(reloaded)
    *_, result, answer = (await alice.look()).values()
    assert result["meta"]["type"] == "subagent"
    assert answer["content"].startswith("fake heard ")
    child = await alice.send(200, f"GET {CHATS}/{result['meta']['subagent_chat_id']}")
    assert child["meta"]["internal"]
    await alice.send(200, f"DELETE {CHATS}/{alice.chat_id}")
    await alice.send(401, f"GET {CHATS}/{child['id']}")


async def timers(alice: Browser, _: FakeOpenAI) -> None:
    """A timer rings, unless the user says something or reads the chat before."""
    first = await alice.say('CALL timer {"prompt": "No", "at": "4s", "cancel_on": ["chat.user_message"]}')
    second = await alice.say('CALL timer {"prompt": "No", "at": "4s", "cancel_on": ["chat.read"]}', after=first)
    await alice.tell("last_read_at")
    await asyncio.sleep(1.01 - time.time() % 1)  # it rings after the latest answer, to the second
    third = await alice.say('CALL timer {"prompt": "Ring", "at": "4s", "cancel_on": []}', after=second)
    reloaded = await alice.until_reload(third.since)
    await alice.until_quiet(reloaded)
    alice.keep_events(reloaded)
    *before, asked, answer = (await alice.look()).values()
    assert [each["id"] for each in before] == [
        message for turn in (first, second, third) for message in (turn.asked, *turn.answers)
    ]
    assert (asked["content"], asked["meta"]["type"]) == ("Ring", "timer")
    assert answer["content"] == "fake heard 13 messages: Ring"
    timer = await alice.send(200, f"GET {CHATS}/{asked['meta']['timer_id']}")
    assert timer["meta"]["status"] == "completed"


async def together(alice: Browser, _: FakeOpenAI) -> None:
    """Two people talk in one chat, and see what the other one does; a third one is kept out."""
    folder = await alice.send(200, f"POST {FOLDERS}/", {"name": "Ours"})
    sharing = {"access_grants": [grant("$bob", "read"), grant("$bob", "write")], "share_mode": "continue"}
    await alice.send(200, f"POST {FOLDERS}/{folder['id']}/access/update", sharing, sort=True)
    first = await alice.say("From alice", folder_id=folder["id"])
    assert await alice.tell("join")
    async with alice.beside("bob") as bob, alice.beside("carol") as carol:
        assert await bob.tell("join")
        assert not await carol.tell("join")
        assert await bob.tell("typing", typing=True)
        since = len(alice.heard)
        second = await bob.say("From bob", after=first, tasks=ALL_TASKS)
        await alice.until_quiet(since)
        assert {"chat:messages", "chat:completion"} <= set(alice.keep_events(since))
        await bob.say("", again=first)
        await carol.begin("From carol", after=second, status=404)
        messages = await bob.look()
        assert messages[second.asked]["user"]["name"] == "bob-in-talk-together"
        await alice.look()
        await bob.tell("last_read_at")
        assert await bob.tell("leave")
        third = await alice.say("Are you there?", after=second)
        await bob.look()
        await alice.send(200, f"POST {FOLDERS}/{folder['id']}/access/update", {"access_grants": []})
        await bob.begin("Still here", after=third, status=404)
    await alice.look()


async def automations(alice: Browser, _: FakeOpenAI) -> None:
    """An automation makes a chat; deleting it leaves the run, without the chat."""
    permitted = {"name": "Automators", "description": "", "permissions": {"features": {"automations": True}}}
    group = await alice.send(200, f"POST {GROUPS}/create", permitted, user="admin")
    await alice.send(200, f"POST {GROUPS}/id/{group['id']}/users/add", {"user_ids": ["$alice"]}, user="admin")
    await alice.client.disconnect()
    await alice.open()  # new permissions have ended the session
    made = await asyncio.to_thread(eventually, lambda: make_automation(alice), "a busy machine has time for a schedule")
    since = len(alice.heard)
    await alice.send(200, f"POST {AUTOMATIONS}/{made['id']}/run")
    alice.chat_id = await asyncio.to_thread(eventually, lambda: run_of(alice, made["id"]), "the automation has run")
    await alice.until_quiet(since)
    asked, answer = (await alice.look()).values()
    assert (asked["content"], answer["content"]) == ("Sum up.", "fake heard 1 messages: Sum up.")
    await alice.send(200, f"GET {AUTOMATIONS}/{made['id']}/runs")
    await alice.send(200, f"DELETE {CHATS}/{alice.chat_id}")
    (run,) = await alice.send(200, f"GET {AUTOMATIONS}/{made['id']}/runs")
    assert run["chat_id"] is None
    await alice.send(200, f"DELETE {AUTOMATIONS}/{made['id']}/delete")


def make_automation(alice: Browser) -> dict[str, Any] | None:
    """Return a new automation; None if a process that computes its schedule did not start within two seconds."""
    data = {"prompt": "Sum up.", "model_id": "fake", "rrule": "DTSTART:20300101T000000\nRRULE:FREQ=DAILY"}
    new = step("alice", 200, f"POST {AUTOMATIONS}/create", {"name": "Daily", "data": data})
    status, content, _ = alice.player.exchange(new)
    assert status == 200 or "took too long" in content["detail"], content
    return content if status == 200 else None


def run_of(alice: Browser, automation: str) -> str | None:
    """Return the id of the chat that an automation has made."""
    runs = alice.player.exchange(step("alice", 200, f"GET {AUTOMATIONS}/{automation}/runs"))[1]
    return runs[0]["chat_id"] if runs else None


OTHER = {
    "chat": {
        "title": "Another chat",
        "history": {
            "messages": {
                "m": {"id": "m", "parentId": None, "childrenIds": [], "role": "user", "content": "a needle in it"}
            },
            "currentId": "m",
        },
    }
}
SCENARIOS = {each.__name__: each for each in (turns, errors, stops, tools, delegation, timers, together, automations)}


async def hold(instance: OpenWebUI, scenario: str, openai: FakeOpenAI) -> list[tuple[str, Any]]:
    """Go through a scenario; return what happened."""
    browser = Browser(Player(instance, f"talk {scenario}"), "alice", [])
    await browser.open()
    try:
        await SCENARIOS[scenario](browser, openai)
    finally:
        await browser.client.disconnect()
    return browser.log


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_the_same_happens(talkative: dict[str, OpenWebUI], fake_openai: FakeOpenAI, scenario: str) -> None:
    logs = await asyncio.gather(*(hold(instance, scenario, fake_openai) for instance in talkative.values()))
    (reference, expected), *others = zip(talkative, logs, strict=True)
    for name, found in others:
        assert not list(contrast(expected, found)), f"{reference} != {name}"
