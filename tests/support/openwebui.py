"""A real Open WebUI: server processes, and one process that goes through many starts of the application.

This is a pytest plugin; modules that need its fixtures say ``pytest_plugins = ["tests.support.openwebui"]``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.server.rundir import RunDir, ServerState
from tests.support.pocketbase import free_port

ROOT = Path(__file__).parents[2]

START_SECONDS = 180.0
STOP_SECONDS = 60.0

PASSWORD = "a-user's-password"

ENVIRONMENT = {
    "WEBUI_SECRET_KEY": "a-secret-key-only-for-tests",
    "OFFLINE_MODE": "true",
    "HF_HUB_OFFLINE": "1",
    "ENABLE_OLLAMA_API": "false",
    "ENABLE_OPENAI_API": "false",
    "RAG_EMBEDDING_ENGINE": "openai",  # the default one loads a model
    "USER_PERMISSIONS_FOLDERS_ALLOW_SHARING": "true",
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
    """

    def __init__(self, data_dir: Path, env: dict[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.env = env or {}
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

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask Open WebUI's own database."""
        uri = f"file:{self.data_dir / 'webui.db'}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=10.0)) as database:
            return database.execute(statement).fetchall()

    def start(self, *, wait: bool = True) -> OpenWebUI:
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
        """Return the user of this name: signed up as the first admin, or added by that one."""
        if name not in self.users:
            form = {"name": name, "email": f"{name}@example.com", "password": PASSWORD}
            if name == "admin":
                answer = self.http.post("/api/v1/auths/signup", json=form)
            else:
                answer = self.request("admin", "POST", "/api/v1/auths/add", json={**form, "role": "user"})
            assert answer.is_success, answer.text
            self.users[name] = User(answer.json()["id"], answer.json()["token"])
        return self.users[name]


# The import migrates the database. Seeding it belongs to the start, but two workers that do it at once are
# in each other's way, and one of them fails.
PREPARE = "import asyncio, open_webui.config as config; asyncio.run(config.seed_registered_defaults())"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data directory of a stock Open WebUI whose database is migrated and has its settings; copy it."""
    data_dir = tmp_path_factory.mktemp("migrated")
    subprocess.run(
        [sys.executable, "-c", PREPARE],
        cwd=data_dir,
        env=environment(data_dir, {"FROM_INIT_PY": "true"}),
        capture_output=True,
        check=True,
    )
    return data_dir


NewOpenWebUI = Callable[..., OpenWebUI]


@pytest.fixture(scope="session")
def new_openwebui(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewOpenWebUI]:
    """Makes instances, to be started by the test; stopped at the end of the session if they still run."""
    made = []

    def make(name: str, env: dict[str, str] | None = None, *, config: str = "") -> OpenWebUI:
        data_dir = tmp_path_factory.mktemp(name)
        shutil.copytree(migrated, data_dir, dirs_exist_ok=True)
        if config:
            (data_dir / "openwebui-pocketbase.toml").write_text(config)
        made.append(OpenWebUI(data_dir, env))
        return made[-1]

    yield make
    with ThreadPoolExecutor() as pool:
        list(pool.map(OpenWebUI.stop, made))


@pytest.fixture(scope="session")
def both(new_openwebui: NewOpenWebUI) -> tuple[OpenWebUI, OpenWebUI]:
    """A stock instance and one with everything in the embedded PocketBase."""
    pair = (new_openwebui("stock"), new_openwebui("embedded", {"STORAGE_BACKEND": "pocketbase"}))
    for instance in pair:
        instance.start(wait=False)
    for instance in pair:
        instance.wait_until_ready().user("admin")
    return pair


@pytest.fixture(scope="session")
def stock(both: tuple[OpenWebUI, OpenWebUI]) -> OpenWebUI:
    """Open WebUI as if the plugin were not installed."""
    return both[0]


@pytest.fixture(scope="session")
def embedded(both: tuple[OpenWebUI, OpenWebUI]) -> OpenWebUI:
    """Open WebUI with everything in the embedded PocketBase."""
    return both[1]


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
                env=environment(data_dir, {"FROM_INIT_PY": "true", "PYTHONPATH": str(ROOT)}),
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
        self, env: dict[str, str], requests: list[dict[str, Any]] | None = None, *, without_seams: bool = False
    ) -> Start:
        """Activate the plugin, start the application, send the requests, stop it, undo it."""
        before = self.log.stat().st_size
        command = {"env": env, "requests": requests or [], "without_seams": without_seams}
        assert self.process.stdin is not None
        print(json.dumps(command), file=self.process.stdin, flush=True)
        result = self._read()
        result["answers"] = [(status, content) for status, content in result["answers"]]
        return Start(**result, output=self.log.read_bytes()[before:].decode(errors="replace"))

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
