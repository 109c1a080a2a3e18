"""Another plugin's table that is written through: PocketBase has its rows with each commit; SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Column, Integer, Text, delete, insert, select, text, update
from sqlalchemy import inspect as inspect_database
from sqlalchemy.exc import IntegrityError

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.changes.sql_tables import make_tables
from openwebui_pocketbase.changes.through import Through
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import ConfigurationError, ConflictError, SchemaError
from openwebui_pocketbase.hookspecs import WrittenThrough
from openwebui_pocketbase.host.guard import install_guard
from openwebui_pocketbase.migrate.items import Item, Unit, units_of
from openwebui_pocketbase.migrate.pocketbase.store import PocketBaseStore
from openwebui_pocketbase.migrate.sql.store import SqlStore
from openwebui_pocketbase.schema.bootstrap import bring_up, inspect
from tests.support.differential import pocketbase_rows, same
from tests.support.mirrors import client, database, no_sockets
from tests.support.pocketbase import PocketBaseProcess, clone
from tests.support.ratings import RATINGS, hooks_with_plugins, joined, rating_table, row_of
from tests.support.stock import StockDatabase

__all__ = ["client", "database", "no_sockets"]

GROUPS = ("ratings",)
TABLE = rating_table()


@pytest.fixture
def plugin() -> Iterator[ExitStack]:
    """The plugin, installed; closing the stack uninstalls it."""
    with ExitStack() as stack:
        stack.enter_context(joined(RATINGS))
        yield stack


@pytest.fixture
def own_pocketbase(plugin: ExitStack, prepared_pocketbase: Path, tmp_path: Path) -> Iterator[PocketBaseProcess]:
    """A server with the plugin's declaration."""
    server = PocketBaseProcess(
        clone(prepared_pocketbase, tmp_path), hooks_dir=hooks_with_plugins(tmp_path / "pb_hooks")
    ).start()
    try:
        with server.admin() as admin:
            bring_up(admin)
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
async def no_table_left(database: StockDatabase) -> AsyncIterator[None]:
    yield
    await drop(database)


async def drop(database: StockDatabase) -> None:
    await install_guard(())
    async with database.engine.begin() as connection:
        await connection.execute(text("DROP TABLE IF EXISTS rating"))


@asynccontextmanager
async def running(server: PocketBaseProcess) -> AsyncIterator[Mirror]:
    """Run what a process of Open WebUI does for the plugin's table."""
    client = server.client()
    mirror = Mirror(client, GROUPS)
    await mirror.start()
    await install_guard(GROUPS)
    through = Through(mirror, 30.0)
    through.start()
    try:
        yield mirror
    finally:
        through.stop()
        await client.aclose()


async def run(database: StockDatabase, *statements: Any) -> None:
    """Do something as the plugin would, in one transaction."""
    async with database.sessions() as session:
        for statement in statements:
            await session.execute(statement)
        await session.commit()


async def rows(database: StockDatabase) -> list[dict[str, Any]]:
    async with database.engine.connect() as connection:
        found = (await connection.execute(select(TABLE))).mappings()
        return [{str(name): value for name, value in row.items()} for row in found]


async def check(database: StockDatabase, server: PocketBaseProcess, wanted: list[dict[str, Any]]) -> None:
    """Check that both sides have these rows, and nothing waits."""
    same("SQL", wanted, await rows(database), sort=True)
    same("PocketBase", wanted, pocketbase_rows(server.data_dir, "rating"), sort=True)
    async with sql.begin() as connection:
        for table in ("owui_pocketbase_unsent", "owui_pocketbase_touched"):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar() == 0


def edit(server: PocketBaseProcess, record_id: str, **values: Any) -> None:
    with server.admin() as admin:
        admin.send("PATCH", f"/api/collections/owui_x_rating/records/{record_id}", values)


async def test_rows_are_there_with_the_commit(database: StockDatabase, own_pocketbase: PocketBaseProcess) -> None:
    async with running(own_pocketbase):
        await run(database, insert(TABLE).values([row_of(number) for number in range(3)]))
        await check(database, own_pocketbase, [row_of(number) for number in range(3)])
        await run(
            database,
            update(TABLE).where(TABLE.c.id == "Rating_1").values(stars=5, comment="ü", meta=[]),
            delete(TABLE).where(TABLE.c.id == "Rating_2"),
        )
        changed = row_of(1, stars=5, comment="ü", meta=[])
        await check(database, own_pocketbase, [row_of(0), changed])


