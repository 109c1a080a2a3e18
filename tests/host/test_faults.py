"""What an administrator and the users see when PocketBase, or its configuration, fails."""

from __future__ import annotations

import contextlib
import http.server
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from openwebui_pocketbase.schema.tables import SCHEMA_VERSION
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess, clone
from tests.support.ports import free_port
from tests.support.processes import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from openwebui_pocketbase.client import AdminClient
    from tests.support.driver import Driver
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

FOLDERS = "/api/v1/folders"
CHATS = "/api/v1/chats"
MISSING = "00000000-0000-4000-8000-000000000000"
UNAVAILABLE = {"detail": "The storage is not available. Please try again."}
WRONG = "a-wrong-password-of-a-test"


# The embedded server dies.


@dataclass
class Traffic:
    """Requests to one instance, from several threads at once, until told to stop."""

    instance: OpenWebUI
    kept: str
    """Id of a folder which is there all the time."""
    reads: list[tuple[int, Any]] = field(default_factory=list)
    writes: list[tuple[str, int, Any]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._guard, args=(self._read,)) for _ in range(3)]
        threads += [threading.Thread(target=self._guard, args=(self._write, number)) for number in range(2)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _guard(self, work: Callable[..., None], *args: int) -> None:
        try:
            with self.instance.client() as client:
                client.headers.update(self.instance.headers("admin"))
                while not self._over.is_set():
                    work(client, *args)
        except Exception as error:  # noqa: BLE001 - it is the test's result
            self.errors.append(error)

    def _read(self, client: httpx.Client) -> None:
        answer = client.get(f"{FOLDERS}/{self.kept}")
        self.reads.append((answer.status_code, answer.json()))

    def _write(self, client: httpx.Client, writer: int) -> None:
        name = f"{writer}-{len(self.writes)}"
        answer = client.post(f"{FOLDERS}/", json={"name": name})
        self.writes.append((name, answer.status_code, answer.json()))


def test_a_killed_pocketbase_comes_back(embedded: OpenWebUI, poll: Callable[..., Any]) -> None:
    kept = embedded.request("admin", "POST", f"{FOLDERS}/", json={"name": "Kept"}).json()
    traffic = Traffic(embedded, kept["id"])

    def goes_on() -> None:
        reads, writes = len(traffic.reads), len(traffic.writes)
        poll(
            lambda: traffic.errors or (len(traffic.reads) > reads + 10 and len(traffic.writes) > writes + 5), "answers"
        )

    with traffic.running():
        for _ in range(2):
            goes_on()
            dead = embedded.kill_pocketbase()
        goes_on()

    assert traffic.errors == []
    assert embedded.pocketbase.supervisor == dead.supervisor
    assert embedded.pocketbase.port == dead.port
    # Everything is answered within the time for which requests are repeated; should it not be, then clearly.
    assert [answer for answer in traffic.reads if answer[0] != 200 and answer != (503, UNAVAILABLE)] == []
    assert [answer for answer in traffic.writes if answer[1] != 200 and answer[1:] != (503, UNAVAILABLE)] == []

    listed = embedded.request("admin", "GET", f"{FOLDERS}/").json()
    ids: dict[str, list[str]] = {}
    for each in listed:
        ids.setdefault(each["name"], []).append(each["id"])
    assert [name for name, found in ids.items() if len(found) > 1] == []
    assert [name for name, status, answer in traffic.writes if status == 200 and ids.get(name) != [answer["id"]]] == []


# An external server, while Open WebUI runs.


@dataclass(frozen=True)
class External:
    """Open WebUI and the PocketBase it was told to use."""

    openwebui: OpenWebUI
    pocketbase: PocketBaseProcess
    names: dict[str, str]


@pytest.fixture(scope="module")
def external(
    new_openwebui: Callable[..., OpenWebUI], prepared_pocketbase: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[External]:
    server = PocketBaseProcess(clone(prepared_pocketbase, tmp_path_factory.mktemp("external")))
    server.start()
    config = f"""
        storage_backend = "pocketbase"

        [pocketbase]
        url = "{server.url}/"
        identity = "{IDENTITY}"
        password = "{PASSWORD}"

        [pocketbase.timeouts]
        retry = 0.2
    """
    instance = new_openwebui("external", config=config).start()
    folder = instance.request("admin", "POST", f"{FOLDERS}/", json={"name": "Kept"}).json()["id"]
    body = {"chat": {"title": "Kept", "history": {"messages": {}, "currentId": None}}, "folder_id": folder}
    chat = instance.request("admin", "POST", f"{CHATS}/new", json=body).json()["id"]
    instance.request("admin", "POST", f"{CHATS}/{chat}/tags", json={"name": "Kept"})
    yield External(instance, server, {"folder": folder, "chat": chat})
    instance.stop()
    server.stop()


# Requests, and what they answer while PocketBase is away: whoever asks cannot be known then.
DURING_OUTAGE: list[tuple[str, str, dict[str, Any] | None, int]] = [
    ("GET", f"{FOLDERS}/", None, 503),
    ("GET", f"{FOLDERS}/{{folder}}", None, 503),
    ("GET", f"{FOLDERS}/{MISSING}", None, 503),
    ("GET", f"{FOLDERS}/shared", None, 503),
    ("GET", f"{FOLDERS}/{{folder}}/shared/chats", None, 503),
    ("POST", f"{FOLDERS}/", {"name": "New"}, 503),
    ("POST", f"{FOLDERS}/{{folder}}/update", {"name": "New"}, 503),
    ("POST", f"{FOLDERS}/{{folder}}/update/parent", {"parent_id": None}, 503),
    ("POST", f"{FOLDERS}/{{folder}}/update/expanded", {"is_expanded": True}, 503),
    ("POST", f"{FOLDERS}/{{folder}}/access/update", {"access_grants": []}, 503),
    ("POST", f"{FOLDERS}/{{folder}}/read", None, 503),
    ("DELETE", f"{FOLDERS}/{{folder}}", None, 503),
    ("POST", f"{CHATS}/new", {"chat": {"title": "New"}, "folder_id": "{folder}"}, 503),
    ("POST", f"{CHATS}/{{chat}}/folder", {"folder_id": "{folder}"}, 503),
    ("GET", f"{CHATS}/folder/{{folder}}", None, 503),
    ("GET", f"{CHATS}/{{chat}}/tags", None, 503),
    ("POST", f"{CHATS}/{{chat}}/tags", {"name": "New"}, 503),
    ("DELETE", f"{CHATS}/", None, 503),
    ("GET", f"{CHATS}/all/tags", None, 503),
    ("GET", f"{CHATS}/search?text=folder:kept", None, 503),
    ("GET", "/api/v1/search", None, 503),
    ("GET", f"{CHATS}/{{chat}}", None, 503),
    ("GET", f"{CHATS}/?page=1&include_folders=true", None, 503),
    ("GET", "/api/v1/auths/", None, 503),
    ("GET", "/api/v1/users/", None, 503),
    ("GET", "/api/v1/groups/", None, 503),
    ("POST", "/api/v1/auths/signin", {"email": "admin@example.com", "password": "x"}, 503),
    ("POST", "/api/v1/users/user/settings/update", {"ui": {}}, 503),
    ("GET", "/health", None, 200),
]


def view(external: External) -> list[Any]:
    """Return what the users see of tags and folders."""
    paths = (f"{FOLDERS}/", f"{CHATS}/all/tags", f"{CHATS}/{external.names['chat']}", "/api/v1/search")
    return [external.openwebui.request("admin", "GET", path).raise_for_status().json() for path in paths]


def send(external: External, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
    def fill(value: Any) -> Any:
        return value.format(**external.names) if isinstance(value, str) else value

    content = {key: fill(value) for key, value in body.items()} if body is not None else None
    return external.openwebui.request("admin", method, fill(path), json=content)


def test_an_outage_is_told_as_such(external: External) -> None:
    before = view(external)
    said = len(external.openwebui.log)
    external.pocketbase.stop()
    try:
        answers = [(*request, send(external, *request[:3])) for request in DURING_OUTAGE]
    finally:
        external.pocketbase.start()
    wrong = [
        (method, path, status, answer.status_code, answer.text)
        for method, path, _, status, answer in answers
        if answer.status_code != status or (status == 503 and answer.json() != UNAVAILABLE)
    ]
    assert wrong == []
    address = str(external.pocketbase.port)
    assert [path for _, path, _, _, answer in answers if address in answer.text] == []
    assert view(external) == before
    # The log has the cause and the address, though not once per request.
    lines = [line for line in external.openwebui.log[said:].splitlines() if "failed: PocketBase gave no answer" in line]
    assert 1 <= len(lines) < len(DURING_OUTAGE) / 2
    assert f" failed: PocketBase gave no answer to {external.pocketbase.url}/api/owui/" in lines[0]
    assert "What to do: Check that PocketBase runs at this address." in lines[0]
    assert PASSWORD not in external.openwebui.log


def test_health_checks_see_an_outage(external: External, poll: Callable[..., Any]) -> None:
    paths = ("/ready", "/health/db", "/health/storage", "/health")

    def checks() -> list[int]:
        return [external.openwebui.http.get(path).status_code for path in paths]

    poll(lambda: checks() == [200] * 4, "everything is well")
    up = external.openwebui.http.get("/health/storage").json()
    assert up["status"] is True
    assert set(up["groups"].values()) == {"pocketbase"}
    external.pocketbase.stop()
    try:
        poll(lambda: checks() == [503, 503, 503, 200], "the outage is seen")
        down = external.openwebui.http.get("/health/storage")
        assert down.json() == {"status": False, "groups": up["groups"]}
        assert str(external.pocketbase.port) not in down.text
    finally:
        external.pocketbase.start()
    poll(lambda: checks() == [200] * 4, "the end of the outage is seen")


def superuser(admin: AdminClient) -> str:
    """Return the path of the superuser's record."""
    path = "/api/collections/_superusers/records"
    (record,) = (item for item in admin.send("GET", path)["items"] if item["email"] == IDENTITY)
    return f"{path}/{record['id']}"


def test_a_changed_password_is_an_outage_until_it_is_changed_back(external: External) -> None:
    before = view(external)
    another = "another-password-of-a-test"
    with external.pocketbase.admin() as admin:
        path = superuser(admin)
        admin.send("PATCH", path, {"password": another, "passwordConfirm": another})  # ends all tokens, too
        try:
            during = [send(external, "GET", each, None) for each in (f"{FOLDERS}/", f"{FOLDERS}/{{folder}}")]
        finally:
            admin.login(IDENTITY, another)
            admin.send("PATCH", path, {"password": PASSWORD, "passwordConfirm": PASSWORD})
    assert [(answer.status_code, answer.json()) for answer in during] == [(503, UNAVAILABLE)] * 2
    assert view(external) == before
    assert not any(secret in external.openwebui.log for secret in (PASSWORD, another))


def test_requests_go_on_when_tokens_end(external: External) -> None:
    before = view(external)
    path = "/api/collections/_superusers"
    with external.pocketbase.admin() as admin:
        stock = admin.send("GET", path)["authToken"]["duration"]
        try:
            for number in range(2):
                # A new secret ends every token at once; new ones live for less than what is left when we renew.
                admin.send("PATCH", path, {"authToken": {"secret": f"{number}" * 50, "duration": 10}})
                assert view(external) == before
                admin.login(IDENTITY, PASSWORD)
        finally:
            admin.send("PATCH", path, {"authToken": {"duration": stock}})
    assert view(external) == before


# Starts that fail.


class SomethingElse(http.server.BaseHTTPRequestHandler):
    """A web server that is not PocketBase; the path begins with the status of the answer."""

    def do_POST(self) -> None:
        content = b"<html>Welcome!</html>"
        self.send_response(int(self.path.split("/")[1]))
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def servers(prepared_pocketbase: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of servers, good and bad."""
    empty = tmp_path_factory.mktemp("no-hooks")
    some = tmp_path_factory.mktemp("old-hooks")
    (some / "owui.pb.js").write_text(
        'routerAdd("GET", "/api/owui/version",'
        f' (e) => e.json(200, {{ schema: {SCHEMA_VERSION}, epoch: "", hooks: {{}} }}))'
    )
    parent = tmp_path_factory.mktemp("servers")
    processes = {
        "good": PocketBaseProcess(clone(prepared_pocketbase, parent)),
        "no hooks": PocketBaseProcess(clone(prepared_pocketbase, parent), hooks_dir=empty),
        "other hooks": PocketBaseProcess(clone(prepared_pocketbase, parent), hooks_dir=some),
        "newer": PocketBaseProcess(clone(prepared_pocketbase, parent)),
        "no schema": PocketBaseProcess(parent / "fresh", migrations_dir=empty),
    }
    for process in processes.values():
        process.start(wait=False)
    for process in processes.values():
        process.wait_until_ready()
    with processes["newer"].admin() as admin:
        admin.sql("UPDATE owui_meta SET value = '999' WHERE key = 'schema'")
    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SomethingElse)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    yield {
        **{name: process.url for name, process in processes.items()},
        "no server": f"http://127.0.0.1:{free_port()}",
        **{f"web {status}": f"http://127.0.0.1:{other.server_port}/{status}" for status in (200, 404, 502)},
    }
    other.shutdown()
    for process in processes.values():
        process.stop()


def at(url: str, password: str = PASSWORD) -> dict[str, str]:
    """Return the environment for a server."""
    return {
        "STORAGE_BACKEND": "pocketbase",
        "OPENWEBUI_POCKETBASE_URL": url,
        "OPENWEBUI_POCKETBASE_IDENTITY": IDENTITY,
        "OPENWEBUI_POCKETBASE_PASSWORD": password,
        "OPENWEBUI_POCKETBASE_TIMEOUTS_START": "0",
    }


@pytest.mark.parametrize(
    ("server", "password", "problem", "remedy"),
    [
        ("no server", PASSWORD, "PocketBase gave no answer", "Check that PocketBase runs at this address"),
        ("web 200", PASSWORD, "is not PocketBase", "What to do: Check url of [pocketbase]"),
        ("web 404", PASSWORD, "is not PocketBase", "What to do: Check url of [pocketbase]"),
        ("web 502", PASSWORD, "PocketBase answered 502", "What to do: Look at PocketBase's output"),
        ("good", WRONG, "does not accept these credentials", "Check identity and password of [pocketbase]"),
        ("no hooks", PASSWORD, "none of this package's hooks", "openwebui-pocketbase assets export"),
        ("other hooks", PASSWORD, "hooks do not fit", "openwebui-pocketbase assets export"),
        ("newer", PASSWORD, "schema is version 999", "Upgrade openwebui-pocketbase"),
    ],
    ids=lambda value: value if value.count(" ") == 1 else "",
)
def test_the_start_stops_and_says_why(
    driver: Driver, servers: dict[str, str], server: str, password: str, problem: str, remedy: str
) -> None:
    start = driver.start(at(servers[server], password), [{"method": "GET", "url": f"{FOLDERS}/"}])
    assert start.failure.startswith("openwebui-pocketbase: ")
    assert problem in start.failure
    assert start.failure.count("What to do: ") == 1
    assert remedy in start.failure
    everything = start.failure + start.output
    assert "Traceback" not in everything
    assert PASSWORD not in everything
    assert WRONG not in everything
    assert start.answers == []
    assert start.stock


@pytest.mark.parametrize(
    ("env", "problem", "remedy"),
    [
        (
            {"STORAGE_BACKEND": "mongodb"},
            "Wrong setting in the environment: STORAGE_BACKEND",
            "openwebui-pocketbase init",
        ),
        (
            {"STORAGE_BACKEND": "pocketbase", "OPENWEBUI_POCKETBASE_PASWORD": WRONG},
            "Unknown environment variable OPENWEBUI_POCKETBASE_PASWORD",
            "openwebui-pocketbase init",
        ),
        (
            {"STORAGE_BACKEND": "pocketbase", "OPENWEBUI_POCKETBASE_URL": "http://127.0.0.1:9"},
            "url needs identity and password, or token",
            "openwebui-pocketbase init",
        ),
        (
            {"STORAGE_BACKEND": "pocketbase", "OPENWEBUI_POCKETBASE_URL": f"http://me:{WRONG}@127.0.0.1:9"},
            "must not contain credentials",
            "openwebui-pocketbase init",
        ),
        ({"OPENWEBUI_POCKETBASE_GROUPS_TAGS": "redis"}, "nothing installed stores tags there", "Possible values: sql"),
        (
            {"STORAGE_BACKEND": "pocketbase", "OPENWEBUI_POCKETBASE_EMBEDDED_BINARY": "/nowhere/pocketbase"},
            "There is no program /nowhere/pocketbase",
            "pip install 'openwebui-pocketbase[server]'",
        ),
        ({"OPENWEBUI_POCKETBASE_CONFIG": "missing.toml"}, "missing.toml, which is not a file", "Correct the path"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_wrong_settings_end_the_program(driver: Driver, env: dict[str, str], problem: str, remedy: str) -> None:
    start = driver.start(env)
    assert start.exit == 3
    (said,) = re.findall(r"^openwebui-pocketbase: (.*\n.*)$", start.output, re.MULTILINE)
    assert problem in said
    assert "What to do: " in said
    assert remedy in said
    assert "Traceback" not in start.output
    assert WRONG not in start.output
    assert start.messages == []
    assert start.stock


def test_a_failed_embedded_server_stops_the_start(driver: Driver, tmp_path: Path) -> None:
    program = tmp_path / "pocketbase"
    program.write_text("#!/bin/sh\necho 'something else version 1'\n")
    program.chmod(0o700)
    env = {
        "STORAGE_BACKEND": "pocketbase",
        "OPENWEBUI_POCKETBASE_EMBEDDED_DATA_DIR": str(tmp_path / "data"),
        "OPENWEBUI_POCKETBASE_EMBEDDED_BINARY": str(program),
    }
    start = driver.start(env)
    assert "is not PocketBase" in start.failure
    assert "What to do: " in start.failure
    assert "Traceback" not in start.output


@pytest.mark.parametrize("server", ["good", "no schema"])
def test_after_failures_a_start_succeeds(driver: Driver, servers: dict[str, str], server: str) -> None:
    requests: list[dict[str, Any]] = [
        {"method": "POST", "url": f"{FOLDERS}/", "json": {"name": "Here"}},
        {"method": "GET", "url": f"{FOLDERS}/"},
    ]
    start = driver.start(at(servers[server]), requests)
    assert [status for status, _ in start.answers] == [200, 200]
    assert [folder["name"] for folder in start.answers[1][1]] == ["Here"]
    assert PASSWORD not in start.output
    assert start.stock


def test_open_webui_itself_stops_and_says_why(new_openwebui: Callable[..., OpenWebUI], servers: dict[str, str]) -> None:
    instances = {
        # config, environment, what is said
        "corrupt": (f'[pocketbase\npassword = "{WRONG}"', {}, "Cannot read the config file"),
        "password": ("", at(servers["good"], WRONG), "does not accept these credentials"),
    }
    started = {name: new_openwebui(name, env, config=config) for name, (config, env, _) in instances.items()}
    for instance in started.values():
        instance.start(wait=False)
    for name, instance in started.items():
        assert instance.wait_for_end() == 3, instance.log[-5000:]
        assert instance.log.count("openwebui-pocketbase: ") == 1
        assert instances[name][2] in instance.log
        assert instance.log.count("What to do: ") == 1
        assert "Traceback" not in instance.log
        assert WRONG not in instance.log
        instance.process = None


def test_a_failing_start_of_two_workers_ends(new_openwebui: Callable[..., OpenWebUI]) -> None:
    """As the official container starts it, so that the parent of the workers never imports the host."""
    nowhere = at(f"http://127.0.0.1:{free_port()}")
    instance = new_openwebui("failing", {**nowhere, "FROM_INIT_PY": "true"})
    command = [sys.executable, "-m", "uvicorn", "open_webui.main:app", f"--port={instance.port}", "--workers=2"]
    with (instance.data_dir / "test.log").open("wb") as log:
        instance.process = subprocess.Popen(
            command,
            cwd=instance.data_dir,
            env=environment(instance.data_dir, instance.env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    assert instance.wait_for_end() == 3, instance.log
    instance.process = None
    assert 1 <= instance.log.count("openwebui-pocketbase: PocketBase gave no answer") <= 2  # none was started again
    assert "Check that PocketBase runs at this address" in instance.log
    assert "failed to start, stopping the parent process" in instance.log
