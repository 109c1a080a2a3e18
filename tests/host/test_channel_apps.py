"""External apps in channels: what they are told, what they write, what people do with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.channel_people import people_on
from tests.support.fake_app import API_KEY, FAIL, SCOPES, FakeApp
from tests.support.openwebui import DATABASES
from tests.support.processes import eventually
from tests.support.scenarios import MISSING, contrast, grant, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.channel_people import People
    from tests.support.openwebui import Fleet, OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

APPS = "/api/v1/apps"
CHANNELS = "/api/v1/channels"
SECRETS = ("execution_token", "event_token")


@pytest.fixture(scope="module")
def app() -> Iterator[FakeApp]:
    with FakeApp() as app:
        yield app


class Guest:
    """The app as one instance has installed it, among the people there.

    Attributes:
        log: What happened, in comparable form: (what, answer).
    """

    def __init__(self, app: FakeApp, people: People) -> None:
        self.app = app
        self.people = people
        self.names = people.player.names
        self.log: list[tuple[str, Any]] = []

    async def send(self, user: str, status: int, request: str, body: Any = None, **more: Any) -> Any:
        """Send a request as somebody; return the answer as it is."""
        each = step(user, status, request, body, **more)
        found, content, comparable = await asyncio.to_thread(self.people.player.exchange, each)
        assert found == status, f"{each}: {found} {content}"
        self.log.append((request.partition(" ")[0], comparable))
        return content

    async def post(self, user: str, text: str, **form: Any) -> Any:
        return await self.send(user, 200, f"POST {CHANNELS}/$g/messages/post", {"content": text, **form})

    async def ask(self, status: int, operation: str, **arguments: Any) -> Any:
        """Send a request as the app; return the answer as it is."""
        answer = await asyncio.to_thread(self.app.ask, self.names["app"], operation, **arguments)
        assert answer["status"] == status, f"{operation} {arguments}: {answer}"
        self.log.append((operation, self.people.player.normalise(answer, sort=operation == "list_channels")))
        return answer.get("data")

    async def hear(self, *kinds: str) -> list[dict[str, Any]]:
        """Wait until the app has been told of just this; return it as it is.

        Messages are told of by tasks of their own, in whatever order those get to it.
        """
        told = self.app.told[self.names["app"]]
        await asyncio.to_thread(eventually, lambda: len(told) >= len(kinds), f"the app is told of {kinds}")
        events = sorted(told, key=lambda event: (kinds.index(event["type"]), *_place(event.get("message", {}))))
        told.clear()
        assert [event["type"] for event in events] == list(kinds)
        comparable = [{key: value for key, value in event.items() if key not in SECRETS} for event in events]
        self.log.append(("told", self.people.player.normalise(comparable)))
        return events

    async def press(self, button: str, message: str, status: int = 200) -> Any:
        body = {"message_id": message, "action_id": button}
        return await self.send("ann", status, f"POST {APPS}/$app/interactions", body)


def _place(message: dict[str, Any]) -> tuple[bool, str]:
    """Return what orders messages that are told of at the same time."""
    return bool(message.get("parent_id")), message.get("author", {}).get("type", "")


async def install(guest: Guest) -> None:
    manifest, url = guest.app.manifest, guest.app.url
    await guest.send("admin", 200, f"POST {APPS}/manifest/preview", {"url": url, "api_key": API_KEY})
    form = {
        "manifest": manifest,
        "url": url,
        "api_key": API_KEY,
        "slug": guest.names["here"],
        "granted_scopes": SCOPES,
        "access_grants": [grant("$ann", "read")],
    }
    await guest.send("admin", 200, f"POST {APPS}", form, save="app")
    await guest.send("admin", 409, f"POST {APPS}", form)
    await guest.send("admin", 200, f"POST {APPS}/$app/connect", {})
    await guest.send("admin", 200, f"GET {APPS}/$app", sort=True)


async def join(guest: Guest) -> None:
    group = {"name": "g $here", "type": "group", "user_ids": ["$bob"]}
    await guest.send("ann", 200, f"POST {CHANNELS}/create", group, save="g")
    await guest.send(
        "admin", 200, f"POST {CHANNELS}/create", {"name": "other $here", "access_grants": []}, save="other"
    )
    await guest.send("bob", 200, f"POST {CHANNELS}/create", {"type": "dm", "user_ids": ["$ann"]}, save="dm")
    await guest.post("ann", "Nobody tells the app")
    for user, channel, status in (
        ("bob", "g", 403),
        ("ann", "other", 403),
        ("ann", "dm", 404),
        ("ann", "g", 200),
        ("ann", "g", 200),
        ("admin", "other", 200),
    ):
        await guest.send(user, status, f"POST {CHANNELS}/${channel}/apps", {"app_id": "$app"})
    await guest.send("ann", 404, f"POST {CHANNELS}/$g/apps", {"app_id": MISSING})
    await guest.send("bob", 200, f"GET {CHANNELS}/$g/apps")
    await guest.send("carl", 403, f"GET {CHANNELS}/$g/apps")
    await guest.send("ann", 200, f"GET {CHANNELS}/$g", sort=True)
    await guest.send("ann", 200, f"GET {CHANNELS}/$g/members?query=$here&order_by=name&direction=asc")
    await guest.ask(200, "get_me")
    await guest.ask(200, "list_channels")


async def talk(guest: Guest) -> None:
    g, app = guest.names["g"], guest.names["app"]
    first = await guest.post("bob", "Hello, app", data={"files": []})
    (event,) = await guest.hear("channel.message.created")
    await guest.ask(200, "verify_event", token=event["event_token"])
    await guest.post("ann", f"<@A:{app}|App> What is this?", parent_id=first["id"])
    _, mention = await guest.hear("channel.message.created", "channel.mention")
    await guest.ask(200, "authorize", token=mention["execution_token"])
    await guest.ask(403, "authorize", token="x")
    await guest.post("ann", f"<@A:{app}|App> {FAIL}")
    # The app's own answer is a message as well: that it failed.
    await guest.hear("channel.message.created", "channel.message.created", "channel.mention")
    path = f"{CHANNELS}/$g/messages/{first['id']}"
    await guest.send("bob", 200, f"POST {path}/update", {"content": "Hello!"})
    await guest.hear("channel.message.updated")
    await guest.send("bob", 200, f"POST {path}/reactions/add", {"name": "+1"})
    await guest.send("ann", 200, f"GET {CHANNELS}/$g/messages")

    # Pages.
    page = await guest.ask(200, "list_messages", channel_id=g, limit=2)
    assert len(page["messages"]) == 2
    await guest.ask(200, "list_messages", channel_id=g, limit=2, before=page["next_cursor"])
    await guest.ask(200, "list_messages", channel_id=g, parent_id=first["id"])
    await guest.ask(400, "list_messages", channel_id=g, parent_id=first["id"], before=page["next_cursor"])
    await guest.ask(404, "list_messages", channel_id=g, parent_id=MISSING)
    await guest.ask(404, "list_messages", channel_id=guest.names["dm"])
    await guest.send("bob", 200, f"DELETE {path}/delete")
    await guest.hear("channel.message.deleted", "channel.message.deleted")


async def write(guest: Guest) -> None:
    g = guest.names["g"]
    replies = {
        "private": {"content": "Only you"},
        "public": {"visibility": "channel", "content": "Everybody", "embeds": [{"title": "Card"}]},
        "update": {"type": "update", "content": "Pressed"},
        "ack": {"type": "ack"},
        "wrong": {"type": "nonsense"},
    }
    buttons = [{"action_id": name, "label": name, "context": reply} for name, reply in replies.items()]
    card = {"title": "A card", "fields": [{"name": "n", "value": "v"}], "color": 255}
    made = await guest.ask(200, "create_message", channel_id=g, content="Press", actions=buttons, embeds=[card])
    await guest.hear("channel.message.created")
    await guest.ask(400, "create_message", channel_id=g, content="x", parent_id=MISSING)
    await guest.ask(404, "create_message", channel_id=MISSING, content="x")
    reply = await guest.post("bob", "A reply to it", parent_id=made["id"])
    await guest.hear("channel.message.created")
    await guest.post("bob", "A quote", reply_to_id=made["id"])
    await guest.hear("channel.message.created")
    quote = await guest.ask(200, "create_message", channel_id=g, parent_id=made["id"], reply_to_id=reply["id"])
    await guest.hear("channel.message.created")
    await guest.send("ann", 200, f"GET {CHANNELS}/$g/messages")
    await guest.send("ann", 200, f"GET {CHANNELS}/$g/messages/{made['id']}/thread")
    await guest.send("ann", 200, f"GET {CHANNELS}/$g/messages/{made['id']}")
    await guest.send("bob", 200, f"GET {CHANNELS}/", mine=True, sort=True)
    await guest.send("bob", 200, "GET /api/v1/search?kind=message&q=press", mine=True)

    for button, status in (("private", 200), ("public", 200), ("ack", 200), ("wrong", 502), ("nothing", 400)):
        await guest.press(button, made["id"], status)
    await guest.hear("channel.message.created", *["channel.action"] * 4)
    await guest.press("ack", reply["id"], 404)
    await guest.press("update", made["id"])
    await guest.hear("channel.action", "channel.message.updated")
    changed = await guest.send("ann", 200, f"GET {CHANNELS}/$g/messages/{made['id']}")
    assert changed["content"] == "Pressed"
    assert int(changed["etag"]) == changed["updated_at"] > made["updated_at"]

    # Whoever has not seen the latest change cannot change the message.
    update = {"message_id": made["id"], "content": "Changed", "actions": buttons[:1]}
    await guest.ask(412, "update_message", **update, etag=made["etag"])
    await guest.ask(400, "update_message", **update)
    await guest.ask(404, "update_message", **{**update, "message_id": reply["id"]}, etag="1")
    after = await guest.ask(200, "update_message", **update, etag=changed["etag"])
    assert int(after["etag"]) > int(changed["etag"])
    at_once = [
        asyncio.to_thread(guest.app.ask, guest.names["app"], "update_message", **update, etag=after["etag"])
        for _ in range(4)
    ]
    assert sorted(answer["status"] for answer in await asyncio.gather(*at_once)) == [200, 412, 412, 412]
    await guest.hear("channel.message.updated", "channel.message.updated")
    await guest.send("bob", 200, f"POST {CHANNELS}/$g/messages/{quote['id']}/reactions/add", {"name": "+1"})
    await guest.send("bob", 200, f"POST {CHANNELS}/$g/messages/{quote['id']}/pin", {"is_pinned": True})
    await guest.send("ann", 200, f"GET {CHANNELS}/$g/messages/pinned")
    guest.names["made"] = made["id"]


async def leave(guest: Guest) -> None:
    g = guest.names["g"]
    await guest.send("bob", 403, f"DELETE {CHANNELS}/$g/apps/$app")
    await guest.send("ann", 200, f"DELETE {CHANNELS}/$g/apps/$app")
    await guest.send("ann", 200, f"GET {CHANNELS}/$g/apps")
    await guest.ask(403, "create_message", channel_id=g, content="x")
    await guest.ask(403, "list_messages", channel_id=g)
    await guest.ask(200, "list_channels")
    await guest.post("ann", "Without the app")
    await guest.press("private", guest.names["made"], 403)
    await guest.send("ann", 200, f"POST {CHANNELS}/$g/apps", {"app_id": "$app"})
    await guest.post("ann", "With it again")
    await guest.hear("channel.message.created")
    await guest.send("admin", 200, f"DELETE {APPS}/$app")
    await guest.send("ann", 200, f"GET {CHANNELS}/$g/apps")
    await guest.send("ann", 403, f"POST {CHANNELS}/$g/apps", {"app_id": "$app"})
    await guest.press("private", guest.names["made"], 403)
    await guest.post("ann", "Nobody tells the app any more")
    await guest.send("ann", 200, f"GET {CHANNELS}/$g/messages?limit=3")
    await guest.send("ann", 200, f"GET {CHANNELS}/$g/messages/$made")


async def go_through(instance: OpenWebUI, app: FakeApp) -> list[Any]:
    """Install the app, use it, uninstall it; return what happened and what Ann's browser heard."""
    async with people_on(instance, "channel-apps") as people:
        guest = Guest(app, people)
        for part in (install, join, talk, write, leave):
            await part(guest)
        return [*guest.log, await people.hear()]


@pytest.mark.parametrize("database", DATABASES)
async def test_the_same_happens(fleet: Fleet, database: str, app: FakeApp) -> None:
    names = ("stock", "everything", "messages")
    instances = fleet.start(*((name, database) for name in names))
    expected, *others = await asyncio.gather(*(go_through(instance, app) for instance in instances))
    for name, found in zip(names[1:], others, strict=True):
        assert not list(contrast(expected, found)), name
