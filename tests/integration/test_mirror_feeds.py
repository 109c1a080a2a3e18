"""The mirror when PocketBase's data are other than before: restored backups, other servers, forgotten changes."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from open_webui.models.groups import GroupForm
from sqlalchemy import text

from openwebui_pocketbase.changes import mirror as mirror_module
from openwebui_pocketbase.changes.feed import Feed
from openwebui_pocketbase.changes.settle import kept_aside
from openwebui_pocketbase.changes.watch import unwatch
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import ConfigurationError
from tests.support.mirrors import (
    TABLES,
    Installation,
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

RESTORED = "PocketBase was restored or replaced while Open WebUI was running"
GRANT = {"principal_type": "user", "principal_id": "*", "permission": "read"}


def backup(server: PocketBaseProcess, directory: Path) -> Callable[[], None]:
    """Copy a server's data; return what puts the copy in their place. Both end the process, as PocketBase does."""
    copy = directory / "backup"
    server.stop()
    shutil.copytree(server.data_dir, copy)
    server.start()

    def restore() -> None:
        server.stop()
        shutil.rmtree(server.data_dir)
        shutil.copytree(copy, server.data_dir)
        server.start()

    return restore


async def ids(database: StockDatabase, table: str = "user") -> set[str]:
    return {row["id"] for row in await database.rows(table)}


@pytest.mark.parametrize("noticed_by", ["a read", "a write", "the poll", "a start"])
@pytest.mark.parametrize("behind", ["behind", "at the same number", "ahead"])
async def test_a_restored_backup_is_noticed(
    noticed_by: str,
    behind: str,
    one: Installation,
    other: Installation,
    client: PocketBaseClient,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also if as many changes were made since as there had been: nothing of the time after the backup stays."""
    await user(one, 1)
    await one.grants.set_access_grants("note", "n", [GRANT])
    restore = backup(own_pocketbase, tmp_path)
    await user(one, 2)
    await one.users.update_user_by_id("u1", {"name": "Renamed"})
    await one.grants.set_access_grants("note", "n", [])
    restore()
    for number in range({"behind": 0, "at the same number": 3, "ahead": 5}[behind]):
        await client.write("users/insert_new_user", raw_user(f"late-{number}"))
    with caplog.at_level(logging.INFO):
        if noticed_by == "a start":
            await other.mirror.start()
        elif noticed_by == "the poll":
            await one.mirror.catch_up()
        elif noticed_by == "a read":
            assert (await one.users.get_user_by_id("u1")).name == "User 1"
        else:
            await user(one, 3)
    await check(database, own_pocketbase)
    assert len(await database.rows("access_grant")) == 1
    assert "u2" not in await ids(database)
    assert "1 copies in the SQL table user were removed" in caplog.text
    assert (RESTORED in caplog.text) == (noticed_by != "a start")
    assert await kept_aside() == []
    await user(one, 4)
    await check(database, own_pocketbase)


async def test_another_pocketbase_makes_nobody_the_first_user(
    one: Installation,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    prepared_pocketbase: Path,
    tmp_path: Path,
) -> None:
    """An empty one in place of the site's: until somebody has looked, nobody is served, and the copies stay."""
    await user(one, 1)
    await user(one, 2)
    restore = backup(own_pocketbase, tmp_path)
    own_pocketbase.stop()
    shutil.rmtree(own_pocketbase.data_dir)
    shutil.copytree(prepared_pocketbase, own_pocketbase.data_dir)
    own_pocketbase.start()
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="PocketBase has none of the 2 users"):
            await one.users.has_users()
    with pytest.raises(ConfigurationError, match="Whoever signs up first"):
        await user(one, 3)  # a client that asks nobody
    with pytest.raises(ConfigurationError, match="PocketBase has none of the 2 users"):
        await Installation(one.mirror._client).mirror.start()
    assert await ids(database) == {"u1", "u2"}
    restore()
    one.mirror._refusal = None  # nobody has to wait for it here
    assert await one.users.has_users()
    await check(database, own_pocketbase)


