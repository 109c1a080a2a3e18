"""Copying between two stores: what is written, deleted, kept and told."""

from __future__ import annotations

from typing import Any

import pytest

from openwebui_pocketbase.migrate.comparison import Comparison
from openwebui_pocketbase.migrate.copy import Copied, Copy, StoppedError
from openwebui_pocketbase.migrate.items import UNITS, Item, canonical
from openwebui_pocketbase.migrate.verify import Verification, Verified
from openwebui_pocketbase.repositories.base import JSON
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.memory_store import TAG, MemoryStore, tag


def copy(source: MemoryStore, target: MemoryStore, kept: Any = None, **options: Any) -> Copy:
    comparison = Comparison(source, target, kept=kept)
    return Copy(comparison, contents=None, **options)  # type: ignore[arg-type]  # there are no files


async def all_of(this: Copy) -> Copied:
    """Copy everything; return the sums."""
    done = Copied(TAG)
    async for copied in this.of_unit(TAG):
        done.written += copied.written
        done.removed += copied.removed
        done.notes += copied.notes
    return done


async def verified(source: MemoryStore, target: MemoryStore, **options: Any) -> Verified:
    verification = Verification(Comparison(source, target), contents=None, **options)  # type: ignore[arg-type]
    return [found async for found in verification.of_unit(TAG)][-1]


async def test_a_copy_makes_both_sides_equal_and_a_second_one_writes_nothing() -> None:
    source = MemoryStore("sqlalchemy", tag("a"), tag("b", {"x": 1}), tag("c"))
    target = MemoryStore("pocketbase", tag("b", {"x": 2}), tag("d"))
    done = await all_of(copy(source, target))
    assert (done.written, done.removed, done.notes) == (3, 1, [])
    assert target.items == source.items
    assert (await all_of(copy(source, target))).written == 0


async def test_items_are_written_in_the_order_of_the_source() -> None:
    names = [f"t{number:03}" for number in range(100)]
    source, target = MemoryStore("sqlalchemy", *map(tag, names)), MemoryStore("pocketbase")
    source.page = 7
    await all_of(copy(source, target))
    assert [key[1] for key in target.saved] == names


async def test_only_what_is_missing_is_added_if_that_is_wanted() -> None:
    source = MemoryStore("sqlalchemy", tag("a"), tag("b", {"x": 1}))
    target = MemoryStore("pocketbase", tag("b", {"x": 2}), tag("d"))
    done = await all_of(copy(source, target, only_missing=True))
    assert (done.written, done.removed) == (1, 0)
    assert target.items == {item.key: item for item in (tag("b", {"x": 2}), tag("d"), tag("a"))}


async def test_what_cannot_be_moved_is_told_and_the_rest_moves() -> None:
    source = MemoryStore("sqlalchemy", tag("a"), tag("refused"), tag("b", "odd"))
    target = MemoryStore("pocketbase")
    done = await all_of(copy(source, target))
    assert [(note.key, note.is_left_out) for note in done.notes] == [("u/b", False), ("u/refused", True)]
    assert list(target.items) == [("u", "a"), ("u", "b")]


async def test_the_first_row_that_cannot_be_moved_ends_the_copy_if_that_is_wanted() -> None:
    source, target = MemoryStore("sqlalchemy", tag("refused")), MemoryStore("pocketbase")
    with pytest.raises(StoppedError, match="tag u/refused cannot be moved"):
        await all_of(copy(source, target, stop=True))


async def test_what_was_left_out_once_stays_on_the_way_back() -> None:
    source, target = MemoryStore("pocketbase"), MemoryStore("sqlalchemy", tag("a"), tag("refused"))
    done = await all_of(copy(source, target, kept={"tag": {"u/refused"}}))
    assert done.removed == 1
    assert list(target.items) == [("u", "refused")]


async def test_some_keys_are_copied_or_deleted_alone() -> None:
    source = MemoryStore("sqlalchemy", tag("a"), tag("b"))
    target = MemoryStore("pocketbase", tag("gone"), tag("other"))
    done = await copy(source, target).of_keys(TAG, [("u", "a"), ("u", "gone"), ("u", "never")])
    assert (done.written, done.removed) == (1, 1)
    assert list(target.items) == [("u", "other"), ("u", "a")]


async def test_a_verification_names_every_difference() -> None:
    source = MemoryStore("sqlalchemy", tag("a"), tag("b", {"x": 1}), tag("c", "odd"))
    target = MemoryStore("pocketbase", tag("b", {"x": 1.0}), tag("c"), tag("d"))
    found = await verified(source, target)
    assert (found.missing, found.different, found.extra) == (["u/a"], ["u/b"], ["u/d"])
    assert not found.is_equal
    assert [note.key for note in found.left_out] == ["u/c"]
    await all_of(copy(source, target))
    assert (await verified(source, target)).is_equal


async def test_a_sample_has_so_many_items_each_once() -> None:
    source = MemoryStore("sqlalchemy", *(tag(f"t{number}") for number in range(40)))
    found = await verified(source, MemoryStore("pocketbase"), sample=10)
    assert found.rows["tag"] == 10
    assert len(set(found.missing)) == 10


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (1, 1.0),
        (0.0, -0.0),
        (2**70, 2**70 + 1),
        (None, "null"),
        ("\ud800", "\ud801"),
    ],
)
def test_what_the_host_reads_otherwise_is_another_item(one: Any, other: Any) -> None:
    forms = [canonical(tag("a", value).rows, JSON.dumps) for value in (one, one, other)]
    assert forms[0] == forms[1] != forms[2]


def test_an_item_without_rows_is_like_none() -> None:
    assert canonical(Item(("u", "a"), {"tag": []}).rows, JSON.dumps) == canonical({}, JSON.dumps)


def test_every_declared_table_can_be_moved() -> None:
    assert sorted(name for unit in UNITS.values() for name in unit.tables) == sorted(TABLES)


async def test_what_was_reported_as_left_out_is_no_difference() -> None:
    source, target = MemoryStore("sqlalchemy", tag("a"), tag("refused")), MemoryStore("pocketbase")
    notes = (await all_of(copy(source, target))).notes
    assert (await verified(source, target)).missing == ["u/refused"]
    found = await verified(source, target, known={note.table: {note.key} for note in notes})
    assert found.is_equal
    assert [note.key for note in found.left_out] == ["u/refused"]
