"""The gate: who is inside may go on, who comes later waits, and in between implementations are exchanged."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from openwebui_pocketbase.exceptions import CompatibilityError, ConfigurationError
from openwebui_pocketbase.host.binding import methods_for
from openwebui_pocketbase.host.gate import Gate
from openwebui_pocketbase.host.gated import GatedClass, GatedFunction, GatedObject

SOON = 0.05


class Stock:
    """A repository as the host makes them."""

    def __init__(self) -> None:
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.log: list[str] = []

    async def write(self, what: str) -> str:
        await self.may_go_on.wait()
        self.log.append(f"{self.name()} {what}")
        return self.name()

    async def write_twice(self) -> list[str]:
        return [await self.write("one"), await self.write("two")]

    async def fail(self) -> None:
        raise ValueError("failed")

    def name(self) -> str:
        return "stock"

    @asynccontextmanager
    async def _transaction(self, id: str) -> AsyncIterator[str]:
        yield f"{self.name()} {id}"
        await self.write("end")


class Ours(Stock):
    """Ours for it; its context manager is no generator itself."""

    pocketbase: str

    def name(self) -> str:
        return f"ours at {self.pocketbase}"

    def _transaction(self, id: str) -> Any:
        return super()._transaction(id)


class Fixture:
    """A gate, with a repository behind it."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.repository = Stock()
        self.gated = GatedObject(self.gate, self.repository, "Tags")
        self.gated.use(Stock, {})

    def switch(self) -> None:
        self.gated.use(Ours, {"pocketbase": "8090"})


@pytest.fixture
async def it() -> Fixture:
    return Fixture()


async def is_waiting(task: asyncio.Task[Any]) -> bool:
    await asyncio.wait([task], timeout=SOON)
    return not task.done()


async def test_a_call_that_waits_goes_to_what_is_in_force_when_it_goes_on(it: Fixture) -> None:
    it.gate.hold()
    call = asyncio.create_task(it.repository.write("a"))
    assert await is_waiting(call)
    assert it.gate.calls == []
    it.switch()
    it.gate.open()
    assert await call == "ours at 8090"
    assert it.repository.log == ["ours at 8090 a"]


async def test_what_is_called_within_a_call_passes_a_gate_that_is_held(it: Fixture) -> None:
    it.repository.may_go_on.clear()
    call = asyncio.create_task(it.repository.write_twice())
    await asyncio.sleep(0)
    it.gate.hold()
    assert it.gate.calls == ["Tags.write_twice"]
    it.repository.may_go_on.set()
    assert await call == ["stock", "stock"]
    assert it.gate.calls == []


async def test_within_a_context_manager_calls_pass_and_afterwards_they_wait(it: Fixture) -> None:
    async with it.repository._transaction("x") as entered:
        assert entered == "stock x"
        it.gate.hold()
        assert it.gate.calls == ["Tags._transaction"]
        assert await it.repository.write("inside") == "stock"
    assert it.gate.calls == []
    outside = asyncio.create_task(it.repository.write("outside"))
    assert await is_waiting(outside)
    it.gate.open()
    await outside


async def test_a_context_manager_that_waits_is_that_in_force_when_it_is_entered(it: Fixture) -> None:
    it.gate.hold()

    async def enter() -> str:
        async with it.repository._transaction("x") as entered:
            return entered

    call = asyncio.create_task(enter())
    assert await is_waiting(call)
    it.switch()
    it.gate.open()
    assert await call == "ours at 8090 x"


async def test_a_context_manager_is_over_when_its_block_has_failed(it: Fixture) -> None:
    with pytest.raises(ValueError, match="inside"):
        async with it.repository._transaction("x"):
            raise ValueError("inside")
    assert it.gate.calls == []


async def test_a_call_that_fails_is_over(it: Fixture) -> None:
    with pytest.raises(ValueError, match="failed"):
        await it.repository.fail()
    assert it.gate.calls == []


