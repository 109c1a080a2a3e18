"""A row of any values comes back from a real server as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from open_webui.models.tags import Tag
from sqlalchemy import select

from openwebui_pocketbase.codec.rows import int64_of
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.differential import HOSTILE_NAMES, JSON_OBJECTS, same
from tests.support.machines import examples
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import sqlite_database

TAG, FOLDER = codec_of("tag"), codec_of("folder")

SETTINGS = examples(300)

texts = st.text(max_size=20) | st.sampled_from(list(HOSTILE_NAMES.values()))
integers = st.integers(-(2**53), 2**53) | st.sampled_from([0, 1, -1, 2**31, 2**53, -(2**53)])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
documents = st.one_of(
    st.none(),
    st.dictionaries(texts, values, max_size=5),
    st.lists(values, max_size=3),
    st.sampled_from(list(JSON_OBJECTS.values())[:-1]).filter(lambda value: "huge" not in value),
)
"""JSON values with structure; bare ones are `test_bare_json_values`."""


def rows(table: str, **columns: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Rows of a table by its declaration, apart from the columns given."""
    by_type = {"text": texts, "int": integers, "bool": st.booleans(), "json": documents}
    declared = {c.name: (st.none() | by_type[c.type]) if c.null else by_type[c.type] for c in TABLES[table].columns}
    return st.fixed_dictionaries({**declared, **columns})


# NUL in a user's id: see test_keys_with_nul of the tags.
tags = rows("tag", user_id=texts.map(lambda text: "codec " + text.replace("\x00", "")))
folders = rows("folder", id=st.just(""))


class Server:
    """Calls of a real server, on one event loop."""

    def __init__(self, runner: asyncio.Runner, process: PocketBaseProcess) -> None:
        self.client = process.client()
        self.runner = runner
        self.ids = (f"c0dec000-0000-4000-8000-{number:012x}" for number in count())

    def insert_tag(self, row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a row as the insert answers it, and as it is read."""
        key = {"id": row["id"], "user_id": row["user_id"]}
        self.write("tags/delete_tags_by_ids_and_user_id", {"ids": [row["id"]], "user_id": row["user_id"]})
        inserted = self.write("tags/insert_new_tag", {"tag": TAG.encode(row)})
        return TAG.decode(inserted), TAG.decode(self.read("tags/get_tag_by_name_and_user_id", key))

    def insert_folder(self, row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a row as the insert answers it, and as it is read."""
        inserted = self.write("folders/insert_new_folder", {"folder": FOLDER.encode(row)})
        return FOLDER.decode(inserted), FOLDER.decode(self.read("folders/get_folder_by_id", {"id": row["id"]}))

    def read(self, path: str, parameters: dict[str, Any]) -> Any:
        return self.runner.run(self.client.read(path, parameters))

    def write(self, path: str, parameters: dict[str, Any]) -> Any:
        return self.runner.run(self.client.write(path, parameters))


@pytest.fixture(scope="module")
def server(pocketbase: PocketBaseProcess) -> Iterator[Server]:
    with asyncio.Runner() as runner:
        server = Server(runner, pocketbase)
        yield server
        runner.run(server.client.aclose())


def test_tags(server: Server) -> None:
    @SETTINGS
    @given(tags)
    @example({"id": "", "name": "", "user_id": "codec", "meta": {}})
    @example({"id": "", "name": None, "user_id": "codec", "meta": None})
    def check(row: dict[str, Any]) -> None:
        for returned in server.insert_tag(row):
            same("tag", row, returned, sort=True)

    check()


def test_folders(server: Server) -> None:
    @SETTINGS
    @given(folders)
    def check(row: dict[str, Any]) -> None:
        row = {**row, "id": next(server.ids)}
        for returned in server.insert_folder(row):
            same("folder", row, returned, sort=True)

    check()


BARE: list[Any] = [0.0, 1.0, -0.0, 0.5, 1e16, 1e300, 5e-324, 0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1]
BARE += ["", "text", "5", "1.0", "null", "true", "[]", "{}", "\x00", True, False]


@pytest.mark.parametrize("value", BARE, ids=repr)
def test_bare_json_values(server: Server, tmp_path: Path, value: Any) -> None:
    """In SQLite a JSON column turns bare numbers into its own; the stock rows have the same fate."""
    row = {"id": f"bare {value!r}", "name": "a", "user_id": "codec", "meta": value}
    stock = server.runner.run(stock_row(row, tmp_path))
    _, read = server.insert_tag(row)
    same("tag", stock, read)


async def stock_row(row: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Return a row as the host stores and reads it."""
    database = sqlite_database(directory)
    try:
        await database.add(Tag(**row))
        async with database.sessions() as session:
            (tag,) = (await session.execute(select(Tag))).scalars()
        return {name: getattr(tag, name) for name in row}
    finally:
        await database.close()


def test_names_that_only_look_like_nulls(server: Server) -> None:
    row = {"id": '"name"', "name": "", "user_id": 'codec"user_id"', "meta": {"nulls": ["name"]}}
    for returned in server.insert_tag(row):
        same("tag", row, returned)


def test_an_unknown_column_is_an_error() -> None:
    with pytest.raises(KeyError, match="nonsense"):
        TAG.encode({"nonsense": 1})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0000000000000000000", 0),
        ("0000000000000000001", 1),
        ("1700000000000000000", 1_700_000_000_000_000_000),
        ("9223372036854775807", 2**63 - 1),
        ("-0000000000000000000", -(2**63)),
        ("-9223372036854775807", -1),
    ],
)
def test_int64_texts(text: str, number: int) -> None:
    assert int64_of(text) == number
