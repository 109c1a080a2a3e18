"""The embedded server, with real PocketBase processes and real worker processes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import shutil
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr

import openwebui_pocketbase
from openwebui_pocketbase.assets import HOOKS_DIR, MIGRATIONS_DIR
from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.schema.bootstrap import hook_digests
from openwebui_pocketbase.server import EmbeddedServer, ServerInfo, find_binary
from openwebui_pocketbase.server.locks import is_locked
from openwebui_pocketbase.server.probe import Reply, probe
from openwebui_pocketbase.server.rundir import RunDir
from openwebui_pocketbase.settings import EmbeddedSettings, PocketBaseSettings
from tests.support.ports import free_port
from tests.support.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEADLINE = 60.0
"""Seconds after which something that should happen soon is taken not to happen."""

WORKER = """
import json, sys
from pathlib import Path
from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server import EmbeddedServer
from openwebui_pocketbase.settings import EmbeddedSettings

root = Path(sys.argv[1])
server = EmbeddedServer(
    EmbeddedSettings(), data_dir=root / "data", hooks_dir=root / "hooks", migrations_dir=root / "migrations"
)
print("null", flush=True)
for line in sys.stdin:
    try:
        info = getattr(server, line.strip())()
        answer = info and {"url": info.url, "pid": info.pid, "password": info.password.get_secret_value()}
    except ServerError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
"""


class Worker:
    """A process that uses the server, as a worker of Open WebUI does."""

    def __init__(self, root: Path, **process: Any) -> None:
        self.process = subprocess.Popen(
            [process.pop("executable", sys.executable), "-c", WORKER, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **process,
        )
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        assert self.receive() is None

    def send(self, command: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def receive(self) -> Any:
        return json.loads(self._answers.get(timeout=DEADLINE))

    def call(self, command: str) -> Any:
        self.send(command)
        answer = self.receive()
        assert "error" not in (answer or {}), answer
        return answer

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._answers.put(line)


PEOPLE = 'migrate((app) => app.save(new Collection({ name: "people", type: "auth" })))'
"""A migration that makes a collection for the records of these tests."""


class Site:
    """A data directory with what belongs to it, and the processes that work on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = root / "data"
        self.hooks = root / "hooks"
        self.migrations = root / "migrations"
        self.migrations.mkdir()
        (self.migrations / "1_people.js").write_text(PEOPLE)
        shutil.copytree(HOOKS_DIR, self.hooks)
        self.run_dir = RunDir(self.data)
        self._workers: list[Worker] = []
        self._servers: list[EmbeddedServer] = []

    def worker(self, **process: Any) -> Worker:
        self._workers.append(Worker(self.root, **process))
        return self._workers[-1]

    def server(self, *, hooks: Path | None = None, **settings: Any) -> EmbeddedServer:
        server = EmbeddedServer(
            EmbeddedSettings(**settings),
            data_dir=self.data,
            hooks_dir=hooks or self.hooks,
            migrations_dir=self.migrations,
        )
        self._servers.append(server)
        return server

    def pocketbases(self) -> list[int]:
        return [pid for pid, command in _processes() if f" serve --dir {self.data} " in command]

    def supervisors(self) -> list[int]:
        return [pid for pid, command in _processes() if ".server.supervisor" in command and f'"{self.data}"' in command]

    def is_quiet(self) -> bool:
        return not self.pocketbases() and not self.supervisors()

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
            for pipe in (worker.process.stdin, worker.process.stdout):
                assert pipe
                pipe.close()
        for server in self._servers:
            server.release()
        wait_until(self.is_quiet)


def _processes() -> list[tuple[int, str]]:
    lines = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,command="], capture_output=True, text=True, errors="replace", check=True
    ).stdout.splitlines()
    return [(int(pid), command) for pid, _, command in (line.strip().partition(" ") for line in lines)]


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE} seconds"
        time.sleep(0.02)


def has_ended(pid: int) -> bool:
    return all(pid != other or "<defunct>" in command for other, command in _processes())


