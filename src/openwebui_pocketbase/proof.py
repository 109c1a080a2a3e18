"""Proving that a server is ours, before it is sent a password, a token or data.

A client sends a number that was never used before. The server replies with a code (HMAC-SHA256) made of that number,
the address it listens on, and a key that only the two know. A program that took the server's port lacks the key; and
if it passes the number on to the real server, the code is for another address.

The proof is good for the connection on which it came, and for no other. Standard library only: the supervisor uses it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import NamedTuple

__all__ = ["KEY_VARIABLE", "LISTEN_VARIABLE", "Challenge", "new_challenge"]

KEY_VARIABLE = "OWUI_KEY"
"""Environment variable of the PocketBase process: the key."""

LISTEN_VARIABLE = "OWUI_LISTEN"
"""Environment variable of the PocketBase process: ``host:port`` it is reached at; an external server has none."""


class Challenge(NamedTuple):
    """A question for a server, and the only right reply.

    Attributes:
        path: What to GET, without credentials.
        code: The code that the reply has to have.
    """

    path: str
    code: str

    def is_met(self, status: int, body: bytes) -> bool:
        """Tell whether a reply proves that the server has the key."""
        try:
            given = json.loads(body)["code"]
        except (KeyError, TypeError, ValueError):
            return False
        return status == 200 and isinstance(given, str) and hmac.compare_digest(given.encode(), self.code.encode())  # noqa: PLR2004 - HTTP's "OK"


def new_challenge(key: str, listen: str) -> Challenge:
    """Return a challenge that was never used before.

    Args:
        key: The key that only the server and we know.
        listen: ``host:port`` under which the server is reached; ``""`` for a server that does not know it (an external
            one, which is behind TLS or on a network that is trusted).
    """
    number = secrets.token_hex(16)
    code = hmac.new(key.encode(), f"{number}|{listen}".encode(), hashlib.sha256).hexdigest()
    return Challenge(f"/api/owui/proof?number={number}", code)
