"""The mirror: the SQL database's copy of rows in PocketBase, whatever happens between the two."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest
from open_webui.models.access_grants import AccessGrant
from open_webui.models.groups import GroupForm, GroupUpdateForm
from open_webui.models.memories import Memory
from open_webui.models.users import User
from psycopg.errors import LockNotAvailable
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from openwebui_pocketbase.changes import feed as feed_module
from openwebui_pocketbase.changes import follower as follower_module
from openwebui_pocketbase.changes import source as source_module
from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes import table as table_module
from openwebui_pocketbase.changes.feed import Feed
from openwebui_pocketbase.changes.follower import Follower
from openwebui_pocketbase.changes.settle import kept_aside
from openwebui_pocketbase.changes.source import Changes
from openwebui_pocketbase.changes.state import create_state
from openwebui_pocketbase.changes.watch import touched, unwatch
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.host.guard import give_back
from openwebui_pocketbase.repositories.groups import PocketBaseGroups
from openwebui_pocketbase.repositories.users.auths import PocketBaseAuths
from tests.support.differential import HOSTILE_NAMES, JSON_OBJECTS, pocketbase_rows
from tests.support.mirrors import (
    GROUPS,
    Installation,
    alien,
    check,
    client,
    database,
    hold_applying,
    no_sockets,
    one,
    other,
    raw_user,
    user,
)
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import StockDatabase

__all__ = ["client", "database", "no_sockets", "one", "other"]

WAITING = """SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE NOT l.granted AND d.datname = current_database()"""
"""How many wait for a lock in this database of PostgreSQL."""

PERMISSION = {"principal_id": "x", "permission": "read", "created_at": 1}


async def check_names(database: StockDatabase, names: set[str]) -> None:
    assert {row["name"] for row in await database.rows("user")} == names


async def test_rows_are_copied_with_each_write(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    await user(one, 1, role="admin", oauth={"oidc": {"sub": "x"}})
    await check(database, own_pocketbase)
    await user(one, 2)
    await one.users.update_user_settings_by_id("u1", {"ui": {"a": [1, 1.5, None, "x"]}, "b": 2**53})
    await one.users.update_user_by_id("u2", {"name": "Renamed", "email": "new@example.com", "bio": ""})
    await check(database, own_pocketbase)
    top = await one.groups.insert_new_group("u1", GroupForm(name="top", description="d"))
    below = await one.groups.insert_new_group("u1", GroupForm(name="below", description="", parent_group_id=top.id))
    await one.groups.add_users_to_group(below.id, ["u1", "u2"])
    await check(database, own_pocketbase)
    grants = [{"principal_type": "group", "principal_id": top.id, "permission": "read"}]
    await one.grants.set_access_grants("model", "m", [*grants, {**grants[0], "permission": "write"}])
    await one.grants.set_access_grants("note", "n", grants)
    await check(database, own_pocketbase)
    await one.grants.set_access_grants("model", "m", grants)  # the same key as a grant which is deleted
    await one.groups.update_group_by_id(below.id, GroupUpdateForm(name="b", description="", parent_group_id=None))
    await check(database, own_pocketbase)
    await one.groups.set_group_user_ids_by_id(below.id, ["u2"])
    await one.groups.delete_group_by_id(top.id)
    await check(database, own_pocketbase)
    await one.mirror.write("users/delete_user_by_id", {"id": "u2"})
    await one.groups.delete_all_groups()
    await check(database, own_pocketbase)
    assert len(await database.rows("user")) == 1


async def test_columns_are_found_by_the_hosts_sql(one: Installation, database: StockDatabase) -> None:
    await user(one, 1)
    await one.users.update_last_active_by_id("u1")
    async with database.sessions() as session:
        found = (await session.execute(select(User).where(User.settings.is_(None), User.role == "user"))).scalar_one()
        assert found.last_active_at > 0
        assert found.date_of_birth is None


@pytest.mark.parametrize("name", ["quotes", "emoji", "NUL inside", "300 characters", "JSON object", "backslashes"])
async def test_values_of_all_kinds(
    name: str, one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    await user(one, 1, name=HOSTILE_NAMES[name], username=HOSTILE_NAMES[name])
    await one.users.update_user_settings_by_id("u1", {"all": JSON_OBJECTS["values to escape"]})
    if database.is_sqlite:
        await check(database, own_pocketbase)
    else:  # no NUL in texts, and 50 characters at most in this one
        (row,) = await database.rows("user")
        assert row["name"] == HOSTILE_NAMES[name].replace("\x00", "")
        assert row["username"] == HOSTILE_NAMES[name].replace("\x00", "")[:50]


@pytest.mark.parametrize("groups", [("users",), ("groups", "access")], ids="+".join)
async def test_only_tables_of_groups_in_pocketbase(
    groups: tuple[str, ...], client: PocketBaseClient, one: Installation, database: StockDatabase
) -> None:
    """What PocketBase has of other groups is of earlier times, and not asked for."""
    plain = Installation(client, groups)
    await client.write("users/insert_new_user", raw_user("u7"))
    if "users" in groups:
        await user(plain, 2)
    else:
        await plain.groups.insert_new_group("u7", GroupForm(name="g", description=""))
    assert bool(await database.rows("user")) == ("users" in groups)
    assert bool(await database.rows("group")) == ("groups" in groups)


async def test_parents_may_come_behind_their_children(
    one: Installation, client: PocketBaseClient, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    groups = object.__new__(PocketBaseGroups)
    groups.pocketbase = client
    made = [await groups.insert_new_group("u", GroupForm(name=str(n), description="")) for n in range(6)]
    ids = [group.id for group in made if group is not None]
    assert len(ids) == 6
    for child, parent in zip(sorted(ids), sorted(ids)[1:], strict=False):
        form = GroupUpdateForm(name=child, description="", parent_group_id=parent)
        await groups.update_group_by_id(child, form)
    await one.mirror.start()
    await check(database, own_pocketbase)


# Many at once


@asynccontextmanager
async def counted(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[int]]:
    """Counts the mirror's transactions."""
    transactions: list[int] = []
    begin, transact = sql.begin, sql.transact

    @asynccontextmanager
    async def count() -> AsyncIterator[Any]:
        transactions.append(1)
        async with begin() as connection:
            yield connection

    async def count_and_run(function: Any) -> Any:
        transactions.append(1)
        await asyncio.sleep(0.2)  # so that some wait
        return await transact(function)

    with monkeypatch.context() as patch:
        patch.setattr(sql, "begin", count)
        patch.setattr(sql, "transact", count_and_run)
        yield transactions