def listening(port: int) -> socket.socket:
    """Listen where a process did that was killed; its threads may take a moment longer to let the port go."""

    def made() -> socket.socket | None:
        with contextlib.suppress(OSError):
            return socket.create_server(("127.0.0.1", port))
        return None

    found: socket.socket = eventually(made, f"port {port} is free")
    return found


def log_in(info: ServerInfo) -> str:
    answer = httpx.post(
        f"{info.url}/api/collections/_superusers/auth-with-password",
        json={"identity": info.identity, "password": info.password.get_secret_value()},
    )
    answer.raise_for_status()
    return str(answer.json()["token"])


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have workers and supervisors import the package that this process imported."""
    monkeypatch.setenv("PYTHONPATH", str(Path(openwebui_pocketbase.__file__).parents[1]))


@pytest.fixture
def site(tmp_path: Path, imported: None) -> Iterator[Site]:
    site = Site(tmp_path.resolve())
    yield site
    site.close()


@pytest.fixture
def reachable_site(imported: None) -> Iterator[Site]:
    """Return a site to which other users find the way; pytest closes its own directories to them."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o711)
        site = Site(Path(directory).resolve())
        yield site
        site.close()


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes an executable shell script."""

    def write(script: str) -> Path:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return write


# --- sharing


def test_two_workers_share_one_server(site: Site) -> None:
    first, second = site.worker(), site.worker()
    assert first.call("acquire") == second.call("acquire")
    assert len(site.pocketbases()) == len(site.supervisors()) == 1


def test_simultaneous_acquires_start_one_server(site: Site) -> None:
    workers = [site.worker() for _ in range(8)]
    for worker in workers:
        worker.send("acquire")
    answers = [worker.receive() for worker in workers]
    assert all("error" not in answer and answer == answers[0] for answer in answers), answers
    assert site.pocketbases() == [answers[0]["pid"]]
    assert site.run_dir.supervisor_log.read_text().count("is ready") == 1


def test_threads_share_one_object(site: Site) -> None:
    server = site.server()
    with ThreadPoolExecutor(8) as pool:
        infos = list(pool.map(lambda _: server.acquire(), range(8)))
        infos += pool.map(lambda _: server.ensure(), range(8))
    assert set(infos) == {server.info}
    server.release()
    assert not site.pocketbases()


def test_a_killed_worker_takes_nothing_along(site: Site) -> None:
    launcher, other = site.worker(), site.worker()
    before = launcher.call("acquire")
    other.call("acquire")
    launcher.kill()
    late = site.worker()
    assert other.call("ensure") == late.call("acquire") == before


def test_the_server_ends_when_all_workers_are_killed(site: Site) -> None:
    workers = [site.worker(), site.worker()]
    for worker in workers:
        worker.call("acquire")
    for worker in workers:
        worker.kill()
    wait_until(site.is_quiet)
    assert site.run_dir.read_state() is None


def test_the_last_release_stops_the_server(site: Site) -> None:
    first, second = site.worker(), site.worker()
    pid = first.call("acquire")["pid"]
    second.call("acquire")
    first.call("release")
    assert site.pocketbases() == [pid]
    assert second.call("ensure")["pid"] == pid
    second.call("release")
    assert not site.pocketbases()
    assert site.run_dir.read_state() is None


def test_simultaneous_releases_stop_the_server(site: Site) -> None:
    workers = [site.worker() for _ in range(4)]
    for worker in workers:
        worker.call("acquire")
    for worker in workers:
        worker.send("release")
    for worker in workers:
        worker.receive()
    assert not site.pocketbases()


def test_acquire_waits_for_the_previous_server_to_stop(site: Site) -> None:
    worker = site.worker()
    for _ in range(3):
        before = worker.call("acquire")
        worker.kill()  # while it stops, or before it does, the next one comes
        worker = site.worker()
        after = worker.call("acquire")
        assert (after["url"], after["password"]) == (before["url"], before["password"])
        assert site.pocketbases() == [after["pid"]]


# --- coming back


def test_a_killed_server_is_restarted_on_its_port(site: Site) -> None:
    worker = site.worker()
    before = worker.call("acquire")
    for _ in range(2):
        os.kill(before["pid"], signal.SIGKILL)
        wait_until(partial(has_ended, before["pid"]))
        after = worker.call("ensure")
        assert after["url"] == before["url"]
        assert after["pid"] != before["pid"]
        before = after
    assert len(site.supervisors()) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_ended_supervisor_is_replaced(site: Site, number: signal.Signals) -> None:
    launcher, other = site.worker(), site.worker()
    before = launcher.call("acquire")
    other.call("acquire")
    (supervisor,) = site.supervisors()
    os.kill(supervisor, number)
    # Its lock rather than its process id: a killed process holds its files a little longer than it seems to live.
    wait_until(lambda: not is_locked(site.run_dir.supervisor_lock))
    after = other.call("ensure")
    assert after["url"] == before["url"]
    assert after["pid"] != before["pid"]
    assert launcher.call("ensure") == after
    assert site.pocketbases() == [after["pid"]]
    assert len(site.supervisors()) == 1
    launcher.call("release")
    other.call("release")
    assert not site.pocketbases()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
def test_a_server_without_supervisor_and_workers_ends(site: Site) -> None:
    worker = site.worker()
    worker.call("acquire")
    (supervisor,) = site.supervisors()
    worker.kill()
    os.kill(supervisor, signal.SIGKILL)
    wait_until(site.is_quiet)


def test_giving_up_is_recorded_and_can_be_overcome(site: Site, program: Callable[[str], Path]) -> None:
    broken = site.root / "broken"
    real = find_binary(EmbeddedSettings())
    binary = program(f'[ "$1" = serve ] && [ -e {broken} ] && echo "out of luck" && exit 3\nexec {real} "$@"')
    server = site.server(binary=binary)
    before = server.acquire()
    broken.touch()
    os.kill(before.pid, signal.SIGKILL)
    wait_until(partial(has_ended, before.pid))
    with pytest.raises(ServerError, match=r"6 times in a row.*exit code 3.*\nout of luck"):
        server.ensure()
    broken.unlink()
    after = server.ensure()
    assert after.url == before.url
    assert site.pocketbases() == [after.pid]


def test_a_restarted_server_has_the_same_data_and_password(site: Site) -> None:
    user = {
        "id": "abcdefghijklmno",
        "email": "a@example.org",
        "password": "12345678",
        "passwordConfirm": "12345678",
    }
    with site.server() as server:
        before = server.info
        headers = {"Authorization": log_in(before)}
        httpx.post(f"{before.url}/api/collections/people/records", json=user, headers=headers).raise_for_status()
    assert not site.pocketbases()
    with site.server() as server:
        after = server.info
        headers = {"Authorization": log_in(after)}
        found = httpx.get(f"{after.url}/api/collections/people/records/{user['id']}", headers=headers)
        assert found.json()["email"] == user["email"]
    assert (after.url, after.password) == (before.url, before.password)


def test_ensure_and_info_need_acquire(site: Site) -> None:
    server = site.server()
    with pytest.raises(ServerError, match="not in use"):
        server.ensure()
    server.acquire()
    assert server.acquire() == server.ensure() == server.info
    server.release()
    server.release()
    with pytest.raises(ServerError, match="not in use"):
        _ = server.info


# --- backup and restore, other files in their places


def api(info: ServerInfo, method: str, path: str, **options: Any) -> httpx.Response:
    answer = httpx.request(method, info.url + path, headers={"Authorization": log_in(info)}, timeout=30, **options)
    answer.raise_for_status()
    return answer


def user_record(name: str) -> dict[str, str]:
    return {"id": name.ljust(15, "0"), "email": f"{name}@x.org", "password": "12345678", "passwordConfirm": "12345678"}


def users(info: ServerInfo) -> set[str]:
    return {item["email"] for item in api(info, "GET", "/api/collections/people/records").json()["items"]}


def wait_for_users(server: EmbeddedServer, expected: set[str]) -> None:
    """Wait until the server, which is being restored, has these users; that must be soon."""
    deadline = time.monotonic() + 15
    while True:
        with contextlib.suppress(httpx.HTTPError, ServerError):
            if users(server.ensure()) == expected:
                return
        assert time.monotonic() < deadline, "no answer within 15 seconds"
        time.sleep(0.05)


def test_a_restore_while_workers_use_the_server(site: Site) -> None:
    server, other = site.server(), site.worker()
    before = server.acquire()
    other.call("acquire")
    supervisors, files = site.supervisors(), {path: path.stat().st_ino for path in site.run_dir.path.glob("*.lock")}
    api(before, "POST", "/api/collections/people/records", json=user_record("kept"))
    api(before, "POST", "/api/backups", json={"name": "a.zip"})
    with zipfile.ZipFile(site.data / "backups" / "a.zip") as archive:
        names = archive.namelist()
    assert "data.db" in names
    assert not [name for name in names if ".owui" in name or name.endswith((".lock", ".log"))]
    api(before, "POST", "/api/collections/people/records", json=user_record("lost"))
    api(before, "POST", "/api/backups/a.zip/restore")
    wait_for_users(server, {"kept@x.org"})
    assert site.supervisors() == supervisors
    assert {path: path.stat().st_ino for path in files} == files
    assert other.call("ensure")["pid"] == before.pid  # PocketBase starts itself anew in the same process
    other.call("release")
    assert site.pocketbases() == [before.pid]
    server.release()
    assert site.is_quiet()


def test_a_restore_of_an_archive_with_credentials_and_locks(site: Site) -> None:
    """As the versions made them that did not know better; its superuser has another password, too."""
    server = site.server()
    info = server.acquire()
    superuser = api(info, "GET", "/api/collections/_superusers/records").json()["items"][0]["id"]
    password = {"password": "another-password", "passwordConfirm": "another-password"}
    api(info, "PATCH", f"/api/collections/_superusers/records/{superuser}", json=password)
    other = replace(info, password=SecretStr("another-password"))
    api(other, "POST", "/api/collections/people/records", json=user_record("kept"))
    api(other, "POST", "/api/backups", json={"name": "a.zip"})
    api(other, "POST", "/api/collections/people/records", json=user_record("lost"))
    with zipfile.ZipFile(site.data / "backups" / "a.zip", "a") as archive:
        archive.writestr(".owui/superuser.json", '{"identity": "stranger@x.org", "password": "1234567890"}')
        for name in ("leases.lock", "supervisor.lock", "server.json", "foreign.txt"):
            archive.writestr(f".owui/{name}", "")
    secrets = site.run_dir.superuser.read_bytes()
    api(other, "POST", "/api/backups/a.zip/restore")
    wait_for_users(server, {"kept@x.org"})
    assert site.run_dir.superuser.read_bytes() == secrets
    assert not (site.run_dir.path / "foreign.txt").exists()
    assert site.pocketbases() == [info.pid]
    server.release()
    assert site.is_quiet()


def test_a_new_worker_finds_a_server_whose_address_was_removed(site: Site) -> None:
    with site.server() as server:
        (site.run_dir.path / "server.json").unlink()
        with site.server() as another:
            assert another.info.pid == server.info.pid


def test_an_archive_is_all_that_another_machine_needs(site: Site) -> None:
    with site.server() as server:
        api(server.info, "POST", "/api/collections/people/records", json=user_record("kept"))
        api(server.info, "POST", "/api/backups", json={"name": "a.zip"})
    archive = shutil.move(site.data / "backups" / "a.zip", site.root)
    shutil.rmtree(site.data)
    shutil.unpack_archive(archive, site.data)
    with site.server() as server:
        assert users(server.info) == {"kept@x.org"}


@pytest.mark.parametrize("change", ["removed", "replaced", "credentials"])
def test_workers_recover_from_lost_files(site: Site, change: str) -> None:
    first, second = site.worker(), site.worker()
    before = first.call("acquire")
    assert second.call("acquire") == before
    aside = site.root / "aside"
    if change == "credentials":
        site.run_dir.superuser.unlink()
    else:
        shutil.copytree(site.run_dir.path, aside)
        shutil.rmtree(site.run_dir.path)
    if change == "replaced":
        aside.rename(site.run_dir.path)
    wait_until(partial(has_ended, before["pid"]))
    after = first.call("ensure")
    assert second.call("ensure") == after
    assert after["pid"] != before["pid"]
    assert (after["password"] == before["password"]) == (change == "replaced")
    assert site.pocketbases() == [after["pid"]]
    assert len(site.supervisors()) == 1
    first.call("release")
    assert site.pocketbases() == [after["pid"]]
    second.call("release")
    assert not site.pocketbases()


# --- other programs


@pytest.mark.parametrize("configured", [False, True])
def test_a_squatter_is_sent_nothing_and_named(site: Site, configured: bool, caplog: pytest.LogCaptureFixture) -> None:
    server = site.server(port=free_port() if configured else 0)
    before = server.acquire()
    port = int(before.url.rpartition(":")[2])
    named = f"Port {port} on 127.0.0.1 is already taken by process {os.getpid()} ("
    received = bytearray()
    (supervisor,) = site.supervisors()
    os.kill(supervisor, signal.SIGSTOP)  # or it would be sooner
    os.kill(before.pid, signal.SIGKILL)
    wait_until(partial(has_ended, before.pid))
    with listening(port) as squatter:
        os.kill(supervisor, signal.SIGCONT)
        threading.Thread(target=_squat, args=(squatter, received), daemon=True).start()
        if configured:
            with pytest.raises(ServerError) as raised:
                server.ensure()
            assert named in str(raised.value)
        else:
            after = server.ensure()
            assert after.url != before.url
            assert users(after) == set()
            assert named in site.run_dir.supervisor_log.read_text()
            assert f"PocketBase moved from {before.url} to {after.url}" in caplog.text
        squatter.shutdown(socket.SHUT_RDWR)
    if configured:
        assert server.ensure() == replace(before, pid=server.info.pid)
    lines = received.decode().splitlines()
    assert all(line.startswith(("GET /api/owui/proof?number=", "Host: ")) or not line for line in lines), lines


def _squat(squatter: socket.socket, received: bytearray) -> None:
    """Say yes to everything, as a program would that wants a password."""
    while True:
        try:
            connection, _ = squatter.accept()
        except OSError:
            return
        with connection:
            received += connection.recv(65536)
            body = b'{"code": "0", "message": "API is healthy.", "token": "x"}'
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def test_a_server_that_does_not_answer_is_restarted(
    site: Site, program: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried = (
        "import sys; from openwebui_pocketbase.server import supervisor as s, vitals as v; v.PAUSE = v.TIMEOUT = 0.5"
    )
    executable = program(f'exec {sys.executable} -P -c \'{hurried}; sys.exit(s.main(sys.argv[1:]))\' "$4" "$5"')
    server = site.server()
    with monkeypatch.context() as patch:
        patch.setattr("sys.executable", str(executable))
        before = server.acquire()
    os.kill(before.pid, signal.SIGSTOP)
    wait_until(lambda: probe(before.url, before.key, seconds=0.5) is Reply.NONE)
    after = server.ensure()
    assert after.url == before.url
    assert after.pid != before.pid
    assert "does not answer: killed" in site.run_dir.supervisor_log.read_text()


def test_a_server_that_is_busy_writing_answers(site: Site) -> None:
    (site.hooks / "busy.pb.js").write_text(
        'routerAdd("POST", "/busy", (e) => { $app.runInTransaction((tx) => {'
        ' tx.db().newQuery("DELETE FROM _externalAuths").execute(); console.log("busy"); sleep(2000) });'
        " return e.json(200, {}) })"
    )
    info = site.server().acquire()
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(httpx.post, f"{info.url}/busy", timeout=30)
        wait_until(lambda: "busy" in site.run_dir.pocketbase_log.read_text())
        assert probe(info.url, info.key, seconds=1) is Reply.PROVED
        assert not long.done()
        assert long.result().status_code == 200


# --- the code that runs


def version(info: ServerInfo) -> dict[str, Any]:
    return dict(api(info, "GET", "/api/owui/version").json())


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_code_that_runs_does_not_change_under_a_server(site: Site) -> None:
    info = site.server().acquire()
    before = version(info)
    assert before["pocketbase"].startswith("0.40.")
    (site.hooks / "owui" / "proof.js").write_text("no JavaScript")
    assert probe(info.url, info.key, seconds=5) is Reply.PROVED
    assert version(info) == before


def test_a_rolling_upgrade_restarts_the_server(site: Site) -> None:
    """A process of the new version comes while one of the old version is there, by the way that Open WebUI takes."""
    shutil.rmtree(site.migrations)
    shutil.copytree(MIGRATIONS_DIR, site.migrations)
    (site.hooks / "owui" / "tags.js").open("a").write("// older\n")
    old = site.server()
    before = old.acquire()
    connection = Connection(PocketBaseSettings(embedded=EmbeddedSettings(data_dir=site.data)), site.root)
    try:
        authenticator = connection.open()
        connection.bring_up(authenticator)
        assert connection.url == before.url
        assert version(old.ensure())["hooks"] == hook_digests()
        assert site.run_dir.supervisor_log.read_text().count("is restarted with") == 1
    finally:
        connection.close()


def test_a_worker_with_other_hooks_has_the_server_restarted_once(site: Site) -> None:
    old = site.server()
    before = old.acquire()
    newer = site.root / "newer"
    shutil.copytree(site.hooks, newer)
    (newer / "owui" / "tags.js").open("a").write("// newer\n")
    new, twin = site.server(hooks=newer), site.server(hooks=newer)
    assert new.acquire() == twin.acquire() == before
    ran = version(before)
    assert ran["hooks"]["owui/tags.js"] == sha256(site.hooks / "owui" / "tags.js")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(EmbeddedServer.restart, [new, twin]))
    after = old.ensure()
    assert after == new.info
    assert after.url == before.url
    assert version(after)["hooks"]["owui/tags.js"] == sha256(newer / "owui" / "tags.js")
    assert version(after)["run"] != ran["run"]
    new.restart()
    assert new.info == after
    assert site.run_dir.supervisor_log.read_text().count("is restarted with") == 1


# --- who may read

NOBODY = 65534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes other users")


def readable_by_nobody(directory: Path) -> list[str]:
    """Return the files below a directory that another user can open, as that user finds out."""
    script = (
        "import os, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "for path in sys.stdin.read().split('\\n'):\n"
        "    try: open(path, 'rb').close(); print(path)\n"
        "    except OSError as error: assert isinstance(error, PermissionError), error"
    )
    paths = "\n".join(str(path) for path in directory.rglob("*") if path.is_file())
    command = [sys.executable, "-c", script]
    return subprocess.run(command, input=paths, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


@pytest.fixture
def python_for_all(imported: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a Python that other users can run: that of the tests may be in somebody's home."""
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    packages, scripts = sysconfig.get_path("purelib"), sysconfig.get_path("scripts")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], packages]))
    monkeypatch.setenv("PATH", os.pathsep.join([os.environ["PATH"], scripts]))
    for python in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        with contextlib.suppress(OSError):
            subprocess.run([python, "-c", "import pydantic"], user=NOBODY, group=NOBODY, cwd="/", check=True)
            return python
    pytest.skip("no Python that other users can run")


