"""A real Open WebUI: server processes, and one process that goes through many starts of the application.

This is a pytest plugin; modules that need its fixtures say ``pytest_plugins = ["tests.support.openwebui"]``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.server.rundir import RunDir, ServerState
from tests.support import postgresql
from tests.support.pocketbase import free_port
from tests.support.services import require

ROOT = Path(__file__).parents[2]

START_SECONDS = 180.0
STOP_SECONDS = 60.0

PASSWORD = "a-user's-password"
SECRET_KEY = "a-secret-key-only-for-tests"
SCIM_TOKEN = "a-token-only-for-tests"

LIGHT = Path(__file__).with_name("light")
"""What makes the host's processes faster is there, for Python to find when it starts."""

ENVIRONMENT = {
    "WEBUI_SECRET_KEY": SECRET_KEY,
    "OFFLINE_MODE": "true",
    "HF_HUB_OFFLINE": "1",
    "ENABLE_OLLAMA_API": "false",
    "ENABLE_OPENAI_API": "false",
    "RAG_EMBEDDING_ENGINE": "openai",  # the default one loads a model
    "RAG_OPENAI_API_BASE_URL": "http://127.0.0.1:9",  # nobody is there
    "USER_PERMISSIONS_FOLDERS_ALLOW_SHARING": "true",
    "ENABLE_API_KEYS": "true",
    "ENABLE_SCIM": "true",
    "SCIM_TOKEN": SCIM_TOKEN,
    "SCIM_AUTH_PROVIDER": "oidc",
    "PYTHONPATH": str(LIGHT),
    "PYTHONUNBUFFERED": "1",
    "PYTHONHASHSEED": "0",  # the host puts tags through sets
}
INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH")


def eventually(condition: Callable[[], Any], what: str, *, seconds: float = 60.0) -> Any:
    """Return what the condition gives as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} seconds: {what}"
        time.sleep(0.05)
    return result


def environment(data_dir: Path, extra: dict[str, str]) -> dict[str, str]:
    """Return all the environment of a process: nothing of the test run's own settings gets into it."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**inherited, **ENVIRONMENT, "DATA_DIR": str(data_dir), **extra}


def processes_of(data_dir: Path) -> dict[int, str]:
    """Return the processes that work for a data directory: process id -> command line."""
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("DATA_DIR") == str(data_dir) and process.status() != psutil.STATUS_ZOMBIE:
                found[process.pid] = " ".join(process.cmdline())
    return found


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

    def admin(self) -> AdminClient:
        """Return a superuser's client of the embedded PocketBase."""
        admin = AdminClient(self.pocketbase.url)
        admin.login(**json.loads(self.run_dir.superuser.read_text()))
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
        """Change one row of Open WebUI's own database; parameters are written as ``:name``."""
        with self.database() as database:
            if parameters and isinstance(database, psycopg.Connection):
                statement = re.sub(r":(\w+)", r"%(\1)s", statement)
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

