"""``user``: accounts in the SQL database, in an external PocketBase, and nowhere."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from open_webui.models.auths import MfaData
from sqlalchemy import make_url

from openwebui_pocketbase.last_start import LastStart, database_name
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.users._base import new_user, wire_of
from tests.support.commands import run_user
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess
from tests.support.stock import _migrated_sqlite

ADMIN = "Ann@Example.com"
WANTED = "a new password of Ann's"


class Site:
    """A data directory with a database, on which commands are run."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.env: dict[str, str] = {}
        data_dir.mkdir()
        shutil.copyfile(_migrated_sqlite(), self.database)

    @property
    def database(self) -> Path:
        return self.data_dir / "webui.db"

    def user(self, *commands: tuple[str, ...], given: str = "", code: int = 0) -> list[tuple[str, str]]:
        """Return what commands print, each of which is given the same."""
        return run_user(self.data_dir, self.env, *commands, given=given, code=code)

    def sql(self, statement: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.database)) as database, database:
            return database.execute(statement, values).fetchall()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "data")


@pytest.fixture
def in_sql(site: Site) -> Site:
    """One administrator, and one who waits, whose name would colour a terminal."""
    for number, email, role, name in (
        ("1", ADMIN.lower(), "admin", "Ann"),
        ("2", "bo@example.com", "pending", "B\33[31mo"),
    ):
        site.sql(
            "INSERT INTO user (id, email, role, name, profile_image_url, last_active_at, updated_at, created_at)"
            " VALUES (?, ?, ?, ?, '', 3, 2, 1)",
            *(number, email, role, name),
        )
        site.sql(
            "INSERT INTO auth (id, email, password, active, session_stamp) VALUES (?, ?, 'x', 1, 'old')", number, email
        )
    return site


CREDENTIALS = "SELECT id, role, password, mfa, session_stamp FROM user JOIN auth USING (id) ORDER BY id"


def test_accounts_in_the_sql_database(in_sql: Site) -> None:
    mfa = MfaData(secret="encrypted", recovery_hashes=["1"]).model_dump_json()
    in_sql.sql("UPDATE auth SET mfa = ? WHERE id = '2'", mfa)
    (listed, _), (table, _), *_, (disabled, _) = in_sql.user(
        ("list", "--json"),
        ("list",),
        ("set-password", ADMIN, "--stdin"),
        ("set-role", "bo@example.com", "admin"),
        ("set-role", ADMIN, "pending"),
        ("disable-mfa", "bo@example.com", "--reason", "lost"),
        given=f"{WANTED}\n",
    )
    ann = {"id": "1", "email": "ann@example.com", "name": "Ann", "role": "admin", "created_at": 1, "last_active_at": 3}
    assert json.loads(listed)[0] == ann
    assert table == "admin    ann@example.com  Ann\npending  bo@example.com   B\ufffd[31mo\n"
    (_, *roles), (_, *others) = in_sql.sql(CREDENTIALS)
    assert (roles[0], others[0]) == ("pending", "admin")
    assert bcrypt.checkpw(WANTED.encode(), roles[1].encode())
    assert others[1] == "x"
    assert "old" not in (roles[-1], others[-1])
    stored = MfaData.model_validate_json(others[2])
    assert (stored.secret, stored.recovery_hashes, stored.reset_required) == (None, [], True)
    assert stored.reset_ticket is not None
    token = disabled.splitlines()[-1]
    assert stored.reset_ticket.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert disabled.startswith("The authenticator is disabled. ")
    ((again, _),) = in_sql.user(("disable-mfa", "bo@example.com", "--reason", "too late"))
    assert again.startswith("There was no authenticator: it had been disabled before. ")
    assert again.splitlines()[-1] != token


def test_there_is_no_authenticator_to_disable(in_sql: Site) -> None:
    """Nobody has one by having begun to set one up."""
    in_sql.sql("UPDATE auth SET mfa = ? WHERE id = '2'", MfaData().model_dump_json())
    before = in_sql.sql(CREDENTIALS)
    commands = (("disable-mfa", email, "--reason", "lost") for email in (ADMIN, "bo@example.com"))
    for _, errors in in_sql.user(*commands, code=1):
        assert errors.startswith("openwebui-pocketbase: This user has no authenticator.")
    assert in_sql.sql(CREDENTIALS) == before


