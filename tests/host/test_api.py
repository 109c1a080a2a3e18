"""The same HTTP requests to a stock Open WebUI and to one with its data in PocketBase: the same answers.

Each scenario is a table of requests by users of its own. What ids, times and tokens are is left out of the
comparison; which id appears again is not.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.scenarios import MISSING, TO_NEXT_SECOND, Player, Step, insert, play_together, step, update

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.driver import Driver
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

FOLDERS = "/api/v1/folders"
CHATS = "/api/v1/chats"
SEARCH = "/api/v1/search"


def chat(title: str, text: str = "", **members: Any) -> dict[str, Any]:
    """Return the body of a new chat with one message."""
    message: dict[str, Any] = {"id": "m1", "parentId": None, "childrenIds": [], "role": "user"}
    message["content"] = text or title
    history = {"messages": {"m1": message}, "currentId": "m1"}
    return {"chat": {"title": title, "models": [], "history": history, "messages": [message]}, **members}


def folder(name: str, parent: str | None = None, **members: Any) -> dict[str, Any]:
    return {"name": name, **({"parent_id": parent} if parent else {}), **members}


def grants(*given: tuple[str, str], kind: str = "user") -> dict[str, Any]:
    """Return the body that shares a folder with (principal id, permission)."""
    return {"access_grants": [{"principal_type": kind, "principal_id": who, "permission": p} for who, p in given]}


def to_everybody(folder: str) -> Step:
    """Return a step that shares a folder with everybody, which only older versions could."""
    grant = {"resource_type": "folder", "resource_id": folder, "principal_type": "user", "principal_id": "*"}
    return insert("access_grant", id=str(uuid.uuid4()), **grant, permission="read", created_at=1_700_000_000)


def tag(name: str) -> dict[str, str]:
    return {"name": name}


READ = ("$bob", "read"), ("$bob", "write")
AUTOMATION = {"prompt": "Sum up.", "model_id": "a-model", "rrule": "DTSTART:20300101T000000\nRRULE:FREQ=DAILY"}

NO_FOLDERS: list[object] = [
    {},
    [],
    {"name": None},
    {"name": 1},
    {"name": "x", "is_expanded": True},
    {"name": "x", "id": MISSING},
    {"name": "x", "data": []},
    {"name": "x", "meta": "m"},
    {"name": "x", "parent_id": 1},
]
"""What makes none."""

SCENARIOS: dict[str, list[Step]] = {
    "create": [
        step("", 401, f"GET {FOLDERS}/"),
        step("", 401, f"POST {FOLDERS}/", folder("Work")),
        step("alice", 200, f"GET {FOLDERS}/"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Work"), save="work"),
        step("alice", 400, f"POST {FOLDERS}/", folder("Work")),
        step("alice", 400, f"POST {FOLDERS}/", folder("wORK")),
        step("alice", 200, f"POST {FOLDERS}/", folder(" Work ")),
        step("alice", 200, f"POST {FOLDERS}/", folder("")),
        step("alice", 400, f"POST {FOLDERS}/", folder("")),
        step("alice", 200, f"POST {FOLDERS}/", folder("Größe")),
        step("alice", 200, f"POST {FOLDERS}/", folder("GRÖSSE")),
        step("alice", 200, f"POST {FOLDERS}/", folder("GRÖßE")),
        step("alice", 400, f"POST {FOLDERS}/", folder("gRößE")),
        step("alice", 200, f"POST {FOLDERS}/", folder("資料 📁 'quoted' \"twice\" \\ % _ /")),
        step("alice", 200, f"POST {FOLDERS}/", folder("a\nb\tc\u0001")),
        step("alice", 200, f"POST {FOLDERS}/", folder("n" * 70_000)),
        step("alice", 200, f"POST {FOLDERS}/", folder("Sub", "$work"), save="sub"),
        step("alice", 400, f"POST {FOLDERS}/", folder("sub", "$work")),
        step("alice", 200, f"POST {FOLDERS}/", folder("Work", "$sub"), save="deep"),
        step("bob", 200, f"POST {FOLDERS}/", folder("Work"), save="bobs"),
        step("bob", 403, f"POST {FOLDERS}/", folder("In alice's", "$work")),
        step(
            "alice",
            200,
            f"POST {FOLDERS}/",
            folder(
                "Rich",
                meta={"icon": "🗂", "z": None, "a": [1, 1.0, 2**53 + 1, -0.0, True]},
                data={"system_prompt": "Be brief.", "files": [], "b": {"y": {}, "x": ""}, "id": "x", "": 0},
            ),
            save="rich",
        ),
        step("alice", 200, f"POST {FOLDERS}/", folder("Nothing", data=None, meta=None, parent_id=None)),
        step("alice", 200, f"POST {FOLDERS}/", folder("Empty", data={}, meta={})),
        step("alice", 403, f"POST {FOLDERS}/", folder("Files", data={"files": [{"type": "file", "id": "nope"}]})),
        step("alice", 200, f"POST {FOLDERS}/", folder("Odd id", parent_id=""), save="odd"),
        *[step("alice", 422, f"POST {FOLDERS}/", body) for body in NO_FOLDERS],
        step("alice", 200, f"GET {FOLDERS}/"),
        *[step("alice", 200, f"GET {FOLDERS}/{name}") for name in ("$work", "$sub", "$deep", "$rich", "$odd")],
        step("admin", 200, f"GET {FOLDERS}/$work"),
        *[step("bob", 404, f"GET {FOLDERS}/{name}") for name in ("$work", "$sub", MISSING, "nonsense", "%00", "a'b")],
        step("admin", 200, f"GET {FOLDERS}/"),
    ],
    "odd text": [
        step("alice", 200, f"POST {FOLDERS}/", folder("nul\u0000 and more", data={"a\u0000": "b\u0000"}), save="nul"),
        step("alice", 200, f"GET {FOLDERS}/$nul"),
        step("alice", 200, f"POST {FOLDERS}/$nul/update", {"name": "still\u0000"}),
        step("alice", 400, f"POST {FOLDERS}/", folder("half a pair: \ud83d")),
        step("alice", 400, f"POST {FOLDERS}/$nul/update", {"name": "\ud83d"}),
        step("alice", 400, f"POST {FOLDERS}/$nul/update", {"data": {"x": "\ud83d"}}),
        step("alice", 200, f"GET {FOLDERS}/"),
        step("alice", 200, f"POST {CHATS}/new", chat("one"), save="one"),
        step("alice", 200, f"POST {CHATS}/$one/tags", tag("nul\u0000")),
        step("alice", 500, f"POST {CHATS}/$one/tags", tag("\ud83d")),
        step("alice", 200, f"GET {CHATS}/all/tags"),
        step("alice", 200, f"GET {CHATS}/$one/tags"),
    ],
    "orphans": [
        # The list puts a folder without its parent back to the root, and writes that.
        step("alice", 200, f"POST {FOLDERS}/", folder("Orphan", MISSING), save="orphan"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Child", "$orphan"), save="child"),
        step("alice", 200, f"GET {FOLDERS}/$orphan"),
        step("alice", 200, f"GET {FOLDERS}/"),
        step("alice", 200, f"GET {FOLDERS}/$orphan"),
        step("alice", 200, f"POST {FOLDERS}/$child/update/parent", {"parent_id": MISSING}),
        step("alice", 200, f"GET {FOLDERS}/"),
        step("bob", 200, f"POST {FOLDERS}/", folder("Bob's"), save="bobs"),
        step("alice", 200, f"POST {FOLDERS}/$child/update/parent", {"parent_id": "$bobs"}),
        step("alice", 200, f"GET {FOLDERS}/$child"),
        step("bob", 200, f"GET {FOLDERS}/"),
        step("alice", 200, f"GET {FOLDERS}/"),
        step("alice", 200, f"DELETE {FOLDERS}/$orphan"),
        step("alice", 200, f"GET {FOLDERS}/"),
    ],
    "update": [
        step("alice", 200, f"POST {FOLDERS}/", folder("One", data={"a": 1}, meta={"icon": "x"}), save="one"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Two"), save="two"),
        step("alice", 200, f"POST {FOLDERS}/$one/update", {"name": "Ein"}),
        step("alice", 200, f"POST {FOLDERS}/$one/update", {"name": "Ein"}),
        step("alice", 200, f"POST {FOLDERS}/$one/update", {"name": "EIN"}),
        step("alice", 400, f"POST {FOLDERS}/$one/update", {"name": "Two"}),
        step("alice", 400, f"POST {FOLDERS}/$one/update", {"name": "tWO"}),
        step("alice", 200, f"POST {FOLDERS}/$one/update", {"name": ""}),
        step("alice", 200, f"POST {FOLDERS}/$one/update", {"name": "  spaces \u00a0"}),
        step("alice", 200, f"POST {FOLDERS}/$one/update", {}),
        step("alice", 200, f"POST {FOLDERS}/$one/update", {"data": {"b": {"c": 1}}}),
        step("alice", 200, f"POST {FOLDERS}/$one/update", {"data": {"b": {"d": 1.0}, "a": None}}),
        step("alice", 200, f"POST {FOLDERS}/$one/update", {"data": {}, "meta": {}}),
        step("alice", 200, f"POST {FOLDERS}/$one/update", {"meta": {"icon": None, "ö": [{}]}}),
        step("alice", 200, f"POST {FOLDERS}/$two/update", {"name": "Zwei", "data": {"x": 2**63}, "meta": {"y": 1e300}}),
        step("alice", 400, f"POST {FOLDERS}/$two/update", {"data": None}),
        step("alice", 400, f"POST {FOLDERS}/$two/update", {"meta": None}),
        step("alice", 422, f"POST {FOLDERS}/$two/update", {"parent_id": "$one"}),
        step("alice", 422, f"POST {FOLDERS}/$two/update", {"name": ["x"]}),
        step("alice", 403, f"POST {FOLDERS}/$two/update", {"data": {"files": [{"type": "file", "id": "nope"}]}}),
        step("alice", 404, f"POST {FOLDERS}/{MISSING}/update", {"name": "x"}),
        step("bob", 404, f"POST {FOLDERS}/$one/update", {"name": "x"}),
        step("admin", 200, f"POST {FOLDERS}/$one/update", {"name": "By the admin"}),
        step("alice", 200, f"POST {FOLDERS}/$one/update/expanded", {"is_expanded": True}),
        step("alice", 200, f"GET {FOLDERS}/$one"),
        step("alice", 200, f"POST {FOLDERS}/$one/update/expanded", {"is_expanded": False}),
        step("alice", 422, f"POST {FOLDERS}/$one/update/expanded", {"is_expanded": "perhaps"}),
        step("alice", 422, f"POST {FOLDERS}/$one/update/expanded", {}),
        step("alice", 404, f"POST {FOLDERS}/{MISSING}/update/expanded", {"is_expanded": True}),
        step("bob", 200, f"POST {FOLDERS}/$one/update/expanded", {"is_expanded": True}),
        step("admin", 200, f"POST {FOLDERS}/$one/update/expanded", {"is_expanded": True}),
        step("alice", 200, f"GET {FOLDERS}/$one"),
        step("alice", 200, f"GET {FOLDERS}/"),
    ],
    "no name": [
        step("alice", 200, f"POST {FOLDERS}/", folder("One"), save="one"),
        step("alice", 400, f"POST {FOLDERS}/$one/update", {"name": None}),
        step("alice", 200, f"GET {FOLDERS}/$one"),
        step("alice", 200, f"GET {FOLDERS}/"),
    ],
    "move": [
        step("alice", 200, f"POST {FOLDERS}/", folder("A"), save="a"),
        step("alice", 200, f"POST {FOLDERS}/", folder("B", "$a"), save="b"),
        step("alice", 200, f"POST {FOLDERS}/", folder("C", "$b"), save="c"),
        step("alice", 200, f"POST {FOLDERS}/", folder("c"), save="other"),
        step("alice", 400, f"POST {FOLDERS}/$a/update/parent", {"parent_id": "$a"}),
        step("alice", 400, f"POST {FOLDERS}/$a/update/parent", {"parent_id": "$b"}),
        step("alice", 400, f"POST {FOLDERS}/$a/update/parent", {"parent_id": "$c"}),
        step("alice", 400, f"POST {FOLDERS}/$other/update/parent", {"parent_id": "$b"}),
        step("alice", 200, f"POST {FOLDERS}/$other/update/parent", {"parent_id": "$a"}),
        step("alice", 400, f"POST {FOLDERS}/$c/update/parent", {"parent_id": "$a"}),
        step("alice", 200, f"POST {FOLDERS}/$c/update/parent", {"parent_id": None}),
        step("alice", 200, f"POST {FOLDERS}/$c/update/parent", {}),
        step("alice", 200, f"POST {FOLDERS}/$a/update/parent", {"parent_id": "$c"}),
        step("alice", 422, f"POST {FOLDERS}/$a/update/parent", {"parent_id": 5}),
        step("alice", 404, f"POST {FOLDERS}/{MISSING}/update/parent", {"parent_id": "$c"}),
        step("bob", 404, f"POST {FOLDERS}/$a/update/parent", {"parent_id": None}),
        step("admin", 404, f"POST {FOLDERS}/$a/update/parent", {"parent_id": None}),
        step("alice", 200, f"GET {FOLDERS}/"),
    ],
    "latest first": [
        *[
            each
            for name in ("One", "Two", "Three")
            for each in (
                step("alice", 200, f"POST {FOLDERS}/", folder(name), save=name.lower()),
                step("alice", 200, f"POST {FOLDERS}/${name.lower()}/access/update", grants(*READ)),
                TO_NEXT_SECOND,
            )
        ],
        step("alice", 200, f"POST {FOLDERS}/", folder("Sub", "$one"), save="sub"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Subsub", "$sub")),
        step("alice", 200, f"GET {FOLDERS}/shared"),
        TO_NEXT_SECOND,
        step("alice", 200, f"POST {FOLDERS}/$one/update/expanded", {"is_expanded": True}),
        step("bob", 200, f"GET {FOLDERS}/shared"),
        step("alice", 200, f"GET {FOLDERS}/"),
        step("alice", 200, f"DELETE {FOLDERS}/$one"),
        step("bob", 200, f"GET {FOLDERS}/shared"),
    ],
    "share": [
        step("alice", 200, f"POST {FOLDERS}/", folder("Shared", data={"system_prompt": "p"}), save="top"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Inner", "$top"), save="inner"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Private"), save="private"),
        step("alice", 200, f"POST {CHATS}/new", chat("In the top", folder_id="$top"), save="chat"),
        step("bob", 200, f"GET {FOLDERS}/shared"),
        step("bob", 403, f"GET {FOLDERS}/$top/shared/chats"),
        step("bob", 403, f"POST {FOLDERS}/$top/read"),
        step("bob", 403, f"POST {FOLDERS}/$top/access/update", grants(*READ)),
        step("alice", 404, f"POST {FOLDERS}/{MISSING}/access/update", grants(*READ)),
        step("alice", 422, f"POST {FOLDERS}/$top/access/update", {"access_grants": "all"}),
        step("alice", 422, f"POST {FOLDERS}/$top/access/update", {"access_grants": [], "share_mode": "x"}),
        step("alice", 403, f"POST {FOLDERS}/$top/access/update", grants(("*", "read"))),
        step("alice", 200, f"POST {FOLDERS}/$top/access/update", grants(("$bob", "read")), sort=True),
        step("alice", 200, f"GET {FOLDERS}/$top", sort=True),
        step("alice", 200, f"GET {FOLDERS}/shared", sort=True),
        step("bob", 200, f"GET {FOLDERS}/shared", sort=True),
        *[step("bob", 200, f"GET {FOLDERS}/{name}", sort=True) for name in ("$top", "$inner")],
        step("bob", 404, f"GET {FOLDERS}/$private"),
        step("carol", 404, f"GET {FOLDERS}/$top"),
        step("carol", 200, f"GET {FOLDERS}/shared"),
        step("bob", 200, f"GET {FOLDERS}/$top/shared/chats"),
        step("bob", 200, f"GET {FOLDERS}/$top/shared/chats?page=1"),
        step("bob", 200, f"GET {FOLDERS}/$inner/shared/chats"),
        step("bob", 404, f"GET {FOLDERS}/{MISSING}/shared/chats"),
        step("bob", 422, f"GET {FOLDERS}/$top/shared/chats?page=0"),
        step("bob", 200, f"GET {CHATS}/$chat"),
        step("carol", 401, f"GET {CHATS}/$chat"),
        step("bob", 404, f"POST {FOLDERS}/$top/update", {"name": "Bob's now"}),
        step("bob", 404, f"POST {FOLDERS}/$top/update/parent", {"parent_id": None}),
        step("bob", 200, f"POST {FOLDERS}/$top/update/expanded", {"is_expanded": True}),
        step("alice", 200, f"GET {FOLDERS}/$top", sort=True),
        step("bob", 403, f"POST {FOLDERS}/", folder("Bob's", "$top")),
        step("bob", 404, f"POST {CHATS}/new", chat("Bob's", folder_id="$top")),
        step("bob", 403, f"DELETE {FOLDERS}/$top"),
        step("bob", 200, f"POST {FOLDERS}/$top/read"),
        # ... to write
        step("alice", 200, f"POST {FOLDERS}/$top/access/update", grants(*READ), sort=True),
        step("bob", 200, f"GET {FOLDERS}/shared", sort=True),
        step("bob", 200, f"GET {FOLDERS}/$inner", sort=True),
        step("bob", 200, f"POST {FOLDERS}/$top/update", {"name": "Renamed", "data": {"by": "bob"}}),
        step("bob", 403, f"POST {FOLDERS}/$top/update", {"data": {"share_mode": "continue"}}),
        step("bob", 200, f"POST {FOLDERS}/", folder("Bob's", "$top"), save="bobs"),
        step("bob", 200, f"POST {FOLDERS}/", folder("Bob's", "$top")),
        step("bob", 200, f"POST {FOLDERS}/", folder("Bob's", "$bobs")),
        step("alice", 200, f"GET {FOLDERS}/$bobs"),
        step("bob", 200, f"GET {FOLDERS}/"),
        step("bob", 200, f"POST {CHATS}/new", chat("Bob's chat", folder_id="$top"), save="bobs_chat"),
        step("alice", 200, f"GET {FOLDERS}/$top/shared/chats", sort=True),
        step("alice", 200, f"POST {CHATS}/$bobs_chat", {"chat": {"title": " By alice "}}),
        step("alice", 401, f"POST {CHATS}/$bobs_chat", {"chat": {"title": "x", "models": []}}),
        step("alice", 200, f"POST {CHATS}/$bobs_chat/folder", {"folder_id": "$inner"}),
        step("alice", 401, f"POST {CHATS}/$bobs_chat/folder", {"folder_id": "$private"}),
        step("alice", 401, f"POST {CHATS}/$bobs_chat/folder", {"folder_id": None}),
        step(
            "alice", 200, f"POST {FOLDERS}/$top/access/update", {**grants(*READ), "share_mode": "continue"}, sort=True
        ),
        step("bob", 200, f"GET {CHATS}/$chat"),
        step("bob", 403, f"DELETE {FOLDERS}/$inner"),
        # ... to a group
        step("admin", 200, "POST /api/v1/groups/create", {"name": "Team", "description": ""}, save="team"),
        step("admin", 200, "POST /api/v1/groups/id/$team/users/add", {"user_ids": ["$carol"]}, sort=True),
        step("alice", 200, f"POST {FOLDERS}/$private/access/update", grants(("$team", "write"), kind="group")),
        step("carol", 200, f"GET {FOLDERS}/shared", sort=True),
        step("carol", 404, f"GET {FOLDERS}/$private"),
        step("alice", 200, f"POST {FOLDERS}/$private/access/update", grants(("$team", "read"), kind="group")),
        step("carol", 200, f"GET {FOLDERS}/shared", sort=True),
        step("carol", 200, f"GET {FOLDERS}/$private", sort=True),
        step("bob", 404, f"GET {FOLDERS}/$private"),
        # ... to everybody, as an older version could
        to_everybody("$inner"),
        step("carol", 200, f"GET {FOLDERS}/shared", sort=True),
        step("carol", 200, f"GET {FOLDERS}/$inner", sort=True),
        step("carol", 404, f"GET {FOLDERS}/$top"),
        step("alice", 200, f"DELETE {FOLDERS}/$inner"),  # other scenarios are no business of it
        # ... no more
        step("alice", 200, f"POST {FOLDERS}/$top/access/update", {"access_grants": [], "share_mode": None}),
        step("bob", 404, f"GET {FOLDERS}/$top"),
        step("bob", 200, f"GET {FOLDERS}/shared", sort=True),
        step("admin", 200, f"GET {FOLDERS}/$top"),
        step("admin", 200, f"GET {FOLDERS}/$top/shared/chats", sort=True),
        step("alice", 200, f"GET {FOLDERS}/", sort=True),
    ],
    "delete": [
        step("alice", 200, f"POST {FOLDERS}/", folder("Gone"), save="gone"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Inner", "$gone"), save="inner"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Kept"), save="kept"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Inside kept", "$kept"), save="inside"),
        *[
            step("alice", 200, f"POST {CHATS}/new", chat(f"In {name}", folder_id=f"${name}"), save=f"in_{name}")
            for name in ("gone", "inner", "kept", "inside")
        ],
        step("alice", 200, f"POST {CHATS}/$in_gone/tags", tag("Doomed")),
        step("alice", 200, f"POST {FOLDERS}/$inner/access/update", grants(("$bob", "read"))),
        step("bob", 403, f"DELETE {FOLDERS}/$gone"),
        step("bob", 404, f"DELETE {FOLDERS}/{MISSING}"),
        step("alice", 422, f"DELETE {FOLDERS}/$gone?delete_contents=perhaps"),
        step("alice", 200, f"DELETE {FOLDERS}/$gone"),
        step("alice", 404, f"DELETE {FOLDERS}/$gone"),
        step("alice", 404, f"GET {FOLDERS}/$inner"),
        step("bob", 200, f"GET {FOLDERS}/shared"),
        step("alice", 200, f"GET {FOLDERS}/"),
        step("alice", 401, f"GET {CHATS}/$in_gone"),
        step("alice", 401, f"GET {CHATS}/$in_inner"),
        step("alice", 200, f"GET {CHATS}/all/tags", sort=True),
        step("alice", 200, f"DELETE {FOLDERS}/$kept?delete_contents=false"),
        step("alice", 200, f"GET {CHATS}/$in_kept"),
        step("alice", 200, f"GET {CHATS}/$in_inside"),
        step("alice", 200, f"GET {FOLDERS}/"),
        step("alice", 200, f"POST {FOLDERS}/", folder("By the admin"), save="third"),
        step("admin", 200, f"DELETE {FOLDERS}/$third"),
        step("alice", 200, f"GET {FOLDERS}/"),
        # Folders outlive their user.
        step("bob", 200, f"POST {FOLDERS}/", folder("Bob's"), save="bobs"),
        step("bob", 200, f"POST {FOLDERS}/$bobs/access/update", grants(("$alice", "read"))),
        step("bob", 200, f"POST {CHATS}/new", chat("Bob's", folder_id="$bobs"), save="bobs_chat"),
        step("admin", 200, "DELETE /api/v1/users/$bob"),
        step("alice", 200, f"GET {FOLDERS}/shared"),
        step("admin", 200, f"GET {FOLDERS}/$bobs", sort=True),
        step("admin", 200, f"GET {FOLDERS}/$bobs/shared/chats"),
    ],
    "chats in folders": [
        step("alice", 200, f"POST {FOLDERS}/", folder("Outer"), save="outer"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Inner", "$outer"), save="inner"),
        step("bob", 200, f"POST {FOLDERS}/", folder("Bob's"), save="bobs"),
        step("alice", 404, f"POST {CHATS}/new", chat("Nowhere", folder_id=MISSING)),
        step("alice", 404, f"POST {CHATS}/new", chat("In bob's", folder_id="$bobs")),
        step("alice", 200, f"POST {CHATS}/new", chat("First", folder_id="$outer"), save="first"),
        step("alice", 200, f"POST {CHATS}/new", chat("Second"), save="second"),
        step("alice", 200, f"POST {CHATS}/$second/folder", {"folder_id": "$inner"}),
        step("alice", 404, f"POST {CHATS}/$second/folder", {"folder_id": MISSING}),
        step("alice", 404, f"POST {CHATS}/$second/folder", {"folder_id": "$bobs"}),
        step("bob", 401, f"POST {CHATS}/$second/folder", {"folder_id": "$bobs"}),
        step("alice", 401, f"POST {CHATS}/{MISSING}/folder", {"folder_id": "$inner"}),
        step("alice", 200, f"GET {CHATS}/folder/$outer", sort=True),
        step("alice", 200, f"GET {CHATS}/folder/$inner"),
        step("alice", 200, f"GET {CHATS}/folder/$bobs"),
        step("alice", 200, f"GET {CHATS}/folder/{MISSING}"),
        step("alice", 200, f"GET {CHATS}/folder/$outer/list"),
        step("alice", 200, f"GET {CHATS}/folder/$outer/list?page=2&sort_by=title&sort_dir=asc"),
        step("alice", 200, f"GET {CHATS}/?page=1"),
        step("alice", 200, f"GET {CHATS}/?page=1&include_folders=true", sort=True),
        step("alice", 200, f"POST {CHATS}/$first/clone", {"title": "Copy"}, save="clone"),
        step("alice", 200, f"POST {CHATS}/$first/fork", {}, save="fork"),
        step("alice", 200, f"GET {CHATS}/folder/$outer/list", sort=True),
        step("alice", 200, f"POST {CHATS}/import", {"chats": [chat("Imported", folder_id="$inner")]}),
        step("alice", 200, f"POST {CHATS}/$first/archive"),
        step("alice", 200, f"GET {CHATS}/folder/$outer/list", sort=True),
        step("alice", 200, f"POST {CHATS}/$second/folder", {"folder_id": None}),
        step("alice", 200, f"GET {CHATS}/folder/$inner/list"),
        step("admin", 404, "POST /api/v1/automations/create", {"name": "a", "folder_id": "$outer", "data": AUTOMATION}),
        step("admin", 200, f"POST {FOLDERS}/", folder("Runs of $outer"), save="runs"),
        step(
            "admin",
            200,
            "POST /api/v1/automations/create",
            {"name": "a", "folder_id": "$runs", "data": AUTOMATION},
            save="automation",
        ),
        step("admin", 200, f"DELETE {FOLDERS}/$runs"),
        step("admin", 200, "GET /api/v1/automations/$automation"),
        step("admin", 200, "DELETE /api/v1/automations/$automation/delete"),
    ],
    "unread": [
        step("alice", 200, f"POST {FOLDERS}/", folder("Outer"), save="outer"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Inner", "$outer"), save="inner"),
        *[
            step("alice", 200, f"POST {CHATS}/new", chat(name, folder_id=place), save=name)
            for name, place in (("one", "$outer"), ("two", "$inner"), ("three", "$inner"), ("four", None))
        ],
        step("alice", 200, f"POST {CHATS}/read"),
        step("alice", 200, f"GET {FOLDERS}/"),
        *[step("alice", 200, f"POST {CHATS}/${name}/unread") for name in ("one", "two", "three", "four")],
        step("bob", 404, f"POST {CHATS}/$one/unread"),
        step("alice", 200, f"GET {FOLDERS}/"),
        step("alice", 200, f"POST {FOLDERS}/$inner/read"),
        step("alice", 200, f"GET {FOLDERS}/"),
        step("alice", 200, f"POST {CHATS}/$two/unread"),
        step("alice", 200, f"POST {FOLDERS}/$outer/read", sort=True),
        step("alice", 200, f"GET {FOLDERS}/"),
        step("alice", 200, f"POST {CHATS}/$two/unread"),
        step("admin", 200, f"POST {FOLDERS}/$outer/read", sort=True),
        step("alice", 404, f"POST {FOLDERS}/{MISSING}/read"),
        step("bob", 403, f"POST {FOLDERS}/$outer/read"),
        step("alice", 200, f"POST {FOLDERS}/$outer/access/update", grants(("$bob", "read"))),
        step("bob", 200, f"POST {FOLDERS}/$outer/read"),
        step("alice", 200, f"POST {CHATS}/read"),
    ],
    "tags": [
        *[step("alice", 200, f"POST {CHATS}/new", chat(name), save=name) for name in ("one", "two", "three")],
        step("alice", 200, f"GET {CHATS}/$one/tags"),
        step("alice", 200, f"POST {CHATS}/$one/tags", tag("Foo Bar"), sort=True),
        step("alice", 200, f"POST {CHATS}/$one/tags", tag("FOO bar"), sort=True),
        step("alice", 200, f"POST {CHATS}/$two/tags", tag("foo_BAR"), sort=True),
        *[
            step("alice", 200, f"POST {CHATS}/$one/tags", tag(name), sort=True)
            for name in ("ÄRGER", "日本 語", "🏷", "a:/?%'\"\\&#b", "İ", " ", "", "x\ty", "none-such", "0")
        ],
        step("alice", 400, f"POST {CHATS}/$one/tags", tag("None")),
        step("alice", 422, f"POST {CHATS}/$one/tags", {}),
        step("alice", 422, f"POST {CHATS}/$one/tags", tag("x") | {"name": None}),
        step("alice", 401, f"POST {CHATS}/{MISSING}/tags", tag("x")),
        step("bob", 401, f"POST {CHATS}/$one/tags", tag("x")),
        step("bob", 401, f"GET {CHATS}/$one/tags"),
        step("", 401, f"GET {CHATS}/all/tags"),
        step("alice", 200, f"GET {CHATS}/$one/tags", sort=True),
        step("alice", 200, f"GET {CHATS}/$one", sort=True),
        step("alice", 200, f"GET {CHATS}/all/tags", sort=True),
        step("bob", 200, f"GET {CHATS}/all/tags"),
        step("bob", 200, f"POST {CHATS}/new", chat("Bob's"), save="bobs"),
        step("bob", 200, f"POST {CHATS}/$bobs/tags", tag("foo bar")),
        step("bob", 200, f"GET {CHATS}/all/tags"),
        # filters
        *[
            step("alice", 200, f"POST {CHATS}/tags", body, sort=True)
            for body in (tag("foo bar"), tag("ärger"), tag("FOO_BAR") | {"skip": 0, "limit": 0})
        ],
        step("alice", 422, f"POST {CHATS}/tags", {"skip": 0}),
        *[
            step("alice", 200, f"GET {CHATS}/search?text={text}", sort=True)
            for text in ("tag:foo_bar", "tag:FOO_BAR", "tag:foo_bar tag:ärger", "tag:none", "tag:🏷 one", "tag:")
        ],
        # ... and the rows they clean up
        step("alice", 200, f"POST {CHATS}/$three/tags", tag("Lonely")),
        step("alice", 200, f"GET {CHATS}/search?text=tag:lonely"),
        update("chat", "$three", meta={}),
        step("alice", 200, f"GET {CHATS}/all/tags", sort=True),
        step("alice", 200, f"GET {CHATS}/search?text=tag:lonely&page=2"),
        step("alice", 200, f"GET {CHATS}/all/tags", sort=True),
        step("alice", 200, f"GET {CHATS}/search?text=tag:lonely"),
        step("alice", 200, f"GET {CHATS}/all/tags", sort=True),
        step("alice", 200, f"POST {CHATS}/$three/tags", tag("Filtered")),
        update("chat", "$three", meta={}),
        step("alice", 200, f"POST {CHATS}/tags", tag("filtered")),
        step("alice", 200, f"GET {CHATS}/all/tags", sort=True),
        step("alice", 200, f"POST {CHATS}/tags", tag("never there")),
        step("alice", 200, f"POST {CHATS}/tags", tag("ärger") | {"skip": 1}),  # an empty page, too
        step("alice", 200, f"GET {CHATS}/all/tags", sort=True),
        # removal
        step("alice", 200, f"DELETE {CHATS}/$one/tags", tag("Foo Bar"), sort=True),
        step("alice", 200, f"DELETE {CHATS}/$one/tags", tag("not there"), sort=True),
        step("alice", 200, f"GET {CHATS}/all/tags", sort=True),
        step("alice", 200, f"DELETE {CHATS}/$two/tags", tag("FOO BAR"), sort=True),
        step("alice", 200, f"GET {CHATS}/all/tags", sort=True),
        step("bob", 200, f"GET {CHATS}/all/tags"),
        step("bob", 401, f"DELETE {CHATS}/$one/tags", tag("0")),
        step("alice", 422, f"DELETE {CHATS}/$one/tags", {}),
        step("alice", 200, f"DELETE {CHATS}/$one/tags", tag(""), sort=True),
    ],
    "tags of deleted chats": [
        *[step("alice", 200, f"POST {CHATS}/new", chat(name), save=name) for name in ("one", "two", "three")],
        step("alice", 200, f"POST {CHATS}/$one/tags", tag("Both")),
        step("alice", 200, f"POST {CHATS}/$two/tags", tag("Both")),
        step("alice", 200, f"POST {CHATS}/$one/tags", tag("Only one"), sort=True),
        step("alice", 200, f"DELETE {CHATS}/$one"),
        step("alice", 200, f"GET {CHATS}/all/tags"),
        step("alice", 404, f"DELETE {CHATS}/$one"),
        step("bob", 404, f"DELETE {CHATS}/$two"),
        step("admin", 200, f"DELETE {CHATS}/$two"),
        step("alice", 200, f"GET {CHATS}/all/tags"),
        # archived chats keep theirs
        step("alice", 200, f"POST {CHATS}/$three/tags", tag("Archived One"), sort=True),
        step("alice", 200, f"POST {CHATS}/$three/archive", sort=True),
        step("alice", 200, f"GET {CHATS}/all/tags"),
        step("alice", 200, f"POST {CHATS}/$three/archive", sort=True),
        step("alice", 200, f"POST {CHATS}/archive/all"),
        step("alice", 200, f"POST {CHATS}/unarchive/all"),
        step("alice", 200, f"GET {CHATS}/all/tags"),
        step("alice", 200, f"POST {CHATS}/$three/clone", {}, save="clone"),
        step("alice", 200, f"GET {CHATS}/$clone/tags"),
        step("alice", 200, f"POST {CHATS}/$three/share"),
        # imported ones bring theirs
        step("alice", 200, f"POST {CHATS}/import", {"chats": [chat("I", meta={"tags": ["in_1", "B C"]})]}, sort=True),
        step("alice", 200, f"GET {CHATS}/all/tags", sort=True),
        step("alice", 400, f"POST {CHATS}/import", {"chats": [chat("J", meta={"tags": ["p q", "p_q"]})]}),
        step("alice", 200, f"GET {CHATS}/all/tags", sort=True),
        step("alice", 200, f"DELETE {CHATS}/"),
        step("alice", 200, f"GET {CHATS}/all/tags"),
        step("alice", 200, f"DELETE {CHATS}/"),
        # a deleted user's
        step("bob", 200, f"POST {CHATS}/new", chat("Bob's"), save="bobs"),
        step("bob", 200, f"POST {CHATS}/$bobs/tags", tag("Bob's")),
        step("admin", 200, "DELETE /api/v1/users/$bob"),
    ],
    "chat search": [
        step("alice", 200, f"POST {FOLDERS}/", folder("My  Big_Folder"), save="big"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Inner", "$big"), save="inner"),
        step("alice", 200, f"POST {FOLDERS}/", folder("ÄRGER"), save="trouble"),
        step("bob", 200, f"POST {FOLDERS}/", folder("Inner"), save="bobs"),
        *[
            step("alice", 200, f"POST {CHATS}/new", chat(name, f"text of {name}", folder_id=place), save=name)
            for name, place in (("one", "$big"), ("two", "$inner"), ("three", "$trouble"), ("four", None))
        ],
        step("alice", 200, f"POST {CHATS}/$two/tags", tag("T")),
        *[
            step("alice", 200, f"GET {CHATS}/search?text={text}", sort=True)
            for text in (
                "folder:my_big_folder",
                "folder:MY_BIG_FOLDER two",
                "folder:my__big_folder",
                "folder:inner",
                "folder:inn",
                "folder:ärger",
                "folder:missing",
                "folder:",
                "folder:inner folder:ärger",
                "folder:my_big_folder tag:t",
                "folder:inner tag:missing",
                "text",
                "folder:inner pinned:true",
            )
        ],
        step("bob", 200, f"GET {CHATS}/search?text=folder:inner"),
        step("bob", 200, f"GET {CHATS}/search?text=folder:my_big_folder"),
    ],
    "unified search": [
        step("alice", 200, f"GET {SEARCH}"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Zoo"), save="zoo"),
        step("alice", 200, f"POST {FOLDERS}/", folder("ape", "$zoo"), save="ape"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Zebra", "$ape"), save="zebra"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Ärger 'n\" \\ 📁 {}"), save="odd"),
        step("alice", 200, f"POST {FOLDERS}/", folder("Adopted", MISSING), save="adopted"),
        *[
            step("alice", 200, f"POST {CHATS}/new", chat(f"The {name}", f"needle in {name}", folder_id=place))
            for name, place in (("zoo", "$zoo"), ("ape", "$ape"), ("zebra", "$zebra"), ("odd", "$odd"), ("none", None))
        ],
        step("bob", 200, f"POST {FOLDERS}/", folder("Bob's"), save="bobs"),
        step("bob", 200, f"POST {FOLDERS}/", folder("Bob's inner", "$bobs"), save="bobs_inner"),
        step("bob", 200, f"POST {CHATS}/new", chat("Bob's one", "needle", folder_id="$bobs_inner")),
        *[
            step("alice", 200, f"GET {SEARCH}?{query}", sort=True)
            for query in (
                "",
                "q=needle",
                "q=needle zebra",
                "q=nothing like it",
                "q=the zoo",
                "q=%25",
                "q=needle&kind=chat&sharing=mine",
                "q=needle&sharing=shared",
                "kind=note",
                "q=needle&page=2",
                *[f"q=needle&scope=folder:{f}" for f in ("$zoo", "$ape", "$zebra", "$odd", "$adopted")],
                "scope=folder:$zoo",
                "scope=folder:$bobs",
                f"scope=folder:{MISSING}",
                "scope=folder:",
                "scope=channel:x",
                "q=x&scope=folder:$zoo",
            )
        ],
        step("", 401, f"GET {SEARCH}"),
        *[
            step("alice", 422, f"GET {SEARCH}?{query}")
            for query in ("page=0", "kind=folder", "sharing=none", f"q={'x' * 501}", f"scope={'x' * 201}")
        ],
        # by grant, with what is below
        step("bob", 200, f"POST {FOLDERS}/$bobs/access/update", grants(("$alice", "read"))),
        *[
            step("alice", 200, f"GET {SEARCH}?q=needle&{query}", sort=True)
            for query in ("", "scope=folder:$bobs", "scope=folder:$bobs_inner", "sharing=mine", "sharing=shared")
        ],
        step("bob", 200, f"GET {SEARCH}?q=needle", sort=True),
        step("carol", 200, f"GET {SEARCH}?q=needle", sort=True),
        # ... of a group, and to everybody
        step("admin", 200, "POST /api/v1/groups/create", {"name": "Searchers", "description": ""}, save="team"),
        step("admin", 200, "POST /api/v1/groups/id/$team/users/add", {"user_ids": ["$carol"]}, sort=True),
        step("alice", 200, f"POST {FOLDERS}/$ape/access/update", grants(("$team", "read"), kind="group")),
        step("carol", 200, f"GET {SEARCH}?q=needle", sort=True),
        step("carol", 200, f"GET {SEARCH}?q=needle&scope=folder:$zebra", sort=True),
        step("carol", 200, f"GET {SEARCH}?q=needle&scope=folder:$zoo", sort=True),
        to_everybody("$odd"),
        step("carol", 200, f"GET {SEARCH}?q=needle", sort=True),
        step("bob", 200, f"GET {SEARCH}?q=needle&scope=folder:$odd", sort=True),
        step("alice", 200, f"DELETE {FOLDERS}/$odd"),
        step("alice", 200, f"DELETE {FOLDERS}/$zoo?delete_contents=false"),
        step("bob", 200, f"POST {FOLDERS}/$bobs/access/update", grants()),
        *[step(user, 200, f"GET {SEARCH}?q=needle", sort=True) for user in ("alice", "bob", "carol")],
    ],
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(stock: OpenWebUI, embedded: OpenWebUI, scenario: str) -> None:
    assert not play_together({"stock": stock, "PocketBase": embedded}, scenario, SCENARIOS[scenario])


def rows(instance: OpenWebUI, table: str) -> int:
    """Return how many rows Open WebUI's own database has."""
    return int(instance.sql(f"SELECT count(*) FROM {table}")[0][0])


