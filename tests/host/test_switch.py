"""Groups of data move while Open WebUI runs and people write: nothing fails, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.moving import Load, Mover, records
from tests.support.openwebui import EVERY_GROUP

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

MOVED = ("folders", "tags", "messages")
WRITES = 60


@pytest.fixture(scope="module")
def instance(new_openwebui: Callable[..., OpenWebUI]) -> Iterator[OpenWebUI]:
    """One with everything in SQL, in two worker processes; one process moves in test_migrate.py."""
    instance = new_openwebui("switch", {"UVICORN_WORKERS": "2"}, config="switchable = true\n").start()
    instance.user("admin")
    yield instance
    instance.stop()


@pytest.fixture
def mover(instance: OpenWebUI) -> Iterator[Mover]:
    mover = Mover(instance)
    yield mover
    mover.close()


async def test_nothing_fails_and_nothing_is_lost_when_groups_move_there_and_back(
    instance: OpenWebUI, mover: Mover, capsys: pytest.CaptureFixture[str]
) -> None:
    load = Load(instance)
    with load.running():
        load.wait_for(WRITES)
        there = await mover.to_pocketbase(MOVED)
        load.wait_for(WRITES)
        in_sql = {name: {row["id"] for row in mover.rows(name)} for name in ("folder", "message")}
        with instance.admin() as admin:
            in_pocketbase = {name: {row["id"] for row in records(admin, name)} for name in ("folder", "message")}
        groups = instance.http.get("/health/storage").json()["groups"]
        workers = await mover.control.workers()
        load.wait_for(WRITES)
        back = await mover.to_sql(MOVED)
        load.wait_for(WRITES)
    with capsys.disabled():
        gaps = [round(load.longest_gap(*moment), 2) for moment in (there, back)]
        print(f"\n{len(workers)} workers, {len(load.answered)} writes; longest gaps at the switches: {gaps} s")

    assert load.failed == []
    assert {group for group, backend in groups.items() if backend == "pocketbase"} == {*MOVED}
    assert {worker.phase for worker in workers} == {"switched"}
    for name in ("folder", "message"):
        assert in_sql[name] < in_pocketbase[name]  # what was written after the switch is in PocketBase only
        assert {*load.made[name]} <= {row["id"] for row in mover.rows(name)}
    assert {*load.made["tag"]} <= {row["id"] for row in mover.rows("tag")}
    assert {*load.made["entry"]} <= {row["id"] for row in mover.rows("chat")}
    for _ in range(4):  # connections of their own, to whichever worker takes them
        with instance.client() as client:
            listed = client.get("/api/v1/folders/", headers=instance.headers("admin")).json()
        assert {*load.made["folder"]} <= {folder["id"] for folder in listed}


def test_one_that_can_switch_starts_with_everything_in_pocketbase(
    new_openwebui: Callable[..., OpenWebUI],
) -> None:
    config = 'switchable = true\nstorage_backend = "pocketbase"\n'
    instance = new_openwebui("switchable", config=config, in_pocketbase=EVERY_GROUP).start()
    load = Load(instance)
    with load.running():
        load.wait_for(20)
    assert load.failed == []
    with instance.admin() as admin:
        assert {*load.made["folder"]} == {row["id"] for row in records(admin, "folder")}
        assert {*load.made["message"]} == {row["id"] for row in records(admin, "message")}
    assert instance.sql("SELECT count(*) FROM folder") == [(0,)]
    assert [row[0] for row in instance.sql("SELECT email FROM user")] == ["admin@example.com"]
    instance.stop()
