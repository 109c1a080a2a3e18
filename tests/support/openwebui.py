"""A real Open WebUI: server processes, one by one or many at once.

This is a pytest plugin; modules that need its fixtures say ``pytest_plugins = ["tests.support.openwebui"]``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.server.rundir import RunDir, ServerState
from tests.support import postgresql
from tests.support.driver import Driver
from tests.support.ports import free_port
from tests.support.processes import (
    PASSWORD,
    SCIM_TOKEN,
    START_SECONDS,
    STOP_SECONDS,
    environment,
    eventually,
    processes_of,
)
from tests.support.services import require


@pytest.fixture(scope="session")
def poll() -> Callable[..., Any]:
    """Waits for what is to become true soon: `eventually`."""
    return eventually


@dataclass(frozen=True)
class User:
    """Somebody signed up."""

    id: str
    token: str = field(repr=False)


class OpenWebUI:
    """``open-webui serve`` with a data directory of its own.

    Args:
        data_dir: Its data directory, with a migrated database.
        env: Environment variables besides the usual ones.
        in_pocketbase: The groups of data that are in PocketBase.
    """

    password = PASSWORD
    scim_token = SCIM_TOKEN

    def __init__(
        self, data_dir: Path, env: dict[str, str] | None = None, *, in_pocketbase: Collection[str] = ()
    ) -> None:
        self.data_dir = data_dir
        self.env = env or {}
        self.in_pocketbase = frozenset(in_pocketbase)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = self.client()
        self.users: dict[str, User] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self._log = data_dir / "test.log"

    def client(self) -> httpx.Client:
        """Return a client with connections of its own; it takes no cookies, which would make everybody somebody."""
        jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        return httpx.Client(base_url=self.url, timeout=60.0, trust_env=False, cookies=jar)

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def run_dir(self) -> RunDir:
        """The files of the embedded PocketBase."""
        return RunDir(self.data_dir / "pocketbase")

    @property
    def pocketbase(self) -> ServerState:
        """The embedded PocketBase."""
        state = self.run_dir.read_state()
        assert state is not None, "there is no embedded PocketBase"
        return state

    def kill_pocketbase(self) -> ServerState:
        """Kill the embedded PocketBase; return what it was when another one is there."""
        dead = self.pocketbase
        os.kill(dead.pocketbase, signal.SIGKILL)
        eventually(
            lambda: (now := self.run_dir.read_state()) and now.ready and now.pocketbase != dead.pocketbase,
            "the supervisor restarts PocketBase",
        )
        return dead

    def admin(self) -> AdminClient:
        """Return a superuser's client of its PocketBase."""
        if url := self.env.get("OPENWEBUI_POCKETBASE_URL"):
            admin = AdminClient(url)
            admin.login(self.env["OPENWEBUI_POCKETBASE_IDENTITY"], self.env["OPENWEBUI_POCKETBASE_PASSWORD"])
            return admin
        admin = AdminClient(self.pocketbase.url)
        superuser = json.loads(self.run_dir.superuser.read_text())
        admin.login(superuser["identity"], superuser["password"])
        return admin

    @contextlib.contextmanager
    def database(self) -> Iterator[Any]:
        """Give a connection to Open WebUI's own database."""
        if url := self.env.get("DATABASE_URL"):
            connection: Any = psycopg.connect(url.replace("+psycopg", ""))
        else:
            connection = sqlite3.connect(self.data_dir / "webui.db", timeout=10.0)
        with contextlib.closing(connection):
            yield connection

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask Open WebUI's own database."""
        with self.database() as database:
            rows: list[tuple[Any, ...]] = database.execute(statement).fetchall()
            return rows

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Change one row of Open WebUI's own database, guarded or not; parameters are written as ``:name``."""
        with self.database() as database:
            if parameters and isinstance(database, psycopg.Connection):
                statement = re.sub(r":(\w+)", r"%(\1)s", statement)
            with unguarded(database):
                assert database.execute(statement, parameters or {}).rowcount == 1, statement
            database.commit()

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        """Insert a row where the rows of the table are, behind the application's back."""
        declared = TABLES.get(table)
        if declared is None or declared.group not in self.in_pocketbase:
            names = ", ".join(f":{name}" for name in row)
            self.execute(f"INSERT INTO {table} ({names.replace(':', '')}) VALUES ({names})", row)
            return
        with self.admin() as admin:
            admin.send("POST", f"/api/collections/{declared.collection}/records", dict(row))
        if declared.mirrored:
            known = f"SELECT 1 FROM {table} WHERE id = '{row['id']}'"
            eventually(lambda: self.sql(known), "the row is in the SQL database, too")

    def update(self, table: str, id: str, **columns: Any) -> None:
        """Change JSON columns of a row where the rows of the table are, behind the application's back."""
        declared = TABLES[table]
        if declared.group in self.in_pocketbase:
            with self.admin() as admin:
                admin.send("PATCH", f"/api/collections/{declared.collection}/records/{id}", columns)
            return
        for name, value in columns.items():
            self.execute(f"UPDATE {table} SET {name} = :value WHERE id = :id", {"value": json.dumps(value), "id": id})

    def start(self, *, wait: bool = True) -> OpenWebUI:
        if self.http.is_closed:
            self.http = self.client()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).with_name("open-webui")), "serve", "--host=127.0.0.1", f"--port={self.port}"],
                cwd=self.data_dir,
                env=environment(self.data_dir, self.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self.wait_until_ready() if wait else self

    def wait_until_ready(self) -> OpenWebUI:
        eventually(self._is_ready, f"Open WebUI answers on {self.url}", seconds=START_SECONDS)
        return self

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"Open WebUI ended: {self.log[-5000:]}"
        with contextlib.suppress(httpx.TransportError):
            return self.http.get("/health").is_success
        return False

    def wait_for_end(self) -> int:
        """Return the exit code of a process that ends by itself."""
        assert self.process is not None
        return self.process.wait(START_SECONDS)

    def stop(self) -> None:
        """End it as an administrator would, and check that nothing is left."""
        if self.process is None:
            return
        process, self.process = self.process, None
        self.http.close()
        try:
            assert process.poll() is None, f"Open WebUI has ended before: {self.log[-5000:]}"
            process.terminate()
            code = process.wait(STOP_SECONDS)
            # uvicorn raises the signal again when it has shut down, unless it is the parent of workers.
            assert code in (0, -signal.SIGTERM), f"exit code {code}: {self.log[-5000:]}"
            left = processes_of(self.data_dir)
            assert not [line for line in left.values() if "pocketbase" in line.replace(str(self.data_dir), "")], left
            eventually(lambda: not processes_of(self.data_dir), "the host's own helpers end")
        finally:
            for pid in processes_of(self.data_dir):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        """End it as a crash would; its PocketBase, if it is another machine's, goes on."""
        assert self.process is not None
        self.http.close()
        for pid in processes_of(self.data_dir):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def request(self, user: str, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Send a request as one of the users, or as nobody (``""``)."""
        return self.http.request(method, path, headers=self.headers(user), **kwargs)

    def headers(self, user: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.user(user).token}"} if user else {}

    def user(self, name: str) -> User:
        """Return the user of this name: signed up as the first admin, added by that one, or signed in again."""
        if name in self.users and not self.users[name].token:
            form = {"email": f"{name}@example.com", "password": PASSWORD}
            answer = self.http.post("/api/v1/auths/signin", json=form)
            assert answer.is_success, answer.text
            self.users[name] = User(self.users[name].id, answer.json()["token"])
        if name not in self.users:
            form = {"name": name, "email": f"{name}@example.com", "password": PASSWORD}
            if name == "admin":
                answer = self.http.post("/api/v1/auths/signup", json=form)
            else:
                answer = self.request("admin", "POST", "/api/v1/auths/add", json={**form, "role": "user"})
            assert answer.is_success, answer.text
            self.users[name] = User(answer.json()["id"], answer.json()["token"])
        return self.users[name]

    def forget_tokens(self) -> None:
        """Have everybody sign in again."""
        self.users = {name: User(user.id, "") for name, user in self.users.items()}


@contextlib.contextmanager
def unguarded(database: Any) -> Iterator[None]:
    """Have the guard out of the way in a transaction: what is written is a stranger's, and no copy of the mirror's."""
    if isinstance(database, psycopg.Connection):
        query = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE left(tgname, 11) = 'owui_guard_'"
        triggers = database.execute(query).fetchall()
        for table, name in triggers:
            database.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
        yield
        for table, name in triggers:
            database.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")
        return
    database.execute("BEGIN IMMEDIATE")
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, 11) = 'owui_guard_'"
    guards = database.execute(query).fetchall()
    for name, _ in guards:
        database.execute(f"DROP TRIGGER {name}")
    yield
    for _, definition in guards:
        database.execute(definition)


# The import migrates the database. Seeding it belongs to the start, but two workers that do it at once are
# in each other's way, and one of them fails.
PREPARE = "import asyncio, open_webui.config as config; asyncio.run(config.seed_registered_defaults())"


def prepare(data_dir: Path, env: dict[str, str] | None = None) -> None:
    subprocess.run(
        [sys.executable, "-c", PREPARE],
        cwd=data_dir,
        env=environment(data_dir, {"FROM_INIT_PY": "true", **(env or {})}),
        capture_output=True,
        check=True,
    )


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data directory of a stock Open WebUI whose database is migrated and has its settings; copy it."""
    data_dir = tmp_path_factory.mktemp("migrated")
    prepare(data_dir)
    return data_dir


@pytest.fixture(scope="session")
def migrated_postgresql(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of such a database of PostgreSQL; use it as a template."""
    require(postgresql.answers(), "PostgreSQL (OWUI_TEST_POSTGRESQL_URL)")
    name = postgresql.new_database()
    prepare(tmp_path_factory.mktemp("postgresql"), {"DATABASE_URL": postgresql.url_of(name, "+psycopg")})
    return name


NewOpenWebUI = Callable[..., OpenWebUI]


@pytest.fixture(scope="session")
def new_openwebui(
    migrated: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[NewOpenWebUI]:
    """Makes instances, to be started by the test; stopped at the end of the session if they still run."""
    made = []

    def make(
        name: str,
        env: dict[str, str] | None = None,
        *,
        config: str = "",
        database: str = "sqlite",
        in_pocketbase: Collection[str] = (),
    ) -> OpenWebUI:
        data_dir = tmp_path_factory.mktemp(name)
        shutil.copytree(migrated, data_dir, dirs_exist_ok=True)
        if config:
            (data_dir / "openwebui-pocketbase.toml").write_text(config)
        if database == "postgresql":
            copy = postgresql.new_database(request.getfixturevalue("migrated_postgresql"))
            env = {**(env or {}), "DATABASE_URL": postgresql.url_of(copy, "+psycopg")}
        made.append(OpenWebUI(data_dir, env, in_pocketbase=in_pocketbase))
        return made[-1]

    yield make
    with ThreadPoolExecutor() as pool:
        list(pool.map(OpenWebUI.stop, made))


EVERY_GROUP = frozenset(table.group for table in TABLES.values())

CONFIGURATIONS: dict[str, tuple[dict[str, str], frozenset[str]]] = {
    "stock": ({}, frozenset()),
    "everything": ({"STORAGE_BACKEND": "pocketbase"}, EVERY_GROUP),
    "users": ({"OPENWEBUI_POCKETBASE_GROUPS_USERS": "pocketbase"}, frozenset({"users"})),
    "groups": (
        {"OPENWEBUI_POCKETBASE_GROUPS_GROUPS": "pocketbase", "OPENWEBUI_POCKETBASE_GROUPS_ACCESS": "pocketbase"},
        frozenset({"groups", "access"}),
    ),
}
"""What is in PocketBase -> environment variables, and the groups that are."""


def _all_of(*groups: str) -> tuple[dict[str, str], frozenset[str]]:
    return {f"OPENWEBUI_POCKETBASE_GROUPS_{group.upper()}": "pocketbase" for group in groups}, frozenset(groups)


FLEET: dict[str, tuple[dict[str, str], frozenset[str]]] = {
    **CONFIGURATIONS,
    "chats": (
        {"OPENWEBUI_POCKETBASE_GROUPS_CHATS": "pocketbase", "OPENWEBUI_POCKETBASE_GROUPS_TAGS": "pocketbase"},
        frozenset({"chats", "tags"}),
    ),
    "models": _all_of("models", "groups", "access"),
    "models and users": _all_of("models", "groups", "access", "users"),
    "messages": _all_of("messages"),
    "messages and users": _all_of("messages", "users"),
}
"""All of which there may be an instance that tests share; not everything is compared with the last one."""

DATABASES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))


def with_and_without_users(group: str, database: str) -> tuple[str, ...]:
    """Return the configurations that are compared where a group can be in PocketBase without users.

    On PostgreSQL it is without them only, when most is asked of that database; copies of users are compared there with
    all that `contestants` do.
    """
    both = ("stock", "everything", group, f"{group} and users")
    return both if database == "sqlite" else both[:-1]


class Fleet:
    """Instances which tests share, by configuration and database.

    Args:
        new: Makes instances.
    """

    def __init__(self, new: NewOpenWebUI) -> None:
        self._new = new
        self._running: dict[tuple[str, str], OpenWebUI] = {}

    def start(self, *wanted: tuple[str, str]) -> list[OpenWebUI]:
        """Return those instances; those that do not run yet are started at once, which saves time."""
        new = [each for each in wanted if each not in self._running]
        for name, database in new:
            env, in_pocketbase = FLEET[name]
            directory = f"{name}-{database}".replace(" ", "-")  # as in all addresses of uploads that are compared
            instance = self._new(directory, env, database=database, in_pocketbase=in_pocketbase)
            self._running[name, database] = instance.start(wait=False)
        for each in new:
            self._running[each].wait_until_ready().user("admin")
        return [self._running[each] for each in wanted]


@pytest.fixture(scope="session")
def fleet(new_openwebui: NewOpenWebUI) -> Fleet:
    return Fleet(new_openwebui)


@pytest.fixture(scope="session")
def stock(fleet: Fleet) -> OpenWebUI:
    """Open WebUI as if the plugin were not installed."""
    return fleet.start(("stock", "sqlite"), ("everything", "sqlite"))[0]


@pytest.fixture(scope="session")
def embedded(fleet: Fleet) -> OpenWebUI:
    """Open WebUI with everything in the embedded PocketBase."""
    return fleet.start(("stock", "sqlite"), ("everything", "sqlite"))[1]


@pytest.fixture(scope="session")
def two_workers(new_openwebui: NewOpenWebUI) -> OpenWebUI:
    """Two workers behind a proxy that says who somebody is; the first modules that use it leave it running."""
    env = {
        "STORAGE_BACKEND": "pocketbase",
        "UVICORN_WORKERS": "2",
        "WEBUI_AUTH_TRUSTED_EMAIL_HEADER": "X-Email",
        "WEBUI_AUTH_TRUSTED_NAME_HEADER": "X-Name",
        "WEBUI_AUTH_TRUSTED_ROLE_HEADER": "X-Role",
        "WEBUI_AUTH_TRUSTED_GROUPS_HEADER": "X-Groups",
    }
    instance = new_openwebui("two", env, in_pocketbase=EVERY_GROUP).start()
    instance.user("admin")
    return instance


@pytest.fixture
def contestants(fleet: Fleet, database: str) -> dict[str, OpenWebUI]:
    """The instances with the same database, by configuration; the first one is the stock one."""
    require(database != "postgresql" or postgresql.answers(), "PostgreSQL (OWUI_TEST_POSTGRESQL_URL)")
    return dict(zip(CONFIGURATIONS, fleet.start(*((name, database) for name in CONFIGURATIONS)), strict=True))


@pytest.fixture(scope="session")
def chat_contestants(fleet: Fleet) -> dict[str, OpenWebUI]:
    """A stock instance, one with everything in PocketBase, and one with nothing but chats and their tags there."""
    names = ("stock", "everything", "chats")
    return dict(zip(names, fleet.start(*((name, "sqlite") for name in names)), strict=True))


@pytest.fixture(scope="session")
def driver(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A process in which Open WebUI's application can be started again and again."""
    data_dir = tmp_path_factory.mktemp("driver")
    shutil.copytree(migrated, data_dir, dirs_exist_ok=True)
    driver = Driver(data_dir)
    yield driver.wait_until_ready()
    driver.stop()
