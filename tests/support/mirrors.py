"""Mirrors between a PocketBase and the host's SQL database: fixtures, and what several suites do with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from open_webui.models.users import User
from sqlalchemy import text

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.changes.watch import unwatch
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.repositories.access import PocketBaseAccessGrants
from openwebui_pocketbase.repositories.groups import PocketBaseGroups
from openwebui_pocketbase.repositories.users.users import PocketBaseUsers
from openwebui_pocketbase.schema.tables import TABLES as DECLARED
from tests.support.differential import pocketbase_rows, same
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import StockDatabase, postgresql_database, sqlite_database

__all__ = [
    "TABLES",
    "Installation",
    "alien",
    "check",
    "client",
    "database",
    "hold_applying",
    "no_sockets",
    "one",
    "other",
    "raw_user",
    "user",
]

TABLES = ("user", "group", "group_member", "access_grant")
GROUPS = ("users", "groups", "access")


class Installation:
    """One process of the host: repositories in PocketBase, and a mirror in its SQL database."""

    def __init__(self, client: PocketBaseClient, groups: tuple[str, ...] = GROUPS) -> None:
        self.mirror = Mirror(client, groups)
        self.users = self._repository(PocketBaseUsers)
        self.groups = self._repository(PocketBaseGroups)
        self.grants = self._repository(PocketBaseAccessGrants)

    def _repository(self, kind: type) -> Any:
        repository: Any = object.__new__(kind)
        repository.pocketbase = self.mirror
        return repository


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StockDatabase]:
    database = sqlite_database(tmp_path) if request.param == "sqlite" else await postgresql_database()
    async with database.engine.begin() as connection:
        await connection.run_sync(unwatch, [name for name, table in DECLARED.items() if table.mirrored])
        for table in sql.METADATA.tables:
            await connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
    with database.active():
        yield database
    await database.close()


@pytest.fixture
async def client(own_pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseClient]:
    client = own_pocketbase.client()
    yield client
    await client.aclose()


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refresh(_user_ids: Any) -> None:
        pass

    monkeypatch.setattr("open_webui.models.groups.refresh_group_sessions", refresh)


@pytest.fixture
def one(client: PocketBaseClient, database: StockDatabase) -> Installation:
    return Installation(client)


@pytest.fixture
def other(client: PocketBaseClient, database: StockDatabase) -> Installation:
    """Another process on the same databases."""
    return Installation(client)


async def check(database: StockDatabase, server: PocketBaseProcess, *, tables: tuple[str, ...] = TABLES) -> None:
    """Check that the SQL copy is equal to PocketBase."""
    for table in tables:
        same(table, pocketbase_rows(server.data_dir, table), await database.rows(table), sort=True)


async def user(installation: Installation, number: int, **values: Any) -> str:
    """Insert a user; return the id."""
    form = {"name": f"User {number}", "email": f"u{number}@example.com", "role": "user", **values}
    await installation.users.insert_new_user(f"u{number}", **form)
    return f"u{number}"


def raw_user(user_id: str) -> dict[str, Any]:
    """Return what the hooks take to insert a user."""
    names = [column.name for column in User.__table__.columns]
    return {"user": dict.fromkeys(names) | {"id": user_id, "name": user_id, "email": f"{user_id}@example.com"}}


def alien(**values: Any) -> User:
    """Return a user that PocketBase does not have."""
    return User(id="alien", name="A", email="a@example.com", last_active_at=1, updated_at=1, created_at=1, **values)


def hold_applying(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Stop a mirror before it writes a reply; return what is set when it waits, and what lets it go on."""
    waits, goes_on = asyncio.Event(), asyncio.Event()
    apply = mirror._apply

    async def slowly(*args: Any) -> None:
        waits.set()
        await goes_on.wait()
        await apply(*args)

    monkeypatch.setattr(mirror, "_apply", slowly)
    return waits, goes_on
