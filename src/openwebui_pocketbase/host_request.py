"""The request to Open WebUI that is being served, and what PocketBase has said since it began."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError

__all__ = ["FRESH", "HostRequest", "apart", "serving"]

FRESH = 1.0
"""Seconds for which what PocketBase has said counts as the present: a request may go on for minutes."""


class HostRequest:
    """One HTTP request; tasks that it leaves behind have it as well.

    Attributes:
        config: Version of the configuration that PocketBase named in the last answer; "" before the first.
        refusal: Why something that the host has written through is not stored; None if everything is.
    """

    __slots__ = ("_asked_at", "_at", "_is_over", "_kept", "config", "refusal")

    def __init__(self) -> None:
        self.config = ""
        self.refusal: OpenWebUIPocketBaseError | None = None
        self._at = 0.0
        self._kept: Any = None
        self._asked_at = 0.0
        self._is_over = False

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

    @property
    def may_keep(self) -> bool:
        """Whether something would be kept: the request is still served, and has written nothing."""
        return not self._is_over

    @property
    def kept(self) -> Any:
        """What was kept a moment ago; None for nothing."""
        if self._kept is not None and time.monotonic() - self._asked_at >= FRESH:
            self._kept = None
        return self._kept

    def keep(self, what: object, asked_at: float) -> None:
        """Keep something that was read, in place of what was kept before.

        Args:
            what: What it is.
            asked_at: When it was asked for, on the clock of `time.monotonic`.
        """
        # An answer that comes behind the request's own write may have been made before it.
        if not self._is_over:
            self._kept, self._asked_at = what, asked_at

    def forget(self) -> None:
        """Keep nothing from here on: the request writes, and reads what it has written, or it has been answered."""
        self._kept, self._is_over = None, True


serving: ContextVar[HostRequest | None] = ContextVar("serving", default=None)
"""The request that this task works for; None in what runs by itself, and for WebSockets, which have no end."""


@contextmanager
def apart() -> Iterator[None]:
    """Have what is done within the block be no part of the request that is being served."""
    token = serving.set(None)
    try:
        yield
    finally:
        serving.reset(token)
