"""What browsers are told of which change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from openwebui_pocketbase.changes.feed import Change
from openwebui_pocketbase.origin import APPLICATION, new_origin
from openwebui_pocketbase.realtime.events import TOLD, events_of
from openwebui_pocketbase.schema.tables import TABLES

TELLERS = [Path(__file__).parents[3] / f"src/openwebui_pocketbase/realtime/{name}.py" for name in ("sockets", "notes")]


def change(table: str, op: str, *concerned: object) -> Change:
    return Change(1, TABLES[table].collection, "id", op, 0, list(concerned), "")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (change("tag", "create", "ann"), ["tags ann"]),
        (change("tag", "update", "bob", "ann"), ["tags bob", "tags ann"]),
        (change("folder", "create", "ann"), ["chat_list ann"]),
        (change("folder", "delete", "ann"), ["chat_list ann", "chat_access "]),
        (change("chat", "create", "ann"), ["chat_list ann"]),
        (change("chat", "update", "ann"), ["chat_list ann", "chat id ann", "chat_access id"]),
        (change("chat", "delete", "ann"), ["chat_list ann", "chat id ann", "chat_access id"]),
        (change("chat_message", "update", "c", "ann"), ["chat c ann"]),
        (change("shared_chat", "delete", "c"), ["chat_access c"]),
        (change("channel", "create", "ann"), ["recheck id", "channel id"]),
        (change("channel", "update", "bob", "ann"), ["recheck id", "channel id"]),
        (change("channel", "delete", "ann"), ["channel_gone id ann"]),
        (change("channel_member", "create", "c", "ann"), ["enter c ann", "membership ann"]),
        (
            change("channel_member", "update", "c", "bob", "c", "ann"),
            ["enter c bob", "membership bob", "enter c ann", "membership ann"],
        ),
        (change("message", "create", "c", "ann", ""), ["message_create id c ann "]),
        (change("message", "create", "c", "ann", "p"), ["message_create id c ann p", "reply p c ann"]),
        (change("message", "update", "c", "ann", "p"), ["message_update id c ann p"]),
        (
            change("message", "update", "d", "ann", "", "c", "ann", ""),
            ["message_delete id c ann ", "message_create id d ann "],
        ),
        (
            change("message", "update", "c", "ann", "q", "c", "ann", "p"),
            ["message_delete id c ann p", "reply p c ann", "message_create id c ann q", "reply q c ann"],
        ),
        (change("message", "update", "c", "bob", "p", "c", "ann", "p"), ["message_update id c bob p"]),
        (change("message", "delete", "c", "ann", "p"), ["message_delete id c ann p", "reply p c ann"]),
        (change("message_reaction", "create", "m", "ann", "+1"), ["reaction_add m ann +1"]),
        (change("message_reaction", "delete", "m", "ann", "+1"), ["reaction_remove m ann +1"]),
        (change("user", "update"), ["user id"]),
        (change("group", "create"), []),
        (change("group", "update"), ["group id"]),
        (change("group", "delete"), ["group id"]),
        (change("auth", "create"), []),
        (change("auth", "update"), ["access id"]),
        (change("group_member", "delete", "g", "ann"), ["access ann"]),
        (change("access_grant", "create", "channel", "c", "user", "ann"), ["recheck c", "channel c"]),
        (change("access_grant", "delete", "note", "n", "group", "g"), ["note_access n group g"]),
        (change("access_grant", "delete", "folder", "f", "user", "ann"), ["grant folder f user ann"]),
        (change("note", "create", "ann"), []),
        (change("note", "update", "ann"), ["note id", "note_text id"]),
        (change("note", "update", "bob", "ann"), ["note_access id user ann", "note id", "note_text id"]),
        (change("note", "delete", "ann"), ["note_gone id"]),
        (change("prompt", "update", "ann"), []),
        (change("model", "update"), []),
        (change("file", "create"), []),
        (change("api_key", "create"), []),
    ],
    ids=lambda value: f"{value.collection}-{value.op}" if isinstance(value, Change) else "",
)
def test_events(given: Change, told: list[str]) -> None:
    assert [" ".join([event.kind, *event.subject]) for event in events_of(given)] == told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (change("chat", "update", "ann"), ["chat_list ann", "chat_access id"]),
        (change("note", "update", "ann"), ["note id"]),
        (change("message", "create", "c", "ann", None), ["message_posted id c ann "]),
        (change("message", "update", "c", "ann", None), ["message_update id c ann "]),
    ],
    ids=lambda value: f"{value.collection}-{value.op}" if isinstance(value, Change) else "",
)
def test_what_open_webui_tells_itself_is_left_out(given: Change, told: list[str]) -> None:
    by_another_process = given._replace(origin=new_origin(APPLICATION))
    assert [" ".join([event.kind, *event.subject]) for event in events_of(by_another_process)] == told


def test_a_change_of_another_collection_is_nothing() -> None:
    assert events_of(Change(1, "lost", "", "lost", 0, [], "")) == []


@pytest.mark.parametrize("concerned", [[], ["a"], ["a", "b"], ["a", "b", "c", "d"], [1, None, {}, []]])
def test_what_cannot_be_understood_is_nothing(concerned: list[Any]) -> None:
    assert events_of(change("message", "update", *concerned)) == []


def test_columns_without_a_value_are_empty() -> None:
    assert events_of(change("message", "create", "c", None, None))[0].subject == ("id", "c", "", "")


def test_each_kind_of_event_is_a_method() -> None:
    """The modules cannot be loaded without the host."""
    methods = {
        name for path in TELLERS for name in re.findall(r"^    async def (\w+)\(self", path.read_text(), re.MULTILINE)
    }
    told = {
        event.kind
        for name, table in TABLES.items()
        if table.collection in TOLD
        for op in ("create", "update", "delete")
        for event in events_of(change(name, op, *("x" for _ in table.concerns * (1 + (op == "update")))))
    }
    assert told | {"everything", "message_posted"} == {name for name in methods if not name.startswith("_")}
