"""Tags: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.contracts import TAGS
from tests.support.differential import HOSTILE_NAMES, SURROGATES, Opened, Pair, public_methods
from tests.support.stock import skip_postgresql

Calls = list[tuple[Any, ...]]


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(TAGS, oracle) as pair:
        yield pair


SEQUENCES: dict[str, Calls] = {
    "nothing there": [
        ("get_tag_by_name_and_user_id", "a", "u1"),
        ("get_tags_by_user_id", "u1"),
        ("get_tags_by_ids_and_user_id", ["a"], "u1"),
        ("delete_tag_by_name_and_user_id", "a", "u1"),
        ("delete_tags_by_ids_and_user_id", ["a"], "u1"),
    ],
    "one tag": [
        ("insert_new_tag", "Two Words", "u1"),
        ("get_tag_by_name_and_user_id", "Two Words", "u1"),
        ("get_tag_by_name_and_user_id", "two_words", "u1"),
        ("get_tag_by_name_and_user_id", "TWO WORDS", "u1"),
        ("get_tag_by_name_and_user_id", "two  words", "u1"),
        ("get_tag_by_name_and_user_id", " two words", "u1"),
        ("get_tags_by_user_id", "u1"),
    ],
    "a second tag with the same id": [
        ("insert_new_tag", "A b", "u1"),
        ("insert_new_tag", "A b", "u1"),
        ("insert_new_tag", "a_B", "u1"),
        ("get_tag_by_name_and_user_id", "A_B", "u1"),
    ],
    "the same id under two users": [
        ("insert_new_tag", "Name", "u1"),
        ("insert_new_tag", "NAME", "u2"),
        ("get_tag_by_name_and_user_id", "name", "u1"),
        ("get_tag_by_name_and_user_id", "name", "u2"),
        ("get_tag_by_name_and_user_id", "name", "u3"),
        ("get_tags_by_ids_and_user_id", ["name"], "u2"),
        ("delete_tag_by_name_and_user_id", "name", "u3"),
        ("delete_tag_by_name_and_user_id", "name", "u1"),
        ("delete_tags_by_ids_and_user_id", ["name"], "u1"),
        ("get_tag_by_name_and_user_id", "name", "u2"),
        ("delete_tags_by_ids_and_user_id", ["name"], "u2"),
    ],
    "users that differ in case and space": [
        ("insert_new_tag", "a", "u"),
        ("insert_new_tag", "a", "U"),
        ("insert_new_tag", "a", "u "),
        ("insert_new_tag", "a", ""),
        ("delete_tag_by_name_and_user_id", "a", "U"),
        ("delete_tag_by_name_and_user_id", "a", ""),
    ],
    "ids and users that could run into each other": [
        ("insert_new_tag", "b:c", "a"),
        ("insert_new_tag", "c", "a:b"),
        ("insert_new_tag", "bc", "a"),
        ("insert_new_tag", "c", "ab"),
    ],
    "order of all": [
        ("ensure_tags_exist", ["m", "Z", "a", "é", "10", "9", "_", "B"], "u1"),
        ("insert_new_tag", "c", "u1"),
        ("delete_tag_by_name_and_user_id", "a", "u1"),
        ("insert_new_tag", "a", "u1"),
        ("get_tags_by_user_id", "u1"),
        ("get_tags_by_ids_and_user_id", ["z", "m", "a", "é", "10", "9", "_", "b", "c"], "u1"),
    ],
    "order after the newest is deleted": [
        ("ensure_tags_exist", ["a", "b", "c"], "u1"),
        ("ensure_tags_exist", ["x"], "u2"),
        ("delete_tag_by_name_and_user_id", "x", "u2"),
        ("insert_new_tag", "aa", "u1"),
        ("delete_tags_by_ids_and_user_id", ["a", "aa"], "u1"),
        ("ensure_tags_exist", ["b", "a", "aa"], "u1"),
        ("get_tags_by_user_id", "u1"),
    ],
    "by ids": [
        ("ensure_tags_exist", ["a", "b", "c"], "u1"),
        ("ensure_tags_exist", ["b", "d"], "u2"),
        ("get_tags_by_ids_and_user_id", [], "u1"),
        ("get_tags_by_ids_and_user_id", ["b", "b", "a", "nope", "d"], "u1"),
        ("get_tags_by_ids_and_user_id", ["B"], "u1"),
        ("get_tags_by_ids_and_user_id", [""], "u1"),
        ("get_tags_by_ids_and_user_id", [None], "u1"),
        ("get_tags_by_ids_and_user_id", ["a", None, "c"], "u1"),
        ("get_tags_by_ids_and_user_id", ["a", "b"], "u3"),
    ],
    "delete by ids": [
        ("ensure_tags_exist", ["a", "b", "c"], "u1"),
        ("ensure_tags_exist", ["b"], "u2"),
        ("delete_tags_by_ids_and_user_id", [], "u1"),
        ("delete_tags_by_ids_and_user_id", ["b", "b", "nope", ""], "u1"),
        ("delete_tags_by_ids_and_user_id", ["A"], "u1"),
        ("delete_tags_by_ids_and_user_id", [None], "u1"),
        ("delete_tags_by_ids_and_user_id", ["a", "b", "c"], "u1"),
    ],
    "ensure": [
        ("ensure_tags_exist", [], "u1"),
        ("ensure_tags_exist", ["A b"], "u1"),
        ("ensure_tags_exist", ["a_B"], "u1"),
        ("ensure_tags_exist", ["new", "A B", "other"], "u1"),
        ("ensure_tags_exist", ["a b"], "u2"),
        ("ensure_tags_exist", [""], "u1"),
        ("ensure_tags_exist", ["none", "None"], "u3"),
    ],
    "ensure two new names with one id": [
        ("ensure_tags_exist", ["first", "x", "X"], "u1"),
        ("ensure_tags_exist", ["x", "x"], "u1"),
        ("insert_new_tag", "x", "u1"),
        ("ensure_tags_exist", ["x", "X", "x"], "u1"),
        ("ensure_tags_exist", ["x", "X", "y y", "y_y"], "u1"),
    ],
    "names that are no text": [
        ("insert_new_tag", None, "u1"),
        ("insert_new_tag", 1, "u1"),
        ("get_tag_by_name_and_user_id", None, "u1"),
        ("delete_tag_by_name_and_user_id", None, "u1"),
        ("ensure_tags_exist", ["a", None], "u1"),
        ("ensure_tags_exist", None, "u1"),
        ("delete_tags_by_ids_and_user_id", None, "u1"),
    ],
    "users that are None": [
        ("insert_new_tag", "a", "u1"),
        ("get_tag_by_name_and_user_id", "a", None),
        ("get_tags_by_user_id", None),
        ("get_tags_by_ids_and_user_id", ["a"], None),
        ("delete_tag_by_name_and_user_id", "a", None),
        ("delete_tags_by_ids_and_user_id", ["a"], None),
    ],
    "a session, which is not used": [
        ("insert_new_tag", "a", "u1", None),
        ("get_tags_by_user_id", "u1", None),
    ],
}


@pytest.mark.parametrize("calls", SEQUENCES.values(), ids=SEQUENCES)
async def test_sequence(pair: Pair, calls: Calls) -> None:
    for method, *args in calls:
        await pair.call(method, *args)


def test_every_method_is_called() -> None:
    assert {method for calls in SEQUENCES.values() for method, *_ in calls} == public_methods("Tags")


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
async def test_hostile_name(pair: Pair, name: str) -> None:
    skip_postgresql(pair.database, "NUL", when="\x00" in name)
    skip_postgresql(pair.database, "long key", when=len(name) > 2000)
    tag = await pair.call("insert_new_tag", name, "u1")
    assert tag.name == name
    await pair.call("insert_new_tag", name, name)
    await pair.call("insert_new_tag", name, "u1")
    for variant in dict.fromkeys([name, name.lower(), name.upper(), name.casefold(), name.strip()]):
        await pair.call("get_tag_by_name_and_user_id", variant, "u1")
    await pair.call("get_tag_by_name_and_user_id", name, name)
    await pair.call("get_tags_by_ids_and_user_id", [tag.id, "other"], name)
    await pair.call("ensure_tags_exist", [name.swapcase(), name + "x"], "u1")
    await pair.call("delete_tag_by_name_and_user_id", name, name)
    await pair.call("delete_tags_by_ids_and_user_id", [tag.id], "u1")


CALLS_WITH_TEXT: list[Callable[[str], tuple[Any, ...]]] = [
    lambda text: ("insert_new_tag", text, "u1"),
    lambda text: ("insert_new_tag", "a", text),
    lambda text: ("get_tag_by_name_and_user_id", text, "u1"),
    lambda text: ("get_tag_by_name_and_user_id", "a", text),
    lambda text: ("get_tags_by_user_id", text),
    lambda text: ("get_tags_by_ids_and_user_id", ["a", text], "u1"),
    lambda text: ("get_tags_by_ids_and_user_id", ["a"], text),
    lambda text: ("delete_tag_by_name_and_user_id", text, "u1"),
    lambda text: ("delete_tags_by_ids_and_user_id", ["a", text], "u1"),
    lambda text: ("delete_tags_by_ids_and_user_id", ["a"], text),
    lambda text: ("ensure_tags_exist", ["b", text], "u1"),
    lambda text: ("ensure_tags_exist", ["b"], text),
]


@pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
async def test_surrogates(pair: Pair, text: str) -> None:
    """They cannot be sent to any database; nothing is stored."""
    await pair.call("insert_new_tag", "a", "u1")
    for call in CALLS_WITH_TEXT:
        await pair.call(*call(text))


async def test_keys_with_nul(pair: Pair) -> None:
    """Where one part of the key ends and the next begins must count in the record id."""
    skip_postgresql(pair.database, "NUL")
    await pair.call("insert_new_tag", "", "u\x00")
    await pair.call("insert_new_tag", "\x00", "u")


async def test_all_hostile_names_together(pair: Pair) -> None:
    names = [n for n in HOSTILE_NAMES.values() if pair.database.is_sqlite or not ("\x00" in n or len(n) > 2000)]
    by_id = {name.replace(" ", "_").lower(): name for name in names}
    await pair.call("ensure_tags_exist", list(by_id.values()), "u1")
    await pair.call("ensure_tags_exist", names, "u1")
    await pair.call("get_tags_by_ids_and_user_id", list(by_id), "u1")
    await pair.call("delete_tags_by_ids_and_user_id", list(by_id)[::2], "u1")
    await pair.call("ensure_tags_exist", list(by_id.values()), "u1")


async def test_many_ids(pair: Pair) -> None:
    """More than a statement may have parameters, in some SQLite builds."""
    names = [f"tag {n}" for n in range(1500)]
    await pair.call("ensure_tags_exist", names, "u1")
    await pair.call("get_tags_by_ids_and_user_id", [f"tag_{n}" for n in range(2000)], "u1")
    await pair.call("delete_tags_by_ids_and_user_id", [f"tag_{n}" for n in range(1400)], "u1")
