"""Events that browsers have yet to be told: each once, in order, not too often, and a bounded number of them."""

from __future__ import annotations

from collections.abc import Callable

from openwebui_pocketbase.realtime.events import EVERYTHING, Event

__all__ = ["MOST", "Pending"]

MOST = 2000
"""Events that wait at most; more than these become one, after which all browsers begin anew."""

MOST_MESSAGES = 200
"""Messages of a channel that wait at most; of more, browsers are told the latest."""

PACED = {
    "chat_list": 1.0,
    "chat": 1.0,
    "chat_access": 1.0,
    "tags": 1.0,
    "channel": 1.0,
    "reply": 0.5,
    "user": 1.0,
    "everything": 5.0,
}
"""Kinds of events after which browsers read lists or chats anew -> seconds from one to the next equal one. The first is
told at once. Without this a chat that is written piece by piece elsewhere would be read with each piece."""


class Pending:
    """A queue of events.

    Args:
        clock: Returns the time, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: dict[Event, None] = {}
        self._messages: dict[str, list[Event]] = {}
        self._told_at: dict[Event, float] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, event: Event) -> None:
        """Have browsers told of something, unless it waits already."""
        if EVERYTHING in self._waiting:
            return
        if event.kind.startswith("message_"):
            event = self._merged(event)
        self._waiting.setdefault(event)
        if len(self._waiting) > MOST:
            self.add_everything()

    def add_everything(self) -> None:
        """Have all browsers begin anew, which is instead of all else."""
        self._waiting = {EVERYTHING: None}
        self._messages.clear()

    def take(self) -> tuple[list[Event], float | None]:
        """Take the events whose time has come.

        Returns:
            The events, in order, and the seconds after which the next one's time comes, None if there is none.
        """
        now = self._clock()
        due, later = [], []
        for event in self._waiting:
            wait = self._told_at.get(event, now - 3600.0) + PACED.get(event.kind, 0.0) - now
            if wait > 0:
                later.append((wait, event))
            else:
                due.append(event)
        self._waiting = dict.fromkeys(event for _, event in later)
        self._messages.clear()
        self._told_at = {e: at for e, at in self._told_at.items() if at + PACED[e.kind] > now}
        self._told_at.update((event, now) for event in due if event.kind in PACED)
        return due, min((wait for wait, _ in later), default=None)

    def _merged(self, event: Event) -> Event:
        """Take back what an event of the same message makes needless; return what is to be told of it now."""
        record, channel = event.subject[:2]
        of_channel = self._messages.setdefault(channel, [])
        before = next((other for other in of_channel if other.subject[0] == record), None)
        if before is not None and event.kind == "message_update":
            return before  # the message is read when browsers are told
        if before is not None:
            of_channel.remove(before)
            self._waiting.pop(before, None)
        of_channel.append(event)
        if len(of_channel) > MOST_MESSAGES:
            self._waiting.pop(of_channel.pop(0), None)
        return event
