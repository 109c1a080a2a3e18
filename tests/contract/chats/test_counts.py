"""Numbers of chats: what the stock class counts, ours counts. Lists and their numbers are in test_lists.py."""

from __future__ import annotations

import pytest

from tests.support.chats import CHATS, chat, row, seed
from tests.support.differential import Opened

INTERNAL = {"internal": True, "type": "note", "note_id": "n", "parent_chat_id": "p"}


@pytest.mark.parametrize(
    "times", [[], [0], [5, 10], [10, 5], [1, 1801, 3602], [1, 1802], [1_700_000_000_000, 1_700_000_010]]
)
async def test_usage(opened: Opened, times: list[int]) -> None:
    async with opened(CHATS, "sqlite") as pair:
        rows = [row(number, f"{number} {time}", created_at=time) for number in (1, 2, 3) for time in times]
        rows += [row(2, "more", created_at=12), row(2, "none", created_at=None), row(3, "more", created_at=900)]
        await seed(pair, [chat(1), chat(2), chat(3, meta=INTERNAL), chat(4), chat(5, user_id="u2")], rows)
        assert (await pair.call("get_user_usage_chat_stats", "u1"))["total_chats"] == 3
        for user in ["u2", "", "nobody", None]:
            await pair.call("get_user_usage_chat_stats", user)