async def test_a_call_that_is_cancelled_is_over_whether_it_waits_or_not(it: Fixture) -> None:
    it.repository.may_go_on.clear()
    inside = asyncio.create_task(it.repository.write("inside"))
    await asyncio.sleep(0)
    it.gate.hold()
    waiting = asyncio.create_task(it.repository.write("waiting"))
    assert await is_waiting(waiting)
    for task in (inside, waiting):
        task.cancel()
    await asyncio.gather(inside, waiting, return_exceptions=True)
    assert it.gate.calls == []
    it.repository.may_go_on.set()
    it.gate.open()
    assert await it.repository.write("later") == "stock"


async def test_a_task_that_a_call_has_left_behind_waits_when_the_call_is_over(it: Fixture) -> None:
    left: list[asyncio.Task[str]] = []
    may_begin = asyncio.Event()

    async def later() -> str:
        await may_begin.wait()
        return await it.repository.write("later")

    async with it.repository._transaction("x"):
        left.append(asyncio.create_task(later()))
    it.gate.hold()
    may_begin.set()
    assert await is_waiting(left[0])
    it.gate.open()
    await left[0]


async def test_a_task_within_a_call_passes(it: Fixture) -> None:
    async with it.repository._transaction("x"):
        it.gate.hold()
        assert [*await asyncio.gather(it.repository.write("a"), it.repository.write("b"))] == ["stock", "stock"]


async def test_what_belongs_to_an_implementation_goes_with_it(it: Fixture) -> None:
    def is_ours() -> bool:
        return isinstance(it.repository, Ours)

    it.switch()
    assert is_ours()
    assert cast("Ours", it.repository).pocketbase == "8090"
    it.gated.use(Stock, {})
    assert not is_ours()
    assert "pocketbase" not in vars(it.repository)
    it.gated.undo()
    assert type(it.repository) is Stock


async def test_many_that_wait_all_go_on(it: Fixture) -> None:
    it.gate.hold()
    calls = [asyncio.create_task(it.repository.write(str(number))) for number in range(100)]
    await asyncio.sleep(SOON)
    assert it.repository.log == []
    it.gate.open()
    await asyncio.gather(*calls)
    assert sorted(it.repository.log) == sorted(f"stock {number}" for number in range(100))


async def test_nobody_passes_when_the_time_is_over_until_there_is_more(it: Fixture) -> None:
    it.gate.lets_pass_for(0.0)
    call = asyncio.create_task(it.repository.write("a"))
    assert await is_waiting(call)
    it.gate.lets_pass_for(60.0)
    assert await call == "stock"


async def test_more_time_does_not_open_a_gate_that_is_held(it: Fixture) -> None:
    it.gate.hold()
    call = asyncio.create_task(it.repository.write("a"))
    assert await is_waiting(call)
    it.gate.lets_pass_for(60.0)
    assert await is_waiting(call)
    it.gate.open()
    await call


async def test_calls_on_other_event_loops_wait_as_well(it: Fixture) -> None:
    it.gate.hold()
    done = threading.Event()

    def elsewhere() -> str:
        async def call() -> str:
            async with it.gate.passing("elsewhere"):
                return "passed"

        passed = asyncio.run(call())
        done.set()
        return passed

    with ThreadPoolExecutor(1) as pool:
        result = asyncio.wrap_future(pool.submit(elsewhere))
        await asyncio.sleep(SOON)
        assert not done.is_set()
        it.gate.open()
        assert await result == "passed"


async def test_blocking_calls_wait_in_threads_and_are_counted() -> None:
    gate = Gate()
    entered, may_go_on = threading.Event(), threading.Event()

    def block() -> str:
        with gate.passing_blocking("Storage.get_file"):
            entered.set()
            may_go_on.wait()
            return "passed"

    with ThreadPoolExecutor(2) as pool:
        inside = asyncio.wrap_future(pool.submit(block))
        await asyncio.to_thread(entered.wait)
        gate.hold()
        waiting = asyncio.wrap_future(pool.submit(block))
        await asyncio.sleep(SOON)
        assert gate.calls == ["Storage.get_file"]
        may_go_on.set()
        assert await inside == "passed"
        await asyncio.sleep(SOON)
        assert not waiting.done()
        gate.open()
        assert await waiting == "passed"