def others_rights(directory: Path) -> list[Path]:
    paths = [directory, *directory.rglob("*")]
    return [path for path in paths if path.lstat().st_mode & 0o077 and not path.is_symlink()]


@as_root
def test_another_user_reads_nothing(reachable_site: Site) -> None:
    site = reachable_site
    with site.server() as server:
        api(server.info, "POST", "/api/collections/people/records", json=user_record("kept"))
        api(server.info, "POST", "/api/backups", json={"name": "a.zip"})
        assert (others_rights(site.data), readable_by_nobody(site.data)) == ([], [])
    outside = site.root / "outside"
    outside.touch(mode=0o644)
    (site.data / "link").symlink_to(outside)
    for path in site.data.rglob("*"):  # as older versions left it
        path.chmod(0o755 if path.is_dir() else 0o644)
    site.data.chmod(0o755)
    assert str(site.data / "data.db") in readable_by_nobody(site.data)
    with site.server() as server:
        assert (others_rights(site.data), readable_by_nobody(site.data)) == ([], [])
        assert outside.stat().st_mode & 0o777 == 0o644
        api(server.info, "POST", "/api/backups/a.zip/restore")
        wait_for_users(server, {"kept@x.org"})
        assert (others_rights(site.data), readable_by_nobody(site.data)) == ([], [])


