"""The origin of a change in PocketBase: each write names the process that made it, and the change feed repeats that.

An origin is a letter and eight hexadecimal digits. It is part of a write's idempotency key, which is stored anyway.
"""

from __future__ import annotations

import secrets
from typing import Literal

__all__ = ["APPLICATION", "LENGTH", "SCRIPT", "Kind", "is_application", "new_origin"]

Kind = Literal["a", "s"]

APPLICATION: Kind = "a"
"""A process of Open WebUI, which tells its browsers itself of what it changes."""

SCRIPT: Kind = "s"
"""Any other program that uses this package."""

LENGTH = 9
"""Characters of an origin."""


def new_origin(kind: Kind) -> str:
    """Return a name for this process."""
    return f"{kind}{secrets.token_hex(4)}"


def is_application(origin: str) -> bool:
    """Return whether a change was made by a process of Open WebUI, of this or of another installation's."""
    return origin.startswith(APPLICATION)