def test_rows_are_in_pocketbase_only(stock: OpenWebUI, embedded: OpenWebUI) -> None:
    scenario = [
        step("alice", 200, f"POST {FOLDERS}/", folder("Visible", data={"a": [1]}), save="folder"),
        step("alice", 200, f"POST {CHATS}/new", chat("Tagged"), save="chat"),
        step("alice", 200, f"POST {CHATS}/$chat/tags", tag("Visible Tag")),
    ]
    for instance in (stock, embedded):
        player = Player(instance, "rows")
        assert [player.play(each)[0] for each in scenario] == [200, 200, 200]
    alice = embedded.user("alice-in-rows").id

    with embedded.admin() as admin:
        folders = admin.send("GET", f"/api/collections/owui_folders/records/{player.names['folder']}")
        tags = admin.send("GET", f"/api/collections/owui_tags/records?filter=user_id='{alice}'")["items"]
    assert (folders["name"], folders["user_id"], folders["data"]) == ("Visible", alice, {"a": [1]})
    assert [(each["key"], each["name"]) for each in tags] == [("visible_tag", "Visible Tag")]

    for table in ("folder", "tag", "chat", "chat_message"):
        assert rows(embedded, table) == 0
        assert rows(stock, table) > 0


def test_a_change_in_pocketbase_is_seen(embedded: OpenWebUI) -> None:
    player = Player(embedded, "outside")
    player.play(step("alice", 200, f"POST {FOLDERS}/", folder("Before"), save="folder"))
    with embedded.admin() as admin:
        admin.send("PATCH", f"/api/collections/owui_folders/records/{player.names['folder']}", {"name": "After"})
    assert player.play(step("alice", 200, f"GET {FOLDERS}/$folder"))[1]["name"] == "After"