async def test_a_blocking_call_within_a_call_passes_in_its_thread() -> None:
    gate = Gate()

    def block() -> str:
        with gate.passing_blocking("Storage.get_file"):
            return "passed"

    async with gate.passing("upload_file"):
        gate.hold()
        assert await asyncio.to_thread(block) == "passed"


async def test_a_blocking_call_on_the_event_loop_never_waits() -> None:
    gate = Gate()
    gate.hold()
    with gate.passing_blocking("Storage.get_file"):
        assert gate.calls == []


async def test_a_function_is_the_one_in_force_when_it_is_let_in() -> None:
    async def stock(name: str, *, greeting: str = "Hello") -> str:
        return f"{greeting} {name}"

    def shouting(stock: Callable[..., Any]) -> Callable[..., Any]:
        async def shout(*args: Any, **kwargs: Any) -> str:
            return str(await stock(*args, **kwargs)).upper()

        return shout

    gate = Gate()
    function = GatedFunction(gate, stock, "greet")
    assert await function.dispatch("you") == "Hello you"
    gate.hold()
    call = asyncio.create_task(function.dispatch("you", greeting="Bye"))
    assert await is_waiting(call)
    function.use(shouting)
    gate.open()
    assert await call == "BYE YOU"
    function.use(None)
    assert await function.dispatch("you") == "Hello you"


def test_a_function_that_cannot_wait_is_refused() -> None:
    with pytest.raises(CompatibilityError, match="greet"):
        GatedFunction(Gate(), lambda: None, "greet")


class Used:
    """A class that the host uses without an instance."""

    where = "sql"

    @classmethod
    def place(cls) -> str:
        return cls.where

    @staticmethod
    async def get(key: str) -> str:
        return f"stock {key}"

    @staticmethod
    async def get_twice(key: str) -> list[str]:
        return [await Used.get(key), await Used.get(key)]


class InItsPlace:
    pocketbase = ""

    async def get(self, key: str) -> str:
        return f"ours {key} at {self.pocketbase}"

    async def get_twice(self, key: str) -> list[str]:
        return [await Used.get(key), await self.get(key)]

    async def entries(self) -> str:
        return "for seams"


class Incomplete:
    async def get(self, key: str) -> str:
        return key


async def test_a_class_keeps_its_place_and_gets_the_methods_that_are_in_force() -> None:
    before = dict(vars(Used))
    gate = Gate()
    gated = GatedClass(gate, Used, "Config")
    gated.use(Used, {})
    assert (await Used.get("a"), await Used.get_twice("a")) == ("stock a", ["stock a"] * 2)
    gate.hold()
    call = asyncio.create_task(Used.get("a"))
    assert await is_waiting(call)
    gated.use(InItsPlace, {"pocketbase": "8090"})
    gate.open()
    assert await call == "ours a at 8090"
    assert await Used.get_twice("a") == ["ours a at 8090"] * 2
    assert await vars(Used)["entries"]() == "for seams"
    assert Used.place() == "sql"
    gated.use(Used, {})
    assert await Used.get("a") == "stock a"
    assert not hasattr(Used, "entries")
    gated.use(InItsPlace, {})
    gated.undo()
    assert dict(vars(Used)) == before


async def test_what_has_not_all_methods_of_a_class_is_refused_and_changes_nothing() -> None:
    before = dict(vars(Used))
    with pytest.raises(ConfigurationError, match=r"Incomplete does not have get_twice of .*Used"):
        methods_for(Used, Incomplete, {})
    assert dict(vars(Used)) == before
