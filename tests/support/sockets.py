"""A browser's socket that keeps what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import socketio

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

PATIENCE = 60.0
"""Seconds to wait for what is meant to come."""


class Listener:
    """A user's socket.

    Attributes:
        name: Of the user.
        heard: What came, in order: ``(type, subject)``; the subject is a chat's, message's or note's id, or None.
        events: The same, whole.
    """

    def __init__(self, instance: OpenWebUI, name: str) -> None:
        self.name = name
        self.heard: list[tuple[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self._instance = instance
        self._socket = socketio.AsyncClient(reconnection=False)
        self._socket.on("events", lambda event: self._take(event, event.get("chat_id")))
        self._socket.on("events:channel", lambda event: self._take(event, event.get("message_id")))
        self._socket.on("events:note", self._take_note)
        self._socket.on("access:updated", lambda *_: self.heard.append(("access:updated", None)))
        self._socket.on("disconnect", lambda *_: self.heard.append(("disconnect", None)))

    def _take(self, event: dict[str, Any], subject: Any) -> None:
        if event["data"]["type"] not in ("chat:presence", "chat:active"):
            self.events.append(event)
            self.heard.append((event["data"]["type"], subject))

    def _take_note(self, note: dict[str, Any]) -> None:
        self.events.append(note)
        self.heard.append(("note", note["id"]))

    async def send(self, event: str, data: dict[str, Any]) -> None:
        """Send an event; return when it has been dealt with."""
        await self._socket.call(event, data, timeout=30)

    async def open_note(self, note: str, *, editing: bool = False) -> None:
        """Open a note as the page does; its editor has the document, too."""
        await self.send("join-note", {"note_id": note, "auth": {"token": self._instance.user(self.name).token}})
        if editing:
            await self.send("ydoc:document:join", {"document_id": f"note:{note}"})

    async def open(self) -> None:
        token = (await asyncio.to_thread(self._instance.user, self.name)).token
        await self._socket.connect(
            self._instance.url, socketio_path="/ws/socket.io", transports=["websocket"], auth={"token": token}
        )
        await self._socket.call("user-join", {"auth": {"token": token}}, timeout=30)

    async def close(self) -> None:
        await self._socket.disconnect()

    def forget(self) -> None:
        self.heard.clear()
        self.events.clear()

    async def until(self, *wanted: tuple[str, Any]) -> None:
        """Wait until all of these have been heard."""
        await until(lambda: set(wanted) <= set(self.heard), lambda: f"{self.name}: {set(wanted) - set(self.heard)}")


async def until(condition: Callable[[], Any], what: Callable[[], str]) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"did not come: {what()}")


@asynccontextmanager
async def listening(instance: OpenWebUI, *names: str) -> AsyncIterator[list[Listener]]:
    """Give a socket of each of these users."""
    listeners = [Listener(instance, name) for name in names]
    try:
        for listener in listeners:
            await listener.open()
        yield listeners
    finally:
        for listener in listeners:
            await listener.close()
