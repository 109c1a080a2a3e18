"""Leaving: the SQL database has people's credentials again, as PocketBase has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from open_webui.models.auths import AuthsTable, MfaData
from open_webui.models.oauth_sessions import OAuthSessionTable
from open_webui.models.users import UsersTable
from sqlalchemy import text

from openwebui_pocketbase.changes import credentials
from openwebui_pocketbase.changes.credentials import Copied, copy_credentials
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.guard.triggers import guarded_tables
from openwebui_pocketbase.host.guard import install_guard
from openwebui_pocketbase.repositories.users.auths import PocketBaseAuths
from openwebui_pocketbase.repositories.users.oauth_sessions import PocketBaseOAuthSessions
from openwebui_pocketbase.repositories.users.users import PocketBaseUsers
from tests.support.differential import pocketbase_rows, same
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import StockDatabase, postgresql_database, sqlite_database

TABLES = ("auth", "api_key", "oauth_session")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StockDatabase]:
    database = sqlite_database(tmp_path) if request.param == "sqlite" else await postgresql_database()
    async with database.engine.begin() as connection:
        await connection.execute(text("DROP TABLE IF EXISTS owui_pocketbase_mirror"))
    with database.active():
        yield database
    await database.close()


@pytest.fixture
async def mirror(own_pocketbase: PocketBaseProcess, database: StockDatabase) -> AsyncIterator[Mirror]:
    client: PocketBaseClient = own_pocketbase.client()
    mirror = Mirror(client, ["users"])
    yield mirror
    await client.aclose()


def bound(kind: Any, stock: Any, mirror: Mirror) -> Any:
    """Return a repository as the host's singleton becomes one."""
    repository = stock()
    repository.__class__ = kind
    repository.pocketbase = mirror
    return repository


async def test_credentials_are_in_sql_again(
    mirror: Mirror, database: StockDatabase, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "PAGE", 2)
    auths = bound(PocketBaseAuths, AuthsTable, mirror)
    users = bound(PocketBaseUsers, UsersTable, mirror)
    sessions = bound(PocketBaseOAuthSessions, OAuthSessionTable, mirror)
    ids = [(await auths.insert_new_auth(f"u{n}@x.org", f"hash {n}", f"U{n}", role="admin")).id for n in range(5)]
    for n, user_id in enumerate(ids[:3]):
        assert await users.update_user_api_key_by_id(user_id, f"sk-{n}")
        assert await sessions.create_session(user_id, "oidc", {"access_token": "t", "expires_at": 2_000_000_000})
    async with database.sessions() as session:
        known = await auths.get_auth_by_id(ids[0])
        assert await auths.update_mfa_by_id(known, MfaData(), db=session)
    with own_pocketbase.admin() as admin:
        admin.sql(f"UPDATE owui_auths SET active = FALSE WHERE id = '{ids[4]}'")
        admin.sql(
            "INSERT INTO owui_auths (id, email, password, active, nulls)"
            " VALUES ('nobody', 'n@x.org', 'hash', TRUE, '[]')"
        )
    await install_guard(["users"])

    copied = await copy_credentials(mirror)
    assert copied == {"auth": Copied(5, 1), "api_key": Copied(3, 0), "oauth_session": Copied(3, 0)}
    for table in TABLES:
        kept = [row for row in pocketbase_rows(own_pocketbase.data_dir, table) if row["id"] != "nobody"]
        same(table, kept, await database.rows(table), sort=True)

    async def fits(wanted: str) -> Any:
        async def verify(stored: str) -> bool:
            return stored == wanted

        return await AuthsTable().authenticate_user("u1@x.org", verify)

    user, auth = await fits("hash 1")
    assert (user.id, user.role, auth) == (ids[1], "admin", await auths.get_auth_by_id(ids[1]))
    assert await fits("hash 2") is None
    owner = await UsersTable().get_user_by_api_key("sk-2")
    assert owner is not None
    assert owner.id == ids[2]
    first = await AuthsTable().get_auth_by_id(ids[0])
    assert first is not None
    assert first.mfa is not None
    token = await OAuthSessionTable().get_session_by_provider_and_user_id("oidc", ids[0])
    assert token.token["access_token"] == "t"
    async with database.engine.connect() as connection:
        assert await connection.run_sync(guarded_tables, schema=None) == []

    # What was revoked meanwhile does not come back with the next time.
    await users.delete_user_api_key_by_id(ids[2])
    await auths.update_user_password_by_id(ids[1], "hash of a new one")
    await copy_credentials(mirror)
    assert await UsersTable().get_user_by_api_key("sk-2") is None
    assert await fits("hash 1") is None
    assert (await fits("hash of a new one"))[0].id == ids[1]
