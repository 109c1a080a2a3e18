"""One run of a copy: what the journal has of it, and what is taken up of a command that was killed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.migrate.comparison import Comparison
from openwebui_pocketbase.migrate.items import UNITS
from openwebui_pocketbase.migrate.journal import Journal, Report
from openwebui_pocketbase.migrate.run import Options, Run
from tests.support.memory_store import MemoryStore, tag

UNIT = UNITS["tag"]


class Sides:
    """Both sides in memory; what changes at a source is noted while it is in ``noted``."""

    contents = None

    def __init__(self, to: str, sql: MemoryStore, pocketbase: MemoryStore) -> None:
        self.to, self.sql, self.pocketbase = to, sql, pocketbase
        self.source, self.target = (sql, pocketbase) if to == "pocketbase" else (pocketbase, sql)
        self.noted: set[str] = set()

    async def begin_to_note(self, units: Collection[Any]) -> str:
        self.noted.update(unit.name for unit in units)
        return "7/create/x/y" if self.to == "sqlalchemy" else ""

    async def end_to_note(self, units: Collection[Any]) -> str:
        self.noted.difference_update(unit.name for unit in units)
        return ""

    async def is_followed(self, units: Collection[Any], cursor: str) -> bool:
        return bool(cursor) if self.to == "sqlalchemy" else {unit.name for unit in units} <= self.noted

    @asynccontextmanager
    async def comparison(
        self, *, ahead: int = 2, snapshot: bool = False, kept: Any = None
    ) -> AsyncIterator[Comparison]:
        yield Comparison(self.source, self.target, ahead=ahead, kept=kept)


def run(tmp_path: Path, sides: Sides, backend: str = "sqlalchemy", **options: Any) -> Run:
    return Run(sides, tmp_path, [UNIT], {"tags": backend}, Options(**options))  # type: ignore[arg-type]


async def copied(this: Run) -> Run:
    assert not await this.begin()
    async for _ in this.copy():
        pass
    return this


async def test_a_copy_that_follows_is_taken_up_without_comparing(tmp_path: Path) -> None:
    sides = Sides("pocketbase", MemoryStore("sqlalchemy", tag("a")), MemoryStore("pocketbase"))
    await copied(run(tmp_path, sides, follow=True))
    assert await run(tmp_path, sides, follow=True).begin()
    assert not await run(tmp_path, sides, follow=True, compare=True).begin()
    sides.noted.clear()  # triggers are gone
    assert not await run(tmp_path, sides, follow=True).begin()


async def test_a_copy_without_following_notes_no_changes(tmp_path: Path) -> None:
    sides = Sides("pocketbase", MemoryStore("sqlalchemy", tag("a")), MemoryStore("pocketbase"))
    sides.noted = {"tag", "chat"}
    await copied(run(tmp_path, sides))
    assert sides.noted == {"chat"}


async def test_a_switch_that_was_decided_is_taken_up(tmp_path: Path) -> None:
    """The command was killed before the journal had it: by the settings the group is in PocketBase."""
    sql, pocketbase = MemoryStore("sqlalchemy", tag("a"), tag("refused")), MemoryStore("pocketbase")
    forth = await copied(run(tmp_path, Sides("pocketbase", sql, pocketbase)))
    forth.about_to_turn()
    back = run(tmp_path, Sides("sqlalchemy", sql, pocketbase), "pocketbase", follow=True)
    assert not await back.begin()  # where its changes begin is not known: all is compared
    async for _ in back.copy():
        pass
    assert list(sql.items) == [("u", "a"), ("u", "refused")]  # what never came along stays, also the second time
    again = run(tmp_path, Sides("sqlalchemy", sql, pocketbase), "pocketbase")
    await copied(again)
    assert list(sql.items) == [("u", "a"), ("u", "refused")]
    entry = Journal.read(tmp_path).groups["tags"]  # type: ignore[union-attr]
    assert (entry.to, entry.state) == ("sqlalchemy", "copied")


async def test_adding_what_is_missing_leaves_journal_and_report_alone(tmp_path: Path) -> None:
    sql, pocketbase = MemoryStore("sqlalchemy", tag("a"), tag("refused")), MemoryStore("pocketbase")
    await copied(run(tmp_path, Sides("pocketbase", sql, pocketbase)))
    before = Journal.read(tmp_path), list(Report(tmp_path, "pocketbase"))
    sql.items[("u", "new")] = tag("new")
    with pytest.raises(ConfigurationError, match="--only-missing tags"):
        await run(tmp_path, Sides("pocketbase", sql, pocketbase), "pocketbase").begin()
    await copied(run(tmp_path, Sides("pocketbase", sql, pocketbase), "pocketbase", only_missing=True))
    assert ("u", "new") in pocketbase.items
    assert (Journal.read(tmp_path), list(Report(tmp_path, "pocketbase"))) == before


async def test_a_switch_that_was_not_decided_is_as_if_it_had_not_begun(tmp_path: Path) -> None:
    sides = Sides("pocketbase", MemoryStore("sqlalchemy", tag("a")), MemoryStore("pocketbase"))
    forth = await copied(run(tmp_path, sides, follow=True))
    forth.about_to_turn()
    assert await run(tmp_path, sides, follow=True).begin()


async def test_the_way_back_of_a_group_that_was_moved_by_hand_deletes_nothing_unasked(tmp_path: Path) -> None:
    sql, pocketbase = MemoryStore("sqlalchemy", tag("a")), MemoryStore("pocketbase")
    await copied(run(tmp_path, Sides("pocketbase", sql, pocketbase)))
    sql.items[("u", "later")] = tag("later")  # and then somebody edited the config file
    with pytest.raises(ConfigurationError, match="add --replace"):
        await run(tmp_path, Sides("sqlalchemy", sql, pocketbase), "pocketbase").begin()
    assert ("u", "later") in sql.items


async def test_adding_what_is_missing_needs_no_journal(tmp_path: Path) -> None:
    sql, pocketbase = MemoryStore("sqlalchemy"), MemoryStore("pocketbase", tag("a"))
    this = await copied(run(tmp_path, Sides("sqlalchemy", sql, pocketbase), only_missing=True))
    assert [progress async for progress in this.catch_up()] == []
    assert list(sql.items) == [("u", "a")]
    assert Journal.read(tmp_path) is None
