"""One line of the report of ``doctor``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError

__all__ = ["Check", "failed"]


@dataclass(frozen=True)
class Check:
    """What was found in one place.

    Attributes:
        name: What was looked at.
        status: ``problem`` if something has to be done.
        detail: What was found; never a secret.
        remedy: What to do about a problem, else ``""``.
    """

    name: str
    status: Literal["ok", "info", "problem"]
    detail: str
    remedy: str = ""


def failed(name: str, error: OpenWebUIPocketBaseError) -> Check:
    """Return the problem that an error of this package is."""
    return Check(name, "problem", str(error.args[0]), error.hint)
