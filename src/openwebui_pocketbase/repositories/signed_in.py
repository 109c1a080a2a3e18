"""The signed-in user of the request that is being served: credentials, user and groups, read at once at its start.

The host begins with the credentials, or the owner of an API key, and goes on to the user and, in most routes, their
groups. The first of these reads brings the others along, and they are answered from it: for a moment only, and until
the request writes something. Each answer is made anew from the rows, as the host may change what it gets. The user is
given once: code that runs within a request, such as a function's, may have changed it over Open WebUI's own API.
Where there is no request, as in WebSockets and what runs by itself, nothing is kept, and nothing is brought along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openwebui_pocketbase.host_request import serving
from openwebui_pocketbase.repositories.neighbours import is_on_pocketbase
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["Person", "has_groups_here", "is_wanted", "keep", "keep_groups", "note_activity", "person", "take_user"]

_LAST_ACTIVE_AT = [column.name for column in TABLES["user"].columns].index("last_active_at")


@dataclass(slots=True)
class Person:
    """What was read of somebody.

    Attributes:
        id: The user's id.
        user: The row of the user; None if there is none, or if it has been taken.
        groups: Rows of the groups that the user is in, and of those above them; None if they were not read: they are
            many, or not in PocketBase.
        is_taken: Whether the row of the user was given to somebody.
    """

    id: str
    user: list[Any] | None
    groups: Sequence[Sequence[Any]] | None
    is_taken: bool = False


def is_wanted() -> bool:
    """Tell whether the user of a request is to be brought along: it has read nobody yet, or not lately."""
    request = serving.get()
    return request is not None and request.may_keep and request.kept is None


def has_groups_here() -> bool:
    """Tell whether PocketBase has the groups of users."""
    return is_on_pocketbase("Groups")


def keep(found: Person, asked_at: float) -> None:
    """Keep what was read of the user of the request that is being served.

    Args:
        found: What was read.
        asked_at: When it was asked for, on the clock of `time.monotonic`.
    """
    if (request := serving.get()) is not None:
        request.keep(found, asked_at)


def person(id: str) -> Person | None:
    """Return what was read of this user for the request that is being served; None for nothing, or no longer."""
    request = serving.get()
    if request is None or (known := request.kept) is None or known.id != id:
        return None
    found: Person = known
    return found


def take_user(id: str) -> tuple[list[Any] | None] | None:
    """Return the row of this user, or None for nobody, in a tuple; None if it is to be read, as it was taken before."""
    known = person(id)
    if known is None or known.is_taken:
        return None
    row, known.user, known.is_taken = known.user, None, True
    return (row,)


def keep_groups(id: str, rows: Sequence[Sequence[Any]]) -> None:
    """Keep the groups of this user, and those above them, which were read by themselves."""
    if (known := person(id)) is not None:
        known.groups = rows


def note_activity(id: str, last_active_at: int) -> None:
    """Note what was written of this user, which is no reason to read all of it again."""
    if (known := person(id)) is not None and known.user is not None:
        known.user[_LAST_ACTIVE_AT] = last_active_at
