"""People in the channels of an instance, with browsers that hear what happens there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import socketio

from tests.support.scenarios import Player, Step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from tests.support.openwebui import OpenWebUI

PEOPLE = ("ann", "bob", "carl")
PATIENCE = 60.0
"""Seconds to wait for an event that is meant to come."""

Event = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What somebody's first browser tells the server: about a channel, or that it wants to hear of all of them."""

    user: str
    channel: str = ""
    kind: str = "join-channels"
    message: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class People:
    """Three people with two browsers each, on one instance.

    Attributes:
        player: Sends their requests.
        browsers: By person and number.
        heard: What each browser heard of channels.
    """

    player: Player
    browsers: dict[tuple[str, int], socketio.AsyncClient] = field(default_factory=dict)
    heard: dict[tuple[str, int], list[Event]] = field(default_factory=dict)

    async def open(self) -> None:
        instance, here = self.player.instance, self.player.names["here"]
        for name in PEOPLE:
            token = (await asyncio.to_thread(instance.user, f"{name}-{here}")).token
            for each in ((name, 0), (name, 1)):
                browser = self.browsers[each] = socketio.AsyncClient(reconnection=False)
                self.heard[each] = []
                browser.on("events:channel", self.heard[each].append)
                await browser.connect(
                    instance.url, socketio_path="/ws/socket.io", transports=["websocket"], auth={"token": token}
                )
                await browser.call("user-join", {"auth": {"token": token}}, timeout=30)

    async def close(self) -> None:
        for browser in self.browsers.values():
            await browser.disconnect()

    async def do(self, action: Step | Told) -> tuple[int, Any]:
        """Do something; return status and comparable content of the answer."""
        if isinstance(action, Step):
            return await asyncio.to_thread(self.player.play, action)
        browser = self.browsers[action.user, 0]
        if not action.channel:
            await browser.call("join-channels", {"auth": {"token": browser.connection_auth["token"]}}, timeout=30)
            return 0, None
        names = self.player.names
        event = {
            "channel_id": names[action.channel],
            "message_id": names.get(action.message),
            "data": {"type": action.kind, "data": dict(action.data)},
        }
        await browser.call("events:channel", event, timeout=30)
        return 0, None

    async def hear(self) -> dict[str, list[Event]]:
        """Return what everybody has heard since the last time, in comparable form.

        A server sends what it has to tell before it answers: when a later question is answered, all has come.
        """
        for browser in self.browsers.values():
            await browser.call("heartbeat", {}, timeout=30)
        heard = {f"{name} {number}": events[:] for (name, number), events in self.heard.items()}
        for events in self.heard.values():
            events.clear()
        comparable: dict[str, list[Event]] = self.player.normalise(heard)
        return comparable

    async def until(self, what: str, is_it: Callable[[list[Event]], Any]) -> Any:
        """Wait until Ann's first browser has heard something."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    if found := is_it(self.heard["ann", 0]):
                        return found
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"no {what} among {[each['data']['type'] for each in self.heard['ann', 0]]}")


@asynccontextmanager
async def people_on(instance: OpenWebUI, scenario: str) -> AsyncIterator[People]:
    people = People(Player(instance, scenario))
    await people.open()
    try:
        yield people
    finally:
        await people.close()
