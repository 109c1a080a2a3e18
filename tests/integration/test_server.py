"""The embedded server, with real PocketBase processes and real worker processes."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import openwebui_pocketbase
from openwebui_pocketbase.assets import HOOKS_DIR
from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server import EmbeddedServer, ServerInfo, find_binary
from openwebui_pocketbase.server.locks import is_locked
from openwebui_pocketbase.server.rundir import RunDir
from openwebui_pocketbase.settings import EmbeddedSettings

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

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
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


class Site:
    """A data directory with what belongs to it, and the processes that work on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = root / "data"
        self.hooks = root / "hooks"
        self.migrations = root / "migrations"
        self.migrations.mkdir()
        shutil.copytree(HOOKS_DIR, self.hooks)
        self.run_dir = RunDir(self.data)
        self._workers: list[Worker] = []
        self._servers: list[EmbeddedServer] = []

    def worker(self) -> Worker:
        self._workers.append(Worker(self.root))
        return self._workers[-1]

    def server(self, **settings: Any) -> EmbeddedServer:
        server = EmbeddedServer(
            EmbeddedSettings(**settings),
            data_dir=self.data,
            hooks_dir=self.hooks,
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


def log_in(info: ServerInfo) -> str:
    answer = httpx.post(
        f"{info.url}/api/collections/_superusers/auth-with-password",
        json={"identity": info.identity, "password": info.password.get_secret_value()},
    )
    answer.raise_for_status()
    return str(answer.json()["token"])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    # Workers and supervisors are to import the package that this process imported.
    monkeypatch.setenv("PYTHONPATH", str(Path(openwebui_pocketbase.__file__).parents[1]))
    site = Site(tmp_path.resolve())
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
        httpx.post(f"{before.url}/api/collections/users/records", json=user, headers=headers).raise_for_status()
    assert not site.pocketbases()
    with site.server() as server:
        after = server.info
        headers = {"Authorization": log_in(after)}
        found = httpx.get(f"{after.url}/api/collections/users/records/{user['id']}", headers=headers)
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
