"""What the data sets of all groups are made of; the same values in every run."""

from __future__ import annotations

import os
import uuid

__all__ = [
    "CHATS_VARIABLE",
    "LOADED_AT",
    "SCRATCH",
    "SCRATCH_USERS",
    "TOTAL_CHATS",
    "TOTAL_USERS",
    "USERS",
    "USERS_VARIABLE",
    "document",
    "identifier",
    "scratch",
]

LOADED_AT = 1_760_000_000
"""Time of creation of the loaded rows, in epoch seconds."""

USERS_VARIABLE = "BENCH_USERS"
"""Environment variable that says how many users there are."""

TOTAL_USERS = int(os.environ.get(USERS_VARIABLE, "10000"))
"""How many users there are in the group of that name; the data sets need 1,000."""

CHATS_VARIABLE = "BENCH_CHATS"
"""Environment variable that says how many chats the user with most of them has."""

TOTAL_CHATS = int(os.environ.get(CHATS_VARIABLE, "2000"))
"""How many chats one user has in the group of that name; the data set needs 400."""

SCRATCH = "scratch-"
"""What the ids of scratch users begin with, and of anything else that is purged after each measurement."""


def identifier(name: str) -> str:
    """Return the id of the thing with this name."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def scratch(number: int) -> str:
    """Return an id for something that is purged."""
    return f"{SCRATCH}{number:028}"


def document(name: str) -> dict[str, object]:
    """Return a JSON object of about 300 bytes, as settings are."""
    return {
        "icon": "folder",
        "background_image_url": None,
        "system_prompt": f"You help with {name}. Answer in short sentences and name your sources. " * 2,
        "files": [{"type": "collection", "id": identifier(name), "name": name}],
    }


USERS = tuple(identifier(f"user {number}") for number in range(100))
"""Own the data set; their rows may be changed, but none is added or deleted."""

SCRATCH_USERS = tuple(scratch(number) for number in range(100))
"""Own what is inserted and deleted; purged after each measurement, so that no table grows in a run."""