@as_root
def test_root_works_as_the_owner_of_the_data(
    reachable_site: Site, python_for_all: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that an administrator runs beside the service leaves nothing that is out of the service's reach."""
    site = reachable_site
    site.data.mkdir()
    os.chown(site.data, NOBODY, NOBODY)
    monkeypatch.setattr("sys.executable", python_for_all)
    with site.server() as server:
        api(server.info, "POST", "/api/backups", json={"name": "a.zip"})
        server.restart()
    owners = {path: path.stat().st_uid for path in [site.data, *site.data.rglob("*")]}
    assert set(owners.values()) == {NOBODY}, owners
    assert others_rights(site.data) == []


@as_root
def test_a_service_whose_files_belong_to_another(reachable_site: Site, python_for_all: str) -> None:
    """As in Kubernetes: the volume is root's and open to a group."""
    site = reachable_site
    with site.server() as server:
        before = server.info
    for path in [site.data, *site.data.rglob("*")]:
        os.chown(path, 0, 4242)
        path.chmod(0o2770 if path.is_dir() else 0o660)
    # No name, no home, and a working directory that it may not read.
    whoever = {"user": 12345, "group": 4242, "extra_groups": [], "cwd": "/root"}
    worker = site.worker(executable=python_for_all, env={**os.environ, "HOME": "/root"}, **whoever)
    info = worker.call("acquire")
    assert info["password"] == before.password.get_secret_value()
    assert "belongs to uid 0" in site.run_dir.supervisor_log.read_text()
    worker.call("release")
    assert not site.pocketbases()
    site.run_dir.leases_lock.chmod(0o600)  # as a command left it that root ran with an older version
    worker.send("acquire")
    assert "must belong to the user who runs Open WebUI" in worker.receive()["error"]


# --- what cannot be started


def test_a_taken_port(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            ServerError, match=f"Port {port} on 127.0.0.1 is already taken by process {os.getpid()} "
        ) as raised:
            site.server(port=port).acquire()
    assert "[pocketbase.embedded] port" in raised.value.hint
    assert not site.pocketbases()
    # The failure is not held against the next attempt.
    assert site.server(port=port).acquire().url == f"http://127.0.0.1:{port}"


def test_a_free_port_is_taken_again_unless_another_has_it(site: Site) -> None:
    with site.server() as server:
        port = int(server.info.url.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)), site.server() as server:
        assert server.info.url != f"http://127.0.0.1:{port}"


