"""Tags of chats: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from open_webui.models.chats import ChatModel

from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.repositories.tags import PocketBaseTags
from tests.support.chats import chat, key, seed
from tests.support.differential import (
    START,
    SURROGATES,
    Contract,
    Opened,
    Pair,
    pocketbase_rows,
    same,
    share_of_hostile_names,
)

TAGS = Contract(
    name="Chats",
    tables=("tag", "chat", "chat_message"),
    subject=PocketBaseChats,
    bound={"Tags": PocketBaseTags},
    # The order of the tags in it is that of a set; `call` compares it.
    generated={"chat": frozenset({"meta"})},
    ordered=frozenset({"get_chat_list_by_user_id_and_tag_name"}),
)

A, B, C, D = (key(number) for number in range(1, 5))
NOBODY = key(99)
USER = SimpleNamespace(id="u1")

Call = tuple[Any, ...]


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(TAGS, oracle) as pair:
        yield pair


@pytest.fixture
async def on_sqlite(opened: Opened) -> AsyncIterator[Pair]:
    async with opened(TAGS, "sqlite") as pair:
        yield pair


async def call(pair: Pair, method: str, *args: Any) -> Any:
    answer = await pair.call(method, *args)
    metas = [
        {row["id"]: _sorted(row["meta"]) for row in rows}
        for rows in (await pair.database.rows("chat"), pocketbase_rows(pair.server.data_dir, "chat"))
    ]
    same(f"meta after {method}{args}", *(dict(sorted(by_id.items())) for by_id in metas))
    return answer


def _sorted(meta: Any) -> Any:
    if isinstance(meta, dict) and isinstance(meta.get("tags"), list):
        return meta | {"tags": sorted(meta["tags"], key=repr)}
    return meta


def replace(chat_id: Any, *tags: Any, user: Any = USER) -> Call:
    return "update_chat_tags_by_id", chat_id, list(tags), user


def add(chat_id: Any, tag: Any, user: Any = "u1") -> Call:
    return "add_chat_tag_by_id_and_user_id_and_tag_name", chat_id, user, tag


def remove(chat_id: Any, tag: Any, user: Any = "u1") -> Call:
    return "delete_tag_by_id_and_user_id_and_tag_name", chat_id, user, tag


def tags_of(chat_id: Any, user: Any = "u1") -> Call:
    return "get_chat_tags_by_id_and_user_id", chat_id, user


def tagged(tag: Any, user: Any = "u1", *page: Any) -> Call:
    return "get_chat_list_by_user_id_and_tag_name", user, tag, *page


def count(*tags: Any, user: Any = "u1") -> Call:
    return "count_chats_by_tag_ids_and_user_id", list(tags), user


def orphans(*tags: Any, user: Any = "u1", threshold: int = 0) -> Call:
    return "delete_orphan_tags_for_user", list(tags), user, threshold


SEQUENCES: dict[str, list[Call]] = {
    "replace": [
        replace(A, "Machine Learning", "b"),
        replace(B, "b", "c"),
        replace(A, "b"),
        replace(A, "b"),
        replace(B, "none", "NONE", "None of it", "c"),
        replace(A),
        replace(A, "b"),
        replace(NOBODY, "x"),
        replace(B),
        replace(A),
    ],
    "replace by names with the same id": [
        replace(A, "x"),
        replace(A, "A b", "a_B", "c"),
        replace(A, "c"),
        add(A, "A b"),
        replace(A, "A b", "a_B"),
        replace(A, "x"),
    ],
    "replace as another user": [
        replace(A, "a"),
        replace(A, "b", user=SimpleNamespace(id="u2")),
        replace(A, "c", user=SimpleNamespace(id="u2")),
        replace(A, "d"),
    ],
    "add and remove": [
        add(A, "Tag One"),
        add(A, "tag one"),
        add(A, "TAG_ONE"),
        add(A, "two"),
        add(A, "two", "u2"),
        add(B, "two"),
        add(NOBODY, "three"),
        remove(A, "tag one"),
        remove(A, "tag one"),
        remove(B, "x"),
        remove(C, "x"),
        remove(NOBODY, "two"),
        remove(A, "two", "u2"),
    ],
    "count": [
        replace(A, "a", "B c"),
        replace(B, "a"),
        replace(D, "a", user=SimpleNamespace(id="u2")),
        count("a", "b_c", "B c", "a", "x", ""),
        count("a", user="u2"),
        count("a", user="nobody"),
        count("a", user=""),
        count("a", user=None),
        count(),
        ("count_chats_by_tag_name_and_user_id", "B C", "u1"),
        ("count_chats_by_tag_name_and_user_id", "x", "u1"),
    ],
    "orphans": [
        replace(A, "a", "b", "c c"),
        replace(B, "a"),
        orphans("a", "x"),
        orphans("a", "b", threshold=1),
        orphans("C C", threshold=5),
        orphans("c_c", user="u2", threshold=5),
        orphans(),
        orphans("c_c", threshold=-1),
        orphans("a", "b", "c_c", threshold=9),
        orphans("a", user=None, threshold=9),
    ],
    "list": [
        *(replace(chat_id, "a", "b c") for chat_id in (A, B, C)),
        replace(D, "a", user=SimpleNamespace(id="u2")),
        ("toggle_chat_archive_by_id", B),
        *(tagged("B c", "u1", *page) for page in [(), (0, 1), (1, 1), (1, 0), (None, None), (9, 9), (2**63, 1)]),
        tagged("a", "u2"),
        tagged("a", "nobody"),
        tagged("a", ""),
        tagged("a", None),
        tagged("x"),
        tagged(""),
        *(tags_of(chat_id, user) for chat_id in (A, D, NOBODY, None, "") for user in ("u1", "u2", "x", None)),
    ],
    "of what is deleted": [
        replace(A, "a"),
        replace(B, "a"),
        ("delete_chat_by_id", A),
        count("a"),
        tagged("a"),
        ("delete_chats_by_user_id", "u1"),
        count("a"),
        orphans("a"),
    ],
    "wrong types": [
        replace(A, "a", 5),
        replace(A, None),
        add(A, None),
        remove(A, None),
        remove(None, "a"),
        add(None, "a"),
        replace(None, "a"),
        replace("", "a"),
        count("a", 5),
        orphans(5),
        tagged(None),
    ],
}


@pytest.mark.parametrize("name", SEQUENCES)
async def test_sequence(on_sqlite: Pair, name: str) -> None:
    await seed(on_sqlite, [chat(1, meta={"z": 1.0, "tags": [], "a": 2**60}), chat(2), chat(3), chat(4, user_id="u2")])
    for method, *arguments in SEQUENCES[name]:
        await call(on_sqlite, method, *arguments)


@pytest.mark.postgresql
@pytest.mark.parametrize("name", ["replace", "add and remove", "orphans"])
async def test_sequence_on_postgresql(opened: Opened, name: str) -> None:
    async with opened(TAGS, "postgresql") as pair:
        await seed(pair, [chat(1), chat(2), chat(3), chat(4, user_id="u2")])
        for method, *arguments in SEQUENCES[name]:
            await call(pair, method, *arguments)


async def test_the_rest_of_meta_stays_as_it_is(on_sqlite: Pair) -> None:
    meta = {"z": 1.0, "tags": ["a"], "big": 2**60, "10": "1", "text": '"\\\u2028', "deep": {"tags": ["not these"]}}
    await seed(on_sqlite, [chat(1, meta=meta)])
    await on_sqlite.call(*replace(A, "b"))
    rows = pocketbase_rows(on_sqlite.server.data_dir, "chat")
    same("meta", meta | {"tags": ["b"]}, rows[0]["meta"])


SHAPES: list[object] = [
    None,
    [],
    {},
    {"tags": []},
    {"tags": ["a", "a", "b"]},
    {"internal": True, "tags": ["a"]},
    {"internal": 1, "tags": ["a"]},
    {"internal": "true", "tags": ["a"]},
    {"tags": ["A B", "\u00fc", ""]},
]


@pytest.mark.parametrize("meta", SHAPES, ids=repr)
async def test_shapes_of_meta(on_sqlite: Pair, meta: Any) -> None:
    """Also those of the host's own chats, which count for nothing."""
    await seed(on_sqlite, [chat(1, meta=meta), chat(2, meta={"tags": ["a"]})])
    for each in [count("a", "b", ""), tagged("a"), tagged("a b"), tags_of(A)]:
        await call(on_sqlite, *each)
    for each in [add(A, "a"), add(A, "c"), tags_of(A), tagged("c"), remove(A, "a"), replace(A, "x"), remove(A, "x")]:
        await call(on_sqlite, *each)
        await call(on_sqlite, *count("a", "c", "x"))


