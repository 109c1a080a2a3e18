"""The trip-wire: other code's statements on moved tables are errors, on the host's own engines and sessions."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from open_webui.models.access_grants import AccessGrants
from open_webui.models.auths import AuthsTable
from open_webui.models.chats import Chat, ChatTable
from open_webui.models.files import File
from open_webui.models.models import Model, ModelsTable
from open_webui.models.skills import Skill, SkillsTable
from open_webui.models.tools import Tool, ToolsTable
from open_webui.models.users import User, UsersTable
from sqlalchemy import Engine, Executable, create_engine, delete, event, func, insert, select, text, update
from sqlalchemy.orm import Session

from openwebui_pocketbase.exceptions import MovedTableError
from openwebui_pocketbase.guard.moved import moved_tables
from openwebui_pocketbase.guard.tripwire import TripWire
from openwebui_pocketbase.ours import ours_only
from openwebui_pocketbase.seams.access_grants import of_models, of_skill, of_tool
from tests.support.processes import environment
from tests.support.stock import StockDatabase, postgresql_database, sqlite_database

GROUPS = ("chats", "tags", "users", "groups", "access")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StockDatabase]:
    database = sqlite_database(tmp_path) if request.param == "sqlite" else await postgresql_database()
    with database.active():
        yield database
    await database.close()


@pytest.fixture
def arm(database: StockDatabase) -> Iterator[Callable[..., None]]:
    undo = []

    def arm(mode: Any = "error") -> None:
        engines = (database.engine.sync_engine,)
        undo.append(TripWire(moved_tables(GROUPS), engines, schema=None, mode=mode).arm())

    yield arm
    for step in undo:
        step()


STATEMENTS: dict[str, Executable] = {
    "ORM count": select(func.count()).select_from(Chat),
    "ORM rows": select(Chat.id, Chat.title),
    "ORM join": select(File.id).join(Chat, Chat.user_id == File.user_id),
    "ORM exists": select(File.id).where(select(Chat.id).where(Chat.user_id == File.user_id).exists()),
    "Core": select(Chat.__table__.c.id),
    "Core insert": insert(Chat.__table__).values(id="x"),
    "ORM update": update(Chat).values(title="x"),
    "ORM delete": delete(Chat),
    "text": text("SELECT count(*) FROM chat"),
    "text delete": text("DELETE FROM chat WHERE id = :id").bindparams(id="x"),
    "a copy is written": update(User).values(role="admin"),
}


@pytest.mark.parametrize("name", STATEMENTS)
async def test_statements_on_moved_tables_fail(name: str, database: StockDatabase, arm: Callable[..., None]) -> None:
    arm()
    async with database.sessions() as session:
        with pytest.raises(MovedTableError) as error:
            await session.execute(STATEMENTS[name])
    message = str(error.value)
    assert message.startswith(f"openwebui-pocketbase: {__file__}:")
    if name == "a copy is written":
        assert "have changed the SQL table user. But users are in PocketBase" in message
        assert "open_webui.models.users.Users" in message
    else:
        assert "the SQL table chat. But chats are in PocketBase" in message
        assert "open_webui.models.chats.Chats" in message


async def test_synchronous_sessions_fail_too(database: StockDatabase, arm: Callable[..., None]) -> None:
    """Also over an engine of somebody's own, as plug-ins make them."""
    arm()
    url = database.engine.url.set(drivername="sqlite" if database.is_sqlite else "postgresql+psycopg")
    engine = create_engine(url)
    try:
        with Session(engine) as session:
            with pytest.raises(MovedTableError):
                session.query(Chat).count()
            session.add(Chat(id="x", meta={}))
            with pytest.raises(MovedTableError):
                session.flush()
            session.rollback()
            with pytest.raises(MovedTableError):
                session.execute(text("UPDATE chat SET title = 'x'"))
            assert session.query(User).count() == 0
    finally:
        engine.dispose()


