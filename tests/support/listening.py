"""A client of PocketBase's realtime, as other programs are."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx

from tests.support.pocketbase import PocketBaseProcess

__all__ = ["Event", "Listener", "listening"]

SENTINEL = "the-last-one"

SECONDS = 20.0
"""Longest time for which a listener waits."""


class Event(NamedTuple):
    """What a client was told.

    Attributes:
        topic: What it had subscribed to.
        action: ``create``, ``update`` or ``delete``.
        record: The record.
    """

    topic: str
    action: str
    record: dict[str, Any]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.action, self.record["collectionName"], self.record["id"]


class Listener:
    """Keeps what it is told.

    Args:
        server: Whose clients it is one of.
        token: Who it is; empty for a guest.
        lines: The lines of the event stream.
        id: PocketBase's id of the client.
    """

    def __init__(self, server: PocketBaseProcess, token: str, lines: Iterator[str], id: str) -> None:
        self.id = id
        self._server = server
        self._headers = {"Authorization": token} if token else {}
        self._lines = lines
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def subscribe(self, topics: Sequence[str]) -> None:
        """Listen to these topics, and no others, from now on."""
        wanted = {"clientId": self.id, "subscriptions": topics}
        httpx.post(f"{self._server.url}/api/realtime", json=wanted, headers=self._headers).raise_for_status()

    def events(self) -> list[Event]:
        """Return what has come since the last time, up to now; needs a subscription to all tags."""
        with self._server.admin() as admin:
            tag = {"id": "0" * 32, "key": SENTINEL, "name": SENTINEL, "user_id": SENTINEL}
            admin.send("POST", "/api/collections/owui_tags/records", tag)
            admin.send("DELETE", f"/api/collections/owui_tags/records/{tag['id']}")

        def is_complete() -> bool:
            return [event.record["id"] for event in self._events].count(tag["id"]) == 2

        return [event for event in self._wait(is_complete) if event.record["id"] != tag["id"]]

    def first(self) -> Event:
        """Return what comes first since the last time."""
        return self._wait(lambda: len(self._events) > 0)[0]

    def _wait(self, is_complete: Callable[[], bool]) -> list[Event]:
        with self._changed:
            assert self._changed.wait_for(is_complete, SECONDS), self._events
            events, self._events = self._events, []
        return events

    def _receive(self) -> None:
        topic = ""
        try:
            for line in self._lines:
                name, _, text = line.partition(":")
                if name == "event":
                    topic = text
                elif name == "data":
                    with self._changed:
                        self._events.append(Event(topic=topic, **json.loads(text)))
                        self._changed.notify_all()
        except (httpx.HTTPError, httpx.StreamError):
            pass  # the connection was closed


@contextmanager
def listening(server: PocketBaseProcess, *topics: str, is_guest: bool = False) -> Iterator[Listener]:
    """Give a client that listens to topics."""
    token = "" if is_guest else server.login()
    with httpx.stream("GET", f"{server.url}/api/realtime", timeout=None) as stream:
        lines = _lines(stream)
        greeting = next(line for line in lines if line.startswith("data:"))
        listener = Listener(server, token, lines, json.loads(greeting[5:])["clientId"])
        listener.subscribe(topics)
        yield listener


def _lines(stream: httpx.Response) -> Iterator[str]:
    """Give the lines of an event stream; a JSON text in one of them may have other line separators."""
    rest = b""
    for part in stream.iter_raw():
        *lines, rest = (rest + part).split(b"\n")
        yield from (line.decode() for line in lines)
