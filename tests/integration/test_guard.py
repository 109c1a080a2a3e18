"""The guard: the SQL database refuses changes of moved tables, and lets the mirror through."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import open_webui
import pytest
from alembic.script import ScriptDirectory
from open_webui.models.auths import AuthsTable
from open_webui.models.files import File
from open_webui.models.users import User
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.guard.moved import moved_tables
from openwebui_pocketbase.guard.triggers import Change, Refusing, guarded_tables, install, remove
from openwebui_pocketbase.host.guard import install_guard
from tests.support import postgresql
from tests.support.processes import environment
from tests.support.stock import StockDatabase, postgresql_database, sqlite_database

CHATS = ("chat", "chat_file", "chat_message", "shared_chat")
USERS = ("api_key", "auth", "oauth_session", "user")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StockDatabase]:
    database = sqlite_database(tmp_path) if request.param == "sqlite" else await postgresql_database()
    with database.active():
        yield database
        async with database.engine.begin() as connection:
            await connection.run_sync(remove, schema=None)
            await connection.execute(text("DROP TABLE IF EXISTS owui_pocketbase_mirror"))
    await database.close()


async def run(database: StockDatabase, function: Any, *args: Any) -> Any:
    async with database.engine.begin() as connection:
        return await connection.run_sync(function, *args, schema=None)


async def execute(database: StockDatabase, *statements: str) -> None:
    async with database.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


CHAT = (
    "INSERT INTO chat (id, user_id, title, created_at, updated_at, archived, meta)"
    " VALUES ('c', 'u', 't', 1, 1, {}, '{{}}')"
)
CHAT_FILE = (
    "INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ('x', 'u', 'c', 'f', 1, 1)"
)
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


def chat(database: StockDatabase) -> str:
    return CHAT.format("0" if database.is_sqlite else "false")


async def test_every_kind_of_change_is_refused(database: StockDatabase) -> None:
    await execute(database, chat(database))
    await install_guard(["chats", "tags"])

    changes = [
        chat(database).replace("'c'", "'d'"),
        chat(database) + " ON CONFLICT (id) DO UPDATE SET title = 'x'",
        "UPDATE chat SET title = 'x'",
        "DELETE FROM chat",
        "WITH gone AS (SELECT id FROM chat) DELETE FROM chat WHERE id IN (SELECT id FROM gone) RETURNING id",
    ]
    changes += (
        [chat(database).replace("INSERT", "INSERT OR REPLACE")] if database.is_sqlite else ["TRUNCATE chat CASCADE"]
    )
    for change in changes:
        with pytest.raises(IntegrityError) as error:
            await execute(database, change)
        message = str(error.value.orig)
        assert message.startswith(
            "openwebui-pocketbase: chats are in PocketBase, so the SQL table chat takes no changes."
        )
        assert "openwebui-pocketbase guard remove" in message
        assert "openwebui-pocketbase doctor" in message
    (row,) = await database.rows("chat")
    assert row["title"] == "t"
    await execute(database, "DELETE FROM note")  # not moved


async def test_nobody_becomes_administrator_by_signing_up(database: StockDatabase) -> None:
    """With the host's own code, as it runs without the plugin."""
    await install_guard(["users"])
    with pytest.raises(IntegrityError, match="users are in PocketBase"):
        await AuthsTable().insert_new_auth("a@example.com", "hash", "A", role="admin")
    assert await database.rows("user") == []
    assert await database.rows("auth") == []


async def test_only_what_is_different_is_changed(database: StockDatabase, caplog: pytest.LogCaptureFixture) -> None:
    tables = [Refusing(table.name, table.refusal) for table in moved_tables(["chats"]).values()]
    await install_guard(["tags"])  # there is the mirror's table now
    await run(database, remove)
    assert await run(database, install, tables) == Change(CHATS, ())
    assert await run(database, install, tables) == Change()
    assert await run(database, guarded_tables) == list(CHATS)

    another = [
        Refusing("chat", "Another message."),
        *(each for each in tables if each.table not in ("chat", "chat_file")),
    ]
    assert await run(database, install, another) == Change(("chat",), ("chat_file",))
    with pytest.raises(IntegrityError, match="Another message"):
        await execute(database, chat(database))
    await execute(database, "DELETE FROM chat_file")

    drop = "DROP TRIGGER owui_guard_chat_update"
    await execute(database, drop if database.is_sqlite else f"{drop} ON chat")
    assert await run(database, install, another) == Change(("chat",), ())

    assert await run(database, remove) == Change((), ("chat", "chat_message", "shared_chat"))
    assert await run(database, remove) == Change()
    await execute(database, chat(database), "DELETE FROM chat")


