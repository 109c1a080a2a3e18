"""Stock repositories on a database without anything of ours, and the same ones written through; both must be equal."""

from __future__ import annotations

import asyncio
import copy
import inspect
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
from open_webui.internal.db import Base
from open_webui.models.files import File
from open_webui.models.groups import Group, GroupMember
from open_webui.models.users import User
from sqlalchemy import text

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.changes.through import Through
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.host.guard import install_guard
from tests.support.differential import START, Clock, Identifiers, _outcome, pocketbase_rows, same
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import StockDatabase, new_postgresql_database, sqlite_database, stock_class

__all__ = ["Compared", "blocking_comparison", "open_comparison", "public_methods"]

READING = ("get_", "search_", "count_", "has_", "check_", "compute_")
"""How the names of methods begin that read; what one of them writes is seen after the next one that does not."""

ALSO = ("access_grant", "channel_member", "channel", "file", "group_member", "group", "user")
"""Tables which the repositories read or write besides their own; those which refer to others come first."""


@dataclass
class Compared:
    """A stock database and one that is written through, in the same state.

    Attributes:
        tables: The tables that are written through.
        step: Seconds that pass with each call.
    """

    tables: tuple[str, ...]
    stock: StockDatabase
    through: StockDatabase
    mirror: Mirror
    client: PocketBaseClient
    server: PocketBaseProcess
    clock: Clock = field(default_factory=Clock)
    identifiers: Identifiers = field(default_factory=Identifiers)
    step: int = 1

    async def call(self, name: str, *args: Any, sort: bool = False, **kwargs: Any) -> Any:
        """Call a method on both, compare, and return the stock result (the exception, if it raised one).

        Args:
            name: ``Singleton.method``.
            args: Its arguments.
            sort: Whether the method's rows have no order on SQLite either.
            kwargs: Its arguments.
        """
        singleton, method = name.split(".")
        function = getattr(stock_class(singleton)(), method)
        sort = sort or not self.stock.is_sqlite

        def outcome() -> Any:
            given, named = copy.deepcopy((args, kwargs))
            return _outcome(function, given, named)

        is_reading = method.startswith(READING)
        return await self.do(f"{name}{args}{kwargs or ''}", outcome, sort=sort, is_reading=is_reading)

    async def do(
        self,
        what: str,
        action: Callable[[], Any],
        *,
        sort: bool = False,
        is_reading: bool = False,
        only: tuple[str, ...] = (),
    ) -> Any:
        """Do something on both, compare, and return what came of it on the stock database.

        Args:
            what: Names it in messages.
            action: Does it, on the database that is the host's.
            sort: Whether its result has no order.
            is_reading: Whether it writes nothing.
            only: The tables that it can have changed, if they are known.
        """
        self.clock.now += self.step
        first = self.identifiers.next
        with self.stock.active():
            expected = await action()
        made, self.identifiers.next = self.identifiers.next, first
        with self.through.active():
            actual = await action()
        assert self.identifiers.next == made, f"{what} makes as many ids on both"
        same(what, expected, actual, sort=sort)
        if not is_reading:
            await self.compare(what, only)
        return expected

    async def compare(self, what: str, only: tuple[str, ...] = ()) -> None:
        """Check that both SQL databases and PocketBase have the same rows, and that nothing waits."""
        for table in only or (*self.tables, "access_grant", "channel_member", "user"):
            rows = await self.through.rows(table)
            same(f"{table} after {what}", await self.stock.rows(table), rows, sort=True)
        await self.agree(what, only)

    async def agree(self, what: str, only: tuple[str, ...] = ()) -> None:
        """Check that PocketBase has the rows of the database that is written through, and that nothing waits."""
        for table in only or self.tables:
            there = pocketbase_rows(self.server.data_dir, table)
            same(f"{table} in PocketBase after {what}", await self.through.rows(table), there, sort=True)
        with self.through.active():
            async with sql.begin() as connection:
                for table in ("owui_pocketbase_unsent", "owui_pocketbase_touched"):
                    count = await connection.scalar(text(f"SELECT count(*) FROM {table}"))
                    assert count == 0, f"{table} after {what}"
                if self.stock.is_sqlite:
                    is_open = await connection.scalar(text("SELECT writing FROM owui_pocketbase_mirror"))
                    assert not is_open, f"the guard is shut after {what}"

    async def seed(self, make: Callable[[], list[Any]]) -> None:
        """Insert ORM objects into both."""
        await self.stock.add(*make())
        with self.through.active():
            await self.through.add(*make())

    async def in_pocketbase(self, query: str) -> None:
        """Change records past Open WebUI."""
        await self.client._send("POST", "/api/sql", orjson.dumps({"query": query}), "")

    async def clear(self) -> None:
        """Go back to the start: three users, a group of the second one, three files, and nothing else."""
        self.clock.now, self.identifiers.next, self.step = START, 0, 1
        names = {*self.tables, *ALSO}
        tables = [table for table in reversed(Base.metadata.sorted_tables) if table.name in names]
        with self.through.active():
            await self.mirror.catch_up()  # what a test that has failed left behind
        for database in (self.stock, self.through):
            with database.active():
                async with database.engine.begin() as connection:
                    for table in tables:
                        await connection.execute(table.delete())
        for make in (_people, _what_they_have, _memberships):
            await self.seed(make)