DATABASES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))


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
            env, in_pocketbase = CONFIGURATIONS[name]
            instance = self._new(f"{name}-{database}", env, database=database, in_pocketbase=in_pocketbase)
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
def everywhere(fleet: Fleet, request: pytest.FixtureRequest) -> None:
    """Has every instance started that the tests of this run compare."""
    chosen = {
        item.callspec.params["database"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and "contestants" in item.fixturenames
    }
    if "postgresql" in chosen and not postgresql.answers():
        chosen.remove("postgresql")
    fleet.start(*((name, database) for database in sorted(chosen) for name in CONFIGURATIONS))


@pytest.fixture
def contestants(everywhere: None, fleet: Fleet, database: str) -> dict[str, OpenWebUI]:
    """The instances with the same database, by configuration; the first one is the stock one."""
    require(database != "postgresql" or postgresql.answers(), "PostgreSQL (OWUI_TEST_POSTGRESQL_URL)")
    return dict(zip(CONFIGURATIONS, fleet.start(*((name, database) for name in CONFIGURATIONS)), strict=True))


@dataclass(frozen=True)
class Start:
    """What came of one start of the application.

    Attributes:
        exit: Exit code with which the activation ended the program; None if it did not.
        messages: The messages of the ASGI lifespan protocol.
        answers: Status and JSON of each request.
        backends: The host's singletons -> the module of their class, while the application ran.
        stock: Whether everything of the host was as before, after everything was undone.
        output: What was printed and logged.
    """

    exit: int | None
    messages: list[dict[str, str]]
    answers: list[tuple[int, Any]]
    backends: dict[str, str]
    stock: bool
    output: str

    @property
    def failure(self) -> str:
        """The message of the failed start."""
        assert self.exit is None, self.output
        assert [message["type"] for message in self.messages] == ["lifespan.startup.failed"], self.output
        return self.messages[0]["message"]


class Driver:
    """A process that imports Open WebUI once and starts its application as often as wanted.

    The activation that belongs to the import of the host is made up for: its callbacks are called on
    the modules that have long been imported, and undone after each start.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.log = data_dir / "test.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                cwd=data_dir,
                env=environment(data_dir, {"FROM_INIT_PY": "true", "PYTHONPATH": f"{LIGHT}{os.pathsep}{ROOT}"}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    @property
    def inert(self) -> dict[str, Any]:
        """What the process found after the import without any configuration."""
        return self._inert

    def wait_until_ready(self) -> Driver:
        self._inert: dict[str, Any] = self._read()
        return self

    def start(
        self,
        env: dict[str, str],
        requests: list[dict[str, Any]] | None = None,
        *,
        without_seams: bool = False,
        rows: Sequence[tuple[str, Mapping[str, Any]]] = (),
    ) -> Start:
        """Activate the plugin, start the application, send the requests, stop it, undo it.

        Args:
            env: Environment variables.
            requests: What to send.
            without_seams: Leave the host's functions that name tables as they are.
            rows: What the SQL database has of the tables which the plugin mirrors: (table, row).
        """
        self._replace_rows(rows)
        before = self.log.stat().st_size
        command = {"env": env, "requests": requests or [], "without_seams": without_seams}
        assert self.process.stdin is not None
        print(json.dumps(command), file=self.process.stdin, flush=True)
        result = self._read()
        result["answers"] = [(status, content) for status, content in result["answers"]]
        return Start(**result, output=self.log.read_bytes()[before:].decode(errors="replace"))

    def _replace_rows(self, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Forget what earlier starts left: each has a PocketBase of its own."""
        with contextlib.closing(sqlite3.connect(self.data_dir / "webui.db", timeout=10.0)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            mirrored = {table.name for table in TABLES.values() if table.mirrored} | {"owui_pocketbase_mirror"}
            for name in mirrored & tables:
                database.execute(f'DELETE FROM "{name}"')
            for name, row in rows:
                names = ", ".join(f":{column}" for column in row)
                database.execute(f'INSERT INTO "{name}" ({names.replace(":", "")}) VALUES ({names})', dict(row))
            database.commit()

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(STOP_SECONDS) == 0, self.log.read_text()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the driver ended: {self.log.read_text()[-5000:]}"
        answer: dict[str, Any] = json.loads(line)
        return answer


@pytest.fixture(scope="session")
def driver(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A process in which Open WebUI's application can be started again and again."""
    data_dir = tmp_path_factory.mktemp("driver")
    shutil.copytree(migrated, data_dir, dirs_exist_ok=True)
    driver = Driver(data_dir)
    yield driver.wait_until_ready()
    driver.stop()


# What follows runs in the driver's process.


def drive() -> None:
    """Obey commands, one JSON document per line."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the host prints goes to the log

    from open_webui.main import app  # noqa: PLC0415 - not in the test process

    print(json.dumps(_state(app)), file=answers, flush=True)
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            print(json.dumps(runner.run(_start(app, json.loads(line)))), file=answers, flush=True)


def _state(app: Any) -> dict[str, Any]:
    """Return what the plugin could have changed."""
    from open_webui.models.folders import Folders  # noqa: PLC0415
    from open_webui.models.tags import Tags  # noqa: PLC0415
    from open_webui.routers import search  # noqa: PLC0415

    ours = "openwebui_pocketbase"
    return {
        "backends": {"Folders": type(Folders).__module__, "Tags": type(Tags).__module__},
        "attributes": [*vars(Folders), *vars(Tags)],
        "lifespan": [app.router.lifespan_context.__module__, getattr(app.router.lifespan, "__module__", "")],
        "search": search.search_workspace.__module__,
        "handlers": [str(kind) for kind in app.exception_handlers if ours in str(kind)],
        "finders": [type(finder).__module__ for finder in sys.meta_path if ours in type(finder).__module__],
        "modules": sorted(name for name in sys.modules if name.startswith((f"{ours}.host.", f"{ours}.repositories."))),
    }


async def _start(app: Any, command: dict[str, Any]) -> dict[str, Any]:
    """Return the members of `Start`."""
    before = _state(app)
    result: dict[str, Any] = {"exit": None, "messages": [], "answers": [], "backends": {}}
    undo: list[Callable[[], None]] = []
    os.environ.update(command["env"])
    try:
        _activate(undo, without_seams=command["without_seams"])
        result["backends"] = _state(app)["backends"]
        async with _lifespan(app, result["messages"]) as started:
            if started:
                result["answers"] = await _send(app, command["requests"])
    except SystemExit as end:
        result["exit"] = end.code
    finally:
        for call in undo * 2:  # safe to repeat
            call()
        for name in command["env"]:
            del os.environ[name]
    after = _state(app)
    changing = {"modules"}  # modules stay imported
    result["stock"] = all(after[name] == before[name] for name in after.keys() - changing)
    return result


def _activate(undo: list[Callable[[], None]], *, without_seams: bool) -> None:
    """Do what the finder does when the host is imported."""
    from openwebui_pocketbase import plugin  # noqa: PLC0415
    from openwebui_pocketbase._autostart import ModuleWatcher  # noqa: PLC0415
    from openwebui_pocketbase.host import activation, installation  # noqa: PLC0415

    class Recorded(installation.Installation):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            undo.append(self.undo)

    patch = pytest.MonkeyPatch()
    with patch.context() as patched:
        patched.setattr(installation, "Installation", Recorded)
        if without_seams:
            patched.setattr(plugin, "SEAMS", {})
        watcher = ModuleWatcher()
        patched.setattr(sys, "meta_path", [watcher, *sys.meta_path])
        activation.activate(watcher, sys.modules["open_webui.env"])
        for name, callback in watcher.callbacks.items():
            callback(sys.modules[name])


@contextlib.asynccontextmanager
async def _lifespan(app: Any, messages: list[dict[str, Any]]) -> Any:
    """Take the server's part in the lifespan protocol; give whether the application has started."""
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)
        await from_app.put(message)

    to_app.put_nowait({"type": "lifespan.startup"})
    running = asyncio.ensure_future(app({"type": "lifespan", "asgi": {}, "state": {}}, to_app.get, send))
    started = (await from_app.get())["type"] == "lifespan.startup.complete"
    try:
        yield started
    finally:
        to_app.put_nowait({"type": "lifespan.shutdown"})
        # After a failure the application raises what it has told; the server drops that.
        await asyncio.gather(running, return_exceptions=not started)


async def _send(app: Any, requests: list[dict[str, Any]]) -> list[tuple[int, Any]]:
    """Send requests as the first user, who signs up."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://driver") as client:
        form = {"email": "driver@example.com", "password": PASSWORD}
        user = await client.post("/api/v1/auths/signup", json={"name": "driver", **form})
        if not user.is_success:
            user = await client.post("/api/v1/auths/signin", json=form)
        client.headers["Authorization"] = f"Bearer {user.json()['token']}"
        answers = [await client.request(**request) for request in requests]
        return [(answer.status_code, answer.json()) for answer in answers]


if __name__ == "__main__":
    drive()