def test_a_missing_binary(site: Site) -> None:
    with pytest.raises(ServerError, match="There is no program") as raised:
        site.server(binary=site.root / "absent").acquire()
    assert "openwebui-pocketbase[server]" in raised.value.hint
    assert not site.pocketbases()


def test_another_binary(site: Site, program: Callable[[str], Path]) -> None:
    with pytest.raises(ServerError, match="is not PocketBase") as raised:
        site.server(binary=program("echo hello")).acquire()
    assert "[pocketbase.embedded] binary" in raised.value.hint


def test_pocketbase_by_another_name(site: Site) -> None:
    binary = site.root / "pb"
    binary.symlink_to(find_binary(EmbeddedSettings()))
    site.server(binary=binary).acquire()


@pytest.mark.parametrize("path", ["data", "data/below"])
def test_a_data_dir_that_is_a_file(site: Site, path: str) -> None:
    site.data.write_text("")
    server = EmbeddedServer(
        EmbeddedSettings(), data_dir=site.root / path, hooks_dir=site.hooks, migrations_dir=site.migrations
    )
    with pytest.raises(ServerError, match="is not a directory") as raised:
        server.acquire()
    assert "data_dir" in raised.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_dir_that_is_not_writable(site: Site) -> None:
    site.data.mkdir(mode=0o500)
    with pytest.raises(ServerError, match="data_dir"):
        site.server().acquire()


