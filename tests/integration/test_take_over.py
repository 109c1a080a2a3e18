"""A mirror that begins while Open WebUI runs: with the rows that were moved, and without comparing them first."""

from __future__ import annotations

from typing import Any

import pytest

from openwebui_pocketbase.changes import writer
from openwebui_pocketbase.client import PocketBaseClient
from tests.support.mirrors import (
    Installation,
    alien,
    check,
    client,
    database,
    no_sockets,
    one,
    user,
)
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import StockDatabase

__all__ = ["client", "database", "no_sockets", "one"]


async def begin(installation: Installation, name: str = "switch-1") -> None:
    await installation.mirror.watch()
    await installation.mirror.take_over(name)


async def test_writes_are_copied_from_then_on_and_nothing_is_compared(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def compare(*_: Any, **__: Any) -> None:
        pytest.fail("whole tables are compared")

    monkeypatch.setattr(writer, "copy_tables", compare)
    await begin(one)
    await user(one, 1)
    await check(database, own_pocketbase)


async def test_the_processes_that_take_over_at_the_same_time_agree(
    one: Installation, client: PocketBaseClient, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    other = Installation(client)
    await begin(one)
    await user(one, 1)
    await begin(other)
    await user(other, 2)
    await user(one, 3)
    await check(database, own_pocketbase)
    assert {row["id"] for row in await database.rows("user")} == {"u1", "u2", "u3"}


async def test_what_differs_all_the_same_is_put_right_afterwards(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    await begin(one)
    await user(one, 1)
    await database.add(alien())
    await one.mirror.compare()
    await check(database, own_pocketbase)


async def test_tables_join_those_that_are_covered_already(
    client: PocketBaseClient, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    before = Installation(client, ("groups", "access"))
    await before.mirror.start()
    after = Installation(client)
    await after.mirror.watch(before.mirror.names)
    await before.mirror.keep_up()
    await after.mirror.take_over("switch-1")
    await user(after, 1)
    await check(database, own_pocketbase)
    await after.mirror.compare()
    await check(database, own_pocketbase)


async def test_tables_that_leave_are_not_copied_any_more(
    one: Installation, client: PocketBaseClient, database: StockDatabase
) -> None:
    await begin(one)
    await user(one, 1)
    nothing = Installation(client, ())
    await nothing.mirror.watch(one.mirror.names)
    await nothing.mirror.take_over("switch-2")
    await nothing.mirror.watch()
    await database.add(alien())  # the host's own rows now
    again = Installation(client)
    await again.mirror.watch()
    await again.mirror.take_over("switch-3")
    assert {row["id"] for row in await database.rows("user")} == {"u1", "alien"}
