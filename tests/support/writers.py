"""People who write without a pause, and notice each failure and each wait."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from tests.support.furnished import chat_of

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

__all__ = ["Writers"]

PEOPLE = ("ada", "bob", "cyd", "dan")
RATE = 20
"""Writes a second, all together."""


class Writers:
    """Four people who make chats and folders, edit messages and tag, twenty times a second, until the end of the block.

    Args:
        site: Where.

    Attributes:
        failures: Requests that were not answered well.
        longest: The longest that one has taken since `begin_to_watch`, in seconds.
        written: How many were answered well.
    """

    def __init__(self, site: OpenWebUI) -> None:
        self._site = site
        self._end = threading.Event()
        self._people = {name: site.headers(name) for name in PEOPLE}
        self._said: dict[str, dict[str, str]] = {name: {} for name in PEOPLE}
        self._tagged: dict[str, set[str]] = {name: set() for name in PEOPLE}
        self._threads = [threading.Thread(target=self._write, args=(name,)) for name in PEOPLE]
        self.failures: list[str] = []
        self.longest = 0.0
        self.written = 0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def begin_to_watch(self) -> None:
        """Forget how long requests have taken so far."""
        self.longest = 0.0

    def lost(self) -> list[str]:
        """Return what is not there, or not as it was answered, or twice."""
        missing = []
        for name, said in self._said.items():
            text = self._site.request(name, "GET", "/api/v1/chats/all").text
            every = [json.loads(line) for line in text.split("\n") if line]
            chats = [chat for chat in every if chat["title"].startswith(f"{name} ")]
            if sorted(chat["id"] for chat in chats) != sorted(said):
                missing.append(f"{name} has {len(chats)} chats and made {len(said)}")
            for chat in chats:
                content = chat["chat"]["history"]["messages"]["m0"]["content"]
                if content != said.get(chat["id"]):
                    missing.append(f"{chat['title']}: {content} and not {said.get(chat['id'])}")
                if (chat["id"] in self._tagged[name]) != (chat["meta"].get("tags") == ["busy"]):
                    missing.append(f"{chat['title']}: tags {chat['meta']}")
        return missing

    def _write(self, name: str) -> None:
        number = 0
        with self._site.client() as client:
            while not self._end.is_set():
                number += 1
                began = time.monotonic()
                try:
                    self._step(client, name, number)
                except Exception as error:  # noqa: BLE001 - each is a failure
                    self.failures.append(f"{name} {number}: {error!r}")
                taken = time.monotonic() - began
                self.longest = max(self.longest, taken)
                self._end.wait(max(0.0, len(PEOPLE) / RATE - taken))

    def _step(self, client: Any, name: str, number: int) -> None:
        said = self._said[name]
        if number % 4 == 1:
            body = {"chat": chat_of(f"first {number}", "answer", title=f"{name} {number}")}
            self._post(client, name, "/api/v1/chats/new", body, keep=f"first {number}")
        elif number % 4 == 2:
            chat = [*said][-1]
            self._post(client, name, f"/api/v1/chats/{chat}/messages/m0", {"content": f"edit {number}"})
            said[chat] = f"edit {number}"
        elif number % 4 == 3:
            chat = [*said][-1]
            self._post(client, name, f"/api/v1/chats/{chat}/tags", {"name": "busy"})
            self._tagged[name].add(chat)
        else:
            chat = [*said][number % len(said)]
            self._post(client, name, f"/api/v1/chats/{chat}/messages/m0", {"content": f"again {number}"})
            said[chat] = f"again {number}"

    def _post(self, client: Any, name: str, path: str, body: dict[str, Any], *, keep: str = "") -> None:
        answer = client.post(path, json=body, headers=self._people[name])
        if not answer.is_success:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
        self.written += 1
        if keep:
            self._said[name][answer.json()["id"]] = keep