def test_a_failing_migration(site: Site) -> None:
    migration = site.migrations / "100_bad.js"
    migration.write_text('migrate(() => { throw new Error("no such thing") })')
    with pytest.raises(ServerError, match=r"failed to apply migration 100_bad\.js: Error: no such thing"):
        site.server().acquire()
    assert not site.pocketbases()
    migration.unlink()
    site.server().acquire()


def test_a_broken_hook(site: Site) -> None:
    (site.hooks / "broken.pb.js").write_text("noSuchThing()")
    with pytest.raises(ServerError, match="noSuchThing is not defined"):
        site.server().acquire()


def test_every_waiting_worker_learns_of_a_failure(site: Site) -> None:
    (site.migrations / "100_bad.js").write_text('migrate(() => { throw new Error("no such thing") })')
    workers = [site.worker() for _ in range(4)]
    for worker in workers:
        worker.send("acquire")
    for worker in workers:
        assert "no such thing" in worker.receive()["error"]


def test_a_server_that_does_not_answer_in_time(site: Site) -> None:
    (site.migrations / "100_endless.js").write_text("migrate(() => { while (true) {} })")
    with pytest.raises(ServerError, match="did not answer within 1 seconds") as raised:
        site.server(start_timeout=1).acquire()
    assert "start_timeout" in raised.value.hint
    assert not site.pocketbases()