@pytest.mark.parametrize("column", ["settings", "date_of_birth"])
@pytest.mark.parametrize("whose", ["a stranger's", "a copy"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_values_that_cannot_be_read_block_nobody(
    column: str, whose: str, one: Installation, other: Installation, database: StockDatabase, own_pocketbase: Any
) -> None:
    """SQLite takes any text into a column, whatever its type; PostgreSQL does not."""
    await user(one, 1)
    values = "'alien', 'a@example.com', 'A', 'user', 1, 1, 1, '{not valid'"
    async with database.engine.begin() as connection:
        if whose == "a copy":
            await connection.execute(text(f"UPDATE user SET {column} = '{{not valid'"))
        else:
            names = f"id, email, name, role, last_active_at, updated_at, created_at, {column}"
            await connection.execute(text(f"INSERT INTO user ({names}) VALUES ({values})"))
    await other.mirror.start()
    await one.mirror.catch_up()
    await check(database, own_pocketbase)
    assert [row.row_id for row in await kept_aside()] == ([] if whose == "a copy" else ["alien"])


async def test_replies_from_before_a_restore_do_not_come_back(
    one: Installation,
    other: Installation,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One process still has a reply in hand when another has already settled."""
    await user(one, 1)
    await other.mirror.start()
    restore = backup(own_pocketbase, tmp_path)
    waits, goes_on = hold_applying(one.mirror, monkeypatch)
    old = asyncio.ensure_future(user(one, 2))
    await waits.wait()
    await user(other, 3)
    restore()
    await other.mirror.catch_up()
    await check(database, own_pocketbase)
    goes_on.set()
    await old
    await check(database, own_pocketbase)
    assert await ids(database) == {"u1"}
    await user(one, 4)
    await user(other, 5)
    await check(database, own_pocketbase)


async def test_the_copy_is_ahead_of_a_process_when_a_backup_is_restored(
    one: Installation, other: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess, tmp_path: Path
) -> None:
    """What a process knows is in the backup, what another wrote after it is not; that one is gone."""
    await user(one, 1)
    await other.mirror.start()
    restore = backup(own_pocketbase, tmp_path)
    await user(other, 2)
    restore()
    await one.mirror.catch_up()
    await check(database, own_pocketbase)
    assert await ids(database) == {"u1"}


async def test_a_backup_is_restored_within_a_transaction_of_the_host(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess, tmp_path: Path
) -> None:
    await user(one, 1)
    restore = backup(own_pocketbase, tmp_path)
    await user(one, 2)
    async with database.sessions() as session:
        restore()
        await one.grants.replace_access_grants(session, "app", "a", [GRANT])
        await session.commit()
    await one.mirror.catch_up()
    await check(database, own_pocketbase)
    assert await ids(database) == {"u1"}


async def test_a_sql_database_older_than_the_feed_is_copied_again(
    one: Installation, other: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    await user(one, 1)
    await user(one, 4)
    with own_pocketbase.admin() as admin:
        admin.send("DELETE", "/api/collections/owui_users/records/u1")
        for number in (2, 3):
            admin.write("users/insert_new_user", raw_user(f"u{number}"))
        admin.sql("DELETE FROM owui_changes WHERE seq < (SELECT max(seq) FROM owui_changes)")
    await other.mirror.start()
    await check(database, own_pocketbase)
    assert await ids(database) == {"u2", "u3", "u4"}


async def test_rows_of_another_server_are_kept_aside(
    one: Installation, other: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    """They are not newer than what was restored: PocketBase never had them."""
    await user(one, 1)
    await user(one, 2)
    with own_pocketbase.admin() as admin:
        admin.sql("UPDATE owui_meta SET value = 'another' WHERE key = 'epoch'")
        admin.sql("DELETE FROM owui_users WHERE id = 'u1'")
    await other.mirror.start()
    await check(database, own_pocketbase)
    assert [row.row_id for row in await kept_aside()] == ["u1"]


async def test_an_empty_pocketbase_does_not_empty_the_copy(
    one: Installation, other: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    await user(one, 1)
    await one.groups.insert_new_group("u1", GroupForm(name="g", description=""))
    with own_pocketbase.admin() as admin:
        for table in ("owui_users", "owui_groups", "owui_changes"):
            admin.sql(f"DELETE FROM {table}")
    with pytest.raises(ConfigurationError, match=r"none of the 1 users of .* such as u1\."):
        await other.mirror.start()
    assert (await ids(database), len(await database.rows("group"))) == ({"u1"}, 1)
    await other.mirror.start(is_accepted=True)
    await check(database, own_pocketbase)
    assert await ids(database) == set()


# Comparing


def paths_of(client: PocketBaseClient, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the paths of all reads from now on."""
    paths: list[str] = []
    read = client.read

    async def noted(path: str, parameters: Any, **how: Any) -> Any:
        paths.append(path)
        return await read(path, parameters, **how)

    monkeypatch.setattr(client, "read", noted)
    return paths


async def test_nothing_is_compared_when_the_copy_is_whole(
    one: Installation,
    client: PocketBaseClient,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await user(one, 1)
    await client.write("users/insert_new_user", raw_user("u2"))
    paths = paths_of(client, monkeypatch)
    others = [Installation(client) for _ in range(3)]
    await asyncio.gather(*(each.mirror.start() for each in others))
    assert set(paths) == {"changes/get_mirrored"}
    await check(database, own_pocketbase)


async def test_one_of_many_processes_compares(
    client: PocketBaseClient,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(3):
        await client.write("users/insert_new_user", raw_user(f"u{number}"))
    paths = paths_of(client, monkeypatch)
    await asyncio.gather(*(Installation(client).mirror.start() for _ in range(4)))
    await check(database, own_pocketbase)
    assert paths.count("changes/get_ids_of_owui_groups") == 1


async def test_others_write_while_tables_are_compared(
    one: Installation,
    other: Installation,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    client: PocketBaseClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is read for the comparison is older than what they write; no lock keeps them from it."""
    for number in range(4):
        await user(one, number)
    await other.mirror.start()
    with own_pocketbase.admin() as admin:
        for number in (0, 1):
            admin.send("PATCH", f"/api/collections/owui_users/records/u{number}", {"name": "By hand"})
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE owui_pocketbase_mirror SET whole = 0"))
    pages = Installation(client).mirror.source.pages

    async def slowly(collection: str) -> Any:
        async for wires in pages(collection):
            if collection == "owui_users":
                async with asyncio.timeout(5):
                    await other.users.update_user_by_id("u0", {"name": "Newest"})
                    await other.mirror.write("users/delete_user_by_id", {"id": "u2"})
                    await user(other, 9)
            yield wires

    third = Installation(client)
    monkeypatch.setattr(third.mirror.source, "pages", slowly)
    await third.mirror.start()
    await check(database, own_pocketbase)
    assert await ids(database) == {"u0", "u1", "u3", "u9"}


async def test_a_comparison_that_was_cut_off_is_made_again(
    one: Installation,
    other: Installation,
    client: PocketBaseClient,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await client.write("users/insert_new_user", raw_user("u1"))

    def broken(collection: str) -> NoReturn:
        raise OSError(collection)

    with monkeypatch.context() as patch:
        patch.setattr(one.mirror.source, "pages", broken)
        with pytest.raises(OSError, match="owui_users"):
            await one.mirror.start()
    await other.mirror.start()
    await check(database, own_pocketbase)
    assert await ids(database) == {"u1"}


async def test_the_state_of_an_older_version_is_extended(
    one: Installation, other: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    await user(one, 1)
    async with database.engine.begin() as connection:
        await connection.run_sync(unwatch, TABLES)
        await connection.execute(
            text("CREATE TABLE older AS SELECT id, epoch, seq, tables FROM owui_pocketbase_mirror")
        )
        await connection.execute(text("DROP TABLE owui_pocketbase_mirror"))
        await connection.execute(text("ALTER TABLE older RENAME TO owui_pocketbase_mirror"))
    await other.mirror.start()
    await user(other, 2)
    await check(database, own_pocketbase)


# The reader of the feed


async def test_only_changes_of_others_are_asked_for(
    one: Installation,
    client: PocketBaseClient,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Own writes are in the copy already, and of other tables only the number is noted."""
    await user(one, 1)
    feed = Feed(client)
    feed.listen(one.mirror.notice)
    await feed.read()
    is_behind = one.mirror.is_behind
    assert is_behind.is_set()  # what was before the reader is unknown
    is_behind.clear()
    await one.users.update_user_by_id("u1", {"name": "Renamed"})
    await client.write("tags/insert_new_tag", {"tag": {"id": "t", "name": "t", "user_id": "u1", "meta": None}})
    page = await feed.read()
    assert [change.collection for change in page.changes] == ["owui_users", "owui_tags"]
    assert not is_behind.is_set()
    known = one.mirror._known
    assert known is not None
    assert known.since == page.last
    await one.users.update_last_active_by_id("u1")
    await feed.read()
    assert is_behind.is_set()
    await one.mirror.catch_up()
    await check(database, own_pocketbase)
    is_behind.clear()
    await client.write("tags/delete_tags_by_ids_and_user_id", {"ids": ["t"], "user_id": "u1"})
    monkeypatch.setattr(mirror_module, "KEEP_UP_INTERVAL", 0.0)  # the number in SQL must not be forgotten by the feed
    await feed.read()
    assert is_behind.is_set()
    await one.mirror.catch_up()
    async with database.engine.connect() as connection:
        assert (await connection.execute(text("SELECT seq FROM owui_pocketbase_mirror"))).scalar() == feed._last


async def test_a_write_of_a_process_that_is_far_behind(
    one: Installation, client: PocketBaseClient, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    """Its reply has a part only; the rest is read, and all of it written at once."""
    await user(one, 1)
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2300)"
    with own_pocketbase.admin() as admin:
        admin.sql(f"INSERT INTO owui_groups (id, user_id, name) {numbers} SELECT 'group' || i, 'u1', 'g' || i FROM n")
    await user(one, 2)
    await check(database, own_pocketbase, tables=("user",))
    assert len(await database.rows("group")) == 2300
