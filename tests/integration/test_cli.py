"""The commands as real processes, with real servers."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.connection import embedded_server
from openwebui_pocketbase.schema.tables import SCHEMA_VERSION
from openwebui_pocketbase.settings import PocketBaseSettings
from tests.support.commands import PROGRAM, Commands
from tests.support.pocketbase import PASSWORD, PocketBaseProcess
from tests.support.ports import free_port
from tests.support.processes import eventually


@pytest.fixture
def server_with(tmp_path: Path) -> Iterator[Any]:
    """Returns a function that starts a new PocketBase with only some of what is ours."""
    started = []

    def start(*, empty_hooks: bool = False) -> PocketBaseProcess:
        empty = tmp_path / "empty"
        empty.mkdir(exist_ok=True)
        server = PocketBaseProcess(tmp_path / "pb_data", migrations_dir=empty)
        if empty_hooks:
            PocketBaseProcess(tmp_path / "pb_data", migrations_dir=empty).start().stop()  # it makes the superuser
            server.hooks_dir = empty
        started.append(server.start())
        return server

    yield start
    for server in started:
        server.stop()


# --- doctor


def test_doctor_on_a_server_that_fits(commands: Commands, pocketbase: PocketBaseProcess) -> None:
    found = commands.use(pocketbase).doctor(code=0)
    assert pocketbase.url in found["PocketBase"]["detail"]
    assert found["schema and hooks"] == {
        "name": "schema and hooks",
        "status": "ok",
        "detail": f"Version {SCHEMA_VERSION}, as needed.",
        "remedy": "",
    }
    assert found["contract"]["status"] == "ok"
    assert found["start-up file"]["status"] == "ok"
    assert "pocketbase.password = **********" in found["settings"]["detail"]


def test_doctor_with_a_token(commands: Commands, pocketbase: PocketBaseProcess) -> None:
    commands.env |= {"OPENWEBUI_POCKETBASE_URL": pocketbase.url, "OPENWEBUI_POCKETBASE_TOKEN": pocketbase.login()}
    assert commands.doctor(code=0)["PocketBase"]["status"] == "ok"
    commands.env["OPENWEBUI_POCKETBASE_TOKEN"] = "no-such-token"
    found = commands.doctor(code=1)
    assert "token" in found["PocketBase"]["remedy"]
    assert "no-such-token" not in json.dumps(found)


def test_doctor_with_a_wrong_password(commands: Commands, pocketbase: PocketBaseProcess) -> None:
    found = commands.use(pocketbase, "a-wrong-password").doctor(code=1)
    assert "does not accept these credentials" in found["PocketBase"]["detail"]
    assert "superuser" in found["PocketBase"]["remedy"]
    assert "a-wrong-password" not in json.dumps(found)


def test_doctor_on_a_server_that_is_down(commands: Commands, own_pocketbase: PocketBaseProcess) -> None:
    own_pocketbase.stop()
    found = commands.use(own_pocketbase).doctor(code=1)
    assert own_pocketbase.url in found["PocketBase"]["detail"]
    assert "runs at this address" in found["PocketBase"]["remedy"]


def test_doctor_on_something_else_than_pocketbase(commands: Commands) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        commands.env |= {
            "OPENWEBUI_POCKETBASE_URL": f"http://127.0.0.1:{server.server_port}",
            "OPENWEBUI_POCKETBASE_TOKEN": "x",
        }
        assert "is not PocketBase" in commands.doctor(code=1)["PocketBase"]["detail"]
    finally:
        server.shutdown()
        server.server_close()


def test_doctor_starts_and_writes_nothing(commands: Commands) -> None:
    found = commands.doctor(code=0)
    assert found["PocketBase"]["status"] == "info"
    assert "not running" in found["PocketBase"]["detail"]
    assert list(commands.data_dir.parent.rglob("*")) == [commands.data_dir]


def test_doctor_on_the_embedded_server(commands: Commands) -> None:
    with embedded_server(PocketBaseSettings(), commands.data_dir) as server:
        run_dir = commands.data_dir / "pocketbase" / ".owui"
        before = {path.name: path.stat().st_mtime_ns for path in run_dir.iterdir() if path.suffix != ".log"}
        found = commands.doctor(code=0)
        assert server.info.url in found["PocketBase"]["detail"]
        assert found["schema and hooks"]["status"] == "ok"
        assert "0600" in found["credentials"]["detail"]
        assert before == {path.name: path.stat().st_mtime_ns for path in run_dir.iterdir() if path.suffix != ".log"}
    assert "not running" in commands.doctor(code=0)["PocketBase"]["detail"]
    (run_dir / "superuser.json").chmod(0o644)
    assert "chmod 600" in commands.doctor(code=1)["credentials"]["remedy"]


def test_doctor_knows_why_the_embedded_server_did_not_start(commands: Commands, pocketbase: PocketBaseProcess) -> None:
    commands.env["OPENWEBUI_POCKETBASE_EMBEDDED_PORT"] = str(pocketbase.port)
    result = commands.run("schema", "apply", "--create", "--data-dir", str(commands.data_dir), code=1)
    assert "already taken" in result.stderr
    found = commands.doctor(code=1)
    assert "already taken" in found["PocketBase"]["detail"]
    assert "[pocketbase.embedded] port" in found["PocketBase"]["remedy"]


# --- schema


def test_a_missing_schema(commands: Commands, server_with: Any) -> None:
    commands.use(server_with())
    # A right set-up before its first start: the start brings the schema.
    assert commands.doctor(code=0)["schema and hooks"]["status"] == "info"
    status = commands.status(code=1)
    assert status["schema"] == 0
    assert status["wanted"] == SCHEMA_VERSION
    assert [set(problem) for problem in status["problems"]] == [{"detail", "remedy"}]
    for _ in range(2):
        applied = commands.run("schema", "apply", "--data-dir", str(commands.data_dir))
        assert f"schema version {SCHEMA_VERSION}" in applied.stdout
    assert commands.status(code=0)["problems"] == []
    assert commands.doctor(code=0)["schema and hooks"]["status"] == "ok"


def test_missing_hooks(commands: Commands, server_with: Any) -> None:
    commands.use(server_with(empty_hooks=True))
    assert "assets export" in commands.doctor(code=1)["schema and hooks"]["remedy"]
    assert commands.status(code=1)["schema"] is None
    assert "assets export" in commands.run("schema", "apply", "--data-dir", str(commands.data_dir), code=1).stderr


def test_exported_assets_are_what_a_server_needs(commands: Commands, server_with: Any, tmp_path: Path) -> None:
    server = server_with(empty_hooks=True)
    commands.use(server).run("assets", "export", "exported")
    server.stop()
    server.hooks_dir = tmp_path / "exported" / "pb_hooks"
    server.migrations_dir = tmp_path / "exported" / "pb_migrations"
    server.start()
    assert commands.doctor(code=0)["schema and hooks"]["status"] == "ok"
    (server.hooks_dir / "owui" / "tags.js").write_text("// changed")
    server.stop()
    server.start()
    assert "tags.js is of another version" in commands.doctor(code=1)["schema and hooks"]["detail"]


def test_hooks_that_an_earlier_version_left_are_named(commands: Commands, server_with: Any, tmp_path: Path) -> None:
    server = server_with(empty_hooks=True)
    commands.use(server).run("assets", "export", "exported")
    server.stop()
    server.hooks_dir = tmp_path / "exported" / "pb_hooks"
    server.migrations_dir = tmp_path / "exported" / "pb_migrations"
    (server.hooks_dir / "others").mkdir()
    for name in ("owui_rows.js", "users.js", "owui/gone.js", "own.js", "others/owui_json.js"):
        (server.hooks_dir / name).write_text("// version 0")
    server.start()
    report = commands.doctor(code=0)
    assert report["schema and hooks"]["status"] == "ok"
    assert "owui_rows.js, users.js, owui/gone.js" in report["hook files"]["detail"]
    assert commands.status(code=0)["hooks_left_over"] == ["owui_rows.js", "users.js", "owui/gone.js"]


def test_the_schema_of_the_embedded_server(commands: Commands) -> None:
    assert commands.run("schema", "apply", "--data-dir", str(commands.data_dir), code=1).stdout == ""
    assert list(commands.data_dir.iterdir()) == []
    commands.run("schema", "apply", "--create", "--data-dir", str(commands.data_dir))
    assert commands.status(code=0)["schema"] == SCHEMA_VERSION
    assert "not running" in commands.doctor(code=0)["PocketBase"]["detail"]


def test_the_server_of_the_compose_file(commands: Commands, tmp_path: Path) -> None:
    """PocketBase beside Open WebUI, as docs/container.md has it."""
    text = Path(__file__).parents[2].joinpath("docs", "container.md").read_text()
    (compose,) = (
        each for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "  pocketbase:\n    build" in each
    )
    services = yaml.safe_load(re.sub(r"\$\{(\w+):.*?\}", PASSWORD, compose))["services"]
    port = free_port()
    replaced = {
        "/pocketbase": f"{tmp_path}/pb",
        "0.0.0.0:8090": f"127.0.0.1:{port}",
        "//pocketbase:8090": f"//127.0.0.1:{port}",
    }

    def here(text: str) -> str:
        return re.sub("(?<!/)" + "|".join(map(re.escape, replaced)), lambda match: replaced[match[0]], text)

    search = os.pathsep.join([str(PROGRAM.parent), os.environ["PATH"]])
    command = [here(word) for word in services["pocketbase"]["command"]]
    server = subprocess.Popen(command, env=os.environ | services["pocketbase"]["environment"] | {"PATH": search})
    try:
        commands.env |= {name: here(value) for name, value in services["open-webui"]["environment"].items()}
        eventually(lambda: (tmp_path / "pb" / "pb_data" / "data.db").exists() and answers(port), "PocketBase answers")
        found = commands.doctor(code=0)
        assert "signed in" in found["PocketBase"]["detail"]
        assert found["schema and hooks"]["status"] == "ok"
        with AdminClient(f"http://127.0.0.1:{port}") as admin:
            admin.login(services["pocketbase"]["environment"]["OWUI_SUPERUSER_IDENTITY"], PASSWORD)
            assert admin.send("GET", "/api/settings")["logs"]["maxDays"] == 0
    finally:
        server.terminate()
        server.wait(timeout=20)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# --- pocketbase


def test_the_program_of_the_embedded_server(commands: Commands) -> None:
    directory = ("--data-dir", str(commands.data_dir))
    assert commands.run("pocketbase", *directory, "--", "--version").stdout.startswith("pocketbase version ")
    assert list(commands.data_dir.iterdir()) == []
    commands.run("schema", "apply", "--create", *directory)
    commands.run("pocketbase", *directory, "--", "superuser", "upsert", "me@example.org", "a-long-password")
    with embedded_server(PocketBaseSettings(), commands.data_dir) as server:
        commands.env |= {
            "OPENWEBUI_POCKETBASE_URL": server.info.url,
            "OPENWEBUI_POCKETBASE_IDENTITY": "me@example.org",
            "OPENWEBUI_POCKETBASE_PASSWORD": "a-long-password",
        }
        assert commands.doctor(code=0)["PocketBase"]["status"] == "ok"
    assert commands.run("pocketbase", *directory, "--", "no-such-command", code=1).stderr
