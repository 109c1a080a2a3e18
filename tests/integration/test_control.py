"""A command and the workers agree on other backends, over tables in SQLite and PostgreSQL, whoever is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from openwebui_pocketbase.exceptions import ConfigurationError, SwitchError
from openwebui_pocketbase.host import watch
from openwebui_pocketbase.host.gate import Gate
from openwebui_pocketbase.host.watch import Watch
from openwebui_pocketbase.migrate.control import tables as control_tables
from openwebui_pocketbase.migrate.control.command import Control
from openwebui_pocketbase.migrate.control.orders import Backends, Order
from openwebui_pocketbase.migrate.control.tables import ControlTables
from tests.support import postgresql
from tests.support.services import require

SQL = {"chats": "sqlalchemy", "tags": "sqlalchemy"}
MOVED = {"chats": "pocketbase", "tags": "pocketbase"}
SCHEMA = "an owner's"


class Worker:
    """A worker whose board only notes what it is told."""

    def __init__(self, tables: ControlTables, backends: Backends = SQL) -> None:
        self.backends = backends
        self.told: list[str] = []
        self.failures: dict[str, Exception] = {}
        self.ended: list[str] = []
        self.gate = Gate()
        self.watch = Watch(tables, self.gate, self, lambda error: self.ended.append(str(error)))

    async def start(self) -> None:
        await asyncio.to_thread(self.watch.start, asyncio.get_running_loop())

    async def stop(self) -> None:
        await asyncio.to_thread(self.watch.stop)

    async def call(self) -> Backends:
        async with self.gate.passing("Tags.insert"):
            return self.backends

    async def prepare(self, wanted: Backends) -> str:
        self._tell("prepare")
        return "epoch"

    async def rest(self) -> None:
        self._tell("rest")

    async def switch(self, backends: Backends, number: int) -> None:
        assert self.gate.calls == []
        self._tell("switch")
        self.backends = backends

    async def go_on(self) -> None:
        self._tell("go on")

    def _tell(self, what: str) -> None:
        self.told.append(what)
        if what in self.failures:
            raise self.failures[what]


class Place:
    """A database with workers."""

    def __init__(self, engine: Engine, schema: str | None) -> None:
        self.engine, self.schema = engine, schema
        self.tables = ControlTables(engine, schema)
        self.workers: list[Worker] = []

    def control(self) -> Control:
        return Control(self.engine, self.schema)

    async def start(self, number: int = 2, backends: Backends = SQL) -> list[Worker]:
        new = [Worker(self.tables, backends) for _ in range(number)]
        self.workers += new
        for worker in new:
            await worker.start()
            with self.tables.connect() as connection:
                self.tables.begin_with(connection, worker.watch.report.worker, backends)
            worker.watch.report.serves = 1
        await until(lambda: self.reports() == len(self.workers))
        return new

    def reports(self) -> int:
        """Return how many workers serve, as others see it."""
        with self.tables.connect() as connection:
            return sum(report.serves for report in self.tables.workers(connection))

    @property
    def order(self) -> Order:
        with self.tables.connect() as connection:
            return self.tables.look(connection)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30.0):
        while not condition():  # noqa: ASYNC110 - other threads change it
            await asyncio.sleep(0.01)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    schema = None
    if request.param == "sqlite":
        engine = create_engine(f"sqlite:///{tmp_path / 'webui.db'}")
    else:
        require(postgresql.answers(), "PostgreSQL (OWUI_TEST_POSTGRESQL_URL)")
        engine = create_engine(postgresql.url_of(postgresql.new_database(), "+psycopg"))
        schema = SCHEMA
        with engine.begin() as connection:
            connection.execute(text(f'CREATE SCHEMA "{SCHEMA}"'))
    place = Place(engine, schema)
    yield place
    for worker in place.workers:
        await worker.stop()
    engine.dispose()


@asynccontextmanager
async def switching(control: Control) -> AsyncIterator[None]:
    """Hold, let something happen, and switch."""
    await control.prepare(MOVED)
    await control.hold()
    yield
    await control.switch()
    await control.finished()


async def test_all_workers_go_on_with_what_was_switched_to(place: Place) -> None:
    workers = await place.start()
    control = place.control()
    async with switching(control):
        calls = [asyncio.create_task(worker.call()) for worker in workers]
        await asyncio.wait(calls, timeout=0.2)
        assert not any(call.done() for call in calls)
    assert await asyncio.gather(*calls) == [MOVED, MOVED]
    assert [worker.told[:4] for worker in workers] == [["go on", "prepare", "rest", "switch"]] * 2
    reports = await control.workers()
    assert [(report.phase, report.backends, report.epoch) for report in reports] == [("switched", MOVED, "epoch")] * 2
    assert place.order.in_force == MOVED


async def test_a_group_that_is_not_named_stays(place: Place) -> None:
    workers = await place.start(1)
    control = place.control()
    await control.prepare({"tags": "pocketbase"})
    await control.hold()
    await control.switch()
    await control.finished()
    assert workers[0].backends == {**SQL, "tags": "pocketbase"}


async def test_there_and_back_again(place: Place) -> None:
    workers = await place.start()
    for backends in (MOVED, SQL):
        control = place.control()
        await control.prepare(backends)
        await control.hold()
        await control.switch()
        await control.finished()
        assert [worker.backends for worker in workers] == [backends] * 2
    assert await workers[0].call() == SQL


async def test_without_workers_there_is_nothing_to_wait_for(place: Place) -> None:
    control = place.control()
    assert await control.workers() == []
    async with switching(control):
        pass
    assert place.order.in_force == MOVED


async def test_a_worker_that_cannot_do_it_says_why_and_all_go_on(place: Place) -> None:
    workers = await place.start()
    workers[1].failures["prepare"] = ConfigurationError("PocketBase is not there.")
    with pytest.raises(SwitchError, match="PocketBase is not there"):
        await place.control().prepare(MOVED)
    assert place.order.phase == "open"
    assert "PocketBase is not there" in place.order.reason
    assert [await worker.call() for worker in workers] == [SQL, SQL]
    workers[1].failures.clear()
    async with switching(place.control()):
        pass
    assert [await worker.call() for worker in workers] == [MOVED, MOVED]


async def test_a_call_that_does_not_end_is_named_and_all_go_on(place: Place) -> None:
    workers = await place.start()
    control = place.control()
    await control.prepare(MOVED)
    async with workers[0].gate.passing("Chats.import_chats"):
        with pytest.raises(SwitchError, match=r"Chats\.import_chats"):
            await control.hold(0.5)
        await until(lambda: workers[0].watch.report.phase == "open")
        assert await workers[0].call() == SQL
    assert [await worker.call() for worker in workers] == [SQL, SQL]
    with pytest.raises(SwitchError, match="over"):
        await control.switch()


async def test_a_call_that_ends_in_time_is_waited_for(place: Place) -> None:
    (worker,) = await place.start(1)
    control = place.control()
    await control.prepare(MOVED)
    async with worker.gate.passing("Chats.import_chats"):
        holding = asyncio.create_task(control.hold())
        await until(lambda: worker.watch.report.in_flight == "Chats.import_chats")
        assert not holding.done()
    await holding
    await control.switch()
    await control.finished()
    assert await worker.call() == MOVED


async def test_the_hold_of_a_killed_command_ends_by_itself(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_tables, "HOLD", 1.0)
    workers = await place.start()
    control = place.control()
    await control.prepare(MOVED)
    await control.hold()
    assert [await worker.call() for worker in workers] == [SQL, SQL]  # which waits until it is over
    with pytest.raises(SwitchError, match="not decided in 1 seconds"):
        await control.switch()
    assert not await control.give_up()
    assert place.order.in_force == SQL
    async with switching(place.control()):
        pass
    assert [worker.backends for worker in workers] == [MOVED, MOVED]


async def test_a_decision_is_made_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is first wins: the command that decides, or a worker that has waited for too long."""
    control = place.control()
    for decides in (True, False):
        await control.prepare(MOVED)
        await control.hold()
        order = place.order
        with place.tables.connect() as connection:
            if decides:
                assert place.tables.switch(connection, order.number)
            with monkeypatch.context() as patch:
                patch.setattr(control_tables, "HOLD", 0.0)
                assert place.tables.end_forgotten(connection, order) is not decides
            assert not place.tables.switch(connection, order.number)
            assert not place.tables.give_up(connection, order.number, "too late")
        assert place.order.phase == ("switched" if decides else "open")