@pytest.mark.parametrize("spelling", ["{relative}", "{parent}/../{folder}/{name}", "file:{path}?uri=true"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_file_has_many_names(spelling: str, database: StockDatabase, arm: Callable[..., None]) -> None:
    arm()
    path = Path(database.engine.url.database or "")
    names = {"relative": os.path.relpath(path), "parent": path.parent, "folder": path.parent.name, "name": path.name}
    engine = create_engine("sqlite:///" + spelling.format(path=path, **names))
    with pytest.raises(MovedTableError), engine.connect() as connection:
        connection.execute(text("SELECT count(*) FROM chat"))
    engine.dispose()


async def test_the_hosts_own_code_fails(
    database: StockDatabase, arm: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """Where it were not replaced."""
    arm()
    with pytest.raises(
        MovedTableError, match=r"open_webui/models/\w+\.py:\d+ would have changed the SQL table (auth|user)"
    ):
        await AuthsTable().insert_new_auth("a@example.com", "hash", "A", role="admin")
    caplog.clear()
    assert await ChatTable().get_chat_by_id_and_user_id("c", "u") is None  # it swallows whatever happens
    assert re.search(r"open_webui/models/chats\.py:\d+ would have read the SQL table chat", caplog.text)


async def test_deletions_spare_the_copies_of_grants(
    database: StockDatabase, arm: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host's methods delete grants in SQL, past their repository; the seams keep them from it."""
    revoked = []

    async def revoke(kind: str, which: Any) -> None:
        revoked.append((kind, which))

    monkeypatch.setattr(AccessGrants, "revoke_all_access", revoke, raising=False)
    monkeypatch.setattr(AccessGrants, "revoke_all_access_to_each", revoke, raising=False)
    times = {"created_at": 1, "updated_at": 1}
    await database.add(
        Tool(id="t", user_id="u", name="t", content="", specs=[], meta={}, **times),
        Skill(id="s", user_id="u", name="s", content="", meta={}, is_active=True, **times),
        Model(id="m", user_id="u", name="m", params={}, meta={}, is_active=True, **times),
    )
    arm()
    with pytest.raises(MovedTableError, match=r"models/tools\.py:\d+ would have changed the SQL table access_grant"):
        await ToolsTable().delete_tool_by_id("t")
    assert await of_tool(ToolsTable.delete_tool_by_id)(ToolsTable(), "t")
    assert await of_skill(SkillsTable.delete_skill_by_id)(SkillsTable(), "s")
    async with database.sessions() as session:
        await of_models(ModelsTable._delete_models)(ModelsTable(), session, ["m"])
        await session.commit()
    assert [await database.rows(name) for name in ("tool", "skill", "model")] == [[], [], []]
    assert revoked == [("tool", "t"), ("skill", "s"), ("model", ["m"])]


async def test_what_is_allowed(database: StockDatabase, arm: Callable[..., None]) -> None:
    arm()
    async with database.sessions() as session:
        await session.execute(select(User.id, User.role.label("chat")))  # a copy is read
        await session.execute(select(File))
        await session.execute(text("WITH chat AS (SELECT 1 AS tag) SELECT tag FROM chat"))
        with ours_only():
            await session.execute(select(Chat.id))
        with pytest.raises(MovedTableError):
            await session.execute(select(Chat.id))
    assert await UsersTable().get_user_by_id("nobody") is None


async def test_tasks_are_told_apart(database: StockDatabase, arm: Callable[..., None]) -> None:
    """What is ours in one task is not in another one that runs meanwhile."""
    arm()
    inside, done = asyncio.Event(), asyncio.Event()

    async def ours() -> None:
        with ours_only():
            inside.set()
            await done.wait()
            async with database.sessions() as session:
                await session.execute(select(Chat.id))

    async def other() -> None:
        await inside.wait()
        async with database.sessions() as session:
            with pytest.raises(MovedTableError):
                await session.execute(select(Chat.id))
        done.set()

    await asyncio.gather(ours(), other())


async def test_other_databases_are_nobodys_business(database: StockDatabase, arm: Callable[..., None]) -> None:
    arm()
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE chat (id)"))
        connection.execute(text("INSERT INTO chat VALUES (1)"))
        assert [*map(tuple, connection.execute(text("SELECT * FROM chat")))] == [(1,)]


async def test_a_warning_comes_once(
    database: StockDatabase, arm: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    arm("warn")
    async with database.sessions() as session:
        for _ in range(3):
            assert (await session.execute(select(func.count()).select_from(Chat))).scalar_one() == 0
        await session.execute(text("SELECT id FROM tag"))
    levels = [(record.levelno, record.getMessage().partition(" would ")[0]) for record in caplog.records]
    assert [level for level, _ in levels] == [logging.WARNING] * 2
    assert all(__file__ in caller for _, caller in levels)


async def test_an_error_that_is_swallowed_is_in_the_log(
    database: StockDatabase, arm: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    arm()
    async with database.sessions() as session:
        for _ in range(2):
            with pytest.raises(MovedTableError):
                await session.execute(text("SELECT id FROM chat_message"))
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_nothing_is_left_of_it(database: StockDatabase) -> None:
    trip_wire = TripWire(moved_tables(GROUPS), (database.engine.sync_engine,), schema=None, mode="error")
    trip_wire.arm()()
    assert not event.contains(Engine, "before_cursor_execute", trip_wire._check)
    async with database.sessions() as session:
        await session.execute(select(Chat.id))


CLEAN_UP = """
import asyncio, json
from sqlalchemy import delete, func, select, text
from open_webui.internal.db import AsyncSessionLocal, SessionLocal, engine, get_async_db
from open_webui.models.chats import Chat
from open_webui.models.files import File

async def in_orm():
    async with get_async_db() as db:
        used = set()
        for body in (await db.execute(select(Chat.chat))).scalars():
            used |= {f["id"] for m in body["messages"] for f in m["files"]}
        await db.execute(delete(File).where(File.id.not_in(used)))
        await db.commit()

async def in_text():
    async with AsyncSessionLocal() as db:
        await db.execute(text("DELETE FROM file WHERE id NOT IN (SELECT file_id FROM chat_file)"))
        await db.commit()

async def count():
    async with AsyncSessionLocal() as db:
        return (await db.execute(select(func.count()).select_from(Chat))).scalar_one()

def in_session():
    with SessionLocal() as db:
        files = {id for (id,) in db.execute(text("SELECT id FROM file"))}
        used = {id for (id,) in db.execute(text('SELECT "file_id" FROM "chat_file"'))}
        db.query(File).filter(File.id.in_(files - used)).delete()
        db.commit()

def tried(work):
    try:
        result = work()
        return repr(asyncio.run(result) if asyncio.iscoroutine(result) else result)
    except Exception as error:
        return f"{type(error).__name__}: {error}"

with engine.begin() as db:
    db.execute(File.__table__.insert(), {"id": "f", "user_id": "u", "filename": "f", "path": "", "created_at": 1})
tries = [tried(work) for work in (in_orm, in_text, count, in_session)]
with SessionLocal() as db:
    print(json.dumps([tries, db.query(File).count()]))
"""


@pytest.mark.parametrize("mode", ["moved", "stock"])
def test_a_clean_up_of_orphaned_files_fails(mode: str, tmp_path: Path) -> None:
    """In a program beside the application, with the plugin as it is found by any Python program."""
    sqlite_database(tmp_path)
    (file,) = tmp_path.glob("*.db")
    file.rename(tmp_path / "webui.db")
    env = {"FROM_INIT_PY": "true", "ENABLE_DB_MIGRATIONS": "false"}
    if mode == "moved":
        in_sql = dict.fromkeys(("FILES", "KNOWLEDGE"), "sqlalchemy")
        env |= {f"OPENWEBUI_POCKETBASE_GROUPS_{name}": backend for name, backend in in_sql.items()}
        env |= {"STORAGE_BACKEND": "pocketbase"}
    done = subprocess.run(
        [sys.executable, "-c", CLEAN_UP],
        env=environment(tmp_path, env),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tries, files = json.loads(done.stdout.splitlines()[-1])
    if mode == "stock":
        assert tries == ["None", "None", "0", "None"]
        assert files == 0
        return
    assert [each.partition(":")[0] for each in tries] == ["MovedTableError"] * 4
    assert all("chats are in PocketBase" in each for each in tries)
    assert files == 1
    assert "<string>" in done.stderr  # the log names the caller
    assert not (tmp_path / "pocketbase").exists()
