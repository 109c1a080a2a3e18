"""What an administrator sees of the SQL copy, and decides: ``mirror status``, ``accept``, ``adopt``."""

from __future__ import annotations

import json
import shutil
import sqlite3
from typing import Any

from open_webui.models.access_grants import AccessGrant
from open_webui.models.auths import Auth
from open_webui.models.groups import Group, GroupMember
from open_webui.models.users import User
from sqlalchemy import text

from openwebui_pocketbase.changes.settle import kept_aside
from openwebui_pocketbase.changes.status import _accept, _adopt, _status
from tests.support.commands import Commands
from tests.support.differential import pocketbase_rows
from tests.support.mirrors import (
    Installation,
    alien,
    check,
    client,
    database,
    no_sockets,
    one,
    other,
    user,
)
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import StockDatabase, _migrated_sqlite

__all__ = ["client", "database", "no_sockets", "one", "other"]

GRANT = {"resource_type": "note", "resource_id": "n", "principal_type": "user", "permission": "write"}


def provisioned() -> list[Any]:
    """What a script writes that knows of SQL only."""
    return [
        alien(role="user", settings={"ui": {"a": 1.5}}),
        Auth(id="alien", email="a@example.com", password="hash", active=True, session_stamp="s"),
        Group(id="g", user_id="alien", name="g", description=""),
        GroupMember(id="m", group_id="g", user_id="alien"),
        AccessGrant(id="a", **GRANT, principal_id="alien", created_at=1),
    ]


async def clear_auth(database: StockDatabase) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text("DELETE FROM auth"))


async def test_status_names_what_differs(one: Installation, other: Installation, database: StockDatabase) -> None:
    assert not (await _status(one.mirror)).is_mirrored
    for number in (1, 2, 3):
        await user(one, number)
    assert (await _status(one.mirror)).is_settled
    async with database.engine.begin() as connection:
        await connection.execute(text("DELETE FROM \"user\" WHERE id = 'u1'"))
        await connection.execute(text("UPDATE \"user\" SET role = 'admin' WHERE id = 'u2'"))
    await database.add(alien())
    found = await _status(one.mirror)
    (users,) = [table for table in found.tables if table.table == "user"]
    assert (users.equal, users.missing, users.different, users.extra) == (1, ("u1",), ("u2",), ("alien",))
    assert not found.is_settled
    await one.mirror.catch_up()
    found = await _status(one.mirror)
    (users,) = [table for table in found.tables if table.table == "user"]
    assert (users.equal, users.extra, users.aside, found.is_settled) == (3, (), ("alien",), False)
    await _accept(other.mirror)
    assert (await _status(one.mirror)).is_settled
    assert await kept_aside() == []


async def test_rows_of_a_script_are_adopted(
    one: Installation, other: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    """Whoever was provisioned in SQL can sign in afterwards: the credentials come along."""
    await clear_auth(database)
    await user(one, 1)
    await database.add(*provisioned()[:3])
    await database.add(*provisioned()[3:])
    taken, refused = await _adopt(other.mirror)
    assert (sorted(row.row_id for row in taken), refused) == (["a", "alien", "g", "m"], [])
    await check(database, own_pocketbase)
    assert {row["id"] for row in await database.rows("user")} == {"u1", "alien"}
    (auth,) = pocketbase_rows(own_pocketbase.data_dir, "auth")
    assert (auth["id"], auth["password"], auth["active"]) == ("alien", "hash", True)
    assert (await _status(one.mirror)).is_settled
    await clear_auth(database)


async def test_what_pocketbase_refuses_stays_aside(
    one: Installation, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    await user(one, 1, email="A@Example.com")
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE \"user\" SET email = 'other@example.com'"))
    await database.add(alien())
    taken, ((row, reason),) = await _adopt(one.mirror)
    assert (taken, row.row_id, reason) == ([], "alien", "PocketBase has another row with its id, address or key.")
    assert [row.row_id for row in await kept_aside()] == ["alien"]
    await check(database, own_pocketbase)


def test_commands(commands: Commands, own_pocketbase: PocketBaseProcess) -> None:
    commands.use(own_pocketbase)
    site = ("--data-dir", str(commands.data_dir))
    shutil.copy(_migrated_sqlite(), commands.data_dir / "webui.db")
    with own_pocketbase.admin() as admin:
        names = [column.name for column in User.__table__.columns]
        admin.write("users/insert_new_user", {"user": dict.fromkeys(names) | {"id": "u1", "name": "n", "email": "e"}})
    assert "0 rows that were kept aside are dropped." in commands.run("mirror", "accept", "--yes", *site).stdout
    with sqlite3.connect(commands.data_dir / "webui.db") as connection:
        assert connection.execute("SELECT id FROM user").fetchall() == [("u1",)]
        values = "('by-script', 's@example.com', 'user', 'S', 1, 1, 1)"
        connection.execute(
            f"INSERT INTO user (id, email, role, name, last_active_at, updated_at, created_at) VALUES {values}"
        )
    connection.close()
    found = json.loads(commands.run("mirror", "status", "--json", *site, code=1).stdout)
    assert (found["settled"], found["tables"][0]["extra"]) == (False, ["by-script"])
    assert "user by-script: taken into PocketBase." in commands.run("mirror", "adopt", *site).stdout
    assert "No rows are kept aside." in commands.run("mirror", "adopt", *site).stdout
    assert "user: 2 equal" in commands.run("mirror", "status", *site).stdout
    # An empty PocketBase in its place: nobody is led to drop all users, and nobody answers for the administrator.
    with own_pocketbase.admin() as admin:
        for user_id in ("u1", "by-script"):
            admin.write("users/delete_user_by_id", {"id": user_id})
    told = commands.run("mirror", "status", *site, code=1).stdout
    assert "PocketBase has none of these users: whoever signs up first" in told
    assert "mirror adopt" not in told
    commands.run("mirror", "accept", *site, code=1)
    with sqlite3.connect(commands.data_dir / "webui.db") as connection:
        assert len(connection.execute("SELECT id FROM user").fetchall()) == 2
    connection.close()


def test_commands_need_a_mirror(commands: Commands) -> None:
    commands.env["STORAGE_BACKEND"] = "sqlalchemy"
    shutil.copy(_migrated_sqlite(), commands.data_dir / "webui.db")
    result = commands.run("mirror", "status", "--data-dir", str(commands.data_dir), code=1)
    assert "The settings keep users, groups and access in the SQL database" in result.stderr
