"""The host's own repositories as oracles, on SQLite and PostgreSQL databases which its migrations made.

Several databases live in one process: each has an engine made by the host's factory, and `StockDatabase.active`
makes the host's repositories use it.
"""

from __future__ import annotations

import atexit
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from open_webui.internal import db as host
from open_webui.models import (
    access_grants,
    apps,
    auths,
    automations,
    calendar,
    channels,
    chat_messages,
    chats,
    config,
    feedbacks,
    files,
    folders,
    function_history,
    functions,
    groups,
    knowledge,
    memories,
    messages,
    model_history,
    models,
    notes,
    oauth_sessions,
    prompt_history,
    prompts,
    shared_chats,
    skill_history,
    skills,
    tags,
    tool_history,
    tools,
    users,
)
from sqlalchemy import JSON, Table, Text, cast, event, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from openwebui_pocketbase.catalog import spec_of
from openwebui_pocketbase.host.binding import load
from tests.support import postgresql
from tests.support.postgresql import POSTGRESQL_DIFFERENCES
from tests.support.services import require

TABLES: tuple[Table, ...] = (
    notes.PinnedNote.__table__,
    notes.Note.__table__,
    prompt_history.PromptHistory.__table__,
    prompts.Prompt.__table__,
    tool_history.ToolHistory.__table__,
    tools.Tool.__table__,
    function_history.FunctionHistory.__table__,
    functions.Function.__table__,
    skill_history.SkillHistory.__table__,
    skills.Skill.__table__,
    memories.Memory.__table__,
    feedbacks.Feedback.__table__,
    automations.AutomationRun.__table__,
    automations.Automation.__table__,
    calendar.CalendarEventAttendee.__table__,
    calendar.CalendarEvent.__table__,
    calendar.Calendar.__table__,
    knowledge.KnowledgeFile.__table__,
    knowledge.KnowledgeDirectory.__table__,
    knowledge.Knowledge.__table__,
    channels.ChannelFile.__table__,
    channels.ChannelWebhook.__table__,
    channels.ChannelMember.__table__,
    messages.MessageReaction.__table__,
    messages.Message.__table__,
    channels.Channel.__table__,
    apps.App.__table__,
    chats.ChatFile.__table__,
    shared_chats.SharedChat.__table__,
    chat_messages.ChatMessage.__table__,
    chats.Chat.__table__,
    config.Config.__table__,
    files.File.__table__,
    tags.Tag.__table__,
    folders.Folder.__table__,
    model_history.ModelHistory.__table__,
    models.Model.__table__,
    access_grants.AccessGrant.__table__,
    groups.GroupMember.__table__,
    groups.Group.__table__,
    oauth_sessions.OAuthSession.__table__,
    users.ApiKey.__table__,
    auths.Auth.__table__,
    users.User.__table__,
)
"""Tables that tests write to; those which refer to others come first."""

_MIGRATE = """
from pathlib import Path
import alembic.command, alembic.config, open_webui
root = Path(open_webui.__file__).parent
config = alembic.config.Config(str(root / "alembic.ini"))
config.set_main_option("script_location", str(root / "migrations"))
alembic.command.upgrade(config, "head")
"""


def stock_class(name: str) -> type:
    """Return the host's own class of a repository; a singleton that was bound does not matter."""
    found: type = load(spec_of(name).stock)
    return found


class StockDatabase:
    """A migrated database; use it on one event loop, and close it there."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        options: dict[str, Any] = {"connect_args": {"check_same_thread": False}} if self.is_sqlite else {}
        self.engine = host._create_async_engine(host._make_async_url(url), **options)
        plain = self.engine.url.set(drivername="sqlite") if self.is_sqlite else self.engine.url
        self.plain_engine = host._create_engine(plain, **options)
        if self.is_sqlite:
            for engine in (self.engine.sync_engine, self.plain_engine):
                event.listen(engine, "connect", lambda raw, _: host._apply_sqlite_pragmas(raw))
        self.sessions = async_sessionmaker(
            bind=self.engine, class_=AsyncSession, autocommit=False, autoflush=False, expire_on_commit=False
        )

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make it the host's database."""
        before = host.engine, host.async_engine, host.AsyncSessionLocal
        host.engine, host.async_engine, host.AsyncSessionLocal = self.plain_engine, self.engine, self.sessions
        try:
            yield
        finally:
            host.engine, host.async_engine, host.AsyncSessionLocal = before

    async def add(self, *objects: Any) -> None:
        """Insert ORM objects."""
        async with self.sessions() as session:
            session.add_all(objects)
            await session.commit()

    async def rows(self, name: str) -> list[dict[str, Any]]:
        """Return all rows as they are stored; of JSON columns the values, None for SQL NULL and JSON null."""
        table = host.Base.metadata.tables[name]
        parsed = {column.name for column in table.columns if isinstance(column.type, JSON)}
        columns = [cast(c, Text).label(c.name) if c.name in parsed else c for c in table.columns]
        async with self.engine.connect() as connection:
            rows = [dict(row._mapping) for row in await connection.execute(select(*columns))]
        for row in rows:
            row.update({name: json.loads(row[name]) for name in parsed if row[name] is not None})
        return rows

    async def clear(self) -> None:
        async with self.engine.begin() as connection:
            for table in TABLES:
                await connection.execute(table.delete())

    async def close(self) -> None:
        self.plain_engine.dispose()
        await self.engine.dispose()


def sqlite_database(directory: Path) -> StockDatabase:
    """Return a new, empty database in this directory."""
    return StockDatabase(f"sqlite:///{migrated_sqlite(directory)}")


def migrated_sqlite(directory: Path) -> Path:
    """Return the file of a new, empty database in this directory."""
    path = directory / f"stock-{secrets.token_hex(4)}.db"
    shutil.copyfile(_migrated_sqlite(), path)
    return path


async def postgresql_database() -> StockDatabase:
    """Return the session's PostgreSQL database, emptied; skip the test if there is no server."""
    require(postgresql.answers(), "PostgreSQL (OWUI_TEST_POSTGRESQL_URL)")
    database = StockDatabase(_migrated_postgresql())
    await database.clear()
    return database


def new_postgresql_database() -> StockDatabase:
    """Return a new, empty PostgreSQL database; skip the test if there is no server."""
    require(postgresql.answers(), "PostgreSQL (OWUI_TEST_POSTGRESQL_URL)")
    return StockDatabase(postgresql.url_of(postgresql.new_database(_postgresql_template()), "+psycopg"))


def skip_postgresql(database: StockDatabase, difference: str, *, when: bool = True) -> None:
    """Skip a test on PostgreSQL for one of `POSTGRESQL_DIFFERENCES`."""
    reason = POSTGRESQL_DIFFERENCES[difference]
    if when and not database.is_sqlite:
        pytest.skip(reason)


def _migrate(url: str) -> None:
    # In a process of its own: the migrations read the host's settings when they are imported.
    done = subprocess.run(
        [sys.executable, "-c", _MIGRATE],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@cache
def _migrated_sqlite() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="owui-stock-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    _migrate(f"sqlite:///{directory / 'migrated.db'}")
    return directory / "migrated.db"


@cache
def _migrated_postgresql() -> str:
    return postgresql.url_of(postgresql.new_database(_postgresql_template()), "+psycopg")


@cache
def _postgresql_template() -> str:
    """Return the name of a migrated database that nobody connects to: only such a one can be copied."""
    name = postgresql.new_database()
    _migrate(postgresql.url_of(name, "+psycopg"))
    return name