def test_what_is_refused_changes_nothing(in_sql: Site) -> None:
    before = in_sql.sql(CREDENTIALS)
    results = in_sql.user(
        ("set-password", "no@example.com", "--stdin"),
        ("set-password", ADMIN),
        ("set-password", ADMIN, "--stdin"),
        ("set-role", ADMIN, "user"),
        ("disable-mfa", ADMIN, "--reason", " "),
        given="p" * 73,
        code=1,
    )
    messages = (
        "There is no user with this address.",
        "There is no terminal to ask for the password.",
        "Open WebUI refuses: Uh-oh! The password you entered is too long.",
        "This is the only administrator",
        "The reason is empty.",
    )
    for (_, errors), message in zip(results, messages, strict=True):
        assert errors.startswith(f"openwebui-pocketbase: {message}")
    ((_, errors),) = in_sql.user(("set-password", ADMIN, "--stdin"), code=1)
    assert "The password is empty." in errors
    assert in_sql.sql(CREDENTIALS) == before


async def test_an_external_server(site: Site, own_pocketbase: PocketBaseProcess) -> None:
    site.env = {
        "OPENWEBUI_POCKETBASE_GROUPS_USERS": "pocketbase",
        "OPENWEBUI_POCKETBASE_URL": own_pocketbase.url,
        "OPENWEBUI_POCKETBASE_IDENTITY": IDENTITY,
        "OPENWEBUI_POCKETBASE_PASSWORD": PASSWORD,
    }
    auth = {"id": "1", "email": ADMIN.lower(), "password": "x", "active": True, "mfa": None, "session_stamp": "old"}
    user = new_user("1", "Ann", ADMIN.lower(), "/user.png", "pending")
    client = own_pocketbase.client()
    await client.write("auths/insert_new_auth", {"auth": codec_of("auth").encode(auth), "user": wire_of(user)})
    site.user(("set-password", ADMIN, "--stdin"), ("set-role", ADMIN, "admin"), given=WANTED)
    stored = codec_of("auth").decode(await client.read("auths/get_auth_by_id", {"id": "1"}))
    await client.aclose()
    assert bcrypt.checkpw(WANTED.encode(), stored["password"].encode())
    assert stored["session_stamp"] != "old"
    assert site.sql("SELECT email, role FROM user") == [(ADMIN.lower(), "admin")]


def test_nothing_is_made_by_mistake(site: Site) -> None:
    site.env = {"STORAGE_BACKEND": "pocketbase"}
    ((_, errors),) = site.user(("list",), code=1)
    assert str(site.data_dir / "pocketbase") in errors
    assert not (site.data_dir / "pocketbase").exists()
    site.database.unlink()
    ((_, errors),) = site.user(("list",), code=1)
    assert f"There is no Open WebUI database {site.database}" in errors
    assert not site.database.exists()
    site.data_dir = site.data_dir.with_name("mistyped")
    ((_, errors),) = site.user(("list",), code=1)
    assert f"There is no data directory {site.data_dir}" in errors
    assert not site.data_dir.exists()


@pytest.mark.parametrize(
    ("url", "schema", "there"),
    [
        ("postgresql+psycopg://somebody:secret@db.example.org/site", "", False),
        ("sqlite:////elsewhere/webui.db", "", False),
        ("sqlite:///{data_dir}/../data/webui.db", "", True),
    ],
)
def test_another_database_than_the_last_start_had_is_refused(
    url: str, schema: str, *, there: bool, in_sql: Site
) -> None:
    """Without DATABASE_URL a command would look at, and change, whatever webui.db there is."""
    data_dir = in_sql.data_dir
    name = database_name(make_url(url.format(data_dir=data_dir)), schema, data_dir)
    LastStart.now({}, data_dir, data_dir, name).write(data_dir)
    if there:
        in_sql.user(("list",))
        return
    ((printed, error),) = in_sql.user(("set-role", ADMIN, "pending"), code=1)
    assert not printed
    assert f"last ran on {name}, but this command would use sqlite file webui.db" in error
    assert "DATABASE_URL" in error
    assert "secret" not in error


def test_databases_are_told_apart(tmp_path: Path) -> None:
    there = make_url("postgresql://a:b@one/site")
    others = [make_url("postgresql://a:b@two/site"), make_url("postgresql://a:b@one/other")]
    names = {database_name(url, schema, tmp_path) for url in (there, *others) for schema in ("", "s")}
    assert len(names) == 6
    assert database_name(make_url(f"sqlite:///{tmp_path}/x.db"), "", tmp_path) == "sqlite file x.db"
