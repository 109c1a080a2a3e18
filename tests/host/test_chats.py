"""The life of chats over HTTP, with a stock Open WebUI and with chats in PocketBase: the same answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.chat_steps import (
    CHATS,
    FOLDERS,
    SEARCH,
    THEN,
    USERS,
    branches,
    chat,
    found,
    history,
    lists,
    look,
    message,
    new,
    rows,
)
from tests.support.scenarios import MISSING, TO_NEXT_SECOND, Player, Step, grant, play_together, step

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]


def event(kind: str, **data: Any) -> Step:
    body = {"type": kind, "data": data}
    return step("alice", 200, f"POST {CHATS}/$one/messages/a/event", body)


NO_CHATS: list[object] = [
    {},
    [],
    {"chat": None},
    {"chat": []},
    {"chat": {}, "folder_id": 1},
    {"chat": {}, "variables": []},
]

SCENARIOS: dict[str, list[Step]] = {
    "make and save": [
        step("", 401, f"GET {CHATS}/"),
        step("", 401, f"POST {CHATS}/new", chat("Nobody's")),
        step("alice", 200, f"GET {CHATS}/", count=0),
        *[step("alice", 422, f"POST {CHATS}/new", body) for body in NO_CHATS],
        new("alice", "One", variables={"a": 1, "b": {"c": [1.0, None]}}),
        look("alice", "one"),
        rows("one", 2),
        look("bob", "one", 401),
        *[step("alice", 401, f"GET {CHATS}/{each}") for each in (MISSING, "nonsense", "%00", "a'b", "x" * 300)],
        look("admin", "one"),
        step("alice", 200, f"POST {CHATS}/new", {"chat": {}}, save="empty"),
        look("alice", "empty"),
        step("alice", 200, f"POST {CHATS}/new", {"chat": {"title": "", "history": {}}}, save="untitled"),
        look("alice", "untitled"),
        *lists(),
        # The title, and other members
        step("alice", 200, f"POST {CHATS}/$one", {"chat": {"title": "Größe 資料 📁 % _ \\ ' \""}}),
        step("alice", 200, f"POST {CHATS}/$one", {"chat": {}}),
        step("alice", 200, f"POST {CHATS}/$one", {"chat": {"models": ["m", "n"], "x": {"y": [1, 1.0, 2**53 + 1]}}}),
        step("alice", 200, f"POST {CHATS}/$one", {"chat": {"title": "   "}, "variables": {}}),
        step("alice", 200, f"POST {CHATS}/$one", {"chat": {"title": "One"}, "variables": {"z": "ü", "a": None}}),
        step("alice", 422, f"POST {CHATS}/$one", {"chat": "x"}),
        step("alice", 401, f"POST {CHATS}/{MISSING}", {"chat": {"title": "x"}}),
        step("bob", 401, f"POST {CHATS}/$one", {"chat": {"title": "x"}}),
        step("alice", 200, f"PATCH {CHATS}/$one/params", {"temperature": 0.5, "stop": ["a"]}),
        step("alice", 200, f"PATCH {CHATS}/$one/params", {"temperature": None, "ö": {"n": 1.0}}),
        step("bob", 401, f"PATCH {CHATS}/$one/params", {"temperature": 1}),
        look("alice", "one"),
        # The history: who has an old one loses nothing.
        step(
            "alice",
            200,
            f"POST {CHATS}/$one",
            {
                "chat": {
                    "history": history(
                        "b",
                        q=message(None, "user", "Edited", timestamp=THEN, models=["m"]),
                        b=message("q", "assistant", "Another", timestamp=THEN + 9, model="n", done=True),
                    )
                }
            },
        ),
        look("alice", "one"),
        rows("one", 3),
        step("alice", 200, f"POST {CHATS}/$one", {"chat": {"history": {"messages": {}, "currentId": "a"}}}),
        step("alice", 200, f"POST {CHATS}/$one", {"chat": {"history": {"currentId": "nowhere"}}}),
        step("alice", 200, f"POST {CHATS}/$one", {"chat": {"history": {}, "messages": [{"role": "user"}]}}),
        look("alice", "one"),
        rows("one", 3),
        step("alice", 200, f"POST {CHATS}/$empty", {"chat": chat("Filled")["chat"]}),
        look("alice", "empty"),
        rows("empty", 2),
        *lists(),
    ],
    "messages": [
        new("alice", "One"),
        step("alice", 200, f"POST {CHATS}/$one/messages/q", {"content": "Edited: ü 資料"}),
        step("alice", 200, f"POST {CHATS}/$one/messages/q", {"content": ""}),
        step("alice", 200, f"POST {CHATS}/$one/messages/a", {"voice": {"id": "v", "rate": 1.0}}),
        step("alice", 200, f"POST {CHATS}/$one/messages/a", {"content": "Both", "voice": {}}),
        step("alice", 200, f"POST {CHATS}/$one/messages/new", {"content": "from nowhere"}),
        step("alice", 200, f"POST {CHATS}/$one/messages/a: b%25ü", {"content": "odd id"}),
        step("alice", 404, f"POST {CHATS}/$one/messages/unknown", {"voice": {"id": "v"}}),
        step("alice", 400, f"POST {CHATS}/$one/messages/q", {"voice": {"x": "y" * 100_001}}),
        step("alice", 400, f"POST {CHATS}/$one/messages/q", {}),
        step("alice", 422, f"POST {CHATS}/$one/messages/q", {"content": 1}),
        step("bob", 401, f"POST {CHATS}/$one/messages/q", {"content": "x"}),
        step("alice", 401, f"POST {CHATS}/{MISSING}/messages/q", {"content": "x"}),
        step("admin", 200, f"POST {CHATS}/$one/messages/q", {"content": "By the admin"}),
        look("alice", "one"),
        rows("one"),
        # Events which are kept
        event("status", action="search", description="Looking", done=False),
        event("status", action="search", description="Found", done=True, urls=["u"]),
        event("message", content=" and more"),
        event("replace", content="All new"),
        event("message", content=" 資料"),
        event("embeds", embeds=["<b>one</b>"]),
        event("embeds", embeds=["<b>two</b>"]),
        event("embeds", embeds=["<b>three</b>"], replace=True),
        event("files", files=[{"type": "image", "url": "u"}]),
        event("files", files=[{"type": "image", "url": "v"}]),
        event("source", source={"name": "s"}, document=["d"], metadata=[{}]),
        event("citation", source={"name": "t"}, document=["e"], metadata=[{"x": 1.0}]),
        event("source", type="code_execution", id="c", name="n"),
        event("source", type="code_execution", id="c", name="n", result={"output": "o"}),
        event("chat:message:favorite", favorite=True),
        event("chat:message:tasks", tasks=[{"id": "t", "content": "c", "status": "pending"}]),
        event("chat:tags", tags=[]),
        step("bob", 401, f"POST {CHATS}/$one/messages/a/event", {"type": "replace", "data": {"content": "x"}}),
        step("alice", 200, f"POST {CHATS}/$one/messages/unknown/event", {"type": "message", "data": {"content": "x"}}),
        step("alice", 200, f"POST {CHATS}/$one/messages/unknown/event", {"type": "status", "data": {"done": True}}),
        look("alice", "one"),
        rows("one"),
        # Deleting them
        step("alice", 200, f"POST {CHATS}/new", branches(), save="tree"),
        look("alice", "tree"),
        step("alice", 200, f"DELETE {CHATS}/$tree/messages/q2"),
        look("alice", "tree"),
        step("alice", 200, f"DELETE {CHATS}/$tree/messages/a4"),
        step("alice", 200, f"DELETE {CHATS}/$tree/messages/unknown"),
        look("alice", "tree"),
        rows("tree"),
        step("bob", 401, f"DELETE {CHATS}/$tree/messages/q1"),
        step("alice", 401, f"DELETE {CHATS}/{MISSING}/messages/q1"),
        step("admin", 200, f"DELETE {CHATS}/$tree/messages/q1"),
        look("alice", "tree"),
        rows("tree"),
        *[step("alice", 200, f"DELETE {CHATS}/$tree/messages/{each}") for each in ("a1", "a2", "a3", "q3", "a3")],
        look("alice", "tree"),
        rows("tree", 0),
    ],
    "branches": [
        step("alice", 200, f"POST {CHATS}/new", branches(), save="tree"),
        step("alice", 200, f"POST {CHATS}/$tree/tags", {"name": "Forked"}),
        step("alice", 200, f"POST {CHATS}/$tree", {"chat": {}, "variables": {"v": 1}}),
        step("alice", 200, f"POST {CHATS}/$tree/pin"),
        step("alice", 200, f"POST {CHATS}/$tree/fork", save="whole"),
        step("alice", 200, f"POST {CHATS}/$tree/fork", {"message_id": "a1"}, save="part"),
        step("alice", 404, f"POST {CHATS}/$tree/fork", {"message_id": "unknown"}),
        step("alice", 401, f"POST {CHATS}/{MISSING}/fork", {}),
        step("bob", 401, f"POST {CHATS}/$tree/fork", {}),
        *[each for name in ("whole", "part") for each in (look("alice", name), rows(name))],
        step("alice", 200, f"POST {CHATS}/$tree/clone", {}, save="clone"),
        step("alice", 200, f"POST {CHATS}/$tree/clone", {"title": "Named"}),
        step("bob", 401, f"POST {CHATS}/$tree/clone", {}),
        look("alice", "clone"),
        rows("clone", 7),
        step("alice", 200, f"POST {CHATS}/new", {"chat": {"title": "No history"}}, save="none"),
        step("alice", 500, f"POST {CHATS}/$none/clone", {}),
        step("alice", 400, f"POST {CHATS}/$none/fork", {}),
        step("alice", 200, f"POST {CHATS}/$tree/compact", {"model": ""}),
        step("bob", 401, f"POST {CHATS}/$tree/compact", {}),
        step("alice", 200, f"POST {CHATS}/$tree", {"chat": {"history": {"messages": {}, "currentId": "q1"}}}),
        look("alice", "tree"),
        *lists(),
    ],
    "lists": [
        *[new("alice", name) for name in ("One", "Two", "Three", "Four", "Five")],
        step("alice", 200, f"POST {FOLDERS}/", {"name": "Place"}, save="place"),
        step("alice", 200, f"POST {CHATS}/$one/pin"),
        step("alice", 200, f"POST {CHATS}/$two/pin"),
        step("alice", 200, f"POST {CHATS}/$two/pin"),
        step("bob", 401, f"POST {CHATS}/$two/pin"),
        *[step("alice", 200, f"GET {CHATS}/${name}/pinned") for name in ("one", "two")],
        step("bob", 401, f"GET {CHATS}/$one/pinned"),
        step("alice", 200, f"POST {CHATS}/$three/folder", {"folder_id": "$place"}),
        step("alice", 200, f"POST {CHATS}/$one/folder", {"folder_id": "$place"}),
        step("alice", 200, f"POST {CHATS}/$three/tags", {"name": "Kept"}),
        step("alice", 200, f"POST {CHATS}/$three/archive"),
        step("alice", 200, f"POST {CHATS}/$four/archive"),
        step("bob", 401, f"POST {CHATS}/$four/archive"),
        *lists(),
        step("alice", 200, f"GET {CHATS}/archived", count=2, sort=True),
        *[
            step("alice", status, f"GET {CHATS}/archived?{query}", sort=True)
            for query, status in (
                ("order_by=nope&direction=asc", 500),
                ("order_by=title&direction=sideways", 500),
                ("page=0", 200),
                ("query=thr", 200),
                ("query=_hree", 200),
            )
        ],
        step("alice", 200, f"GET {FOLDERS}/", sort=True),
        step("admin", 200, f"GET {CHATS}/list/user/$alice", count=5, sort=True),
        step("admin", 200, f"GET {CHATS}/list/user/$alice?query=O&order_by=title&direction=asc"),
        step("alice", 401, f"GET {CHATS}/list/user/$alice"),
        *[step("alice", 200, f"GET {CHATS}/stats/export/${name}") for name in ("one", "three")],
        step("bob", 401, f"GET {CHATS}/stats/export/$one"),
        step("alice", 404, f"GET {CHATS}/stats/export/{MISSING}"),
        step("alice", 200, f"POST {CHATS}/$three/archive"),
        look("alice", "three"),
        step("alice", 200, f"POST {CHATS}/archive/all"),
        *lists(),
        step("alice", 200, f"GET {CHATS}/archived", count=5, sort=True),
        step("alice", 200, f"POST {CHATS}/unarchive/all"),
        *lists(),
        step("alice", 200, f"DELETE {CHATS}/$one"),
        look("alice", "one", 401),
        rows("one", 0),
        *lists(),
        step("bob", 200, f"DELETE {CHATS}/"),
        step("alice", 200, f"DELETE {CHATS}/"),
        *lists(),
    ],
    "latest first": [
        *[each for name in ("One", "Two", "Three", "Four") for each in (new("alice", name), TO_NEXT_SECOND)],
        step("alice", 200, f"GET {CHATS}/?page=1"),
        step("alice", 200, f"POST {CHATS}/$one/pin"),
        TO_NEXT_SECOND,
        step("alice", 200, f"POST {CHATS}/$two/messages/q", {"content": "Two, edited"}),
        TO_NEXT_SECOND,
        step("alice", 200, f"POST {CHATS}/$three", {"chat": {"title": "Not later by its title"}}),
        step("alice", 200, f"POST {CHATS}/$four/pin"),
        *[step("alice", 200, f"GET {CHATS}/{each}") for each in ("?page=1&include_pinned=true", "pinned", "all")],
        *[
            step("alice", 200, f"GET {CHATS}/?page=1&include_pinned=true&sort_by={by}&sort_dir={direction}")
            for by in ("title", "created_at", "updated_at", "unread_updated_at")
            for direction in ("asc", "desc")
        ],
        step("alice", 200, f"GET {CHATS}/stats/usage?items_per_page=3&page=2"),
        *[step("alice", 200, f"GET {CHATS}/search?text={text}") for text in ("two", "answer to", "the answer", "o")],
        step("alice", 200, f"GET {SEARCH}?q=answer"),
        step("alice", 200, f"GET {SEARCH}"),
    ],
    "read and unread": [
        step("alice", 200, f"POST {FOLDERS}/", {"name": "Place"}, save="place"),
        new("alice", "One", folder_id="$place"),
        new("alice", "Two"),
        step("alice", 200, f"GET {CHATS}/?page=1&include_folders=true", sort=True),
        TO_NEXT_SECOND,
        step("alice", 200, f"POST {CHATS}/$one/messages/a", {"content": "New for the reader"}),
        step("alice", 200, f"GET {CHATS}/folder/$place/list"),
        step("alice", 200, f"GET {FOLDERS}/"),
        step("alice", 200, f"POST {CHATS}/read"),
        step("alice", 200, f"POST {CHATS}/read"),
        step("alice", 200, f"GET {FOLDERS}/"),
        step("alice", 200, f"POST {CHATS}/$two/unread"),
        step("alice", 404, f"POST {CHATS}/{MISSING}/unread"),
        step("bob", 404, f"POST {CHATS}/$two/unread"),
        step("alice", 200, f"GET {CHATS}/?page=1&include_folders=true&sort_by=unread_updated_at"),
        step("alice", 200, f"POST {FOLDERS}/$place/read"),
    ],
    "folders": [
        step("alice", 200, f"POST {FOLDERS}/", {"name": "Outer"}, save="outer"),
        step("alice", 200, f"POST {FOLDERS}/", {"name": "Inner", "parent_id": "$outer"}, save="inner"),
        step("alice", 200, f"POST {FOLDERS}/", {"name": "Kept"}, save="kept"),
        new("alice", "One", folder_id="$outer"),
        new("alice", "Two", folder_id="$inner"),
        new("alice", "Three", folder_id="$kept"),
        new("alice", "Four"),
        step("alice", 200, f"POST {CHATS}/$two/tags", {"name": "Inside"}),
        step("alice", 200, f"POST {CHATS}/$four/pin"),
        step("alice", 200, f"POST {CHATS}/$four/folder", {"folder_id": "$kept"}),
        look("alice", "four"),
        step("alice", 200, f"GET {CHATS}/folder/$kept", sort=True, count=2),
        step("alice", 200, f"GET {CHATS}/folder/$kept/list", sort=True, count=2),
        step("alice", 200, f"GET {CHATS}/folder/$kept/list?sort_by=title&sort_dir=asc&page=1", count=2),
        step("alice", 200, f"GET {CHATS}/folder/$kept/list?page=2", count=0),
        step("alice", 400, f"GET {CHATS}/folder/$kept/list?page=-{2**62}"),
        step("alice", 200, f"GET {CHATS}/folder/$outer", sort=True),
        step("alice", 200, f"POST {CHATS}/$four/folder", {"folder_id": None}),
        step("alice", 200, f"DELETE {FOLDERS}/$outer"),
        *[look("alice", name, 401) for name in ("one", "two")],
        rows("two", 0),
        step("alice", 200, f"GET {CHATS}/all/tags", count=1),
        step("alice", 200, f"DELETE {FOLDERS}/$kept?delete_contents=false"),
        look("alice", "three"),
        *lists(),
    ],
    "deleted user": [
        new("alice", "One", "of somebody who goes"),
        new("alice", "Two"),
        step("alice", 200, f"POST {CHATS}/$one/share", save="token", take="share_id"),
        step("alice", 200, f"POST {CHATS}/shared/$one/access/update", {"access_grants": [grant("$bob", "read")]}),
        step("bob", 200, f"GET {CHATS}/share/$token"),
        found("bob", "q=somebody"),
        step("admin", 200, f"GET {CHATS}/list/user/$alice", count=2, sort=True),
        step("admin", 200, f"DELETE {USERS}/$alice"),
        step("bob", 401, f"GET {CHATS}/share/$token"),
        found("bob", "q=somebody"),
        step("admin", 200, f"GET {CHATS}/list/user/$alice", count=0),
        look("admin", "one", 401),
        rows("one", 0),
    ],
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(chat_contestants: dict[str, OpenWebUI], scenario: str) -> None:
    assert not play_together(chat_contestants, f"chats {scenario}", SCENARIOS[scenario])


def test_nobody_loses_a_message(chat_contestants: dict[str, OpenWebUI]) -> None:
    """Many write to one chat at once: messages, events that belong to them, titles, and histories without them."""
    instance = chat_contestants["everything"]
    player = Player(instance, "chats at once")
    assert player.play(step("ann", 200, f"POST {CHATS}/new", chat("Busy"), save="chat"))[0] == 200
    old = history("q", q=message(None, "user", "Busy"))

    def write(number: int) -> list[int]:
        status = {"type": "status", "data": {"done": True, "description": f"{number}"}}
        requests = (
            (f"messages/m{number}", {"content": f"Message {number}"}),
            (f"messages/m{number}/event", {"type": "message", "data": {"content": " and more"}}),
            ("messages/a/event", status),
            ("", {"chat": {"title": f"Title {number}"}} if number % 2 else {"chat": {"history": old}}),
        )
        return [
            player.exchange(step("ann", 200, f"POST {CHATS}/$chat/{path}".rstrip("/"), body))[0]
            for path, body in requests
        ]

    numbers = range(40)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, numbers)) == [[200] * 4 for _ in numbers]
    _, found, _ = player.exchange(step("ann", 200, f"GET {CHATS}/$chat"))
    messages = found["chat"]["history"]["messages"]
    assert {name: each["content"] for name, each in messages.items() if name.startswith("m")} == {
        f"m{number}": f"Message {number} and more" for number in numbers
    }
    seen = {each["description"] for each in messages["a"]["statusHistory"]}
    assert seen == {"Searching", *map(str, numbers)}
    assert found["title"] == found["chat"]["title"]
