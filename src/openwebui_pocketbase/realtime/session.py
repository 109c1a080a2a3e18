"""The protocol of PocketBase's realtime as a state machine: no I/O, no clock and no random numbers of its own.

A stream begins with the event ``PB_CONNECT``, which names the client. This client is then subscribed by a request of
its own, made with the superuser's token: the stream itself carries no credentials. The server ends each stream after
five minutes without an event, and always after thirty. Nothing is repeated on the next one, which has another client.

Whoever does the I/O tells the session what happened, and carries out the actions that it returns, in their order:

    begin -> Connect -> opened -> received -> Subscribe -> subscribed -> Wake
                                  received -> Wake, as often as changes are announced
                                  closed -> Wake if it was subscribed, Connect

An announcement only wakes the reader of the change feed. So the reader is also woken after each subscription, for what
it missed, and at the end of one, from which on it has to look by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import orjson

__all__ = ["TOPIC", "Action", "Connect", "Disconnect", "Session", "Subscribe", "Wake"]

TOPIC = "owui_changes"
"""What to subscribe to, and the name of each announcement; only superusers get them."""

CONNECTED = "PB_CONNECT"
"""Name of a stream's first event."""

HANDSHAKE = 10.0
"""Seconds in which a stream has to be subscribed, and for which it may be silent until then."""

SILENCE = 240.0
"""Seconds without an event after which a subscribed stream is given up: nobody tells when a connection is only half
open, and PocketBase would end it after 300."""

SPREAD = 0.1
"""Seconds over which clients whose streams ended together come back: a stream ends for all when PocketBase stops."""

FIRST = 0.1
"""Seconds before the first repetition at most; each further one takes twice as long."""

LONGEST = 10.0
"""Seconds before a repetition at most."""

SETTLED = 1.0
"""Seconds after which a subscribed stream was a good one. If each is cut off at once, the next ones have to wait."""


@dataclass(frozen=True)
class Connect:
    """Open a stream, at a time of the clock that `Session.closed` is given."""

    at: float


@dataclass(frozen=True)
class Subscribe:
    """Subscribe the client of the open stream."""

    client_id: str


@dataclass(frozen=True)
class Wake:
    """Have the feed read: it may have grown, or `Session.client_id` changed."""


@dataclass(frozen=True)
class Disconnect:
    """Close the stream, which is of no use."""

    reason: str


Action = Connect | Subscribe | Wake | Disconnect


class _Phase(Enum):
    IDLE = auto()
    """There is no stream."""
    OPEN = auto()
    """It has not named its client."""
    NAMED = auto()
    """Its client is being subscribed."""
    SUBSCRIBED = auto()
    USELESS = auto()
    """It has to be closed."""


class Session:
    """One stream after the other, and what is known of the present one.

    Nothing that the server sends raises an error.

    Args:
        random: Returns a number from 0 up to 1.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._phase = _Phase.IDLE
        self._client_id = ""
        self._subscribed_at = 0.0
        self._backoff = FIRST

    @property
    def client_id(self) -> str:
        """The subscribed client, ``""`` while there is none."""
        return self._client_id if self._phase is _Phase.SUBSCRIBED else ""

    @property
    def patience(self) -> float:
        """Seconds for which to wait for the next event, or for the subscription, before the stream is closed."""
        return SILENCE if self._phase is _Phase.SUBSCRIBED else HANDSHAKE

    def begin(self, now: float) -> tuple[Action, ...]:
        """Begin."""
        return (Connect(now),)

    def opened(self) -> tuple[Action, ...]:
        """Note that a stream is being opened."""
        self._phase = _Phase.OPEN
        return ()

    def received(self, name: str, data: str) -> tuple[Action, ...]:
        """Note an event of the stream.

        Args:
            name: Name of the event, of any kind.
            data: Its data. Those of an announcement do not matter: the feed itself is read.
        """
        if self._phase is _Phase.OPEN and name == CONNECTED:
            self._client_id = _client_id(data)
            if not self._client_id:
                self._phase = _Phase.USELESS
                return (Disconnect("its first event names no client"),)
            self._phase = _Phase.NAMED
            return (Subscribe(self._client_id),)
        if self._phase is _Phase.SUBSCRIBED and name == TOPIC:
            return (Wake(),)
        return ()

    def subscribed(self, now: float) -> tuple[Action, ...]:
        """Note that the client has been subscribed."""
        if self._phase is not _Phase.NAMED:
            return ()
        self._phase = _Phase.SUBSCRIBED
        self._subscribed_at = now
        return (Wake(),)

    def closed(self, now: float) -> tuple[Action, ...]:
        """Note that the stream has ended, or that it could not be opened or subscribed."""
        phase, self._phase = self._phase, _Phase.IDLE
        if phase is _Phase.IDLE:
            return ()
        if phase is not _Phase.SUBSCRIBED:
            return (Connect(now + self._failed()),)
        if now - self._subscribed_at < SETTLED:
            return (Wake(), Connect(now + self._failed()))
        self._backoff = FIRST
        return (Wake(), Connect(now + SPREAD * self._random()))

    def _failed(self) -> float:
        """Return seconds to wait after a failure: from the half of a limit that doubles each time, up to all of it."""
        limit, self._backoff = self._backoff, min(self._backoff * 2, LONGEST)
        return limit * (1 + self._random()) / 2


def _client_id(data: str) -> str:
    """Return the client that the data of `CONNECTED` name, or ``""``."""
    try:
        found = orjson.loads(data)
    except ValueError:
        return ""
    client_id = found.get("clientId") if isinstance(found, dict) else None
    return client_id if isinstance(client_id, str) else ""