TIMES = {"created_at": START, "updated_at": START}


def _people() -> list[Any]:
    return [
        User(
            id=f"u{n}",
            name=f"User {n}",
            email=f"u{n}@example.com",
            role="user",
            timezone="Europe/Berlin" if n == 2 else None,
            last_active_at=START,
            **TIMES,
        )
        for n in (1, 2, 3)
    ]


def _what_they_have() -> list[Any]:
    files = [
        File(
            id=f"f{n}",
            user_id="u1",
            hash=f"h{n}",
            filename=f"file {n}.txt",
            path=f"/f{n}",
            data={"content": f"text of {n}", "status": "completed"},
            meta={"name": f"file {n}.txt", "size": n},
            created_at=START + n,
            updated_at=START - n,
        )
        for n in (1, 2, 3)
    ]
    return [*files, Group(id="g", user_id="u1", name="G", description="", permissions={}, **TIMES)]


def _memberships() -> list[Any]:
    return [GroupMember(id="m", group_id="g", user_id="u2", **TIMES)]


@asynccontextmanager
async def open_comparison(
    groups: tuple[str, ...], kind: str, server: PocketBaseProcess, directory: Path
) -> AsyncIterator[Compared]:
    """Give both databases, and stop the time.

    Args:
        groups: The groups that are written through.
        kind: ``sqlite`` or ``postgresql``.
        server: Of nobody else.
        directory: For the databases.
    """
    make = partial(sqlite_database, directory) if kind == "sqlite" else new_postgresql_database
    stock, written = make(), make()
    client = server.client()
    mirror = Mirror(client, groups)
    through = Through(mirror, 5.0)
    tables = tuple(table for group in groups for table in CATALOG[group].tables)
    compared = Compared(tables, stock, written, mirror, client, server)
    try:
        with written.active():
            await mirror.start()
            await install_guard(groups)
            through.start()
        with _patched(compared):
            yield compared
    finally:
        with written.active():
            through.stop()
        await client.aclose()
        await stock.close()
        await written.close()


@contextmanager
def blocking_comparison(
    runner: asyncio.Runner, groups: tuple[str, ...], server: PocketBaseProcess, directory: Path
) -> Iterator[Compared]:
    """Give both as SQLite databases for one event loop."""
    context = open_comparison(groups, "sqlite", server, directory)
    compared = runner.run(_enter(context))
    try:
        yield compared
    finally:
        runner.run(_leave(context))


async def _enter(context: Any) -> Compared:
    entered: Compared = await context.__aenter__()
    return entered


async def _leave(context: Any) -> None:
    await context.__aexit__(None, None, None)


@contextmanager
def _patched(compared: Compared) -> Iterator[None]:
    """Have all models of the host make ids and read the time as the comparison says."""
    replacements = {"time": compared.clock, "uuid": compared.identifiers, "uuid4": compared.identifiers.uuid4}
    modules = [module for name, module in sys.modules.items() if name.startswith("open_webui.models.")]
    with ExitStack() as stack:
        for module in modules:
            for name, new in replacements.items():
                if hasattr(module, name):
                    stack.enter_context(patch.object(module, name, new))
        stack.enter_context(patch("open_webui.utils.automations.next_run_ns", _next_run))
        yield


async def _next_run(rrule: str, tz: str | None = None) -> int | None:
    """Return a time that depends on the arguments only; the host's looks at the clock of the machine."""
    return None if "COUNT" in rrule else (START + 86_400 + len(tz or "")) * 10**9 + 1


def public_methods(name: str) -> set[str]:
    """Return the asynchronous methods of a stock repository that others may call."""
    methods = vars(stock_class(name)).items()
    return {method for method, found in methods if inspect.iscoroutinefunction(found) and not method.startswith("_")}
