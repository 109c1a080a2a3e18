"""A browser in which somebody talks to a model."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import socketio

from tests.support.chat_steps import CHATS
from tests.support.scenarios import Player, step

PATIENCE = 30.0
"""Seconds to wait for an event that is meant to come."""


@dataclass
class Browser:
    """A user with the application open.

    Attributes:
        player: Sends the requests.
        name: The user.
        log: What happened, in comparable form: (what, content).
        heard: The events of the browser, oldest first.
        chat_id: The chat it talks in; None before it has begun.
    """

    player: Player
    name: str
    log: list[tuple[str, Any]]
    client: socketio.AsyncClient = field(init=False)
    heard: list[dict[str, Any]] = field(default_factory=list)
    chat_id: str | None = None

    async def open(self) -> None:
        instance = self.player.instance
        self.client = socketio.AsyncClient(reconnection=False)
        token = (await asyncio.to_thread(instance.user, f"{self.name}-{self.player.names['here']}")).token
        self.client.on("events", self.heard.append)
        await self.client.connect(
            instance.url, socketio_path="/ws/socket.io", transports=["websocket"], auth={"token": token}
        )
        await self.client.call("user-join", {"auth": {"token": token}}, timeout=30)

    @contextlib.asynccontextmanager
    async def beside(self, name: str) -> AsyncIterator[Browser]:
        """Give somebody else's browser, with the same chat."""
        other = Browser(self.player, name, self.log, chat_id=self.chat_id)
        await other.open()
        try:
            yield other
        finally:
            await other.client.disconnect()

    async def tell(self, kind: str, **data: Any) -> Any:
        """Send an event about the chat; return what the server acknowledges it with."""
        event = {"chat_id": self.chat_id, "data": {"type": kind, "data": data}}
        return await self.client.call("events:chat", event, timeout=30)

    async def send(self, status: int, request: str, body: Any = None, *, user: str = "", **more: Any) -> Any:
        """Send a request, keep the comparable answer, return the answer as it is."""
        each = step(user or self.name, status, request, body, **more)
        found, content, comparable = await asyncio.to_thread(self.player.exchange, each)
        assert found == status, f"{request}: {found} {content}"
        self.log.append((request.partition(" ")[0], comparable))
        return content

    async def look(self) -> dict[str, Any]:
        """Return the messages of the chat, after keeping all that is to be seen of it."""
        chat = await self.send(200, f"GET {CHATS}/{self.chat_id}")
        await self.send(200, f"GET {CHATS}/{self.chat_id}/tags", sort=True)
        await self.send(200, f"GET {CHATS}/?page=1&include_folders=true", sort=True)
        await self.send(200, f"GET /api/v1/analytics/messages?chat_id={self.chat_id}", user="admin", sort=True)
        messages: dict[str, Any] = chat["chat"]["history"]["messages"]
        return messages

    def events(self, since: int) -> list[dict[str, Any]]:
        """Return the events of the chat."""
        return [event for event in self.heard[since:] if event["chat_id"] == self.chat_id]

    async def until(self, what: str, since: int, is_it: Callable[[dict[str, Any]], bool]) -> int:
        """Wait for an event of the chat; return the number of the next one."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    for number, event in enumerate(self.heard[since:], since + 1):
                        if event["chat_id"] == self.chat_id and is_it(event["data"]):
                            return number
                    await asyncio.sleep(0.01)
        except TimeoutError:
            pytest.fail(f"no {what} among {self.events(since)}")

    async def until_quiet(self, since: int) -> int:
        """Wait until nobody works on the chat any more."""
        return await self.until("end", since, lambda data: data["type"] == "chat:active" and not data["data"]["active"])

    async def until_reload(self, since: int) -> int:
        """Wait until the chat has changed as a whole."""
        return await self.until("reload", since, lambda data: data["type"] == "chat:reload")

    def keep_events(self, since: int, *, apart: Sequence[str] = ()) -> list[str]:
        """Keep the events in comparable form; return their types.

        Args:
            since: Number of the first event.
            apart: Messages that are written at the same time: only each one's own events are kept, in order.

        The title is written while the first answer is streamed: where it comes is left open. So is which of the
        pieces of an answer those hear who have not asked for it.
        """
        events = [
            event
            for event in self.events(since)
            if not (event.get("shared") and event["data"]["type"] == "chat:completion" and not is_done(event))
        ]
        if apart:
            events = sorted(
                (event for event in events if event["message_id"] in apart and event["data"]["type"] != "chat:active"),
                key=lambda event: apart.index(event["message_id"]),
            )
        titles = [event for event in events if event["data"]["type"] == "chat:title"]
        if titles:
            events = [event for event in events if event not in titles]
            for event in filter(is_done, events):
                del event["data"]["data"]["title"]
        self.log.append(("events", self.player.normalise([*events, *titles])))
        return [event["data"]["type"] for event in events]

    async def begin(self, text: str, *, status: int = 200, **turn: Any) -> Turn:
        """Say something; do not wait for the answer.

        Args:
            text: What is said.
            status: Status that the server answers with.
            **turn: ``after``: the turn before, if there is one. ``again``: the turn of which another answer is
                wanted. ``models``: who is asked. ``tasks``: what is made of the answer besides. ``stream``: whether
                the answer comes in pieces. ``folder_id``: where the chat begins.
        """
        after, again, models = turn.get("after"), turn.get("again"), turn.get("models", ["fake"])
        new = Turn(
            asked=again.asked if again else str(uuid.uuid4()),
            answers=[str(uuid.uuid4()) for _ in models],
            since=len(self.heard),
            parent=again.parent if again else after.answers[0] if after else None,
        )
        answer = await self.send(
            status,
            "POST /api/chat/completions",
            {
                "stream": turn.get("stream", True),
                "model": models[0],
                "params": {},
                "features": {},
                "variables": {"{{USER_NAME}}": self.name},
                "session_id": self.client.get_sid(),
                "folder_id": turn.get("folder_id"),
                **({"chat_id": self.chat_id} if self.chat_id else {}),
                **({"id": new.answers[0]} if len(models) == 1 else {"message_ids": new.places(models)}),
                "parent_id": new.parent,
                "user_message": {
                    "id": new.asked,
                    "parentId": new.parent,
                    "childrenIds": new.answers,
                    "role": "user",
                    "content": text,
                    "models": models,
                    "timestamp": 1_700_000_000,
                },
                "background_tasks": turn.get("tasks", {"follow_up_generation": False}),
            },
        )
        if status == 200:
            self.chat_id = answer["chat_id"]
        return new

    async def say(self, text: str, **turn: Any) -> Turn:
        """Say something, wait for the answer, keep what was heard."""
        is_titled = self.chat_id is None and "title_generation" in turn.get("tasks", {})
        new = await self.begin(text, **turn)
        await self.until_quiet(new.since)
        if is_titled:
            await self.until("title", new.since, lambda data: data["type"] == "chat:title")
        new.types = self.keep_events(new.since, apart=new.answers if len(new.answers) > 1 else ())
        return new

    async def begin_waiting(self, **turn: Any) -> tuple[Turn, str]:
        """Say something that is not answered to the end; return what ends it, too."""
        key = str(uuid.uuid4())
        new = await self.begin(f"WAIT {key}", **turn)
        await self.until("piece", new.since, lambda data: data["type"] == "response:completion")
        return new, key


def is_done(event: dict[str, Any]) -> bool:
    return event["data"]["type"] == "chat:completion" and bool(event["data"]["data"].get("done"))


@dataclass
class Turn:
    """A message of the user and the answers to it.

    Attributes:
        asked: Id of the user's message.
        answers: Ids of the answers.
        since: Number of the first event.
        types: Types of the events.
        parent: Id of the message before.
    """

    asked: str
    answers: list[str]
    since: int
    parent: str | None = None
    types: list[str] = field(default_factory=list)

    def places(self, models: list[str]) -> list[dict[str, Any]]:
        """Return which model gives which answer."""
        answers = enumerate(zip(models, self.answers, strict=True))
        return [{"model_id": model, "message_id": each, "modelIdx": index} for index, (model, each) in answers]
