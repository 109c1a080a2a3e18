"""Events that browsers have yet to be told: each once, in order, not too often, and a bounded number of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from openwebui_pocketbase.realtime.events import EVERYTHING, Event

__all__ = ["MOST", "Pending"]

MOST = 2000
"""Events that wait at most; more than these become one, after which all browsers begin anew."""

MOST_MESSAGES = 200
"""New messages of a channel, and chats of a user, that wait at most; of more, browsers are told the latest."""

MOST_CHATS = 50
"""Chats that wait to have access checked; of more, all open ones are."""

PACED = {
    "chat_list": 1.0,
    "chat": 1.0,
    "tags": 1.0,
    "channel": 1.0,
    "reply": 0.5,
    "note": 1.0,
    "note_text": 1.0,
    "everything": 5.0,
}
"""Kinds of events after which browsers read lists or chats anew -> seconds from one to the next equal one. The first is
told at once. Without this a chat that is written piece by piece elsewhere would be read with each piece. What checks
access is not among them: nobody may hear what comes behind it."""

CHECKS = frozenset({"recheck", "enter", "user", "group", "access", "chat_access", "note_access"})
"""Kinds of events that go before others: what is told is read then, and may be newer than somebody's loss of access."""


class Pending:
    """A queue of events.

    Args:
        clock: Returns the time, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: dict[Event, None] = {}
        self._groups: dict[tuple[str, ...], dict[Event, None]] = {}
        self._told_at: dict[Event, float] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, event: Event) -> None:
        """Have browsers told of something, unless it waits already."""
        if EVERYTHING in self._waiting:
            return
        if event.kind.startswith("message_"):
            event = self._merged(event)
        if event in self._waiting:
            return
        self._waiting[event] = None
        if event.kind in ("chat", "message_create"):
            self._limit(event)
        elif event.kind == "chat_access":
            self._widen(event)
        if len(self._waiting) > MOST:
            self.add_everything()

    def add_everything(self) -> None:
        """Have all browsers begin anew, which is instead of all else."""
        self._waiting = {EVERYTHING: None}
        self._groups.clear()

    def put_back(self, events: Sequence[Event]) -> None:
        """Have browsers told of events that were taken, before all others."""
        if EVERYTHING not in self._waiting:
            self._waiting = {**dict.fromkeys(events), **self._waiting}

    def take(self) -> tuple[list[Event], float | None]:
        """Take the events whose time has come.

        Returns:
            The events, those that check access first, else in order, and the seconds after which the next one's time
            comes, None if there is none.
        """
        now = self._clock()
        due, later = [], []
        for event in self._waiting:
            wait = self._told_at.get(event, now - 3600.0) + PACED.get(event.kind, 0.0) - now
            if wait > 0:
                later.append((wait, event))
            else:
                due.append(event)
        due.sort(key=lambda event: event.kind not in CHECKS)
        self._waiting = dict.fromkeys(event for _, event in later)
        self._groups.clear()
        self._told_at = {e: at for e, at in self._told_at.items() if at + PACED[e.kind] > now}
        self._told_at.update((event, now) for event in due if event.kind in PACED)
        return due, min((wait for wait, _ in later), default=None)

    def _merged(self, event: Event) -> Event:
        """Take back what an event of the same message makes needless; return what is to be told of it now."""
        record, channel, _, parent = event.subject
        place = self._groups.setdefault(("message", record, channel, parent), {})
        before = next((other for other in place if other in self._waiting), None)
        if before is not None and event.kind in ("message_update", before.kind):
            return before  # the message is read when browsers are told
        if before is not None:
            self._waiting.pop(before)
        place.clear()
        place[event] = None
        return event

    def _limit(self, event: Event) -> None:
        """Let go of the oldest new message of a channel, or chat of a user, if too many wait."""
        waiting = self._groups.setdefault((event.kind, event.subject[1]), {})
        waiting.pop(event, None)
        waiting[event] = None
        if len(waiting) > MOST_MESSAGES:
            oldest = next(iter(waiting))
            del waiting[oldest]
            self._waiting.pop(oldest, None)

    def _widen(self, event: Event) -> None:
        """Have access to all open chats checked, if that to many has to be."""
        waiting = self._groups.setdefault((event.kind,), {})
        waiting[event] = None
        if len(waiting) > MOST_CHATS:
            for other in waiting:
                self._waiting.pop(other, None)
            waiting.clear()
            self._waiting[Event("chat_access", ("",))] = None