async def test_many_writers_share_transactions(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.mirror.start()
    async with counted(monkeypatch) as transactions:
        await asyncio.gather(*(user(one, number) for number in range(64)))
    await check(database, own_pocketbase)
    assert len(await database.rows("user")) == 64
    assert len(transactions) < 40


async def test_several_processes_create_the_table_at_once(database: StockDatabase) -> None:
    for _ in range(20):
        await asyncio.gather(*(create_state() for _ in range(4)))
        async with database.engine.begin() as connection:
            await connection.execute(text("DROP TABLE owui_pocketbase_mirror"))


async def test_two_processes_at_once(
    one: Installation, other: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    await asyncio.gather(one.mirror.start(), other.mirror.start())

    async def work(installation: Installation, start: int) -> None:
        for number in range(start, start + 15):
            await user(installation, number)
            await installation.users.update_user_role_by_id("u0", f"role {number}")
            await installation.users.update_user_role_by_id("u100", f"role {number}")

    await asyncio.gather(*(work(installation, start) for installation, start in ((one, 0), (other, 100), (one, 200))))
    await check(database, own_pocketbase)


async def test_an_older_answer_does_not_undo_a_newer_one(
    one: Installation,
    other: Installation,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await user(one, 1)
    await other.mirror.start()
    waits, goes_on = hold_applying(one.mirror, monkeypatch)
    old = asyncio.ensure_future(one.users.update_user_by_id("u1", {"name": "old"}))
    await waits.wait()
    await other.users.update_user_by_id("u1", {"name": "new"})
    goes_on.set()
    await old
    assert [row["name"] for row in await database.rows("user")] == ["new"]
    await check(database, own_pocketbase)


async def test_a_reply_that_came_behind_a_newer_one_costs_no_transaction(
    one: Installation, client: PocketBaseClient, database: StockDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    await user(one, 1)
    known = one.mirror._known
    assert known is not None
    parameters = {"id": "u1", "changes": {"name": "old"}}
    older = await client.submit("users/update_user_by_id", parameters, mirrored_up_to=known.cursor)
    assert older.changes is not None
    await one.users.update_user_by_id("u1", {"name": "new"})
    async with counted(monkeypatch) as transactions:
        await one.mirror._take(source_module.Changes(**older.changes), known)
    assert transactions == []
    await check_names(database, {"new"})


async def test_a_cancelled_writer_takes_nobody_along(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    await user(one, 0)
    begun: asyncio.Future[asyncio.Task[Any]] = asyncio.get_running_loop().create_future()
    apply = one.mirror._apply

    async def first_hangs(*args: Any) -> None:
        if not begun.done():
            task = asyncio.current_task()
            assert task is not None
            begun.set_result(task)
            await asyncio.sleep(60)
        await apply(*args)

    monkeypatch.setattr(one.mirror, "_apply", first_hangs)
    writers = [asyncio.ensure_future(user(one, number)) for number in (1, 2, 3)]
    serving = await begun
    while len(one.mirror._waiting) < 2:  # noqa: ASYNC110 - the others wait for it
        await asyncio.sleep(0.01)
    serving.cancel()
    results = await asyncio.gather(*writers, return_exceptions=True)
    assert [type(result) for result in results].count(asyncio.CancelledError) == 1
    await check(database, own_pocketbase)


# Failures


async def test_a_failing_sql_database_is_told_and_made_up_for(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    await user(one, 1)

    async def fail(_function: Any) -> None:
        raise OperationalError("BEGIN", None, Exception("database is locked"))

    with monkeypatch.context() as patch:
        patch.setattr(sql, "transact", fail)
        results = await asyncio.gather(*(user(one, number) for number in (2, 3, 4)), return_exceptions=True)
        assert [type(result) for result in results] == [OperationalError] * 3
    assert len(await database.rows("user")) == 1
    await user(one, 5)
    await check(database, own_pocketbase)


async def test_what_the_sql_database_refuses_is_left_out(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess, caplog: pytest.LogCaptureFixture
) -> None:
    await user(one, 1)
    await database.add(User(id="alien", name="A", email="U2@example.com", last_active_at=1, updated_at=1, created_at=1))
    with caplog.at_level(logging.ERROR):
        await user(one, 2)
    assert [record.getMessage() for record in caplog.records if "cannot be kept" in record.getMessage()]
    assert "u2@example.com" not in caplog.text
    await user(one, 3)
    assert {row["id"] for row in await database.rows("user")} == {"u1", "u3", "alien"}
    assert len(pocketbase_rows(own_pocketbase.data_dir, "user")) == 3


async def test_transaction_of_the_host(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    """The copy is part of the host's transaction; after a rollback the next write brings it."""
    await user(one, 1)
    grants = [{"principal_type": "user", "principal_id": "u1", "permission": "read"}]
    async with database.sessions() as session:
        await session.execute(update(User).where(User.id == "nobody").values(name="x"))  # SQLite's only write lock
        written = await one.grants.replace_access_grants(session, "app", "a", grants)
        seen = (await session.execute(select(AccessGrant))).scalars().all()
        assert [grant.id for grant in seen] == [grant.id for grant in written]
        assert await database.rows("access_grant") == []
        await session.commit()
    await check(database, own_pocketbase)
    async with database.sessions() as session:
        await one.grants.replace_access_grants(session, "app", "a", [])
        await session.rollback()
    assert len(await database.rows("access_grant")) == 1
    await user(one, 2)
    await check(database, own_pocketbase)


async def test_replacements_that_race_leave_no_difference(
    one: Installation, other: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    """Each in a transaction of the host's, in two processes; on PostgreSQL, 86 of 300 pairs left a difference once."""
    await one.mirror.start()
    await other.mirror.start()

    async def replace(installation: Installation, resource: str, principals: list[str], delay: float) -> None:
        await asyncio.sleep(delay)
        grants = [{"principal_type": "user", "principal_id": each, "permission": "read"} for each in principals]
        async with database.sessions() as session:
            await installation.grants.replace_access_grants(session, "note", resource, grants)
            await session.commit()

    for number in range(40):
        second = one if number % 2 else other
        await asyncio.gather(
            replace(one, "n", [f"{number}-{each}" for each in range(number % 3)], 0),
            replace(second, "n", [f"{number}-second"] * (number % 2), number % 5 / 1000),
        )
        await check(database, own_pocketbase, tables=("access_grant",))


async def test_rows_of_a_transaction_of_the_host_are_locked_until_it_ends(
    one: Installation, other: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    """A later write of another process waits: it must not be undone by what this one wrote before, and vice versa."""
    if database.is_sqlite:
        pytest.skip("SQLite has one write lock for everything")
    await user(one, 1)
    await other.mirror.start()
    grants = [{"principal_type": "user", "principal_id": "u1", "permission": "read"}]
    async with database.sessions() as session:
        await one.grants.replace_access_grants(session, "app", "a", grants)
        later = asyncio.ensure_future(other.grants.set_access_grants("app", "a", []))
        await asyncio.sleep(0.2)
        assert not later.done()
        await session.commit()
    await later
    await check(database, own_pocketbase)
    assert await database.rows("access_grant") == []


async def test_the_guard_is_open_for_the_mirror_only(one: Installation, database: StockDatabase) -> None:
    """A trigger like the guard's lets the mirror through, and nobody else in the same transaction of the host."""
    await one.mirror.start()
    async with database.engine.begin() as connection:
        if database.is_sqlite:
            await connection.execute(
                text(
                    "CREATE TRIGGER refuse BEFORE INSERT ON access_grant WHEN (SELECT writing FROM "
                    "owui_pocketbase_mirror WHERE id = 1) IS NOT 1 BEGIN SELECT RAISE(ABORT, 'refused'); END"
                )
            )
        else:
            await connection.execute(
                text(
                    "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                    "IF current_setting('owui.mirror', true) IS DISTINCT FROM 'on' THEN RAISE EXCEPTION "
                    "'refused' USING ERRCODE = '23000'; END IF; RETURN NEW; END $$"
                )
            )
            await connection.execute(
                text("CREATE TRIGGER refuse BEFORE INSERT ON access_grant FOR EACH ROW EXECUTE FUNCTION refuse()")
            )
    try:
        grants = [{"principal_type": "user", "principal_id": "u1", "permission": "read"}]
        await one.grants.set_access_grants("note", "n", grants)
        async with database.sessions() as session:
            await one.grants.replace_access_grants(session, "app", "a", grants)
            session.add(AccessGrant(id="x", resource_type="note", resource_id="x", principal_type="user", **PERMISSION))
            with pytest.raises(DBAPIError, match="refused"):
                await session.flush()
        await one.mirror.catch_up()
        with pytest.raises(DBAPIError, match="refused"):
            await database.add(
                AccessGrant(id="x", resource_type="note", resource_id="x", principal_type="user", **PERMISSION)
            )
    finally:
        async with database.engine.begin() as connection:
            await connection.execute(text(f"DROP TRIGGER refuse{'' if database.is_sqlite else ' ON access_grant'}"))


async def test_credentials_change_while_the_host_has_the_write_lock(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    """As it does when it changes the policy for authenticators; when somebody was seen last is still to be copied."""
    await user(one, 1)
    await one.users.update_last_active_by_id("u1")
    auths = object.__new__(PocketBaseAuths)
    auths.pocketbase = one.mirror
    async with asyncio.timeout(5), database.sessions() as session:
        await session.execute(update(User).where(User.id == "nobody").values(name="x"))
        await auths.revoke_all_sessions(db=session)
        await auths.revoke_sessions_by_user_id("u1", db=session)
        await session.commit()
    await check(database, own_pocketbase)


@pytest.mark.parametrize("change", ["watch", "give back"])
async def test_whoever_uses_the_tables_meanwhile_is_not_the_one_that_fails(
    change: str, one: Installation, database: StockDatabase
) -> None:
    """The one would wait for the other: it uses the tables in another order than triggers are changed."""
    if database.is_sqlite:
        pytest.skip("SQLite has no locks of single tables")
    await one.mirror.watch()
    first, another, *_, last = one.mirror.names
    if change == "watch":
        async with database.engine.begin() as connection:
            await connection.run_sync(unwatch, [another])
    async with database.sessions() as session, database.engine.connect() as looking:
        await session.execute(text(f'SELECT count(*) FROM "{last}"'))
        changing = asyncio.create_task(one.mirror.watch() if change == "watch" else give_back(GROUPS, ()))
        async with asyncio.timeout(10):
            while not (await looking.execute(text(WAITING))).scalar():  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.01)
        await session.execute(text(f'SELECT count(*) FROM "{first}"'))
    await changing


async def test_what_the_triggers_wait_for_is_said(
    one: Installation, database: StockDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has no locks of single tables")
    monkeypatch.setattr(sql, "PATIENCE", 0.0)
    await one.mirror.watch()
    async with database.sessions() as session:
        await session.execute(select(User))
        changing = asyncio.create_task(give_back(GROUPS, ()))
        await asyncio.sleep(1.5)  # several attempts
        assert not changing.done()
    await changing
    assert caplog.text.count("idle in transaction") == 1


async def test_triggers_are_changed_though_a_table_is_always_in_use(
    one: Installation, database: StockDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has no locks of single tables")
    monkeypatch.setattr(sql, "PATIENCE", 1.0)
    await one.mirror.watch()

    async def use(pause: float) -> None:
        while True:
            async with database.sessions() as session:
                await session.execute(select(User))
                await asyncio.sleep(pause)

    using = [asyncio.create_task(use(pause)) for pause in (0.8, 1.0, 1.2)]
    async with asyncio.timeout(30):
        await give_back(GROUPS, ())
    for task in using:
        task.cancel()
    await asyncio.gather(*using, return_exceptions=True)


async def test_whoever_changes_tables_can_be_cancelled(database: StockDatabase) -> None:
    """Also when the time for a lock is over at the same moment: the driver tells of that instead."""
    attempts = 0

    async def change(_connection: object) -> None:
        nonlocal attempts
        attempts += 1
        changing.cancel()
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            raise OperationalError("LOCK", None, LockNotAvailable()) from None

    changing = asyncio.create_task(sql.alter(change))
    with pytest.raises(asyncio.CancelledError):
        await changing
    assert attempts == 1


async def test_others_write_while_pocketbase_is_asked_what_changed(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind another process of PocketBase the feed is looked at first, and PocketBase may take its time."""
    await user(one, 1)
    own_pocketbase.stop()
    own_pocketbase.start()
    asked, may_answer, since = asyncio.Event(), asyncio.Event(), one.mirror.source.since

    async def hold(cursor: str) -> Changes:
        asked.set()
        await may_answer.wait()
        return await since(cursor)

    monkeypatch.setattr(one.mirror.source, "since", hold)
    copying = asyncio.create_task(one.mirror.catch_up())
    await asked.wait()
    await database.add(Memory(id="m", user_id="u1", content="c", created_at=1, updated_at=1))
    async with database.sessions() as session:
        await session.execute(delete(Memory))
        await session.commit()
    may_answer.set()
    await copying
    await user(one, 2)
    await check(database, own_pocketbase)


# Changes of others


async def test_changes_in_the_dashboard_are_followed(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "PAUSE", 0.05)
    monkeypatch.setattr(follower_module, "SETTLE_INTERVAL", 0.05)

    async def is_there() -> bool:
        names = [row["name"] for row in await database.rows("user")]
        return names == ["In the dashboard"] and len(await database.rows("group")) == 1

    await user(one, 1)
    await user(one, 2)
    feed = Feed(one.mirror._client)
    tasks = [Follower(one.mirror, feed), feed]
    for task in tasks:
        task.start()
    try:
        with own_pocketbase.admin() as admin:
            admin.send("PATCH", "/api/collections/owui_users/records/u1", {"name": "In the dashboard"})
            admin.send("DELETE", "/api/collections/owui_users/records/u2")
            admin.send("POST", "/api/collections/owui_groups/records", {"name": "By hand", "user_id": "u1"})
        async with asyncio.timeout(10):
            while not await is_there():  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.05)
    finally:
        for task in tasks:
            await task.aclose()
    (found,) = (await one.users.get_users({"query": "DASHBOARD"}))["users"]
    assert found.id == "u1"
    (group,) = await one.groups.get_groups({"query": "BY HAND"})
    assert (group.user_id, group.description, group.parent_group_id) == ("u1", "", None)


async def test_people_made_in_the_dashboard_are_whole(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    await user(one, 1)
    with own_pocketbase.admin() as admin:
        made = {"name": "By hand", "email": "h@example.com", "password": "12345678", "passwordConfirm": "12345678"}
        admin.send("POST", "/api/collections/owui_users/records", made)
    found = (await one.users.get_users({"query": "by h"}))["users"]
    assert [(person.role, person.last_active_at, person.bio) for person in found] == [("", 0, None)]
    await user(one, 2)
    assert len(await database.rows("user")) == 3
    await check_names(database, {"User 1", "By hand", "User 2"})


async def test_changes_while_nobody_was_there(
    one: Installation, other: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    await user(one, 1)
    await user(one, 2)
    with own_pocketbase.admin() as admin:
        admin.send("PATCH", "/api/collections/owui_users/records/u1", {"name": "Changed"})
        admin.send("DELETE", "/api/collections/owui_users/records/u2")
    await other.mirror.start()
    await check(database, own_pocketbase)


# Rows that are not ours


async def test_rows_of_a_group_of_which_pocketbase_has_none_stop_the_first_start(
    one: Installation, database: StockDatabase
) -> None:
    await database.add(alien())
    for is_accepted in (False, True):
        with pytest.raises(ConfigurationError, match=r"none of the 1 rows of the SQL table user: alien\.") as raised:
            await one.mirror.start(is_accepted=is_accepted)
        assert "openwebui-pocketbase migrate copy users" in str(raised.value)
        assert 'users = "sqlalchemy"' in str(raised.value)
    assert [row["id"] for row in await database.rows("user")] == ["alien"]
    assert await kept_aside() == []


async def test_each_group_has_to_be_copied(
    one: Installation, client: PocketBaseClient, database: StockDatabase
) -> None:
    await client.write("users/insert_new_user", raw_user("u1"))
    await database.add(AccessGrant(id="a", resource_type="note", resource_id="n", principal_type="user", **PERMISSION))
    with pytest.raises(ConfigurationError, match="migrate copy groups access"):
        await one.mirror.start()
    assert [row["id"] for row in await database.rows("access_grant")] == ["a"]


async def test_equal_rows_are_copies_whoever_made_them(
    one: Installation,
    client: PocketBaseClient,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    caplog: pytest.LogCaptureFixture,
) -> None:
    values = raw_user("u1")["user"] | {"role": "user", "settings": {"a": 1}, "date_of_birth": date(1999, 12, 31)}
    sent = {"settings": '{"a":1}', "date_of_birth": "1999-12-31"}
    await client.write("users/insert_new_user", {"user": values | sent})
    await database.add(User(**values))
    await one.mirror.start()
    await check(database, own_pocketbase)
    assert await kept_aside() == []
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_one_stranger_does_not_stop_the_first_start(
    one: Installation,
    client: PocketBaseClient,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither a row that PocketBase does not have nor one that it has otherwise; both are kept as they were."""
    await client.write("users/insert_new_user", raw_user("u1"))
    await client.write("users/insert_new_user", raw_user("alien"))
    await database.add(alien(settings={"a": [1.5]}))
    await database.add(User(id="late", name="L", email="l@example.com", last_active_at=1, updated_at=1, created_at=1))
    await one.mirror.start()
    await check(database, own_pocketbase)
    await check_names(database, {"u1", "alien"})
    assert "1 rows of the SQL table user were not as in PocketBase, and are now: alien. As they were" in caplog.text
    assert "1 rows of the SQL table user were written by something else and are not in PocketBase: late" in caplog.text
    kept = {row.row_id: row.content for row in await kept_aside()}
    assert {row_id: content["name"] for row_id, content in kept.items()} == {"alien": "A", "late": "L"}
    assert kept["alien"]["settings"] == '{"a":[1.5]}'


async def test_a_first_start_that_broke_off_loses_no_stranger(
    one: Installation,
    other: Installation,
    client: PocketBaseClient,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It breaks off after any number of its transactions; the next one goes on."""
    await client.write("users/insert_new_user", raw_user("alien"))
    await database.add(alien())
    await database.add(User(id="late", name="L", email="l@example.com", last_active_at=1, updated_at=1, created_at=1))
    begin = sql.begin
    left = 0

    @asynccontextmanager
    async def limited() -> AsyncIterator[Any]:
        nonlocal left
        if not left:
            raise ConnectionError
        left -= 1
        async with begin() as connection:
            yield connection

    monkeypatch.setattr(sql, "begin", limited)
    for number in range(100):
        left = number
        try:
            await Installation(client).mirror.start()
        except ConnectionError:
            continue
        break
    assert number > 5
    left = 100
    await check(database, own_pocketbase)
    assert sorted((row.row_id, row.content["name"]) for row in await kept_aside()) == [("alien", "A"), ("late", "L")]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_stranger_that_has_no_json_form_does_not_stop_the_first_start(
    one: Installation, client: PocketBaseClient, database: StockDatabase
) -> None:
    await client.write("users/insert_new_user", raw_user("u1"))
    await database.add(alien())
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE user SET bio = x'ff41', date_of_birth = 'x'"))
    await one.mirror.start()
    (kept,) = await kept_aside()
    assert (kept.content["bio"], kept.content["date_of_birth"]) == ("\ufffdA", None)


async def test_strangers_rows_are_kept_aside_and_named(
    one: Installation,
    other: Installation,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whether they came before a start or while the site runs: nobody is served from them, and nothing is lost."""
    await user(one, 1)
    await database.add(alien(settings={"ui": {"a": 1.5}}, date_of_birth=date(1999, 12, 31)))
    await other.mirror.start()
    await check(database, own_pocketbase)
    grant = {"resource_type": "note", "resource_id": "n", "principal_type": "user", "principal_id": "u1"}
    await database.add(AccessGrant(id="by-hand", **grant, permission="write", created_at=1))
    await one.mirror.catch_up()
    await check(database, own_pocketbase)
    assert "1 rows of the SQL table user were written by something else and are not in PocketBase: alien" in caplog.text
    assert "access_grant were written by something else and are not in PocketBase: by-hand" in caplog.text
    kept = {row.row_id: row.content for row in await kept_aside()}
    assert kept["by-hand"] == grant | {"id": "by-hand", "permission": "write", "created_at": 1}
    assert (kept["alien"]["settings"], kept["alien"]["date_of_birth"]) == ('{"ui":{"a":1.5}}', "1999-12-31")


async def test_what_others_change_is_put_right_while_the_site_runs(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess, caplog: pytest.LogCaptureFixture
) -> None:
    await user(one, 1)
    await user(one, 2)
    async with database.sessions() as session:
        await session.execute(update(User).where(User.id == "u1").values(role="admin"))
        await session.execute(delete(User).where(User.id == "u2"))
        await session.commit()
    await one.mirror.catch_up()
    await check(database, own_pocketbase)
    assert "2 rows of the SQL table user were changed by something else, and are as in PocketBase again: u1, u2" in (
        caplog.text
    )
    if not database.is_sqlite:
        async with database.engine.begin() as connection:
            await connection.execute(text('TRUNCATE "user" CASCADE'))
        await one.mirror.catch_up()
        await check(database, own_pocketbase)


async def test_rows_of_an_undone_transaction_of_others_are_nothing(one: Installation, database: StockDatabase) -> None:
    await user(one, 1)
    async with database.sessions() as session:
        await session.execute(update(User).values(role="admin"))
        await session.rollback()
    async with database.engine.connect() as connection:
        assert (await touched(connection)).numbers == frozenset()


async def test_copies_that_were_changed_are_put_right(
    one: Installation, other: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    await user(one, 1)
    await user(one, 2)
    async with database.sessions() as session:
        await session.execute(update(User).where(User.id == "u1").values(name="by hand"))
        await session.execute(delete(User).where(User.id == "u2"))
        await session.commit()
    await other.mirror.start()
    await check(database, own_pocketbase)


async def test_older_copy_of_the_sql_database_is_caught_up(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    await user(one, 1)
    async with database.engine.begin() as connection:
        state = await connection.execute(text("SELECT seq, cursor FROM owui_pocketbase_mirror"))
        before = dict(state.mappings().one())
    await user(one, 2)
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE owui_pocketbase_mirror SET seq = :seq, cursor = :cursor"), before)
        await connection.execute(delete(User).where(User.id == "u2"))
    await user(one, 3)
    await check(database, own_pocketbase)


@pytest.mark.parametrize("number", [0, 6, 7, 8, 14, 30])
async def test_tables_are_read_in_pages(
    number: int,
    one: Installation,
    client: PocketBaseClient,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(source_module, "PAGE", 7)
    for n in range(number):
        await client.write("users/insert_new_user", raw_user(f"user-{n}"))
    await one.mirror.start()
    await check(database, own_pocketbase)
    assert len(await database.rows("user")) == number


@pytest.fixture
def pages(client: PocketBaseClient, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of each page of changes that is read."""
    found: list[int] = []
    read = client.read

    async def counted(path: str, parameters: Any, **more: Any) -> Any:
        page = await read(path, parameters, **more)
        if path == "changes/get_mirrored":
            found.append(len(page["rows"]))
        return page

    monkeypatch.setattr(client, "read", counted)
    return found


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_of_many_large_writes_each_change_is_read_once(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess, pages: list[int]
) -> None:
    groups = [await one.groups.insert_new_group("u", GroupForm(name=f"{n}", description="")) for n in range(6)]
    pages.clear()
    people = [f"u{number}" for number in range(1100)]
    await asyncio.gather(*(one.groups.add_users_to_group(group.id, people) for group in groups))
    # Of each group 1,000 and 100 members, each part with the group itself.
    assert sum(pages) <= 6 * (1100 + 2)
    assert len(pages) <= 2 * 6
    await check(database, own_pocketbase)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_many_changes_are_copied_in_a_transaction_for_each_page(
    one: Installation,
    client: PocketBaseClient,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    pages: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await user(one, 0)
    for number in range(1, 12):
        await client.write("users/insert_new_user", raw_user(f"u{number}"))
    monkeypatch.setattr(source_module, "CHANGES", 5)
    pages.clear()
    async with counted(monkeypatch) as transactions:
        await one.mirror.catch_up()
    assert pages == [5, 5, 1]
    assert len(transactions) == 3 + 1  # and a look at what others wrote
    await check(database, own_pocketbase)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_row_may_get_a_key_that_another_page_gives_up(
    one: Installation,
    client: PocketBaseClient,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for number in (1, 2):
        await user(one, number)

    async def change(user_id: str, email: str) -> None:
        changes = {"id": user_id, "changes": {"email": email}}
        await client.write("users/update_user_by_id", changes)

    await change("u2", "other@example.com")
    await change("u1", "third@example.com")
    await change("u2", "u1@example.com")
    monkeypatch.setattr(source_module, "CHANGES", 1)  # the first page has the last address of u2, and not u1
    with caplog.at_level(logging.ERROR):
        await one.mirror.catch_up()
    assert not caplog.records
    await check(database, own_pocketbase)


@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
async def test_many_rows_on_postgresql_are_as_they_are_one_by_one(
    one: Installation, client: PocketBaseClient, database: StockDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There they go as one JSON text, of which the host's JSON columns have to come out to the letter."""
    await user(one, 0, oauth={"oidc": {"sub": "x"}})
    await one.users.update_user_by_id("u0", {"date_of_birth": date(1999, 12, 31), "bio": "", "gender": None})
    for number, (name, settings) in enumerate(zip(HOSTILE_NAMES.values(), JSON_OBJECTS.values(), strict=False), 1):
        await user(one, number, name=name, username=name)
        await one.users.update_user_settings_by_id(f"u{number}", settings)
    texts = text('SELECT *, CAST(settings AS TEXT) AS s, CAST(oauth AS TEXT) AS o FROM "user" ORDER BY id')
    found = []
    for many in (10_000, 1):
        monkeypatch.setattr(table_module, "MANY", many)
        async with sql.begin() as connection:
            await sql.open_guard(connection)
            await connection.execute(delete(User))
            await sql.close_guard(connection)
        await Installation(client).mirror.start(is_accepted=True)
        async with database.engine.connect() as connection:
            found.append((await connection.execute(texts)).all())
    one_by_one, at_once = found
    assert len(one_by_one) > 8
    assert at_once == one_by_one
