"""The request to Open WebUI that is being served, and what PocketBase has said since it began."""

from __future__ import annotations

import time
from contextvars import ContextVar

__all__ = ["HostRequest", "serving"]

FRESH = 1.0
"""Seconds for which what PocketBase has said counts as the present: a request may go on for minutes."""


class HostRequest:
    """One HTTP request; tasks that it leaves behind have it as well.

    Attributes:
        config: Version of the configuration that PocketBase named in the last answer; "" before the first.
    """

    __slots__ = ("_at", "config")

    def __init__(self) -> None:
        self.config = ""
        self._at = 0.0

    @property
    def is_fresh(self) -> bool:
        """Whether PocketBase has answered a moment ago."""
        return self.config != "" and time.monotonic() - self._at < FRESH

    def note(self, config: str, at: float) -> None:
        """Note an answer, unless it tells of an earlier time than one before.

        Args:
            config: Version of the configuration when it was made.
            at: A time before which that cannot have been, on the clock of `time.monotonic`.
        """
        if at >= self._at:
            self.config, self._at = config, at


serving: ContextVar[HostRequest | None] = ContextVar("serving", default=None)
"""The request that this task works for; None in what runs by itself, and for WebSockets, which have no end."""
