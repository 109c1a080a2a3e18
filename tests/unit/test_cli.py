"""The commands, as far as they need no server."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from openwebui_pocketbase import __version__, _autostart
from openwebui_pocketbase.assets import HOOKS_DIR, MIGRATIONS_DIR
from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.cli import app, checks, copies, installed, serve, site
from openwebui_pocketbase.cli.backup.kept import _secret_key
from openwebui_pocketbase.config_file import CONFIG_FILE
from openwebui_pocketbase.last_start import KEY_FILE, LastStart, database_name
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.settings import EmbeddedSettings, load_settings
from tools import generate_commands

ROOT = Path(__file__).resolve().parents[2]
SECRET = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory, the start-up file run, no settings; commands may change the environment."""
    before = dict(os.environ)
    for name in ("DATA_DIR", "WEBUI_SECRET_KEY", "FROM_INIT_PY", "COLUMNS"):
        os.environ.pop(name, None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [_autostart.ModuleWatcher(), *sys.meta_path])
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def run(*arguments: str | Path, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="openwebui-pocketbase")
    assert result.exit_code == code, (result.output, result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def doctor(*arguments: str | Path, code: int) -> dict[str, dict[str, str]]:
    answer = json.loads(run("doctor", "--json", *arguments, code=code).stdout)
    assert set(answer) == {"ok", "checks"}
    assert answer["ok"] is (code == 0)
    for check in answer["checks"]:
        assert set(check) == {"name", "status", "detail", "remedy"}
        assert bool(check["remedy"]) is (check["status"] == "problem"), check
    return {check["name"]: check for check in answer["checks"]}


# --- in general


def test_version() -> None:
    assert run("--version").stdout == f"openwebui-pocketbase {__version__}\n"


def test_it_is_a_module_too() -> None:
    module = [sys.executable, "-m", "openwebui_pocketbase", "--version"]
    assert subprocess.run(module, capture_output=True, text=True, check=True).stdout == run("--version").stdout


def test_shells_can_complete_it() -> None:
    typed = {"COMP_WORDS": "openwebui-pocketbase do", "COMP_CWORD": "1"}
    env = {"_OPENWEBUI_POCKETBASE_COMPLETE": "complete_bash", **typed}
    assert CliRunner().invoke(app, [], prog_name="openwebui-pocketbase", env=env).stdout.split() == ["doctor"]


def test_help_is_in_the_documentation() -> None:
    assert generate_commands.PAGE.read_text(encoding="utf-8") == generate_commands.page(), (
        "run: python tools/generate_commands.py"
    )


@pytest.mark.parametrize("command", ["", "serve", "migrate", "migrate copy", "guard remove"])
def test_the_page_has_what_help_prints(command: str) -> None:
    assert f"```text\n{run(*command.split(), '--help').stdout.strip()}\n```" in generate_commands.page()


def test_errors_are_messages() -> None:
    result = run("pocketbase", "--config", "nowhere.toml", code=1)
    assert result.stdout == ""
    assert result.stderr.startswith("openwebui-pocketbase: OPENWEBUI_POCKETBASE_CONFIG names ")
    assert "\n  What to do: " in result.stderr
    assert "Traceback" not in result.stderr


def test_tracebacks_do_not_show_values() -> None:
    assert app.pretty_exceptions_show_locals is False


# --- which data directory


def test_the_data_directory(surroundings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = surroundings / "lib" / "open_webui"
    monkeypatch.setattr(site, "installed_open_webui", lambda: (package, "0.12.4"))
    monkeypatch.setattr(site, "is_distribution", lambda: True)
    assert site.Site.of(None, None).data_dir == package / "data"
    monkeypatch.setattr(site, "is_distribution", lambda: False)
    assert site.Site.of(None, None).data_dir == surroundings / "lib" / "data"
    monkeypatch.setattr(site, "installed_open_webui", lambda: None)
    assert site.Site.of(None, None).data_dir == surroundings / "data"
    monkeypatch.setenv("DATA_DIR", "elsewhere")
    assert site.Site.of(None, None).data_dir == surroundings / "elsewhere"
    assert site.Site.of(Path("named"), None).data_dir == surroundings / "named"


def test_two_data_directories_to_choose_from(surroundings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (surroundings / "data" / "pocketbase").mkdir(parents=True)
    monkeypatch.setattr(site, "installed_open_webui", lambda: (surroundings / "lib" / "open_webui", "0.12.4"))
    result = run("pocketbase", "--", "--version", code=1)
    assert f"--data-dir {site.SERVE_DATA_DIR}" in result.stderr
    assert doctor(code=1)["settings"]["remedy"].startswith("Give --data-dir")


# --- init


def test_init(surroundings: Path) -> None:
    path = surroundings / CONFIG_FILE
    run("init")
    text = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("# mine")
    path.chmod(0o644)
    assert "--force" in run("init", code=1).stderr
    assert path.read_text() == "# mine"
    run("init", "--force")
    assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_init_elsewhere(surroundings: Path) -> None:
    run("init", "--path", surroundings / "other.toml")
    assert (surroundings / "other.toml").is_file()
    assert "cannot be written" in run("init", "--path", surroundings / "no" / "such.toml", code=1).stderr


# --- serve


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Open WebUI's own command, which notes how it is called."""
    calls: list[dict[str, Any]] = []

    def noted(**arguments: Any) -> None:
        calls.append(arguments | {"environ": dict(os.environ)})

    module = SimpleNamespace(serve=noted)
    monkeypatch.setattr(serve, "_require_free_port", lambda host, port: None)  # the default one may be taken here
    monkeypatch.setattr(serve, "importlib", SimpleNamespace(import_module=lambda name: {"open_webui": module}[name]))
    return calls


def test_serve(host: list[dict[str, Any]], surroundings: Path) -> None:
    assert run("serve").stdout.splitlines()[-1] == "Open WebUI: http://127.0.0.1:8080"
    (call,) = host
    assert (call["host"], call["port"]) == ("127.0.0.1", 8080)
    assert call["environ"]["DATA_DIR"] == str(surroundings / "data")
    assert "OPENWEBUI_POCKETBASE_CONFIG" not in call["environ"]
    assert load_settings(surroundings / "data", {}).storage_backend == "pocketbase"
    key = surroundings / "data" / ".webui_secret_key"
    assert call["environ"]["WEBUI_SECRET_KEY"] == key.read_text()
    assert len(key.read_text()) == 32
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_serve_with_options(host: list[dict[str, Any]], surroundings: Path) -> None:
    (surroundings / "my.toml").write_text('groups = {tags = "pocketbase"}')
    run("serve", "--host", "0.0.0.0", "--port", "9000", "--data-dir", "a/b", "--config", "my.toml")
    (call,) = host
    assert (call["host"], call["port"]) == ("0.0.0.0", 9000)
    assert call["environ"]["DATA_DIR"] == str(surroundings / "a" / "b")
    assert call["environ"]["OPENWEBUI_POCKETBASE_CONFIG"] == str(surroundings / "my.toml")
    assert "STORAGE_BACKEND" not in call["environ"]


def test_serve_leaves_the_choice_to_the_user(host: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_BACKEND", "sqlalchemy")
    monkeypatch.setenv("DATA_DIR", "mine")
    assert "all data in Open WebUI's SQL database" in run("serve").stderr
    assert host[0]["environ"]["STORAGE_BACKEND"] == "sqlalchemy"
    assert host[0]["environ"]["DATA_DIR"].endswith("/mine")


def test_serve_keeps_the_sessions(host: list[dict[str, Any]], surroundings: Path) -> None:
    stock = surroundings / ".webui_secret_key"
    stock.write_text("from the stock command")
    run("serve")
    stock.unlink()
    os.environ.pop("WEBUI_SECRET_KEY")
    run("serve")
    stock.write_text("another")
    os.environ["WEBUI_SECRET_KEY"] = ""
    run("serve")
    os.environ["WEBUI_SECRET_KEY"] = "given"
    run("serve")
    assert [call["environ"]["WEBUI_SECRET_KEY"] for call in host] == ["from the stock command"] * 3 + ["given"]


def test_serve_refuses_wrong_settings_before_the_host_is_loaded(host: list[dict[str, Any]]) -> None:
    Path("my.toml").write_text(f'[pocketbase]\npassword = ["{SECRET}"]')
    result = run("serve", "--config", "my.toml", code=1)
    assert "pocketbase.password" in result.stderr
    assert SECRET not in result.output
    assert host == []


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"installed_open_webui": lambda: None}, "pip install 'openwebui-pocketbase[open-webui]'"),
        ({"is_distribution": lambda: False}, "STORAGE_BACKEND=pocketbase and start it as usual"),
    ],
)
def test_serve_without_open_webui(
    patch: dict[str, Any], message: str, host: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in patch.items():
        monkeypatch.setattr(serve, name, value)
    assert message in run("serve", code=1).stderr
    assert host == []
    assert not Path("data").exists()


def test_serve_refuses_a_port_that_is_taken(surroundings: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", port, code=1)
    assert f"Port {port} on 127.0.0.1 is in use.\n  What to do: Choose another with --port." in result.stderr
    assert list(surroundings.iterdir()) == []
    serve._require_free_port("127.0.0.1", port)
    serve._require_free_port("no such host", port)


def test_serve_when_the_start_up_file_has_not_run(host: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    finders = [finder for finder in sys.meta_path if not isinstance(finder, _autostart.ModuleWatcher)]
    monkeypatch.setattr(sys, "meta_path", finders)
    monkeypatch.setenv("UVICORN_WORKERS", "2")
    assert "UVICORN_WORKERS" in run("serve", code=1).stderr
    assert host == []
    monkeypatch.setenv("UVICORN_WORKERS", "1")
    run("serve")
    assert sum(isinstance(finder, _autostart.ModuleWatcher) for finder in sys.meta_path) == 1
    assert len(host) == 1


def test_serve_when_switched_off(host: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENWEBUI_POCKETBASE_DISABLE", "1")
    assert "switches this package off" in run("serve", code=1).stderr
    assert host == []


@pytest.mark.parametrize("length", ["0", "-1", "many"])
def test_serve_refuses_a_key_of_no_length(
    length: str, host: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBUI_SECRET_KEY_LENGTH", length)
    assert "WEBUI_SECRET_KEY_LENGTH" in run("serve", code=1).stderr
    assert host == []


# --- doctor


def test_doctor_with_broken_settings(surroundings: Path) -> None:
    (surroundings / CONFIG_FILE).write_text(f'[pocketbase]\npassword = "{SECRET}')
    found = doctor("--data-dir", "data", code=1)
    assert "Cannot read the config file" in found["settings"]["detail"]
    assert "groups" not in found
    assert "problem" in run("doctor", "--data-dir", "data", code=1).stdout


def test_doctor_without_open_webui(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "installed_open_webui", lambda *_: None)
    found = doctor(code=1)
    assert "openwebui-pocketbase[open-webui]" in found["Open WebUI"]["remedy"]
    assert "/app/backend" in found["Open WebUI"]["remedy"]  # in a container, a second one would be wrong
    assert found["contract"]["status"] == "info"


def test_doctor_shows_settings_without_secrets(surroundings: Path) -> None:
    config = surroundings / CONFIG_FILE
    config.write_text(f'[pocketbase]\npassword = "{SECRET}"\nidentity = "me@example.org"')
    config.chmod(0o644)
    found = doctor("--data-dir", "data", code=1)
    assert found["settings"]["detail"] == "pocketbase.identity = me@example.org\npocketbase.password = **********"
    assert found["config file"]["remedy"] == f"Run: chmod 600 {config}"
    config.chmod(0o600)
    assert doctor("--data-dir", "data", code=0)["config file"]["status"] == "ok"
    assert SECRET not in run("doctor", "--data-dir", "data").output


def test_doctor_on_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_BACKEND", "pocketbase")
    monkeypatch.setattr(checks, "check_contract", lambda *_, **__: ["models/tags.py: it is different"])
    assert "it is different" in doctor("--data-dir", "data", code=1)["contract"]["detail"]
    monkeypatch.setenv("OPENWEBUI_POCKETBASE_CONTRACT", "warn")
    assert doctor("--data-dir", "data", code=0)["contract"]["status"] == "info"


def test_doctor_on_a_group_that_nothing_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENWEBUI_POCKETBASE_GROUPS_TAGS", "redis")
    found = doctor("--data-dir", "data", code=1)
    assert "Possible values" in found["groups"]["remedy"]
    assert found["contract"]["detail"] == "Not checked: the groups are not valid."


def test_doctor_on_a_broken_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_settings: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(checks, "create_plugin_manager", broken)
    assert "RuntimeError" in doctor("--data-dir", "data", code=1)["groups"]["detail"]


def test_doctor_on_the_start_up_file(surroundings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [surroundings / "one", surroundings / "two"]
    for place in places:
        place.mkdir()
    monkeypatch.setattr(installed, "sysconfig", SimpleNamespace(get_path=lambda _: str(places[0])))
    python_site = SimpleNamespace(getsitepackages=lambda: [str(place) for place in places], ENABLE_USER_SITE=False)
    monkeypatch.setattr(installed, "python_site", python_site)

    def found(code: int) -> str:
        return doctor("--data-dir", "data", code=code)["start-up file"]["detail"]

    assert "no openwebui_pocketbase" in found(1)
    (places[0] / installed.START_UP_FILE).touch()
    assert found(0) == str(places[0] / installed.START_UP_FILE)
    (places[1] / installed.START_UP_FILE).touch()
    assert "several" in found(1)
    (places[1] / installed.START_UP_FILE).unlink()
    finders = [finder for finder in sys.meta_path if not isinstance(finder, _autostart.ModuleWatcher)]
    monkeypatch.setattr(sys, "meta_path", finders)
    assert "has not run" in found(1)


def test_doctor_without_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENWEBUI_POCKETBASE_EMBEDDED_BINARY", "/no/such/program")
    assert doctor("--data-dir", "data", code=0)["pocketbase program"]["status"] == "info"
    monkeypatch.setenv("STORAGE_BACKEND", "pocketbase")
    assert doctor("--data-dir", "data", code=1)["pocketbase program"]["remedy"]


def test_doctor_pads_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_BACKEND", "pocketbase")
    lines = run("doctor", "--data-dir", "data").stdout.splitlines()
    assert [line for line in lines if line != line.rstrip()] == []
    assert {line.index("users: pocketbase") for line in lines if "users: " in line} == {
        line.index("access: pocketbase") for line in lines if "access: " in line
    }


def test_doctor_mentions_files_that_are_ignored(surroundings: Path) -> None:
    for directory in (surroundings, surroundings / "data"):
        directory.mkdir(exist_ok=True)
        (directory / CONFIG_FILE).touch()
    lines = run("doctor", "--data-dir", "data").stdout
    ignored, used = (directory / CONFIG_FILE for directory in (surroundings, surroundings / "data"))
    assert f"{ignored} is ignored, as there is {used}." in lines


def start(data_dir: Path, groups: dict[str, str], failure: str = "", **variables: str) -> None:
    """Leave what a start of Open WebUI leaves."""
    data_dir.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patched:
        for name, value in variables.items():
            patched.setenv(name, value)
        database = database_name(make_url(f"postgresql+psycopg://somebody:{SECRET}@db.example.org/site"), "", data_dir)
        LastStart.now(groups, data_dir / "open_webui", data_dir, database, failure).write(data_dir)


EVERYTHING = dict.fromkeys(CATALOG, "pocketbase")


def test_doctor_takes_the_variables_of_the_last_start(surroundings: Path) -> None:
    """README's commands: only Open WebUI is given the variable."""
    start(surroundings / "data", EVERYTHING, STORAGE_BACKEND="pocketbase", OPENWEBUI_POCKETBASE_KEY=SECRET)
    found = doctor("--data-dir", "data", code=0)
    assert "STORAGE_BACKEND=pocketbase" in found["environment"]["detail"]
    assert "users: pocketbase" in found["groups"]["detail"]
    assert found["last start"]["status"] == "ok"
    assert found["contract"]["status"] == "ok"
    assert not any(SECRET in path.read_text() for path in (surroundings / "data").iterdir())


def test_doctor_finds_the_config_file_of_the_last_start(surroundings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (surroundings / CONFIG_FILE).write_text('storage_backend = "pocketbase"')
    start(surroundings / "data", EVERYTHING)
    (surroundings / "elsewhere").mkdir()
    monkeypatch.chdir(surroundings / "elsewhere")
    assert "users: pocketbase" in doctor("--data-dir", "../data", code=0)["groups"]["detail"]


@pytest.mark.parametrize("where", ["environment", "file"])
def test_doctor_on_settings_that_are_not_those_of_the_last_start(
    where: str, surroundings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(surroundings / "data", EVERYTHING, STORAGE_BACKEND="pocketbase")
    if where == "environment":
        monkeypatch.setenv("STORAGE_BACKEND", "sqlalchemy")
    else:
        (surroundings / "data" / CONFIG_FILE).write_text('storage_backend = "sqlalchemy"')
    found = doctor("--data-dir", "data", code=1)
    assert "environment" not in found
    assert "users in pocketbase" in found["last start"]["detail"]
    assert "storage_backend" in found["last start"]["remedy"]
    assert "on purpose, run `openwebui-pocketbase leave`" in found["last start"]["remedy"]


def test_doctor_on_a_group_that_has_moved_on_purpose(surroundings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(surroundings / "data", EVERYTHING, STORAGE_BACKEND="pocketbase")
    monkeypatch.setenv("OPENWEBUI_POCKETBASE_GROUPS_MESSAGES", "sqlalchemy")
    found = doctor("--data-dir", "data", code=1)["last start"]
    assert "had messages in pocketbase; these settings do not." in found["detail"]
    assert "on purpose, start Open WebUI with the new settings" in found["remedy"]


def test_doctor_on_a_server_that_no_setting_uses(surroundings: Path) -> None:
    """Data of a version that did not keep what a start used."""
    (surroundings / "data" / "pocketbase").mkdir(parents=True)
    (surroundings / "data" / "pocketbase" / "data.db").touch()
    found = doctor("--data-dir", "data", code=1)["last start"]
    assert str(surroundings / "data" / "pocketbase") in found["detail"]


@pytest.mark.parametrize("damaged", ["", "[]", "{}", '{"groups": 1, "variables": {}, "package_dir": "", "at": 0}'])
def test_doctor_on_a_damaged_record(damaged: str, surroundings: Path) -> None:
    start(surroundings / "data", EVERYTHING, STORAGE_BACKEND="pocketbase")
    (record,) = (surroundings / "data").iterdir()
    record.write_text(damaged)
    assert "last start" not in doctor("--data-dir", "data", code=0)


def record(data_dir: Path) -> LastStart:
    found = LastStart.read(data_dir)
    assert found is not None
    return found


def test_doctor_after_leaving(surroundings: Path) -> None:
    """What is left in PocketBase is no problem, and nothing is assumed any more."""
    data = surroundings / "data"
    (data / "pocketbase").mkdir(parents=True)
    (data / "pocketbase" / "data.db").touch()
    start(data, EVERYTHING, STORAGE_BACKEND="pocketbase")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("openwebui_pocketbase.last_start.time", SimpleNamespace(time=lambda: 2_000_000_000.5))
        record(data).left().write(data)
    found = doctor("--data-dir", "data", code=0)
    assert "2033-05-18 03:33:20 UTC" in found["last start"]["detail"], "when it left, not the last start"
    assert found["last start"]["status"] == "info"
    assert "went back" in found["last start"]["detail"]
    assert "environment" not in found


def test_doctor_after_a_start_without_the_settings(surroundings: Path) -> None:
    data = surroundings / "data"
    start(data, EVERYTHING, STORAGE_BACKEND="pocketbase")
    record(data).ignored().write(data)
    found = doctor("--data-dir", "data", code=1)["last start"]
    assert "has started without its settings" in found["detail"]
    start(data, EVERYTHING, STORAGE_BACKEND="pocketbase")
    assert doctor("--data-dir", "data", code=0)["last start"]["status"] == "ok"


def test_doctor_after_a_start_that_failed(surroundings: Path) -> None:
    start(surroundings / "data", EVERYTHING, "It is gone.\n  What to do: Bring it back.", STORAGE_BACKEND="pocketbase")
    found = doctor("--data-dir", "data", code=1)["last start"]
    assert found["detail"].endswith("the start failed: It is gone.")
    assert found["remedy"] == "Bring it back."


def test_doctor_names_copies_that_differ() -> None:
    table = {"table": "user", "equal": 3, "missing": [], "different": ["a", "b"], "extra": [], "aside": ["by-script"]}
    status = {"settled": False, "follows": False, "tables": [table]}
    check = copies._describe(status)
    assert check.status == "problem"
    assert check.detail.splitlines() == [
        "PocketBase was restored or replaced since they were made.",
        "user: 2 rows differ, such as a",
        "user: 1 rows were written by something else and are kept aside, such as by-script",
    ]
    assert "mirror status" in check.remedy
    equal = {"settled": True, "follows": True, "tables": [table | {"different": [], "aside": []}]}
    assert copies._describe(equal).detail == "Rows as in PocketBase: 3."


def test_doctor_gives_one_remedy_if_copies_cannot_be_compared() -> None:
    check = copies._failure("openwebui-pocketbase: It is another database.\n  What to do: Set DATABASE_URL.")
    assert check.detail == "They cannot be compared with PocketBase: It is another database."
    assert check.remedy == "Set DATABASE_URL."
    assert copies._failure("Killed").remedy == copies.SETTLE


def test_a_secret_of_the_last_start_is_named(surroundings: Path) -> None:
    variables = {"URL": "http://127.0.0.1:9", "IDENTITY": "a@example.org", "PASSWORD": SECRET}
    start(
        surroundings / "data",
        EVERYTHING,
        STORAGE_BACKEND="pocketbase",
        **{f"OPENWEBUI_POCKETBASE_{name}": value for name, value in variables.items()},
    )
    error = run("schema", "status", "--data-dir", "data", code=1).stderr
    assert "Run it with Open WebUI's values of: OPENWEBUI_POCKETBASE_PASSWORD." in error


def unprivileged(function: Callable[[], Any]) -> Any:
    """Return what a function returns in a process that is not root's; what it imports must be loaded."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            os.write(writer, json.dumps(function()).encode())
        except BaseException as error:  # noqa: BLE001 - nothing else reports it
            os.write(writer, json.dumps(repr(error)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answers:
        return json.loads(answers.read())


def test_a_secret_key_in_a_directory_that_is_closed_is_no_failure_before_it_is_read() -> None:
    """Of Open WebUI that was started in another user's directory; most commands do not read the key."""
    root = Path(tempfile.mkdtemp())
    started = root / "started"
    started.mkdir()
    (started / KEY_FILE).write_text("key")
    LastStart({}, {}, "", "", 1, secret_key=str(started / KEY_FILE)).write(root)
    root.chmod(0o755)
    started.chmod(0)
    there = site.Site.of(root, None)
    try:
        assert unprivileged(lambda: str(_secret_key(there))) == str(started / KEY_FILE)
    finally:
        started.chmod(0o755)
        shutil.rmtree(root)


@pytest.mark.parametrize("closed", ["home", "data", "above the data", "working directory"])
def test_doctor_as_a_user_who_sees_little(closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(tempfile.mkdtemp())  # pytest's own are closed to other users
    directories = {name: root / name for name in ("home", "above the data", "working directory")}
    directories["data"] = directories["above the data"] / "data"
    for directory in (root, *directories.values()):
        directory.mkdir(exist_ok=True)
        directory.chmod(0o755)
    monkeypatch.setenv("HOME", str(directories["home"]))
    monkeypatch.setenv("STORAGE_BACKEND", "pocketbase")
    monkeypatch.chdir(directories["working directory"])
    run("doctor", "--data-dir", directories["data"])  # loads what it imports
    directories[closed].chmod(0)

    def check() -> list[Any]:
        result = CliRunner().invoke(app, ["doctor", "--json", "--data-dir", str(directories["data"])])
        return [result.exit_code, result.output, repr(result.exception)]

    try:
        code, output, exception = unprivileged(check)
    finally:
        directories[closed].chmod(0o755)
        shutil.rmtree(root)
    assert exception in ("None", f"SystemExit({code})")
    found = {each["name"]: each for each in json.loads(output)["checks"]}
    if "data" in closed:
        assert "the user who runs Open WebUI" in found["settings"]["remedy"]
    else:
        assert found["settings"]["status"] == "ok"


# --- the wrong data directory


@pytest.mark.parametrize(
    "command", ["schema status", "schema apply", "search rebuild", "pocketbase -- superuser upsert a@example.org pw"]
)
def test_a_mistyped_data_directory_gets_no_server(command: str, surroundings: Path) -> None:
    name, *others = command.split(" -- ")
    arguments = ["--", *others[0].split()] if others else []
    result = run(*name.split(), "--data-dir", surroundings / "dta", *arguments, code=1)
    assert f"There is no PocketBase in {surroundings / 'dta' / 'pocketbase'}" in result.stderr
    assert "schema apply --create" in result.stderr
    assert list(surroundings.iterdir()) == []


# --- assets export


def exported(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*.js*") if path.parent != directory}


def test_assets_export(surroundings: Path) -> None:
    target = surroundings / "new" / "pb"
    assert "Next:" in run("assets", "export", target).stdout
    ours = {f"pb_hooks/{path.relative_to(HOOKS_DIR)}" for path in HOOKS_DIR.rglob("*.js*")}
    ours |= {f"pb_migrations/{path.name}" for path in MIGRATIONS_DIR.iterdir() if path.is_file()}
    assert exported(target) == ours
    assert all((target / name).read_bytes() == (HOOKS_DIR.parent / name).read_bytes() for name in ours)
    run("assets", "export", target)


def test_assets_export_respects_other_files(surroundings: Path) -> None:
    hook = surroundings / "pb_hooks" / "owui.pb.js"
    hook.parent.mkdir()
    hook.write_text("// mine")
    (hook.parent / "own.pb.js").write_text("// mine, too")
    result = run("assets", "export", surroundings, code=1)
    assert "pb_hooks/owui.pb.js" in result.stderr
    assert "--force" in result.stderr
    assert hook.read_text() == "// mine"
    assert not (surroundings / "pb_migrations").exists()
    run("assets", "export", surroundings, "--force")
    assert hook.read_bytes() == (HOOKS_DIR / "owui.pb.js").read_bytes()
    assert (hook.parent / "own.pb.js").read_text() == "// mine, too"


def test_assets_export_replaces_an_earlier_version(surroundings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = surroundings / "earlier"
    earlier.mkdir()
    for name in ("owui.pb.js", "gone.pb.js", "changed.pb.js"):
        (earlier / name).write_text("// version 0")
    target = surroundings / "pb"
    with monkeypatch.context() as patched:
        patched.setattr("openwebui_pocketbase.cli.assets.HOOKS_DIR", earlier)
        run("assets", "export", target)
    (target / "pb_hooks" / "changed.pb.js").write_text("// by hand")
    run("assets", "export", target)
    assert (target / "pb_hooks" / "owui.pb.js").read_bytes() == (HOOKS_DIR / "owui.pb.js").read_bytes()
    assert not (target / "pb_hooks" / "gone.pb.js").exists()
    assert (target / "pb_hooks" / "changed.pb.js").read_text() == "// by hand"


def test_assets_export_names_what_earlier_versions_left(surroundings: Path) -> None:
    hooks = surroundings / "pb" / "pb_hooks"
    (hooks / "owui" / "users").mkdir(parents=True)
    left = ["owui_rows.js", "owui_tables.json", "users.js", "owui/gone.js", "owui/users/gone.js"]
    for name in (*left, "own.js", "own.pb.js"):
        (hooks / name).write_text("// version 0")
    printed = run("assets", "export", surroundings / "pb").stdout
    assert f"remove from pb_hooks: {', '.join(left)}\n" in printed
    for name in left:
        (hooks / name).unlink()
    assert "remove from pb_hooks" not in run("assets", "export", surroundings / "pb").stdout


def test_assets_export_knows_common_names_from_ours(surroundings: Path) -> None:
    hooks = surroundings / "pb" / "pb_hooks"
    hooks.mkdir(parents=True)
    (hooks / "users.js").write_text("// mine")
    assert "remove from pb_hooks" not in run("assets", "export", surroundings / "pb").stdout


def test_assets_export_does_not_follow_a_record_out_of_its_directory(surroundings: Path) -> None:
    victim = surroundings / "victim"
    victim.write_bytes(b"")
    target = surroundings / "pb"
    target.mkdir()
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (target / ".openwebui-pocketbase.json").write_text(json.dumps({"../victim": empty, str(victim): empty}))
    run("assets", "export", target)
    assert victim.exists()


# --- pocketbase


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Path, list[str]]]]:
    calls: list[tuple[Path, list[str]]] = []
    monkeypatch.setattr(
        "openwebui_pocketbase.cli.pocketbase.os.execv", lambda program, arguments: calls.append((program, arguments))
    )
    before = os.umask(0o022)
    yield calls
    assert os.umask(before) == 0o077 or not calls, "what the program writes is nobody else's"


def test_pocketbase(executed: list[tuple[Path, list[str]]], surroundings: Path) -> None:
    (surroundings / "data" / "pocketbase").mkdir(parents=True)
    (surroundings / "data" / "pocketbase" / "data.db").touch()
    run("pocketbase", "--data-dir", "data", "--", "superuser", "upsert", "me@example.org", "--x")
    ((program, (name, *arguments)),) = executed
    assert program == find_binary(EmbeddedSettings())
    assert name == "pocketbase"
    assert f"--dir={surroundings / 'data' / 'pocketbase'}" in arguments
    assert f"--hooksDir={HOOKS_DIR}" in arguments
    assert f"--migrationsDir={MIGRATIONS_DIR}" in arguments
    assert arguments[-4:] == ["superuser", "upsert", "me@example.org", "--x"]


def test_pocketbase_takes_what_is_given(executed: list[tuple[Path, list[str]]]) -> None:
    run("pocketbase", "--data-dir", "data", "--", "serve", "--dir", "x", "--hooksDir=y")
    ((_, arguments),) = executed
    assert [re.sub("=.*", "", argument) for argument in arguments if argument.startswith("--")] == [
        "--migrationsDir",
        "--automigrate",
        "--hooksWatch",
        "--dir",
        "--hooksDir",
    ]


def test_pocketbase_of_another_machine(executed: list[tuple[Path, list[str]]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENWEBUI_POCKETBASE_URL", "https://pb.example.org")
    monkeypatch.setenv("OPENWEBUI_POCKETBASE_TOKEN", SECRET)
    result = run("pocketbase", "--data-dir", "data", "--", "superuser", "upsert", "me@example.org", code=1)
    assert "not the embedded one" in result.stderr
    assert executed == []
    run("pocketbase", "--data-dir", "data", "--", "--dir=x", "superuser", "list")
    assert len(executed) == 1
