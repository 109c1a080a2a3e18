"""One process that goes through many starts of Open WebUI's application."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from string import Template
from typing import Any

import httpx
import pytest

from openwebui_pocketbase.schema.tables import TABLES
from tests.support.processes import LIGHT, PASSWORD, SOURCE, STOP_SECONDS, environment

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Start:
    """What came of one start of the application.

    Attributes:
        exit: Exit code with which the activation ended the program; None if it did not.
        messages: The messages of the ASGI lifespan protocol.
        answers: Status and JSON of each request.
        asked: What each request asked PocketBase, such as ``users/get_user_by_id``; also what it left behind did.
        backends: The host's singletons -> the module of their class, while the application ran.
        stock: Whether everything of the host was as before, after everything was undone.
        output: What was printed and logged.
    """

    exit: int | None
    messages: list[dict[str, str]]
    answers: list[tuple[int, Any]]
    asked: list[list[str]]
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
                env=environment(
                    data_dir, {"FROM_INIT_PY": "true", "PYTHONPATH": os.pathsep.join(map(str, (LIGHT, SOURCE, ROOT)))}
                ),
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
            requests: What to send: arguments of httpx; ``save``, names for members of the answer, which later requests
                have as ``$name``; and ``token``, the name of what the sender signs in with.
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
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE name LIKE 'owui_guard_%'").fetchall():
                database.execute(f"DROP TRIGGER {name}")
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
        "routes": [getattr(route, "path", "") for route in app.routes],
        "ping": sys.modules["open_webui.main"].async_db_ping.__module__,
        "handlers": [str(kind) for kind in app.exception_handlers if ours in str(kind)],
        "finders": [type(finder).__module__ for finder in sys.meta_path if ours in type(finder).__module__],
        "modules": sorted(name for name in sys.modules if name.startswith((f"{ours}.host.", f"{ours}.repositories."))),
    }


async def _start(app: Any, command: dict[str, Any]) -> dict[str, Any]:
    """Return the members of `Start`."""
    before = _state(app)
    result: dict[str, Any] = {"exit": None, "messages": [], "answers": [], "asked": [], "backends": {}}
    undo: list[Callable[[], None]] = []
    os.environ.update(command["env"])
    try:
        _activate(undo, without_seams=command["without_seams"])
        result["backends"] = _state(app)["backends"]
        async with _lifespan(app, result["messages"]) as started:
            if started:
                result["answers"], result["asked"] = await _send(app, command["requests"])
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
            patched.setattr(plugin, "seams_of", lambda groups: [])
        watcher = ModuleWatcher()
        patched.setattr(sys, "meta_path", [watcher, *sys.meta_path])
        activation.activate(watcher, sys.modules["open_webui.env"])
        if watcher in sys.meta_path:
            sys.meta_path.remove(watcher)  # what the host imports later is extended here, and once
        for name, callback in watcher.callbacks.items():
            callback(importlib.import_module(name))


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


async def _send(app: Any, requests: list[dict[str, Any]]) -> tuple[list[tuple[int, Any]], list[list[str]]]:
    """Send requests, of the first user, who signs up, unless they say otherwise."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://driver", cookies=_no_cookies()) as client:
        form = {"email": "driver@example.com", "password": PASSWORD}
        user = await client.post("/api/v1/auths/signup", json={"name": "driver", **form})
        if not user.is_success:
            user = await client.post("/api/v1/auths/signin", json=form)
        saved = {"": user.json()["token"]}
        answers, asked = [], []
        with _asking() as ask:
            for each in requests:
                request = json.loads(Template(json.dumps(each)).safe_substitute(saved))
                save = request.pop("save", {})
                headers = {"Authorization": f"Bearer {saved[request.pop('token', '')]}"}
                with ask() as found:
                    answer = await client.request(**request, headers=headers)
                asked.append(found)
                answers.append((answer.status_code, answer.json()))
                saved |= {name: answer.json()[member] for name, member in save.items()}
        return answers, asked


def _no_cookies() -> CookieJar:
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


@contextlib.contextmanager
def _asking() -> Iterator[Callable[[], contextlib.AbstractContextManager[list[str]]]]:
    """Give a context for a list of what is asked of PocketBase within, and by the tasks that begin there."""
    from openwebui_pocketbase.client.transport import Transport  # noqa: PLC0415

    asked: ContextVar[list[str] | None] = ContextVar("asked", default=None)
    send = Transport.send

    @contextlib.contextmanager
    def ask() -> Iterator[list[str]]:
        found: list[str] = []
        token = asked.set(found)
        yield found
        asked.reset(token)

    async def noted(self: Transport, head: bytes, body: bytes, **more: bool) -> Any:
        if (found := asked.get()) is not None:
            found.append(head.split()[1].decode().removeprefix("/api/owui/"))
        return await send(self, head, body, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transport, "send", noted)
        yield ask


if __name__ == "__main__":
    drive()
