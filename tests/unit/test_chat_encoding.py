"""How often one piece of a streamed answer is parsed and encoded on its way to PocketBase."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import orjson
import pydantic_core
import pytest
from open_webui.utils import json_codec

from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.chats import CHAT, chain, columns_of, row
from tests.support.json_counts import counted_json

PIECES = 5
MOST_LOADS = 0
MOST_DUMPS = 2
"""The host's look for NULs, and the entry."""


def wire(table: str, columns: Mapping[str, Any], *, is_json: bool) -> list[Any]:
    """Return those columns of a row that have JSON, as texts, or the others."""
    names = [column.name for column in TABLES[table].columns if (column.type == "json") is is_json]
    return [json.loads(json.dumps(columns[name])) for name in names]


def record(position: int, entry: dict[str, Any]) -> list[Any]:
    """Return a message whose row has the entry's content."""
    members = {"role": entry["role"], "parent_id": entry["parentId"], "content": None, "created_at": 5}
    columns = columns_of(row(CHAT, entry["id"], **members))
    scalars = wire("chat_message", columns, is_json=False)
    return [[position, 1, *scalars], *wire("chat_message", columns, is_json=True), ["content"], entry]


class Store:
    """A PocketBase with one chat, which takes all writes and keeps none."""

    def __init__(self) -> None:
        messages = chain("q", "a")
        body = {"title": "t", "models": ["m"], "history": {"messages": {}, "currentId": "a"}, "params": {}}
        texts = {"meta": '{"tags":["x"]}', "variables": "{}", "tasks": "null", "chat": json.dumps(body)}
        known = {"id": CHAT, "user_id": "u1", "title": "t", "created_at": 1, "updated_at": 1, "archived": False}
        chat = [{**known, **texts}.get(column.name) for column in TABLES["chat"].columns]
        records = [record(position, entry) for position, entry in enumerate(messages.values(), 1)]
        self.draft = [[*chat, "[]"], 1, 1, records]
        self.paths: list[str] = []
        self.written: list[Mapping[str, Any]] = []

    async def read(self, path: str, parameters: Mapping[str, Any]) -> Any:
        self.paths.append(path)
        return self.draft

    async def read_bytes(self, path: str, parameters: Mapping[str, Any]) -> bytes:
        raise NotImplementedError(path)

    async def write(
        self, path: str, parameters: Mapping[str, Any], *, is_urgent: bool = True, is_large: bool = False
    ) -> Any:
        self.paths.append(path)
        self.written.append(parameters)
        return True

    async def start_job(self, name: str) -> None:
        raise NotImplementedError(name)


class Counts:
    """Counts what the host's JSON codec does, whoever calls it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loads = self.dumps = 0

        def loads(text: Any) -> Any:
            self.loads += 1
            return orjson.loads(text)

        def dumps(value: Any) -> bytes:
            self.dumps += 1
            return orjson.dumps(value)

        monkeypatch.setattr(json_codec, "orjson", SimpleNamespace(loads=loads, dumps=dumps))


async def test_a_piece_of_an_answer_is_encoded_once_and_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    chats = PocketBaseChats()
    store = chats.pocketbase = Store()
    counts = Counts(monkeypatch)
    text = ""
    for number in range(PIECES):
        counts.loads = counts.dumps = 0
        text += f"word {number} "
        message = {"content": text, "done": False, "sources": [{"n": 1.0}]}
        assert await chats.upsert_message_to_chat_by_id_and_message_id(CHAT, "a", message) is not None
        if number > 1:  # the first ones read the chat, and compare what it has with what it will have
            assert counts.loads <= MOST_LOADS
            assert counts.dumps <= MOST_DUMPS
    assert store.paths == ["chats/get_draft", *["chats/save_chat"] * PIECES]
    (group,) = store.written[-1]["updated"]
    (fields,) = group["rows"]
    assert orjson.loads(fields["entry"])["content"] == text
    assert {"entry", "waits"} <= {*group["names"]}


async def test_what_the_host_goes_on_to_change_is_not_what_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    chats = PocketBaseChats()
    store = chats.pocketbase = Store()
    sources = [{"n": 1}]
    await chats.upsert_message_to_chat_by_id_and_message_id(CHAT, "a", {"sources": sources})
    sources[0]["n"] = 2
    await chats.upsert_message_to_chat_by_id_and_message_id(CHAT, "a", {"sources": sources})
    entries = [orjson.loads(write["updated"][0]["rows"][0]["entry"]) for write in store.written]
    assert [entry["sources"] for entry in entries] == [[{"n": 1}], [{"n": 2}]]


def test_each_parse_and_each_encoding_is_counted_once() -> None:
    codec = json_codec.JSONCodec
    with counted_json() as counts:
        for loads in (json.loads, json.JSONDecoder().decode, orjson.loads, codec.loads, pydantic_core.from_json):
            loads("[1]")
        for dumps in (json.dumps, json.JSONEncoder().encode, orjson.dumps, codec.dumps, pydantic_core.to_json):
            dumps([1])
    json.loads(json.dumps([1]))
    assert (len(counts.loads), len(counts.dumps)) == (5, 5)
    assert {where.partition(":")[0] for where in counts.loads} == {__name__}
