"""Folders: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from open_webui.models.access_grants import AccessGrant
from open_webui.models.folders import Folder, FolderForm, FolderUpdateForm

from tests.support.contracts import FOLDERS
from tests.support.differential import (
    HOSTILE_NAMES,
    IDS,
    JSON_OBJECTS,
    START,
    SURROGATES,
    Opened,
    Pair,
    public_methods,
)
from tests.support.stock import skip_postgresql

A, B, C, D, E, F, G, H = IDS[:8]
"""Ids of the folders that a test makes, in this order."""

NOBODY = "00000000-0000-4000-8000-000000000000"
"""Id of no folder."""

Call = tuple[Any, ...]


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(FOLDERS, oracle) as pair:
        yield pair


def new(name: str, parent: str | None = None, user: str = "u1", **form: Any) -> Call:
    return "insert_new_folder", user, FolderForm(name=name, **form), parent


def change(id: str, user: str = "u1", **form: Any) -> Call:
    return "update_folder_by_id_and_user_id", id, user, FolderUpdateForm(**form)


def move(id: str, parent: str | None, user: str = "u1") -> Call:
    return "update_folder_parent_id_by_id_and_user_id", id, user, parent


def expand(id: str, is_expanded: bool, user: str = "u1") -> Call:
    return "update_folder_is_expanded_by_id_and_user_id", id, user, is_expanded


def delete(id: str, user: str = "u1") -> Call:
    return "delete_folder_by_id_and_user_id", id, user


def named(name: str | None, parent: str | None = None, user: str = "u1") -> Call:
    return "get_folder_by_parent_id_and_user_id_and_name", parent, user, name


def search(*queries: str, user: str = "u1") -> Call:
    return "search_folders_by_names", user, list(queries)


def contains(query: str, user: str = "u1") -> Call:
    return "search_folders_by_name_contains", user, query


def by_ids(*ids: Any) -> Call:
    return "get_folders_by_ids", list(ids)


TREE = [new("A"), new("B", A), new("C", A), new("D", B), new("E", B), new("F", D)]
"""A over B and C, B over D and E, D over F."""

SEQUENCES: dict[str, list[Call]] = {
    "nothing there": [
        ("get_folder_by_id", NOBODY),
        ("get_folder_by_id_and_user_id", NOBODY, "u1"),
        by_ids(NOBODY),
        ("get_children_folders_by_id_and_user_id", NOBODY, "u1"),
        ("get_folders_by_user_id", "u1"),
        ("get_folders_by_parent_id_and_user_id", NOBODY, "u1"),
        ("get_folders_by_parent_id_and_user_id", None, "u1"),
        ("get_folder_ids_by_id_and_user_id_in_subtree", NOBODY, "u1"),
        ("get_shared_folder_ids_for_user", "u1", set()),
        named("a"),
        move(NOBODY, None),
        change(NOBODY, name="a"),
        expand(NOBODY, True),
        delete(NOBODY),
        search("a"),
        contains("a"),
    ],
    "ids that PocketBase would not accept": [
        new("A"),
        *[
            (method, key, *arguments)
            for key in ["", " ", "A/B:C.d", A.upper(), f"{A} ", "x" * 300, "' OR 1=1 --", "a\x00b"]
            for method, *arguments in [
                ("get_folder_by_id",),
                ("delete_folder_by_id_and_user_id", "u1"),
                ("update_folder_is_expanded_by_id_and_user_id", "u1", True),
            ]
        ],
    ],
    "ids and users that are None": [
        new("A"),
        ("get_folder_by_id", None),
        ("get_folder_by_id_and_user_id", A, None),
        by_ids(None, A),
        ("get_folders_by_user_id", None),
        ("get_folders_by_parent_id_and_user_id", None, None),
        ("get_children_folders_by_id_and_user_id", None, "u1"),
        ("get_folder_ids_by_id_and_user_id_in_subtree", None, None),
        named(None),
        move(None, A),  # type: ignore[arg-type]
        change(A, None, name="b"),  # type: ignore[arg-type]
        expand(A, True, None),  # type: ignore[arg-type]
        delete(A, None),  # type: ignore[arg-type]
    ],
    "insert, every form": [
        new("only a name"),
        new("a parent", A),
        new("a parent that is not there", NOBODY),
        new("a parent that is empty", ""),
        new("None", data=None, meta=None),
        new("empty", data={}, meta={}),
        new("values", data={"a": 1}, meta={"icon": "x"}),
        new("parent in the form", parent_id=A),
        new("two parents", B, parent_id=A),
        new("parent None in the form", B, parent_id=None),
        new(""),
        new("same name"),
        new("same name"),
        new("empty user", user=""),
        ("insert_new_folder", None, FolderForm(name="no user")),
        ("insert_new_folder", "u1", None),
        ("insert_new_folder", "u1", FolderForm(name="parent of another type"), 5),
    ],
    "another user's": [
        new("A"),
        new("B", A, "u2"),
        new("C", B, "u1"),
        ("get_folder_by_id", A),
        ("get_folder_by_id_and_user_id", A, "u2"),
        by_ids(A, B, C),
        change(A, "u2", name="x"),
        move(A, None, "u2"),
        expand(A, True, "u2"),
        named("A", user="u2"),
        named("B", A, "u1"),
        named("B", A, "u2"),
        ("get_children_folders_by_id_and_user_id", A, "u2"),
        ("get_folder_ids_by_id_and_user_id_in_subtree", A, "u2"),
        ("get_folders_by_parent_id_and_user_id", A, "u2"),
        search("A", user="u2"),
        contains("", user="u2"),
        delete(A, "u2"),
        delete(A),
        delete(B, "u2"),
    ],
    "rename": [
        new("A"),
        new("B"),
        new("C", A),
        new("D", A),
        new("B", user="u2"),
        change(A, name="renamed"),
        change(A, name="renamed"),
        change(A, name="B"),
        change(A, name="b"),
        change(A, name="C"),
        change(C, name="D"),
        change(C, name="d"),
        change(C, name="B"),
        change(C, name=""),
        change(D, name=""),
        change(C, name=" "),
        change(B, "u2", name="A"),
        change(E, "u2", name="A"),
    ],
    "rename among namesakes": [
        new("x"),
        new("x"),
        new("y"),
        change(A, name="x"),
        change(B, name="x"),
        change(C, name="x"),
        delete(A),
        change(B, name="x", data={"a": 1}),
        change(C, name="x"),
    ],
    "rename after a move": [
        new("A"),
        new("x", A),
        new("x"),
        change(B, name="y"),
        move(C, A),
        change(C, name="y"),
        move(C, ""),
        change(C, name="y"),
        move(B, ""),
        change(C, name="y"),
    ],
    "update without a change": [new("A", data={"a": 1}), change(A), change(A, data={}), change(A, meta={})],
    "update with None": [
        new("A", data={"a": 1}, meta={"b": 2}),
        change(A, data=None),
        change(A, meta=None),
        change(A, data={"c": 3}, meta=None),
        change(A, name="B", data=None),
    ],
    "update the name to None": [new("A", data={"a": 1}), change(A, name=None), change(A, name=None, data={"b": 1})],
    "merge": [
        new("A"),
        change(A, data={"b": 1, "a": 2}),
        change(A, data={"c": 3, "b": {"x": 1}}),
        change(A, data={"a": None}, meta={"icon": "x"}),
        change(A, data={"b": {"y": 2}}, meta={"icon": None}, name="B"),
        change(A, meta={"z": 1, "icon": "y", "a": 2}),
        new("B"),
        change(A, name="B", data={"never": 1}),
    ],
    "move": [
        new("A"),
        new("B", A),
        new("C"),
        move(A, C),
        move(A, C),
        move(A, None),
        move(A, ""),
        move(A, NOBODY),
        move(A, "no id: at/all"),
        move(B, None),
        new("D", user="u2"),
        move(A, D),
        ("get_children_folders_by_id_and_user_id", D, "u2"),
    ],
    "its own parent": [new("A"), new("B", A), move(A, A), search("a"), delete(A)],
    "a cycle of two": [new("A"), new("B", A), new("C", B), move(A, B), search("a"), search("b", "c"), delete(B)],
    "a cycle far below": [*TREE, move(B, F), search("f"), expand(E, True), delete(D)],
    "a cycle through another user": [
        new("A"),
        new("B", A, "u2"),
        move(A, B),
        ("get_children_folders_by_id_and_user_id", B, "u2"),
        delete(A),
        delete(B, "u2"),
    ],
    "expand": [
        *TREE,
        expand(C, True),
        expand(C, True),
        expand(C, False),
        expand(B, True),
        ("get_folders_by_parent_id_and_user_id", A, "u1"),
    ],
    "orphans": [new("A"), new("B", A), new("C", B), delete(A), new("D", NOBODY), new("E", D), search("d"), delete(D)],
    "delete a leaf": [*TREE, delete(F), delete(F), delete(E)],
    "delete a branch": [*TREE, delete(B)],
    "delete everything": [*TREE, expand(B, True), expand(F, True), expand(C, True), delete(A)],
    "delete with folders of others below": [
        *TREE,
        new("G", D, "u2"),
        new("H", G, "u1"),
        ("get_children_folders_by_id_and_user_id", A, "u1"),
        ("get_folder_ids_by_id_and_user_id_in_subtree", A, "u1"),
        delete(B),
        ("get_children_folders_by_id_and_user_id", G, "u2"),
    ],
    "by ids": [*TREE, by_ids(), by_ids(A), by_ids(C, A, C, NOBODY, ""), expand(B, True), by_ids(*IDS[:6])],
    "by name": [
        new("Name"),
        new("name"),
        new("NAME", A),
        new("Straße"),
        new("ÄRGER"),
        new("", A),
        *[named(name) for name in ["Name", "nAME", "name ", "", "straße", "STRASSE", "ärger", "ÄRGER", "N%", "_ame"]],
        *[named(name, A) for name in ["name", "Straße", ""]],
        named("name", ""),
        named("name", NOBODY),
        named("name", user="u2"),
    ],
    "by name and an empty parent": [
        new("none"),
        new("empty", ""),
        named("none"),
        named("empty"),
        named("none", ""),
        named("empty", ""),
        ("get_folders_by_parent_id_and_user_id", "", "u1"),
        ("get_folders_by_parent_id_and_user_id", None, "u1"),
        change(A, name="empty"),
        change(B, name="none"),
    ],
    "search by names": [
        new("Two Words"),
        new("two_words", A),
        new("  two\t_ words\n", B),
        new("other", B),
        new("ΟΔΟΣ"),
        new("İ"),
        new("two words", user="u2"),
        new("", D),
        *[search(name) for name in ["two words", "TWO_WORDS", " two__words ", "two", "οδος", "i̇", "i", "", " ", "_"]],
        search(),
        search("other", "two words", "other"),
        search("two words", user="u2"),
        ("search_folders_by_names", "u1", [None]),
    ],
    "search by names, order and doubles": [
        *TREE,
        search("f", "d", "a"),
        search("d", "b"),
        expand(E, True),
        expand(D, True),
        search("b"),
        search("c", "b", "a"),
    ],
    "search by a part of the name": [
        new("My_Big  Folder"),
        new("bigger"),
        new("100% a.b (c) [d]"),
        new("ΟΔΟΣ"),
        *[contains(text) for text in ["big", "y b", "g_folder", "g   folder", "GG", "%", ".", "(c)", "οδος", "οδοσ"]],
        *[contains(text) for text in ["", " ", "_", "nothing", "a.b_(c)"]],
        ("search_folders_by_name_contains", "u1", None),
    ],
    "a session, which is not used": [(*new("A"), None), ("get_folder_by_id", A, None)],
}


NOT_ON_POSTGRESQL = {
    "ids that PocketBase would not accept": "NUL",
    "rename among namesakes": "namesakes",
    "rename after a move": "namesakes",
    "by name": "folding",
}


@pytest.mark.parametrize("name", SEQUENCES)
async def test_sequence(pair: Pair, name: str) -> None:
    if name in NOT_ON_POSTGRESQL:
        skip_postgresql(pair.database, NOT_ON_POSTGRESQL[name])
    for method, *args in SEQUENCES[name]:
        await pair.call(method, *args)
    await read_everything(pair)
    await pair.call(*by_ids(*IDS[: pair.identifiers.next]))


async def read_everything(pair: Pair) -> None:
    """Call each reading method for each folder of the first user."""
    ids = IDS[: min(pair.identifiers.next, 8)]
    await pair.call("get_folders_by_parent_id_and_user_id", None, "u1")
    for key in ids:
        await pair.call("get_folder_by_id", key, rows=False)
        for method in (
            "get_folder_by_id_and_user_id",
            "get_children_folders_by_id_and_user_id",
            "get_folders_by_parent_id_and_user_id",
            "get_folder_ids_by_id_and_user_id_in_subtree",
        ):
            await pair.call(method, key, "u1", rows=False)


def test_every_method_is_called() -> None:
    called = {method for calls in SEQUENCES.values() for method, *_ in calls}
    assert called | {"normalize_folder_name"} == public_methods("Folders")


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
async def test_hostile_name(pair: Pair, name: str) -> None:
    skip_postgresql(pair.database, "NUL", when="\x00" in name)
    folds = not name.isascii()
    for call in [new(name), new(name, A), new(name, user=name), new("other"), new(name, name)]:
        folder = await pair.call(*call)
        assert folder is not None
    for variant in dict.fromkeys([name, name.lower(), name.upper(), name.swapcase(), f" {name}_"]):
        if pair.database.is_sqlite or not folds:
            await pair.call(*named(variant), rows=False)
        await pair.call("normalize_folder_name", variant, rows=False)
        await pair.call(*search(variant), rows=False)
        await pair.call(*contains(variant[1:-1]), rows=False)
    await pair.call(*change(D, name=name))
    await pair.call(*change(D, name=f"{name}x", data={name: name}, meta={name: {name: [name]}}))
    await pair.call(*change(D, data={"first": 1, name: None}))
    await pair.call(*move(D, name))
    await pair.call("get_folders_by_parent_id_and_user_id", name, "u1", rows=False)
    await pair.call("get_folder_by_id_and_user_id", C, name, rows=False)
    await pair.call(*delete(C, name))
    await pair.call(*delete(A))


CALLS_WITH_TEXT: list[Callable[[str], Call]] = [
    new,
    lambda text: new("a", text),
    lambda text: new("a", user=text),
    lambda text: new("a", data={"a": text}),
    lambda text: new("a", meta={text: 1}),
    lambda text: ("get_folder_by_id", text),
    lambda text: ("get_folder_by_id_and_user_id", text, "u1"),
    lambda text: ("get_folder_by_id_and_user_id", A, text),
    lambda text: by_ids(A, text),
    lambda text: ("get_children_folders_by_id_and_user_id", text, "u1"),
    lambda text: ("get_folders_by_user_id", text),
    named,
    lambda text: named("a", text),
    lambda text: ("get_folders_by_parent_id_and_user_id", text, "u1"),
    lambda text: ("get_folder_ids_by_id_and_user_id_in_subtree", text, "u1"),
    lambda text: ("get_shared_folder_ids_for_user", text, set()),
    lambda text: ("get_shared_folder_ids_for_user", "u1", {text}),
    lambda text: move(A, text),
    lambda text: move(text, None),
    lambda text: change(A, name=text),
    lambda text: change(A, data={"a": text}),
    lambda text: change(A, meta={text: 1}),
    lambda text: expand(A, True, text),
    delete,
    lambda text: delete(A, text),
    search,
    lambda text: search("a", user=text),
    contains,
]


@pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
async def test_surrogates(pair: Pair, text: str) -> None:
    """They cannot be sent to any database; nothing is stored."""
    await pair.call(*new("a"))
    for call in CALLS_WITH_TEXT:
        await pair.call(*call(text))


@pytest.mark.parametrize(
    "value",
    # An update's answer has an integer beyond 64 bits as it was given in stock; as it is stored, a float, in ours.
    [pytest.param(value, id=name) for name, value in JSON_OBJECTS.items() if name != "beyond 64 bits"],
)
async def test_json(pair: Pair, value: dict[str, Any]) -> None:
    """Key order, number spelling and types survive, also through merges."""
    await pair.call(*new("inserted", data=value, meta=value))
    await pair.call(*change(A, data={"added": 1}, meta=value))
    await pair.call(*new("empty"))
    await pair.call(*change(B, data=value, meta={"first": 1}))
    await pair.call(*change(B, data={"last": 1.0}, meta=value))
    await pair.call(*change(B, data=dict(reversed(value.items()))))
    await pair.call(*expand(B, True))
    row = {"name": "items", "parent_id": None, "meta": None, "data": None, "is_expanded": False}
    times = {"created_at": START, "updated_at": START}
    await pair.seed([Folder(id=NOBODY, user_id="u1", items=value, **row, **times)], pair.subject._insert)
    await pair.call("get_folder_by_id", NOBODY)


async def test_key_order_of_a_merge(pair: Pair) -> None:
    await pair.call(*new("a", data={"z": 1, "y": 2, "x": 3}))
    folder = await pair.call(*change(A, data={"new": 4, "y": 5, "a": 6}))
    assert list(folder.data) == ["z", "y", "x", "new", "a"]


@pytest.mark.parametrize("column", ["items", "meta", "data"])
@pytest.mark.parametrize("value", [[], [1], "text", "", "{}", 5, 0, 1.5, True, False], ids=repr)
async def test_json_that_is_no_object(pair: Pair, column: str, value: Any) -> None:
    """The model refuses it; a merge replaces what counts as nothing."""
    row = {"name": "a", "parent_id": None, "is_expanded": True, "created_at": START, "updated_at": START}
    row |= {"items": None, "meta": None, "data": None, column: value}
    await pair.seed([Folder(id=A, user_id="u1", **row)], pair.subject._insert)
    pair.identifiers.next = 1
    await pair.call("get_folder_by_id", A)
    await pair.call(*expand(A, False))
    await pair.call(*change(A, name="b"))
    await pair.call(*change(A, data={"x": 1}))
    await pair.call(*change(A, meta={"x": 1}))
    await pair.call(*search("b"))
    await pair.call(*contains("b"))
    await pair.call("get_children_folders_by_id_and_user_id", A, "u1")
    await pair.call(*delete(A))


@pytest.mark.parametrize(
    ("created_at", "updated_at"),
    [(0, 0), (-1, -5), (2**31, 2**53), (-(2**53), 2**53 - 1), (1, 1_700_000_000_000_000_000 % 2**53)],
)
async def test_times(pair: Pair, created_at: int, updated_at: int) -> None:
    row = {"name": "a", "parent_id": None, "items": None, "meta": None, "data": None, "is_expanded": False}
    folder = Folder(id=NOBODY, user_id="u1", created_at=created_at, updated_at=updated_at, **row)
    await pair.seed([folder], pair.subject._insert)
    await pair.call(*new("b"))
    await pair.call(*by_ids(NOBODY, A))
    await pair.call(*expand(NOBODY, True))


async def test_siblings_of_the_same_time(pair: Pair) -> None:
    pair.step = 0
    for call in [new("A"), *[new(f"folder {n}", A) for n in range(6)], new("below", C), new("below", E)]:
        await pair.call(*call)
    await read_everything(pair)
    for call in [expand(G, True), search("a"), search("below", "folder 1"), delete(A)]:
        await pair.call(*call)


async def test_some_siblings_of_the_same_time(pair: Pair) -> None:
    for call in TREE:
        await pair.call(*call)
    pair.step = 0
    for call in [expand(E, True), expand(C, True), move(D, A), expand(B, True)]:
        await pair.call(*call)
        await read_everything(pair)
    await pair.call(*delete(A))


async def test_ids_of_the_same_time(pair: Pair) -> None:
    skip_postgresql(pair.database, "ties")
    pair.step = 0
    for call in TREE:
        await pair.call(*call)
    await pair.call(*by_ids(A, B, C, D, E, F))


async def test_a_tree_of_50_levels(pair: Pair) -> None:
    for depth in range(50):
        await pair.call(*new(f"level {depth}", IDS[depth - 1] if depth else None), rows=False)
    below = await pair.call("get_children_folders_by_id_and_user_id", A, "u1")
    assert [folder.id for folder in below] == IDS[49:0:-1]
    await pair.call("get_folder_ids_by_id_and_user_id_in_subtree", IDS[20], "u1")
    await pair.call(*search("level 0"))
    await pair.call(*move(A, IDS[49]))
    await pair.call("get_children_folders_by_id_and_user_id", IDS[30], "u1")
    assert len(await pair.call(*delete(IDS[25]))) == 50


async def test_a_wide_tree(pair: Pair) -> None:
    await pair.call(*new("root"), rows=False)
    for number in range(1, 121):
        await pair.call(*new(f"folder {number}", IDS[(number - 1) // 4]), rows=False)
    await pair.call("get_children_folders_by_id_and_user_id", A, "u1")
    await pair.call("get_folder_ids_by_id_and_user_id_in_subtree", A, "u1")
    await pair.call(*by_ids(*IDS[:121]))
    await pair.call(*search("folder 2", "folder 9"))
    await pair.call(*contains("er 1"))
    await pair.call(*delete(B))
    await pair.call(*delete(A))


GRANTS: dict[str, list[tuple[str, ...]]] = {
    "none": [],
    "to the user": [("folder", A, "user", "u1", "read"), ("folder", B, "user", "u1", "write")],
    "to everybody": [("folder", A, "user", "*", "read"), ("folder", NOBODY, "user", "*", "write")],
    "to another user": [("folder", C, "user", "u2", "write")],
    "on own folders": [("folder", A, "user", "u9", "read"), ("folder", C, "group", "g9", "write")],
    "to groups": [("folder", C, "group", "g1", "read"), ("folder", D, "group", "g2", "write")],
    "to groups the user is not in": [("folder", C, "group", "g3", "read"), ("folder", D, "group", "", "read")],
    "to a group called like the user": [("folder", C, "group", "u1", "read"), ("folder", D, "user", "g1", "read")],
    "to everybody as a group": [("folder", C, "group", "*", "read")],
    "write over read": [("folder", C, "user", "u1", "read"), ("folder", C, "user", "*", "write")],
    "write, then read": [("folder", C, "user", "u1", "write"), ("folder", C, "group", "g1", "read")],
    "two that read": [("folder", C, "user", "u1", "read"), ("folder", C, "group", "g1", "read")],
    "other permissions": [("folder", C, "user", "u1", "admin"), ("folder", D, "user", "u1", "")],
    "other resources": [("note", A, "user", "u1", "read"), ("Folder", A, "user", "u1", "write")],
    "other principals": [("folder", C, "anyone", "u1", "read"), ("folder", A, "anyone", "*", "read")],
    "folders that are not there": [("folder", "gone", "user", "u1", "read"), ("folder", "", "user", "u1", "write")],
    "hostile ids": [("folder", "'\"[[a]]{:x}", "user", "u1", "read"), ("folder", "😀", "group", "g1", "write")],
}


@pytest.mark.parametrize("grants", GRANTS.values(), ids=GRANTS)
async def test_shared_folders(pair: Pair, grants: list[tuple[str, ...]]) -> None:
    names = ("resource_type", "resource_id", "principal_type", "principal_id", "permission")
    for number, grant in enumerate(grants):
        await pair.database.add(AccessGrant(id=str(number), created_at=number, **dict(zip(names, grant, strict=True))))
    for call in [new("A"), new("B"), new("C", user="u2"), new("D", user="u2")]:
        await pair.call(*call, rows=False)
    for user in ["u1", "u2", "u3", "*", ""]:
        for groups in [set(), {"g1"}, {"g1", "g2"}, {""}]:
            await pair.call("get_shared_folder_ids_for_user", user, groups, rows=False)


async def test_many_folders_of_a_user_and_grants(pair: Pair) -> None:
    rows = [
        Folder(id=key, user_id="u1", name="n", is_expanded=False, created_at=n, updated_at=n)
        for n, key in enumerate(IDS[:1500])
    ]
    grants = [
        AccessGrant(
            id=key,
            resource_type="folder",
            resource_id=key,
            principal_type="user",
            principal_id="u2",
            permission="read",
            created_at=0,
        )
        for key in IDS[:1500]
    ]
    await pair.database.add(*grants)
    await pair.seed(rows, pair.subject._insert)
    shared = await pair.call("get_shared_folder_ids_for_user", "u1", set())
    assert len(shared) == 1500
    await pair.call("get_folders_by_ids", IDS[:2000])
