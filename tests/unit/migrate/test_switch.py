"""The order of a switch: what is decided when, and what is left if it breaks off."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from openwebui_pocketbase.exceptions import ConfigurationError, SwitchError
from openwebui_pocketbase.migrate.comparison import Comparison
from openwebui_pocketbase.migrate.control.orders import Report
from openwebui_pocketbase.migrate.copy import Copy
from openwebui_pocketbase.migrate.follow import Follower, Progress
from openwebui_pocketbase.migrate.items import Key, Unit
from openwebui_pocketbase.migrate.switch import switch
from tests.support.memory_store import TAG, MemoryStore, tag


class Changes:
    """What has changed, once; then nothing."""

    cursor = ""

    def __init__(self, *keys: Key) -> None:
        self.keys = keys

    async def some(self) -> Mapping[Unit, Collection[Key]]:
        return {TAG: self.keys} if self.keys else {}

    async def forget(self) -> None:
        self.keys = ()

    async def waiting(self) -> int:
        return len(self.keys)


class Steps:
    """A run and the workers' control, which note what is done with them."""

    def __init__(self, source: MemoryStore, *changed: Key, fails_at: str = "") -> None:
        self.done: list[str] = []
        self.target = MemoryStore("pocketbase")
        self.left_out: dict[str, set[str]] = {}
        self.epoch_of_worker = "the copied one"
        self._fails_at = fails_at
        copy = Copy(Comparison(source, self.target), contents=None)  # type: ignore[arg-type]  # there are no files
        self._follower = Follower(copy, Changes(*changed), [TAG])

    @asynccontextmanager
    async def follower(self) -> AsyncIterator[Follower]:
        yield self._follower

    def take(self, progress: Progress) -> None:
        pass

    async def epoch(self) -> str:
        return "the copied one"

    async def workers(self) -> list[Report]:
        return [Report("one", "host", 1, epoch=self.epoch_of_worker)]

    def __getattr__(self, name: str) -> Any:
        if name in ("about_to_turn", "stay", "configure"):
            return lambda: self._do(name)

        async def step(*_: Any) -> Any:
            self._do(name)
            return "7/create/x/y" if name == "cursor_of_target" else True

        return step

    def _do(self, name: str) -> None:
        self.done.append(name)
        if name == self._fails_at:
            raise SwitchError(f"{name} failed")


async def switched(steps: Steps) -> Any:
    return await switch(steps, steps, {"tags": "pocketbase"}, steps.configure)  # type: ignore[arg-type]


async def test_it_is_decided_when_all_is_carried_over_and_the_journal_knows() -> None:
    steps = Steps(MemoryStore("sqlalchemy", tag("a")), ("u", "a"))
    done = await switched(steps)
    assert done.workers == 1
    assert ("u", "a") in steps.target.items
    order = ["prepare", "hold", "bring_files_back", "cursor_of_target", "about_to_turn", "switch", "configure", "turn"]
    assert steps.done == [*order, "finished"]


@pytest.mark.parametrize("step", ["hold", "about_to_turn", "switch"])
async def test_what_fails_before_the_decision_leaves_all_as_it_was(step: str) -> None:
    steps = Steps(MemoryStore("sqlalchemy", tag("a")), fails_at=step)
    with pytest.raises(SwitchError, match=step):
        await switched(steps)
    assert steps.done[-2:] == ["give_up", "stay"]
    assert "configure" not in steps.done


@pytest.mark.parametrize("step", ["configure", "finished"])
async def test_what_fails_after_the_decision_leaves_a_journal_of_the_way_back(step: str) -> None:
    steps = Steps(MemoryStore("sqlalchemy", tag("a")), fails_at=step)
    with pytest.raises(SwitchError, match=step):
        await switched(steps)
    assert "turn" in steps.done
    assert "give_up" not in steps.done


async def test_no_worker_goes_on_with_another_pocketbase() -> None:
    steps = Steps(MemoryStore("sqlalchemy", tag("a")))
    steps.epoch_of_worker = "an empty one"
    with pytest.raises(ConfigurationError, match="another PocketBase"):
        await switched(steps)
    assert steps.done == ["prepare", "give_up", "stay"]


async def test_nothing_is_left_behind_that_nobody_was_told_of() -> None:
    steps = Steps(MemoryStore("sqlalchemy", tag("refused")), ("u", "refused"))
    with pytest.raises(ConfigurationError, match="could not all be carried over: tag u/refused"):
        await switched(steps)
    assert steps.done == []
    steps = Steps(MemoryStore("sqlalchemy", tag("refused")), ("u", "refused"))
    steps.left_out = {"tag": {"u/refused"}}
    await switched(steps)
    assert "switch" in steps.done


async def test_what_was_refused_is_tried_again_when_all_else_is_there() -> None:
    steps = Steps(MemoryStore("sqlalchemy", tag("refused"), tag("b")), ("u", "refused"), ("u", "b"))
    save = steps.target.save

    async def save_unless_first(unit: Unit, items: Any) -> Any:
        if ("u", "b") not in steps.target.items:  # it holds what the other one is refused for
            return await save(unit, items)
        steps.target.items |= {item.key: item for item, _ in items}
        return []

    steps.target.save = save_unless_first  # type: ignore[method-assign]
    await switched(steps)
    assert ("u", "refused") in steps.target.items