@pytest.mark.parametrize("meta", ["text", 5, True, [1], ["tags"]], ids=repr)
async def test_meta_that_is_no_object(on_sqlite: Pair, meta: Any) -> None:
    await seed(on_sqlite, [chat(1, meta=meta)])
    for each in [add(A, "a"), remove(A, "a"), replace(A, "x"), count("a")]:
        await call(on_sqlite, *each)


@pytest.mark.parametrize("tags", [None, 5, [["a"]], [{}]], ids=repr)
async def test_tags_that_are_no_list_of_texts(on_sqlite: Pair, tags: Any) -> None:
    """Nothing is added to them and nothing removed; they can be replaced."""
    await seed(on_sqlite, [chat(1, meta={"tags": tags})])
    await call(on_sqlite, *add(A, "b"))
    await call(on_sqlite, *remove(A, "b"))
    await on_sqlite.subject.update_chat_tags_by_id(A, ["x"], USER)
    found = await on_sqlite.subject.get_chat_by_id(A)
    assert isinstance(found, ChatModel)
    assert found.meta == {"tags": ["x"]}


NAMES = share_of_hostile_names(4, 6)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_hostile_names(on_sqlite: Pair, name: str) -> None:
    chats = [chat(1), chat(2)]
    chats[1].user_id = name
    await seed(on_sqlite, chats)
    # The host's SQLite takes a NUL in a document for the end of the text; what is there is found here.
    asks = [] if "\x00" in name else [tagged(name), count(name), count(name, user=name), tagged(name, name)]
    for each in [
        add(A, name),
        tags_of(A),
        *asks,
        replace(A, name, f"{name}x"),
        replace(B, name, user=SimpleNamespace(id=name)),
        *asks,
        remove(A, name),
        orphans(name, name.replace(" ", "_").lower()),
        replace(A),
    ]:
        await call(on_sqlite, *each)


@pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
async def test_surrogates(on_sqlite: Pair, text: str) -> None:
    """They cannot be sent to any database; nothing is stored."""
    await seed(on_sqlite, [chat(1)])
    for each in [add(A, text), tagged(text), count(text), tags_of(text), remove(text, "a")]:
        await call(on_sqlite, *each)


async def test_the_index_follows_what_others_write(on_sqlite: Pair) -> None:
    """Also what is changed in the dashboard or by SQL."""
    await seed(on_sqlite, [chat(1, meta={"tags": ["a"]}), chat(2, meta={"tags": ["a"]}, updated_at=START)])
    counts = on_sqlite.subject.count_chats_by_tag_ids_and_user_id
    for change, expected in [
        ('UPDATE owui_chats SET meta = \'{"tags":["b"]}\'', {"a": 0, "b": 2}),
        ("UPDATE owui_chats SET meta = 'null'", {"a": 0, "b": 0}),
        ('UPDATE owui_chats SET meta = \'{"tags":["a"],"internal":true}\'', {"a": 0, "b": 0}),
    ]:
        with on_sqlite.server.admin() as admin:
            admin.sql(change)
        assert await counts(["a", "b"], "u1") == expected