async def test_groups_that_are_back_in_sql_take_changes(
    database: StockDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    await install_guard(["users", "chats", "tags"])
    with caplog.at_level("INFO", "openwebui_pocketbase"):
        await install_guard(["users"])
    assert await run(database, guarded_tables) == list(USERS)
    assert "takes changes of chat, chat_file, chat_message, shared_chat, tag again" in caplog.text
    await execute(database, chat(database), "DELETE FROM chat")
    assert "nobody can sign in" not in caplog.text
    await install_guard(["chats"])
    assert "nobody can sign in" in caplog.text


@ON_SQLITE
async def test_no_lock_is_needed_if_all_is_as_it_has_to_be(database: StockDatabase, tmp_path: Path) -> None:
    await install_guard(["chats"])
    path = database.engine.url.database
    assert path is not None
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        tables = [Refusing(table.name, table.refusal) for table in moved_tables(["chats"]).values()]
        assert await run(database, install, tables) == Change()
    finally:
        writer.close()


async def test_the_mirror_gets_through(database: StockDatabase) -> None:
    await install_guard(["users"])
    await execute(
        database,
        "INSERT INTO owui_pocketbase_mirror (id, epoch, seq, tables) VALUES (1, 'e', 0, 'user') ON CONFLICT DO NOTHING",
    )
    row: dict[str, Any] = {"id": "u", "name": "N", "email": "n@example.com", "role": "user"}
    row["profile_image_url"] = ""
    row |= {"created_at": 1, "updated_at": 1, "last_active_at": 1}
    async with sql.begin() as connection:
        await sql.open_guard(connection)
        await connection.execute(User.__table__.insert(), row)
        await sql.close_guard(connection)
        with pytest.raises(IntegrityError):
            async with connection.begin_nested():
                await connection.execute(text('DELETE FROM "user"'))
    assert [each["id"] for each in await database.rows("user")] == ["u"]
    with pytest.raises(IntegrityError):
        await execute(database, "UPDATE \"user\" SET role = 'admin'")


async def test_a_mirror_of_an_earlier_version_gets_its_column(database: StockDatabase) -> None:
    await execute(
        database,
        "CREATE TABLE owui_pocketbase_mirror (id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, seq BIGINT NOT NULL,"
        " tables TEXT NOT NULL)",
    )
    await install_guard(["chats"])
    with pytest.raises(IntegrityError, match="chats are in PocketBase"):
        await execute(database, chat(database))


@ON_POSTGRESQL
async def test_a_foreign_key_takes_rows_along(database: StockDatabase) -> None:
    """A file in SQL can be deleted, though an old row of the moved chats names it."""
    await database.add(File(id="f", user_id="u", filename="f", path="", meta={}, created_at=1, updated_at=1))
    await execute(database, chat(database), CHAT_FILE)
    await install_guard(["chats"])
    await execute(database, "DELETE FROM file WHERE id = 'f'")
    assert await database.rows("chat_file") == []


@ON_POSTGRESQL
async def test_a_database_that_takes_no_triggers_is_no_obstacle(
    database: StockDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    await install_guard(["tags"])  # there is the mirror's table now
    url = database.engine.url.update_query_dict({"options": "-c default_transaction_read_only=on"})
    read_only = StockDatabase(url.render_as_string(hide_password=False))
    with read_only.active():
        await install_guard(["chats"])
    await read_only.close()
    assert "the guard could not be installed" in caplog.text
    assert "read-only transaction" in caplog.text


MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "ffffffffffff"
down_revision = "{head}"


def upgrade():
    chat = sa.table("chat", sa.column("id"), sa.column("title"))
    assert op.get_bind().execute(sa.select(chat.c.title)).scalars().all() == ["t"]
    op.execute(chat.update().values(title="migrated"))
    with op.batch_alter_table("chat") as batch:
        batch.alter_column("title", new_column_name="name")
"""

MIGRATE = """
import logging, sys
from pathlib import Path
import open_webui
from open_webui.internal import db
from alembic import command
from alembic.config import Config
logging.basicConfig(level="INFO")
config = Config(str(Path(open_webui.__file__).with_name("alembic.ini")))
config.set_main_option("script_location", sys.argv[1])
command.upgrade(config, "head")
"""


def migrate(database: StockDatabase, directory: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Do what the host does when it is imported."""
    url = database.engine.url.set(drivername="sqlite" if database.is_sqlite else "postgresql+psycopg")
    env |= {"FROM_INIT_PY": "true", "DATABASE_URL": url.render_as_string(hide_password=False)}
    return subprocess.run(
        [sys.executable, "-c", MIGRATE, str(directory / "migrations")],
        env=environment(directory, env),
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
async def own_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StockDatabase]:
    """A database whose schema the test changes."""
    if request.param == "sqlite":
        database = sqlite_database(tmp_path)
    else:
        template = await postgresql_database()
        await template.close()
        name = postgresql.new_database(str(template.engine.url.database))
        database = StockDatabase(postgresql.url_of(name))
    with database.active():
        yield database
    await database.close()


@pytest.mark.parametrize(
    "own_database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
async def test_the_hosts_migrations_run(own_database: StockDatabase, tmp_path: Path) -> None:
    database, directory = own_database, tmp_path / "data"
    scripts = directory / "migrations"
    shutil.copytree(Path(open_webui.__file__).with_name("migrations"), scripts)
    await execute(database, chat(database))
    await install_guard(["chats", "tags"])
    moved = {"STORAGE_BACKEND": "pocketbase"}

    done = migrate(database, directory, **moved)  # there is nothing to migrate
    assert done.returncode == 0, done.stderr
    assert len(await run(database, guarded_tables)) == 5

    head = ScriptDirectory(str(scripts)).get_current_head()
    (scripts / "versions" / "ffffffffffff_test.py").write_text(MIGRATION.format(head=head))
    done = migrate(database, directory)  # with settings that do not ask for the plugin
    assert done.returncode != 0
    assert "chat_message, shared_chat, tag are in PocketBase, but the settings keep every group" in done.stderr
    assert "chats are in PocketBase" in done.stderr

    done = migrate(database, directory, **moved)
    assert done.returncode == 0, done.stderr
    assert "lifted for Open WebUI's migrations" in done.stderr
    async with database.engine.connect() as connection:
        assert (await connection.execute(text("SELECT name FROM chat"))).scalars().all() == ["migrated"]
    assert await run(database, guarded_tables) == []
    await install_guard(["chats", "tags"])
    with pytest.raises(IntegrityError):
        await execute(database, "DELETE FROM chat")
