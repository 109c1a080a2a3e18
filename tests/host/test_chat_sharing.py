"""Chats that are shared: who may read them, and what they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.chat_steps import CHATS, GROUPS, found, look, new, rows
from tests.support.scenarios import MISSING, TO_NEXT_SECOND, Step, grant, play_together, step

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

SCENARIOS: dict[str, list[Step]] = {
    "share": [
        new("alice", "One", "the secret"),
        new("alice", "Two"),
        step("bob", 401, f"POST {CHATS}/$one/share"),
        step("alice", 401, f"POST {CHATS}/{MISSING}/share"),
        step("alice", 200, f"POST {CHATS}/$one/share", save="token", take="share_id"),
        step("alice", 200, f"GET {CHATS}/shared", count=1),
        step("alice", 200, f"GET {CHATS}/share/$token"),
        step("bob", 401, f"GET {CHATS}/share/$token"),
        step("", 401, f"GET {CHATS}/share/$token"),
        step("admin", 200, f"GET {CHATS}/share/$token"),
        step("alice", 401, f"GET {CHATS}/share/{MISSING}"),
        step("bob", 401, f"POST {CHATS}/$token/clone/shared"),
        # ... with somebody
        step("bob", 404, f"POST {CHATS}/shared/$one/access/update", {"access_grants": [grant("$bob", "read")]}),
        step("alice", 422, f"POST {CHATS}/shared/$one/access/update", {}),
        step("alice", 200, f"POST {CHATS}/shared/$one/access/update", {"access_grants": [grant("$bob", "read")]}),
        step("alice", 200, f"GET {CHATS}/shared/$one/access", count=1),
        step("bob", 404, f"GET {CHATS}/shared/$one/access"),
        step("bob", 200, f"GET {CHATS}/share/$token"),
        look("bob", "one", 401),
        step("carol", 401, f"GET {CHATS}/share/$token"),
        step("bob", 200, f"POST {CHATS}/$token/clone/shared", save="copy"),
        step("bob", 200, f"POST {CHATS}/$token/fork", {}, save="fork"),
        *[each for name in ("copy", "fork") for each in (look("bob", name), rows(name, 2))],
        # A snapshot stays as it was ...
        step("alice", 200, f"POST {CHATS}/$one/messages/q", {"content": "changed since"}),
        step("alice", 200, f"POST {CHATS}/$one", {"chat": {"title": "Renamed since"}}),
        step("bob", 200, f"GET {CHATS}/share/$token"),
        step("alice", 200, f"POST {CHATS}/$one/share"),
        step("bob", 200, f"GET {CHATS}/share/$token"),
        # ... unless others go on with it.
        step("alice", 422, f"POST {CHATS}/$one/share", {"share_mode": "x"}),
        step("alice", 200, f"POST {CHATS}/$one/share", {"share_mode": "continue"}),
        step(
            "alice",
            200,
            f"POST {CHATS}/shared/$one/access/update",
            {"access_grants": [grant("$bob", "read"), grant("$bob", "write")], "share_mode": "continue"},
        ),
        look("bob", "one"),
        step("bob", 200, f"GET {CHATS}/share/$token"),
        step("alice", 200, f"POST {CHATS}/$one/messages/q", {"content": "seen at once"}),
        step("bob", 200, f"GET {CHATS}/share/$token"),
        step("bob", 401, f"POST {CHATS}/$one", {"chat": {"title": "By bob"}}),
        step("bob", 401, f"POST {CHATS}/$one/messages/q", {"content": "by bob"}),
        step("bob", 200, f"POST {CHATS}/$token/clone/shared"),
        step("bob", 200, f"GET {CHATS}/?page=1", sort=True),
        step("alice", 200, f"POST {CHATS}/shared/$one/access/update", {"access_grants": [], "share_mode": None}),
        step("bob", 401, f"GET {CHATS}/share/$token"),
        look("bob", "one", 401),
        # ... with a group, and with everybody
        step("admin", 200, f"POST {GROUPS}/create", {"name": "Readers $here", "description": ""}, save="team"),
        step("admin", 200, f"POST {GROUPS}/id/$team/users/add", {"user_ids": ["$carol"]}, sort=True),
        step(
            "alice",
            200,
            f"POST {CHATS}/shared/$one/access/update",
            {"access_grants": [grant("$team", "read", "group")]},
        ),
        step("carol", 200, f"GET {CHATS}/share/$token"),
        step("alice", 403, f"POST {CHATS}/shared/$one/access/update", {"access_grants": [grant("*", "read")]}),
        step("admin", 200, f"POST {CHATS}/shared/$one/access/update", {"access_grants": [grant("*", "read")]}),
        step("bob", 200, f"GET {CHATS}/share/$token"),
        # the list
        TO_NEXT_SECOND,
        step("alice", 200, f"POST {CHATS}/$two/share", save="second", take="share_id"),
        *[
            step("alice", 200, f"GET {CHATS}/shared?{query}")
            for query in (
                "",
                "page=2",
                "query=TWO",
                "query=%25w",
                "order_by=title&direction=asc",
                "order_by=title&direction=desc",
                "order_by=updated_at&direction=asc",
            )
        ],
        *[found(user, query) for user in ("alice", "bob", "carol") for query in ("q=seen", "q=seen&sharing=shared")],
        # no more
        step("bob", 401, f"DELETE {CHATS}/$one/share"),
        step("alice", 200, f"DELETE {CHATS}/$one/share"),
        step("alice", 200, f"DELETE {CHATS}/$one/share"),
        step("bob", 401, f"GET {CHATS}/share/$token"),
        step("alice", 200, f"GET {CHATS}/shared", count=1),
        step("alice", 200, f"POST {CHATS}/$one/share"),
        step("alice", 200, f"DELETE {CHATS}/share/all"),
        step("alice", 200, f"DELETE {CHATS}/share/all"),
        step("alice", 200, f"GET {CHATS}/shared", count=0),
        look("alice", "two"),
        step("alice", 200, f"POST {CHATS}/$two/share", save="third", take="share_id"),
        step("alice", 200, f"DELETE {CHATS}/$two"),
        step("alice", 401, f"GET {CHATS}/share/$third"),
        step("alice", 200, f"GET {CHATS}/shared", count=0),
    ],
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(chat_contestants: dict[str, OpenWebUI], scenario: str) -> None:
    assert not play_together(chat_contestants, f"chats {scenario}", SCENARIOS[scenario])