async def test_a_switch_that_has_held_for_too_long_is_not_decided_even_if_nobody_has_noticed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = place.control()
    await control.prepare(MOVED)
    await control.hold()
    monkeypatch.setattr(control_tables, "HOLD", 0.0)
    with pytest.raises(SwitchError):
        await control.switch()


async def test_of_two_commands_the_second_is_refused(place: Place) -> None:
    workers = await place.start()
    first, second = place.control(), place.control()
    await first.prepare(MOVED)
    with pytest.raises(SwitchError, match="Another switch"):
        await second.prepare(SQL)
    await first.hold()
    with pytest.raises(SwitchError, match="Another switch"):
        await second.prepare(SQL)
    with pytest.raises(SwitchError, match="over"):
        await second.switch()
    assert not await second.give_up()
    await first.switch()
    await first.finished()
    assert [worker.backends for worker in workers] == [MOVED, MOVED]


async def test_of_two_commands_at_once_one_prepares(place: Place) -> None:
    await place.start()
    controls = [place.control() for _ in range(4)]
    results = await asyncio.gather(*(control.prepare(MOVED) for control in controls), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [SwitchError] * 3
    (winner,) = (control for control, result in zip(controls, results, strict=True) if result is None)
    await winner.hold()
    await winner.switch()
    await winner.finished()


async def test_a_command_that_is_cancelled_gives_up(place: Place) -> None:
    (worker,) = await place.start(1)
    control = place.control()
    await control.prepare(MOVED)
    async with worker.gate.passing("a call"):
        holding = asyncio.create_task(control.hold(60.0))
        await until(lambda: worker.watch.report.phase == "holding")
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
    assert place.order.phase == "open"
    assert await worker.call() == SQL


async def test_a_worker_that_starts_in_a_hold_waits_for_its_end(place: Place) -> None:
    await place.start(1)
    control = place.control()
    await control.prepare(MOVED)
    await control.hold()
    late = Worker(place.tables)
    place.workers.append(late)
    await late.start()
    with place.tables.connect() as connection:
        assert not place.tables.begin_with(connection, late.watch.report.worker, SQL)
    await until(lambda: late.watch.report.phase == "held")
    late.watch.report.serves = 1
    call = asyncio.create_task(late.call())
    await asyncio.wait([call], timeout=0.2)
    assert not call.done()
    await control.switch()
    await control.finished()
    assert await call == MOVED


async def test_a_worker_with_the_backends_before_follows_as_soon_as_it_serves(place: Place) -> None:
    await place.start(1)
    async with switching(place.control()):
        pass
    late = Worker(place.tables)  # its start has read the config file before the switch
    place.workers.append(late)
    await late.start()
    late.watch.report.serves = 1
    await until(lambda: late.backends == MOVED)
    assert await late.call() == MOVED
    assert "prepare" not in late.told


async def test_the_first_worker_decides_what_is_in_force(place: Place) -> None:
    async with switching(place.control()):
        pass
    await place.start(1)  # all were stopped, and the config file was changed
    assert place.order.in_force == SQL
    with place.tables.connect() as connection:
        assert not place.tables.begin_with(connection, "another", MOVED)
    assert place.order.in_force == SQL


async def test_a_worker_that_fails_after_the_decision_ends_and_lets_nobody_pass(place: Place) -> None:
    one, other = await place.start()
    other.failures["switch"] = SwitchError("The guard fell over.")
    control = place.control()
    await control.prepare(MOVED)
    await control.hold()
    await control.switch()
    with pytest.raises(SwitchError, match="The switch is made, but process"):
        await control.finished(1.0)
    assert {*other.ended} == {"The guard fell over."}
    assert await one.call() == MOVED
    call = asyncio.create_task(other.call())
    await asyncio.wait([call], timeout=0.5)
    assert not call.done()
    call.cancel()


async def test_a_worker_that_is_gone_is_not_waited_for_and_lets_nobody_pass(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_tables, "GONE", 2.0)
    monkeypatch.setattr(watch, "FENCE", 1.0)
    one, gone = await place.start()
    gone.watch._ends.set()  # as if its process was stopped: it does not look, and does not sign off
    gone.watch._tables.sign_off = lambda *_: None  # type: ignore[method-assign]
    async with switching(place.control()):
        call = asyncio.create_task(gone.call())
        await asyncio.wait([call], timeout=0.5)
        assert not call.done()
    assert one.backends == MOVED
    assert gone.backends == SQL
    call.cancel()


async def test_a_worker_that_falls_silent_after_it_was_prepared_ends_the_switch(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may only be stopped: what is inside its gate would go on with the former backend when all is over."""
    monkeypatch.setattr(control_tables, "GONE", 0.5)
    stopped, _ = await place.start()
    control = place.control()
    await control.prepare(MOVED, 10.0)
    stopped.watch._ends.set()  # as if its process was stopped: it does not look, and does not sign off
    stopped.watch._tables.sign_off = lambda *_: None  # type: ignore[method-assign]
    await until(lambda: place.reports() == 1)
    with pytest.raises(SwitchError, match="was not heard of any more"):
        await control.hold(10.0)
    assert place.order.phase == "open"
