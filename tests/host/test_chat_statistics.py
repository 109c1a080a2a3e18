"""What is counted of chats: per model, user, group and day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.chat_steps import ANALYTICS, CHATS, DAY, GROUPS, THEN, USERS, history, message
from tests.support.scenarios import MISSING, Step, play_together, step

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]


def counted(user: str, name: str, day: int, tokens: int) -> Step:
    """Return a step that makes a chat with two questions, which two models answered with tokens and a tool."""
    when = THEN + day * DAY
    call = [{"type": "function_call", "id": "c", "call_id": "c", "name": "search_chats", "arguments": "{}"}]
    used = {"prompt_tokens": tokens, "completion_tokens": 20, "total_tokens": tokens + 20}
    entries = history(
        "a2",
        q1=message(None, "user", f"First of {name}", timestamp=when),
        a1=message(
            "q1", "assistant", "yes", model="$here/m:1", timestamp=when + 60, usage=used, done=True, output=call
        ),
        q2=message("a1", "user", "Second", timestamp=when + 7200),
        a2=message(
            "q2",
            "assistant",
            "no",
            model="$here/m:2",
            timestamp=when + 7260,
            done=True,
            usage={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
        ),
        a3=message("q2", "assistant", "maybe", model="$here/m:1", timestamp=when + 7300, done=True),
    )
    return step(user, 200, f"POST {CHATS}/new", {"chat": {"title": name, "history": entries}}, save=name)


SCENARIOS: dict[str, list[Step]] = {
    "statistics": [
        step("admin", 200, f"POST {GROUPS}/create", {"name": "Counted $here", "description": ""}, save="team"),
        step(
            "admin",
            200,
            f"POST {GROUPS}/create",
            {"name": "Below $here", "description": "", "parent_group_id": "$team"},
            save="below",
        ),
        step("admin", 200, f"POST {GROUPS}/id/$team/users/add", {"user_ids": ["$alice"]}, sort=True),
        step("admin", 200, f"POST {GROUPS}/id/$below/users/add", {"user_ids": ["$bob"]}, sort=True),
        step("alice", 200, "POST /api/v1/auths/update/timezone", {"timezone": "America/New_York"}),
        counted("alice", "first", 0, 10),
        counted("alice", "second", 1, 11),
        counted("bob", "third", 1, 12),
        counted("carol", "fourth", 2, 13),
        step("alice", 200, f"POST {CHATS}/$second/tags", {"name": "Counted"}),
        step("alice", 200, f"POST {CHATS}/$first/archive"),
        *[
            step(
                "admin",
                200,
                f"GET {ANALYTICS}/{what}{'&' if '?' in what else '?'}group_id={group}{when}",
                sort=what == "users",
            )
            for group, when in (
                ("$team", ""),
                ("$team", f"&start_date={THEN + DAY}"),
                ("$team", f"&start_date={THEN}&end_date={THEN + 100}"),
                ("$below", ""),
                (MISSING, ""),
            )
            for what in (
                "models",
                "users",
                "users?metric=tokens&limit=1",
                "summary",
                "daily",
                "daily?granularity=hourly&metric=tokens",
                "daily?granularity=10m",
                "daily?granularity=3h",
                "daily?granularity=6h&metric=tokens",
                "tokens",
            )
        ],
        step(
            "admin", 200, f"GET {ANALYTICS}/daily?group_id=$team&start_date={THEN}&end_date={THEN + DAY}&compare=true"
        ),
        step("admin", 400, f"GET {ANALYTICS}/daily?compare=true"),
        *[
            step("admin", 200, f"GET {ANALYTICS}/models/$here/m:1/{what}", sort=True)
            for what in (
                "chats",
                f"chats?start_date={THEN + DAY}&order_by=updated_at&direction=asc",
                "chats?skip=2&limit=1&order_by=user_name&direction=asc",
                "chats?order_by=nope",
                "overview?days=2",
                "overview?days=0",
            )
        ],
        *[
            step("admin", 200, f"GET {ANALYTICS}/messages?{query}", sort=True, count=count)
            for query, count in (
                ("model_id=$here/m:1", 8),
                (f"model_id=$here/m:1&start_date={THEN + DAY}", 6),
                (f"model_id=$here/m:1&end_date={THEN + DAY}", 2),
                ("user_id=$alice", 10),
                ("user_id=$alice&limit=1", 1),
                ("chat_id=$first", 5),
                ("", 0),
            )
        ],
        step("admin", 422, f"GET {ANALYTICS}/messages?limit=101"),
        step("alice", 401, f"GET {ANALYTICS}/summary"),
        *[
            step(user, 200, f"GET {USERS}/usage?start_date={THEN - DAY}&end_date={THEN + 3 * DAY}")
            for user in ("alice", "bob", "carol", "dora")
        ],
        step("alice", 200, f"GET {USERS}/usage?start_date={THEN}&end_date={THEN + 7200}"),
        step("alice", 400, f"GET {USERS}/usage?start_date=5&end_date=4"),
        step("alice", 200, f"GET {CHATS}/stats/usage", sort=True),
        step("alice", 200, f"DELETE {CHATS}/$second"),
        step("admin", 200, f"GET {ANALYTICS}/summary?group_id=$team"),
        step("alice", 200, f"GET {USERS}/usage?start_date={THEN - DAY}&end_date={THEN + 3 * DAY}"),
    ],
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(chat_contestants: dict[str, OpenWebUI], scenario: str) -> None:
    assert not play_together(chat_contestants, f"chats {scenario}", SCENARIOS[scenario])