async def test_a_row_that_somebody_else_has_changed_is_refused_with_all_others(
    database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    async with running(own_pocketbase) as mirror:
        await run(database, insert(TABLE).values([row_of(1), row_of(2)]))
        edit(own_pocketbase, "Rating_1", comment="theirs")
        with pytest.raises(ConflictError):
            await run(database, update(TABLE).values(comment="ours"))
        assert {row["comment"] for row in await rows(database)} == {None}
        await mirror.catch_up()
        await check(database, own_pocketbase, [row_of(1, comment="theirs"), row_of(2)])
        await run(database, update(TABLE).values(comment="ours"))
        await check(database, own_pocketbase, [row_of(1, comment="ours"), row_of(2, comment="ours")])


async def test_what_is_unique_is_so_in_pocketbase(database: StockDatabase, own_pocketbase: PocketBaseProcess) -> None:
    """Also if the SQL database does not know it yet: nothing is committed."""
    async with running(own_pocketbase):
        with own_pocketbase.admin() as admin:
            theirs = {**row_of(1), "id": "theirs", "nulls": []}
            admin.send("POST", "/api/collections/owui_x_rating/records", theirs)
        with pytest.raises(IntegrityError):
            await run(database, insert(TABLE).values(row_of(1)))
        assert await rows(database) == []


async def test_others_cannot_write_the_table(database: StockDatabase, own_pocketbase: PocketBaseProcess) -> None:
    async with running(own_pocketbase):
        await run(database, insert(TABLE).values(row_of(1)))
        with pytest.raises(IntegrityError, match="ratings are in PocketBase"), database.plain_engine.begin() as plain:
            plain.execute(update(TABLE).values(stars=0))
        await check(database, own_pocketbase, [row_of(1)])


async def test_records_of_the_dashboard_come_back(database: StockDatabase, own_pocketbase: PocketBaseProcess) -> None:
    async with running(own_pocketbase) as mirror:
        with own_pocketbase.admin() as admin:
            admin.send("POST", "/api/collections/owui_x_rating/records", {"user_id": "u", "model_id": "m", "stars": 4})
        await mirror.catch_up()
        (found,) = await rows(database)
        given = {"user_id": "u", "model_id": "m", "stars": 4}
        assert found == {"id": found["id"], **given, "is_public": False, "comment": None, "meta": None, "created_at": 0}
        await run(database, update(TABLE).values(stars=1))
        await check(database, own_pocketbase, [{**found, "stars": 1}])


async def test_a_lost_table_is_made_anew(database: StockDatabase, own_pocketbase: PocketBaseProcess) -> None:
    wanted = [row_of(number, comment="x") for number in range(300)]
    async with running(own_pocketbase):
        await run(database, insert(TABLE).values(wanted))
    await drop(database)
    async with running(own_pocketbase):
        await check(database, own_pocketbase, wanted)


async def test_two_processes_that_start_make_it_once(
    plugin: ExitStack, database: StockDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one has looked before the first one has made it."""
    await make_tables(["rating"])
    looks: list[Any] = []

    def look(connection: Any) -> Any:
        found = inspect_database(connection)
        if not looks:
            monkeypatch.setattr(found, "has_table", lambda *_: False)
        looks.append(found)
        return found

    monkeypatch.setattr("openwebui_pocketbase.changes.sql_tables.inspect", look)
    await make_tables(["rating"])
    assert len(looks) == 2
    assert await rows(database) == []


async def test_what_was_written_without_us_is_kept_aside(
    database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    """PocketBase is right, and nothing of what the SQL database had otherwise is lost."""
    async with running(own_pocketbase):
        await run(database, insert(TABLE).values([row_of(1), row_of(2)]))
    await install_guard(())
    await run(database, update(TABLE).where(TABLE.c.id == "Rating_1").values(stars=9), insert(TABLE).values(row_of(3)))
    async with running(own_pocketbase):
        await check(database, own_pocketbase, [row_of(1), row_of(2)])
    async with sql.begin() as connection:
        aside = (await connection.execute(text("SELECT name, row_id FROM owui_pocketbase_aside"))).all()
    assert ("rating", "Rating_3") in [tuple(row) for row in aside]


async def test_rows_move_to_pocketbase_and_back(
    database: StockDatabase, own_pocketbase: PocketBaseProcess, client: PocketBaseClient
) -> None:
    wanted = [row_of(number, comment="x") for number in range(3)]
    await make_tables(["rating"])
    await run(database, insert(TABLE).values(wanted))
    (unit,) = units_of(["ratings"])
    here, there = SqlStore(), PocketBaseStore(client)
    assert await there.save(unit, [(item, None) for item in await items(here, unit)]) == []
    same("PocketBase", wanted, pocketbase_rows(own_pocketbase.data_dir, "rating"), sort=True)
    await run(database, delete(TABLE))
    assert await here.save(unit, [(item, None) for item in await items(there, unit)]) == []
    same("SQL", wanted, await rows(database), sort=True)


async def items(store: SqlStore | PocketBaseStore, unit: Unit) -> list[Item]:
    keys = [each.key async for page in store.keys(unit) for each in page]
    return [*(await store.load(unit, keys)).values()]


async def test_columns_of_a_later_version(
    plugin: ExitStack, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    async with running(own_pocketbase):
        await run(database, insert(TABLE).values([row_of(1), row_of(2)]))
    plugin.close()
    new: list[Column[Any]] = [
        Column("language", Text),
        Column("weight", Integer),
        Column("is_old", Boolean, nullable=False),
    ]
    later = rating_table(*new)
    with joined(WrittenThrough("ratings", [later])):
        with own_pocketbase.admin() as admin, pytest.raises(SchemaError, match=r"plugins/ratings\.json is of another"):
            bring_up(admin)
        own_pocketbase.stop()
        hooks_with_plugins(own_pocketbase.hooks_dir)
        own_pocketbase.start()
        with own_pocketbase.admin() as admin:
            bring_up(admin)
            assert not inspect(admin).problems()
        async with running(own_pocketbase):
            old = [row_of(number, language=None, weight=None, is_old=False) for number in (1, 2)]
            same("PocketBase", old, pocketbase_rows(own_pocketbase.data_dir, "rating"), sort=True)
            async with database.sessions() as session:
                found = (await session.execute(select(later))).mappings()
                same("SQL", old, [{str(name): row[name] for name in row} for row in found], sort=True)
                await session.execute(update(later).where(later.c.id == "Rating_1").values(language="de", is_old=True))
                await session.commit()
            changed = [row_of(1, language="de", weight=None, is_old=True), old[1]]
            same("PocketBase", changed, pocketbase_rows(own_pocketbase.data_dir, "rating"), sort=True)


async def test_a_new_column_of_json_can_be_none(
    plugin: ExitStack, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    async with running(own_pocketbase):
        await run(database, insert(TABLE).values(row_of(1)))
    plugin.close()
    with joined(WrittenThrough("ratings", [rating_table(Column("more", JSON, nullable=False))])):
        own_pocketbase.stop()
        hooks_with_plugins(own_pocketbase.hooks_dir)
        own_pocketbase.start()
        with own_pocketbase.admin() as admin:
            bring_up(admin)
        with pytest.raises(ConfigurationError, match="column more, which cannot be None"):
            async with running(own_pocketbase):
                raise AssertionError


async def test_a_plugin_that_is_gone_and_comes_back(
    plugin: ExitStack, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    """Without it the server fits, and its records stay; the file with its declaration does no harm."""
    async with running(own_pocketbase):
        await run(database, insert(TABLE).values([row_of(1), row_of(2)]))
    plugin.close()
    with own_pocketbase.admin() as admin:
        bring_up(admin)
        state = inspect(admin)
        assert (state.problems(), state.hooks_left_over) == ([], ("owui/plugins/ratings.json",))
        assert admin.sql("SELECT count(*) AS n FROM owui_x_rating") == [{"n": "2"}]
        admin.sql("UPDATE owui_x_rating SET stars = 7 WHERE id = 'Rating_2'; DELETE FROM owui_x_rating WHERE stars = 1")
    await install_guard(())
    with joined(RATINGS):
        with own_pocketbase.admin() as admin:
            assert inspect(admin).is_behind
            bring_up(admin)
        async with running(own_pocketbase):
            await check(database, own_pocketbase, [row_of(2, stars=7)])


def test_a_server_that_does_not_know_the_table(plugin: ExitStack, pocketbase: PocketBaseProcess) -> None:
    with pocketbase.admin() as admin, pytest.raises(SchemaError, match=r"owui/plugins/ratings\.json is missing"):
        bring_up(admin)
