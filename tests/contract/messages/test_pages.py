"""Pages of a channel's messages, pinned ones, and how many are unread: what the stock class does, ours does."""

from __future__ import annotations

import pytest

from tests.support.differential import Opened
from tests.support.messages import CHANNEL, NS, OTHER, Talk, talking

PAGES = [(0, 3), (2, 3), (5, 50), (0, 0), (0, -1), (-1, 2), (10**9, 1)]


async def test_pages(talk: Talk) -> None:
    first = await talk.post("0", rows=False)
    for number in range(1, 8):
        await talk.post(f"{number}", "bob", rows=False, reply_to_id=first, parent_id=first if number % 3 == 0 else None)
        await talk.post(f"elsewhere {number}", channel=OTHER, rows=False)
    # At the same time; on PostgreSQL such messages have no order.
    talk.pair.step = 0 if talk.pair.database.is_sqlite else 1
    for number in range(3):
        await talk.post(f"at once {number}", "carl", rows=False)
    talk.pair.step = 1
    for message in talk.ids[::3]:
        await talk.call("update_is_pinned_by_id", message, True, rows=False)
    for skip, limit in PAGES:
        if talk.pair.database.is_sqlite or min(skip, limit) >= 0:  # PostgreSQL refuses negative ones
            await talk.call("get_messages_by_channel_id", CHANNEL, skip, limit, rows=False)
            await talk.call("get_pinned_messages_by_channel_id", CHANNEL, skip, limit, rows=False)
    await talk.call("get_last_message_by_channel_id", OTHER, rows=False)


@pytest.mark.parametrize("seconds", [None, -1, 0, 1, 3, 5, 10**9])
async def test_unread(talk: Talk, seconds: int | None) -> None:
    first = await talk.post("first", "bob", rows=False)
    await talk.post("reply", "bob", rows=False, parent_id=first)
    await talk.post("third", "ann", rows=False)
    await talk.post("fourth", "carl", rows=False)
    for offset in (0, 123_456_788, 123_456_789):
        last_read_at = None if seconds is None else NS + seconds * 10**9 + offset
        for user in ("ann", "bob", "", None):
            await talk.call("get_unread_message_count", CHANNEL, user, last_read_at, rows=False)
    await talk.call("get_unread_message_count", CHANNEL, "ann", -5, rows=False)


async def test_unread_since_a_time_beyond_64_bits(opened: Opened) -> None:
    async with talking(opened, "sqlite") as talk:
        for time in (2**63, -(2**63) - 1, 10**30):
            raised = await talk.call("get_unread_message_count", CHANNEL, "ann", time, rows=False)
            assert isinstance(raised, OverflowError)
        await talk.call("get_unread_message_count", CHANNEL, "ann", 2**63 - 1, rows=False)
