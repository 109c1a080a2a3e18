"""The superuser token of this process: obtained once, renewed before it expires."""

from __future__ import annotations

import asyncio
import base64
import threading
import time
from collections.abc import Callable

import orjson

__all__ = ["Authenticator"]

RENEW_BEFORE = 300.0
"""Seconds before its expiry from which on a token is no longer used."""


class Authenticator:
    """Holds the token; safe for many requests, threads and event loops at once.

    Args:
        login: Signs in and returns a new token; blocks. None if there is only the given token.
        token: A token to begin with.
    """

    def __init__(self, login: Callable[[], str] | None, token: str = "") -> None:
        self._login = login
        self._lock = threading.Lock()
        self._set(token)

    @property
    def can_renew(self) -> bool:
        """Whether a rejected token can be replaced."""
        return self._login is not None

    @property
    def current(self) -> str:
        """The token at hand, valid or not."""
        return self._token

    async def token(self) -> str:
        """Return a token that is valid for some time, signing in if need be.

        Raises:
            RequestError: The sign-in failed.
        """
        if time.time() < self._renew_at or self._login is None:
            return self._token
        return await self.renew(self._token)

    async def renew(self, rejected: str) -> str:
        """Return another token than the rejected one; of many callers at once, one signs in."""
        return await asyncio.to_thread(self.renew_blocking, rejected)

    def renew_blocking(self, rejected: str) -> str:
        """`renew`, for callers without an event loop."""
        with self._lock:
            if self._token == rejected and self._login is not None:
                self._set(self._login())
            return self._token

    def _set(self, token: str) -> None:
        self._token = token
        self._renew_at = _expiry(token) - RENEW_BEFORE if token else 0.0


def _expiry(token: str) -> float:
    """Return when a JSON Web Token expires, in epoch seconds; never, if it does not say."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return float("inf")
