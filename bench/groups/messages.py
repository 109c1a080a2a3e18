"""Channels and their messages: 100 channels of one user, one of them with 100,000 messages and threads of 500."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from open_webui.models.messages import MessageForm
from open_webui.routers import channels as routes

from bench.channel_data import (
    CHANNELS,
    LARGE,
    PER_RARE_WORD,
    READER,
    STREAMS,
    THREADS,
    channel_id,
    items,
    membership,
    message_id,
    streamed_id,
    words,
)
from bench.chat_data import ABSENT, COMMON, MODEL, RARE, text
from bench.data import SCRATCH_USERS, TOTAL_MESSAGES
from bench.operations import Group, Item, Operation

CHANNEL = channel_id(LARGE)
PAGE = 50
FOUND = 10
STREAMED = 40
"""In how many steps a streamed message grows."""

Find = Callable[[str], Any]
"""Gives the repository whose singleton has a name."""


def _store(item: Item) -> tuple[str, dict[str, Any]]:
    (grant,) = item["access_grant"]
    resource = {name: grant[name] for name in ("resource_type", "resource_id")}
    return "access/replace_access_grants", {**resource, "grants": [grant]}


def _members(numbers: range) -> Iterator[Item]:
    """Let the scratch users in: whoever posts has opened the channel before."""
    users = {SCRATCH_USERS[number % len(SCRATCH_USERS)]: None for number in numbers}
    yield {"channel_member": [membership(LARGE, user_id) for user_id in users]}


def _page(number: int) -> tuple[str, int, int]:
    return CHANNEL, number % 100, PAGE


async def _whole_page(find: Find, *page: Any) -> list[Any]:
    """Read what the route of a channel's messages reads of these."""
    messages = find("Messages")
    found = await messages.get_messages_by_channel_id(*page)
    ids = [message.id for message in found]
    reactions = await messages.get_reactions_by_message_ids(ids)
    replies = await messages.get_thread_reply_counts_by_message_ids(ids)
    return [found, reactions, replies]


def _is_whole_page(read: list[Any]) -> bool:
    found, reactions, replies = read
    return len(found) == PAGE and len(reactions) == PAGE and any(reactions.values()) and bool(replies)


def _thread(number: int) -> tuple[str, str, int, int]:
    return CHANNEL, message_id(LARGE, number % THREADS), number % 100, PAGE


async def _unread(find: Find) -> list[int]:
    """Count what the list of channels counts."""
    channels, messages = find("Channels"), find("Messages")
    counts = []
    for number in range(CHANNELS):
        member = await channels.get_member_by_channel_and_user_id(channel_id(number), READER)
        counts.append(await messages.get_unread_message_count(channel_id(number), READER, member.last_read_at))
    return counts


def _list(_number: int) -> tuple[None, SimpleNamespace, None]:
    """Return request, user and session of the route that lists channels."""
    return None, SimpleNamespace(id=READER, role="user"), None


async def _permitted(*_args: Any) -> None:
    pass


def _prepare() -> None:
    """Have channels switched on, whatever the host's configuration says, which not every backend has."""
    routes.check_channels_access = _permitted


def _post(number: int) -> tuple[MessageForm, str, str]:
    return MessageForm(content=words(number)), CHANNEL, SCRATCH_USERS[number % len(SCRATCH_USERS)]


def _piece(number: int) -> tuple[str, str]:
    """Return the next step of one of the answers that grow at the same time."""
    step, whole = number // STREAMS, f"{text(number % STREAMS)} {text(number)}"
    return streamed_id(number % STREAMS), f"{whole[: len(whole) * (step % STREAMED + 1) // STREAMED]} {number}"


async def _stream(find: Find, message: str, content: str) -> str:
    """Store a piece as the host's emitter for channels does."""
    messages = find("Messages")
    before = await messages.get_message_by_id(message)
    await messages.update_message_by_id(message, MessageForm(content=content))
    after = await messages.get_message_by_id(message)
    return str(after.content) if before.meta["model_id"] == MODEL else ""


def _search(pairs: list[tuple[str, str]]) -> Callable[[int], tuple[list[str], str]]:
    return lambda number: ([CHANNEL], pairs[number % len(pairs)][0])


def _reaction(number: int) -> tuple[str, str, str]:
    return message_id(LARGE, number % TOTAL_MESSAGES), SCRATCH_USERS[number % len(SCRATCH_USERS)], "eyes"


def _are(wanted: int) -> Any:
    return lambda found: len(found) == wanted


def _found(answer: Any) -> bool:
    return answer is not None


_PAGE = {"p50_ratio": 0.6, "rate_ratio": 2.5}
_SEARCH = "Messages.search_messages_by_channel_ids"
_SEARCHING: dict[str, Any] = {"limits": {"p50_ratio": 0.2}, "callers": 4, "fewest": 5, "keywords": {"limit": FOUND}}
_SEVERAL: dict[str, float | None] = {"overhead": None}
"""For several calls, of which none is the request that could be sent alone."""

GROUP = Group(
    name="messages",
    scratch={"message_reaction": "user_id", "message": "user_id", "channel_member": "user_id"},
    writes={("access_grant",): _store},
    items=items,
    operations=(
        Operation("Messages.get_messages_by_channel_id", "read", _page, _are(PAGE), limits=_PAGE, fewest=10),
        Operation(
            "Messages.get_messages_by_channel_id",
            "read",
            _page,
            _is_whole_page,
            case="with reactions and replies",
            limits={**_PAGE, **_SEVERAL},
            fewest=10,
            flow=_whole_page,
        ),
        Operation("Messages.get_messages_by_parent_id", "read", _thread, _are(PAGE), limits={"p50_ratio": 0.6}),
        Operation(
            "Messages.get_unread_message_count",
            "read",
            lambda _number: (),
            lambda counts: len(counts) == CHANNELS and min(counts) > 0,
            case=f"of {CHANNELS} channels",
            limits={"p50_ratio": 0.2, **_SEVERAL},
            callers=4,
            fewest=3,
            flow=_unread,
        ),
        Operation(
            "open_webui.routers.channels:get_channels",
            "read",
            _list,
            _are(CHANNELS),
            limits={"p50_ratio": 0.2, **_SEVERAL},
            callers=4,
            fewest=3,
        ),
        Operation("Channels.get_channels_by_user_id", "read", lambda _number: (READER,), _are(CHANNELS), callers=4),
        Operation(_SEARCH, "read", _search(RARE), _are(PER_RARE_WORD), case="rare word", **_SEARCHING),
        Operation(_SEARCH, "read", _search(ABSENT), _are(0), case="absent word", **_SEARCHING),
        Operation(_SEARCH, "read", _search(COMMON), _are(FOUND), case="frequent word", **_SEARCHING),
        Operation(
            "Messages.insert_new_message",
            "write",
            _post,
            _found,
            _members,
            limits={"p50_ratio": 1.0, "rate_ratio": 3.0},
        ),
        Operation("Messages.add_reaction_to_message", "write", _reaction, _found),
        Operation(
            "Messages.update_message_by_id",
            "write",
            _piece,
            bool,
            case="streaming",
            limits={"rate_ratio": 4.0, "p99_ratio": 0.3, **_SEVERAL},
            callers=STREAMS,
            fewest=STREAMS,
            flow=_stream,
        ),
    ),
    after=("users", "access"),
    prepare=_prepare,
)
