"""Searches look at what the indexes have found, or at the chats of one user, or at some channels."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sysconfig
from typing import Any

import pytest

from openwebui_pocketbase.repositories.chats import search
from openwebui_pocketbase.repositories.messages.search import looked_up
from tests.support.hooks import METHODS_FILE
from tests.support.pocketbase import PocketBaseProcess
from tests.support.services import require

EXPLAIN = """
const { DatabaseSync } = require("node:sqlite");
const groups = require(process.argv[1]);
const database = new DatabaseSync(process.argv[2], { readOnly: true });
const plans = JSON.parse(process.argv[3]).map(([path, parameters]) => {
  const [group, name] = path.split("/");
  const sql = groups[group].reads[name](parameters).replaceAll("{:body}", ":body");
  return database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all({ body: JSON.stringify(parameters) })
    .map(({ detail }) => detail);
});
console.log(JSON.stringify(plans));
"""

OURS = ("c", "m", "s", "t")
"""What the tables of chats, messages, snapshots and tags are called in the searches."""

PAGE = {"user_id": "u", "skip": 0, "limit": 60}
WORKSPACE: dict[str, Any] = {"user_id": "u", "folder_ids": [], "scope": None, "granted": [], "query": "q", "number": 25}
CHANNELS = {"channel_ids": ["c", "d"], "query": "q", "pieces": [], "start": None, "end": None, "limit": 10}
MESSAGES = {
    "user_id": "u",
    "channel_ids": ["c"],
    "direct_ids": ["d"],
    "terms": [],
    "pieces": [],
    "sharing": "all",
    "number": 25,
}
SEARCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "a word": ("chats/get_chats_by_user_id_and_search_text", PAGE | search._needles("word")),
    "words": ("chats/get_chats_by_user_id_and_search_text", PAGE | search._needles("a few words")),
    "a pattern": ("chats/get_chats_by_user_id_and_search_text", PAGE | search._needles("50% off_")),
    "without spaces": ("chats/get_chats_by_user_id_and_search_text", PAGE | search._needles("検索する")),
    "short": ("chats/get_chats_by_user_id_and_search_text", PAGE | search._needles("ab")),
    "shorter": ("chats/get_chats_by_user_id_and_search_text", PAGE | search._needles("a")),
    "tags": ("chats/get_chats_by_user_id_and_search_text", PAGE | search._needles("") | {"tags": ["a", "b"]}),
    "words and tags": (
        "chats/get_chats_by_user_id_and_search_text",
        PAGE | search._needles("a word") | {"tags": ["a"]},
    ),
    "everywhere": ("chats/search_workspace", WORKSPACE | search.parts_of(["some", "words"])),
    **{
        f"messages: {name}": (
            "messages/search_messages_by_channel_ids",
            CHANNELS | {"query": text, "pieces": looked_up([text])},
        )
        for name, text in {
            "a word": "word",
            "words": "a few words",
            "a pattern": "50% off_",
            "short": "a",
            "without spaces": "検索する",
        }.items()
    },
    "messages: times": ("messages/search_messages_by_channel_ids", CHANNELS | {"start": "1", "end": "2"}),
    "messages: everywhere": (
        "messages/search_workspace",
        MESSAGES | {"terms": ["some"], "pieces": looked_up(["some"])},
    ),
    "messages: mine": ("messages/search_workspace", MESSAGES | {"sharing": "mine"}),
    "messages: shared": ("messages/search_workspace", MESSAGES | {"sharing": "shared"}),
    "everything": ("chats/search_workspace", WORKSPACE | search.parts_of([]) | {"sharing": "mine"}),
}


@pytest.fixture(scope="module")
def plans(fresh_pocketbase: PocketBaseProcess) -> dict[str, list[str]]:
    node = shutil.which("node", path=sysconfig.get_path("scripts")) or shutil.which("node")
    require(node is not None, "node")
    assert node
    command = [
        node,
        "-e",
        EXPLAIN,
        str(METHODS_FILE),
        str(fresh_pocketbase.data_dir / "data.db"),
        json.dumps([*SEARCHES.values()]),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    require("node:sqlite" not in result.stderr, "node with node:sqlite (version 22)")
    assert result.returncode == 0, result.stderr
    return dict(zip(SEARCHES, json.loads(result.stdout), strict=True))


@pytest.mark.parametrize("name", SEARCHES)
def test_no_search_goes_through_a_table(plans: dict[str, list[str]], name: str) -> None:
    steps = plans[name]
    assert [step for step in steps if re.match(rf"SCAN ({'|'.join(OURS)})\b(?! VIRTUAL TABLE)", step)] == []
    table = "m" if name.startswith("messages: ") else "c"
    assert any(re.search(rf"SEARCH {table} USING .*INDEX", step) for step in steps)


@pytest.mark.parametrize("name", ["a word", "words", "a pattern", "everywhere"])
def test_words_are_looked_up(plans: dict[str, list[str]], name: str) -> None:
    steps = plans[name]
    assert any("owui_chat_messages_words VIRTUAL TABLE" in step for step in steps)
    assert any("owui_chats_search VIRTUAL TABLE" in step for step in steps)
    assert any("idx_owui_chat_messages_doc" in step for step in steps)
    assert any("idx_owui_chats_doc" in step for step in steps)


@pytest.mark.parametrize("name", ["without spaces", "messages: without spaces"])
def test_sequences_are_looked_up(plans: dict[str, list[str]], name: str) -> None:
    table = "owui_messages" if name.startswith("messages: ") else "owui_chat_messages"
    assert any(f"{table}_search VIRTUAL TABLE INDEX 0:M" in step for step in plans[name]), plans[name]
    assert not any(f"{table}_words" in step for step in plans[name])


@pytest.mark.parametrize("name", ["a word", "words"])
def test_chats_are_gone_through_in_the_order_of_their_index(plans: dict[str, list[str]], name: str) -> None:
    """So a page of what is frequent is full soon."""
    walks = [step for step in plans[name] if "idx_owui_chats_user_id_updated_at_id (user_id=?)" in step]
    assert len(walks) == (1 if name == "a word" else 2)


def test_tags_come_from_their_table(plans: dict[str, list[str]]) -> None:
    assert any(re.search(r"SEARCH t USING PRIMARY KEY", step) for step in plans["tags"])


@pytest.mark.parametrize("name", ["messages: a word", "messages: words", "messages: a pattern", "messages: everywhere"])
def test_places_of_other_channels_are_left_out_by_an_index(plans: dict[str, list[str]], name: str) -> None:
    steps = plans[name]
    assert any("owui_messages_words VIRTUAL TABLE" in step for step in steps)
    assert any("m USING COVERING INDEX idx_owui_messages_places (doc=?)" in step for step in steps), steps
    assert any("m USING INDEX idx_owui_messages_not_indexed (channel_id=?)" in step for step in steps)


@pytest.mark.parametrize("name", [name for name in SEARCHES if name.startswith("messages: ")])
def test_channels_are_gone_through_in_the_order_of_an_index(plans: dict[str, list[str]], name: str) -> None:
    index = "by_change" if SEARCHES[name][0].endswith("workspace") else "channel_id_created_at"
    walk = plans[name].index(next(step for step in plans[name] if step.startswith("CORRELATED LIST SUBQUERY")))
    assert f"m USING INDEX idx_owui_messages_{index} (channel_id=?" in plans[name][walk + 1], plans[name]
    assert "ORDER BY" not in plans[name][walk + 2]
