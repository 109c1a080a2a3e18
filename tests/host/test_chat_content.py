"""Whatever a chat holds comes back as it was: odd ids, numbers and texts, over HTTP and in exports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.chat_steps import CHATS, THEN, branches, chat, history, lists, look, message, new, rows, search
from tests.support.scenarios import Player, Step, play_together, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

HALF_A_PAIR = {
    "chat": {
        "title": "Half \ud83d",
        "history": history(
            "b",
            q=message(None, "user", "whole"),
            a=message("q", "assistant", "half \ud83d", done=True),
            b=message("a", "user", "after it"),
        ),
    }
}
"""A chat with half a surrogate pair, which is no text: the host leaves it out where it can."""

NO_IMPORTS: list[dict[str, Any]] = [
    {},
    {"chats": [{}]},
    {"chats": [{"chat": []}]},
    {"chats": [{"chat": {}, "created_at": "x"}]},
]

SCENARIOS: dict[str, list[Step]] = {
    "import": [
        step(
            "alice",
            200,
            f"POST {CHATS}/import",
            {
                "chats": [
                    {
                        **chat("Plain"),
                        "meta": {"tags": ["t1", "t_2"], "x": {"y": 1.0}},
                        "variables": {"v": 1},
                        "pinned": True,
                        "created_at": THEN,
                        "updated_at": THEN + 60,
                    },
                    {**branches(), "archived": True, "current_message_id": "a3"},
                    {"chat": {"title": "Empty"}, "created_at": 2**62, "updated_at": -5},
                    {"chat": {}},
                ]
            },
            sort=True,
        ),
        step("alice", 400, f"POST {CHATS}/import", {"chats": [chat("Not kept"), {**chat("Bad"), "meta": None}]}),
        *lists(),
        step("alice", 200, f"GET {CHATS}/all/tags", sort=True),
        step("alice", 200, f"POST {CHATS}/import", {"chats": []}, count=0),
        *[step("alice", 422, f"POST {CHATS}/import", body) for body in NO_IMPORTS],
        step("alice", 200, f"POST {CHATS}/import", {"chats": [{"chat": {"title": "T", "history": {"messages": []}}}]}),
        *lists(),
    ],
    "odd ids and texts": [
        step(
            "alice",
            200,
            f"POST {CHATS}/new",
            {
                "chat": {
                    "title": "Odd\u0000",
                    "history": history(
                        "\u0000x",
                        **{
                            "": message(None, "user", "no id"),
                            'a.b:c/d %25 "q" \\ 📁': message("", "assistant", "odd id", model="a/b:c", done=True),
                            "A": message("a", "user", "parent in the other case"),
                            "a": message("A", "assistant", "a circle"),
                            "\u0000x": message("nowhere", "user", "nul\u0000"),
                            "x" * 300: message(
                                "a", "system", [{"type": "text", "text": "a list"}, {"type": "image_url"}]
                            ),
                            "none": message(None, None, None),
                            "own": {
                                "parentId": None,
                                "role": "user",
                                "content": "c",
                                "childrenIds": ["own", "gone", "a"],
                            },
                            "deep": message(None, "tool", "d", extra=json.loads("[" * 150 + "]" * 150)),
                            "numbers": message(
                                None,
                                "user",
                                "n",
                                timestamp=THEN * 1000,
                                values=[1, 1.0, -0.0, 2**53 + 1, 1e300, True, None],
                            ),
                        },
                    ),
                }
            },
            save="odd",
        ),
        look("alice", "odd"),
        rows("odd"),
        step("alice", 200, f"POST {CHATS}/$odd/messages/A", {"content": "\u0000!"}),
        step("alice", 200, f"DELETE {CHATS}/$odd/messages/a"),
        step("alice", 200, f"POST {CHATS}/$odd", {"chat": {"": 1, "id": "x", "created": {}, "a.b": {"c\u0000": "d"}}}),
        look("alice", "odd"),
        rows("odd"),
        new("alice", "Big", "ü" * 200_000),
        step("alice", 200, f"POST {CHATS}/$big/messages/a", {"content": "x" * 500_000}),
        rows("big", 2),
        look("alice", "big"),
        search("alice", "üüüü", 1),
        *[
            step("alice", status, f"POST {CHATS}/new", {"chat": {"title": "Wrong", "history": wrong}})
            for wrong, status in (
                (None, 400),
                ([], 400),
                ({"messages": None}, 200),
                ({"messages": []}, 200),
                ({"messages": {"a": "text"}}, 400),
                ({"messages": {}, "currentId": 5}, 400),
            )
        ],
        step("alice", 400, f"POST {CHATS}/new", {"chat": {"title": 5, "models": "m", "history": {"messages": {}}}}),
        step("alice", 200, f"GET {CHATS}/?page=1", sort=True),
    ],
    "half a pair": [
        step("alice", 200, f"POST {CHATS}/new", HALF_A_PAIR, save="half"),
        look("alice", "half"),
        rows("half", 1),
        step("alice", 200, f"POST {CHATS}/$half/messages/q", {"content": "edited \ud83d"}),
        step("alice", 200, f"POST {CHATS}/$half", {"chat": {"title": "Renamed \ud83d", "x\ud83d": ["\udc00"]}}),
        step("alice", 200, f"PATCH {CHATS}/$half/params", {"stop": ["\ud83d"]}),
        look("alice", "half"),
        rows("half"),
        search("alice", "renamed", 1),
        step("alice", 200, f"POST {CHATS}/import", {"chats": [HALF_A_PAIR]}),
    ],
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(chat_contestants: dict[str, OpenWebUI], scenario: str) -> None:
    assert not play_together(chat_contestants, f"chats {scenario}", SCENARIOS[scenario])


ROUND_TRIP = """
{"title": "Round trip", "history": {"currentId": "z", "messages": {
  "z": {"content": "last key first", "role": "user", "parentId": null, "id": "z", "childrenIds": ["a"]},
  "a": {"id": "a", "role": "assistant", "parentId": "z", "childrenIds": [], "model": "m", "done": true,
    "content": "ü \\u0001 \\\\ \\/ 資料 📁", "timestamp": 1700000000,
    "numbers": [1, 1.0, -0.0, 1e5, 1E+300, 0.1, 1e-7, 9007199254740993, -9223372036854775808],
    "usage": {"total_tokens": 3, "cost": 0.10, "": {"b": 1, "a": null, "1": [], "0": {}}}}
}}, "z": 1, "a": [[], {}, "", false], "models": ["m"]}
"""
"""The text of a chat: keys out of order, numbers in all spellings."""


def test_what_is_exported_can_be_imported(chat_contestants: dict[str, OpenWebUI]) -> None:
    """An export is the same to the letter on all sides, and so is the export of what was imported from it."""
    exports = {name: [*export_and_import(instance)] for name, instance in chat_contestants.items()}
    first, second = exports["stock"]
    assert '"numbers":[1,1.0,-0.0,100000.0,1e+300,0.1,1e-7,9007199254740993,-9223372036854775808]' in first
    assert second == first
    assert exports == dict.fromkeys(chat_contestants, exports["stock"])


def export_and_import(instance: OpenWebUI) -> Iterator[str]:
    """Import a chat, export and delete it, import the export, export that; yield both exports, without the ids."""
    player = Player(instance, "chats round trip")
    headers = {**player.headers("ann"), "Content-Type": "application/json"}
    imported = (
        f'{{"chat": {ROUND_TRIP}, "meta": {{"b": 1.0, "a": [], "tags": ["t"]}}, "created_at": 5, "updated_at": 9}}'
    )
    for _ in range(2):
        content = f'{{"chats": [{imported}]}}'.encode()
        instance.http.post(f"{CHATS}/import", content=content, headers=headers).raise_for_status()
        imported = instance.http.get(f"{CHATS}/all", headers=headers).raise_for_status().text
        instance.http.delete(f"{CHATS}/", headers=headers).raise_for_status()
        yield player.normalise(imported.replace(json.loads(imported)["id"], "<chat>"))
