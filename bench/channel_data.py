"""What the data set of channels is made of: 100 channels of one user, and 100,000 messages in one of these."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from bench.chat_data import MODEL, RARE, text
from bench.data import LOADED_AT, TOTAL_MESSAGES, identifier
from bench.groups.groups import group_id, tree_of
from bench.groups.users import PEOPLE
from bench.operations import Item, Row

__all__ = [
    "CHANNELS",
    "LARGE",
    "PER_RARE_WORD",
    "READER",
    "STREAMS",
    "THREADS",
    "channel_id",
    "is_dm",
    "items",
    "membership",
    "message_id",
    "read_at",
    "streamed_id",
    "words",
]

CHANNELS = 100
READER = PEOPLE[0]
"""Sees all channels."""

LARGE = 0
"""Number of the channel with most messages."""

IN_OTHERS = 100
"""How many messages each of the other channels has."""

THREAD = 500
THREADS = max(2, TOTAL_MESSAGES // 10_000)
LONG_THREADS = range(THREADS, THREADS + THREADS * THREAD)
"""Numbers of the replies in the long threads of that channel, whose first messages are the first ones of all."""

STREAMS = 16
PER_RARE_WORD = 3
MEMBERS = 20
AUTHORS = PEOPLE[:MEMBERS]
WORDS = 24
PARTS = 4
"""How many messages are made of each text."""

SECOND = 10**9
BEGIN = LOADED_AT * SECOND
WITHOUT = ("app_id", "reply_to_id", "parent_id", "pinned_at", "pinned_by", "data", "meta")


def channel_id(number: int) -> str:
    """Return the id of a channel."""
    return identifier(f"channel {number}")


def message_id(channel: int, number: int) -> str:
    """Return the id of a channel's message."""
    return identifier(f"message {channel} {number}")


def streamed_id(number: int) -> str:
    """Return the id of one of the messages that a model writes."""
    return identifier(f"streamed message {number}")


def is_dm(number: int) -> bool:
    """Return whether a channel is for direct messages."""
    return number % 5 == 4


def read_at(number: int) -> int:
    """Return when the reader looked at a channel last; three messages or more have come since."""
    return _at(number, _total(number) - 4 - number % 8)


def words(number: int) -> str:
    """Return what somebody writes: 24 words."""
    start = number // 4_000 % PARTS * WORDS
    return " ".join(text(number).split(" ")[start : start + WORDS])


def membership(number: int, user_id: str) -> Row:
    """Return the row of a channel's member."""
    at = read_at(number)
    row: Row = dict.fromkeys(("app_id", "role", "data", "meta", "invited_at", "invited_by", "left_at"))
    row |= {"id": identifier(f"member {number} {user_id}"), "channel_id": channel_id(number), "user_id": user_id}
    row |= {"status": "joined", "is_active": True, "is_channel_muted": False, "is_channel_pinned": False}
    return row | {"joined_at": BEGIN, "last_read_at": at, "created_at": BEGIN, "updated_at": at}


def items() -> Iterator[Item]:
    """Return the channels with their grants and members, and their messages with reactions."""
    for number in range(CHANNELS):
        yield {"channel": [_channel(number)], "channel_member": _members(number)}
        if grants := _grants(number):
            yield {"access_grant": grants}
    for number in range(CHANNELS):
        for index in range(_total(number)):
            yield _message(number, index)
    for number in range(STREAMS):
        yield {"message": [_streamed(number)]}


def _total(channel: int) -> int:
    return TOTAL_MESSAGES if channel == LARGE else IN_OTHERS


def _at(channel: int, index: int) -> int:
    return BEGIN + (index * CHANNELS + channel) * SECOND + index % 1_000 * 1_001_001


def _type(number: int) -> str | None:
    return "dm" if is_dm(number) else "group" if number % 5 == 3 else None


def _channel(number: int) -> Row:
    row: Row = dict.fromkeys(("data", "meta", "updated_by", "archived_at", "archived_by", "deleted_at", "deleted_by"))
    row |= {"id": channel_id(number), "user_id": AUTHORS[1], "type": _type(number), "name": f"channel-{number}"}
    row |= {"description": f"What belongs to topic {number}.", "is_private": None}
    return row | {"created_at": BEGIN + number, "updated_at": BEGIN + number}


def _members(number: int) -> list[Row]:
    others = [PEOPLE[1 + number]] if is_dm(number) else AUTHORS[1:]
    return [membership(number, user_id) for user_id in (READER, *others)]


def _grants(number: int) -> list[Row]:
    """Return who may read a channel that is for no list of members: everybody, or a tree of groups."""
    if _type(number):
        return []
    principal = ("user", "*") if number % 2 == 0 else ("group", group_id(tree_of(0), 0, 0))
    row = {"id": identifier(f"read channel {number}"), "resource_type": "channel", "resource_id": channel_id(number)}
    row |= {"principal_type": principal[0], "principal_id": principal[1], "permission": "read"}
    return [{**row, "created_at": LOADED_AT}]


@cache
def _rare_words() -> dict[int, str]:
    """Return number of a message in the large channel -> word that only a few messages have."""
    distance = TOTAL_MESSAGES // (PER_RARE_WORD * len(RARE))
    return {at * distance: RARE[at % len(RARE)][0] for at in range(PER_RARE_WORD * len(RARE))}


def _parent(channel: int, index: int) -> int | None:
    if channel != LARGE:
        return None
    if index in LONG_THREADS:
        return index % THREADS
    return index - 3 if index % 12 == 7 and index - 3 not in LONG_THREADS else None


def _message(channel: int, index: int) -> Item:
    at = _at(channel, index)
    own, parent = message_id(channel, index), _parent(channel, index)
    content = words(channel * IN_OTHERS + index)
    if channel == LARGE and index in _rare_words():
        content = f"{content} {_rare_words()[index]}"
    row: Row = dict.fromkeys(WITHOUT)
    row |= {"id": own, "user_id": AUTHORS[index * 7 % MEMBERS], "channel_id": channel_id(channel), "content": content}
    row |= {"is_pinned": index % 1_000 == 5, "created_at": at, "updated_at": at}
    if row["is_pinned"]:
        row |= {"pinned_at": at + 1, "pinned_by": AUTHORS[1]}
    if parent is not None:
        row["parent_id"] = message_id(channel, parent)
    elif index % 6 == 5:
        row["reply_to_id"] = message_id(channel, index - 3)
    reactions = [_reaction(own, name, at) for name in ("+1", "heart")] if index % 10 == 1 else []
    return {"message": [row], **({"message_reaction": reactions} if reactions else {})}


def _reaction(message: str, name: str, at: int) -> Row:
    row: Row = {"id": identifier(f"{name} on {message}"), "user_id": AUTHORS[len(name)], "message_id": message}
    return row | {"name": name, "created_at": at + 1}


def _streamed(number: int) -> Row:
    """Return an answer in a thread, still empty."""
    at = _at(LARGE, TOTAL_MESSAGES - 20) + number
    row: Row = dict.fromkeys(WITHOUT)
    row |= {"id": streamed_id(number), "user_id": AUTHORS[1], "channel_id": channel_id(LARGE), "content": ""}
    row |= {"parent_id": message_id(LARGE, number % THREADS), "data": {}, "is_pinned": False}
    meta: dict[str, Any] = {"model_id": MODEL, "model_name": MODEL}
    return row | {"meta": meta, "created_at": at, "updated_at": at}
