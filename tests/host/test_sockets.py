"""What an open browser hears over Socket.IO when its user's account or groups change."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import socketio

from tests.support.openwebui import DATABASES
from tests.support.scenarios import Player, Step, step

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

AUTHS = "/api/v1/auths"
GROUPS = "/api/v1/groups"
USERS = "/api/v1/users"
QUIET = 0.3
"""Seconds without an event after which none is expected any more."""
PATIENCE = 10.0
"""Seconds to wait for an event that is meant to come."""


@dataclass
class Browser:
    """A connection of one user, and what it heard."""

    client: socketio.AsyncClient = field(default_factory=lambda: socketio.AsyncClient(reconnection=False))
    heard: list[str] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def connect(self, instance: OpenWebUI, token: str) -> None:
        self.client.on("access:updated", lambda *_: self.heard.append("access:updated"))
        self.client.on("disconnect", self._end)
        await self.client.connect(
            instance.url, socketio_path="/ws/socket.io", transports=["websocket"], auth={"token": token}
        )
        # Answered when the server has made it a session of the user.
        await self.client.call("user-join", {"auth": {"token": token}}, timeout=30)

    def _end(self, *_: object) -> None:
        self.heard.append("disconnect")
        self.ended.set()

    async def close(self) -> list[str]:
        heard = list(self.heard)
        await self.client.disconnect()
        return heard


def group(name: str, **members: object) -> dict[str, object]:
    return {"name": f"{name} $here", "description": "", **members}


def create(name: str, **members: object) -> Step:
    return step("admin", 200, f"POST {GROUPS}/create", group(name, **members), save=name)


def member(change: str, name: str) -> Step:
    return step("admin", 200, f"POST {GROUPS}/id/${name}/users/{change}", {"user_ids": ["$ada"]})


SIGN_IN = step(
    "", 200, f"POST {AUTHS}/signin", {"email": "ada.$here@example.com", "password": "$password"}, save="s", take="token"
)
BEFORE = [
    step(
        "admin",
        200,
        f"POST {AUTHS}/add",
        {"name": "ada", "email": "ada.$here@example.com", "password": "$password", "role": "user"},
        save="ada",
    ),
    create("parent"),
    create("team", parent_group_id="$parent"),
    create("other"),
    SIGN_IN,
]
ENDED = ["disconnect"]
TOLD = ["access:updated", "disconnect"]

CHANGES: list[tuple[Step, list[str]]] = [
    (step("admin", 200, f"POST {USERS}/$ada/update", {"name": "Ada L."}), []),
    (step("=s", 200, f"POST {USERS}/user/settings/update", {"ui": {"a": 1}}), []),
    (step("admin", 200, f"POST {USERS}/$ada/update", {"role": "user"}), []),
    (step("admin", 200, f"POST {USERS}/$ada/update", {"role": "admin"}), ENDED),
    (step("admin", 200, f"POST {USERS}/$ada/update", {"role": "user"}), ENDED),
    (member("add", "team"), TOLD),
    (member("add", "team"), []),
    (step("admin", 200, f"POST {GROUPS}/id/$team/update", group("renamed")), []),
    (step("admin", 200, f"POST {GROUPS}/id/$team/update", group("team", permissions={"a": {"b": True}})), TOLD),
    (step("admin", 200, f"POST {GROUPS}/id/$team/update", group("team", permissions={"a": {"b": True}})), []),
    (step("admin", 200, f"POST {GROUPS}/id/$parent/update", group("parent", permissions={"c": {}})), TOLD),
    (step("admin", 200, f"POST {GROUPS}/id/$other/update", group("other", permissions={"d": {}})), []),
    (step("admin", 200, f"POST {GROUPS}/id/$team/update", group("team", parent_group_id=None)), TOLD),
    (
        step(
            "admin",
            200,
            f"POST {GROUPS}/id/$team/update",
            group("team", data={"config": {"default_models": ["m"], "share": False}}),
        ),
        TOLD,
    ),
    (member("remove", "team"), TOLD),
    (member("remove", "team"), []),
    (member("add", "team"), TOLD),
    (step("admin", 200, f"DELETE {GROUPS}/id/$other/delete"), []),
    (step("admin", 200, f"DELETE {GROUPS}/id/$team/delete"), TOLD),
    (step("=s", 200, f"POST {AUTHS}/signout"), []),
    (step("admin", 200, f"POST {USERS}/$ada/sessions/revoke"), ENDED),
    (step("admin", 200, f"POST {USERS}/$ada/update", {"password": "$password"}), ENDED),
    (
        step("=s", 200, f"POST {AUTHS}/update/password", {"password": "$password", "new_password": "$password"}),
        ENDED,
    ),
    (step("admin", 200, f"POST {USERS}/$ada/update", {"role": "pending"}), ENDED),
    (step("admin", 200, f"POST {USERS}/$ada/update", {"role": "user"}), []),  # who is pending has no session
    (step("admin", 200, f"DELETE {USERS}/$ada"), TOLD),
]


async def watch(instance: OpenWebUI) -> list[tuple[str, int, list[str]]]:
    """Make every change while the user has a browser open; return what that heard."""
    player = Player(instance, "sockets")

    async def play(each: Step) -> int:
        return (await asyncio.to_thread(player.play, each))[0]

    assert [await play(each) for each in BEFORE] == [each.status for each in BEFORE]
    seen = []
    for change, expected in CHANGES:
        if await play(step("=s", 200, f"GET {AUTHS}/")) == 401:
            assert await play(SIGN_IN) == 200
        browser = Browser()
        await browser.connect(instance, player.names["s"])
        status = await play(change)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(browser.ended.wait(), PATIENCE if expected else QUIET)
        seen.append((str(change), status, await browser.close()))
    return seen


@pytest.mark.parametrize("database", DATABASES)
async def test_the_same_is_heard(contestants: dict[str, OpenWebUI]) -> None:
    meant = [(str(change), change.status, heard) for change, heard in CHANGES]
    for name, seen in zip(contestants, await asyncio.gather(*map(watch, contestants.values())), strict=True):
        assert seen == meant, name