def test_a_supervisor_that_cannot_run(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(ServerError, match="ended 3 times"):
        site.server().acquire()


def test_another_platform(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openwebui_pocketbase.server.binary.SUPPORTED", False)
    with pytest.raises(ServerError, match="Linux or macOS") as raised:
        site.server().acquire()
    assert "url" in raised.value.hint


# --- secrets


def test_the_password_is_private(site: Site) -> None:
    info = site.server().acquire()
    password = info.password.get_secret_value()
    assert len(password) >= 40
    assert stat.S_IMODE(site.run_dir.superuser.stat().st_mode) == 0o600
    assert stat.S_IMODE(site.run_dir.path.stat().st_mode) == 0o700
    assert password not in repr(info)
    assert not any(password in command for _, command in _processes())
    logs = [path for path in site.run_dir.path.iterdir() if ".log" in path.name]
    assert {path.name for path in logs} == {"pocketbase.log", "supervisor.log"}
    assert not any(password in path.read_text() for path in logs)


def test_no_file_of_the_working_directory_is_served(site: Site) -> None:
    (site.data / "pb_public").mkdir(parents=True)
    (site.data / "pb_public" / "index.html").write_text("hello")
    info = site.server().acquire()
    assert httpx.get(f"{info.url}/").status_code == 404


def test_the_log_has_the_output(site: Site) -> None:
    (site.hooks / "talk.pb.js").write_text('onBootstrap((e) => { e.next(); console.log("héllo  there") })')
    with site.server():
        pass
    assert "héllo  there" in site.run_dir.pocketbase_log.read_text(encoding="utf-8")