def test_pocketbase_answers_nobody_but_its_superuser(embedded: OpenWebUI) -> None:
    url = embedded.pocketbase.url
    for collection in ("owui_folders", "owui_tags"):
        assert embedded.http.get(f"{url}/api/collections/{collection}/records").status_code == 403
    assert (
        embedded.http.post(f"{url}/api/owui/folders/get_folders_by_user_id", json={"user_id": "x"}).status_code == 401
    )
    assert embedded.run_dir.superuser.stat().st_mode & 0o077 == 0
    assert json.loads(embedded.run_dir.superuser.read_text())["password"] not in embedded.log


def test_search_needs_its_seam(driver: Driver, tmp_path: Path) -> None:
    """With the SQL of the host as it is, a folder in PocketBase is neither a scope nor a place to search in.

    Then it is an error; with a warning instead, nothing is found.
    """
    env = {"STORAGE_BACKEND": "pocketbase", "OPENWEBUI_POCKETBASE_EMBEDDED_DATA_DIR": str(tmp_path / "pocketbase")}
    make = {"method": "POST", "url": f"{FOLDERS}/", "json": folder("Found")}
    with_seam = driver.start(env, [make, {"method": "GET", "url": SEARCH}])
    (_, made), (_, found) = with_seam.answers
    assert [(scope["id"], scope["name"]) for scope in found["scopes"]] == [(f"folder:{made['id']}", "Found")]

    search = {"method": "GET", "url": SEARCH}
    read = re.compile(r"open_webui/routers/search\.py:\d+ would have read the SQL table (chat|folder|shared_chat)")
    without = driver.start(env, [search], without_seams=True)
    status, answer = without.answers[0]
    assert status == 500
    assert read.search(answer["detail"])
    assert read.search(without.output)
    warned = driver.start(env | {"OPENWEBUI_POCKETBASE_TRIPWIRE": "warn"}, [search], without_seams=True)
    assert warned.answers[0] == (200, {**found, "scopes": []})
    assert read.search(warned.output)
    assert with_seam.stock
    assert without.stock
    assert warned.stock
