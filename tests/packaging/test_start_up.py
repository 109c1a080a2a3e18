"""What the installed wheel does to Python programs: to Open WebUI what the settings say, to others nothing."""

from __future__ import annotations

import json
import shutil
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.packaging.builds import Distributions
from tests.packaging.venvs import Result, Venv, host_environment, run
from tests.support.services import require

MODULES = "import sys; print(*sys.modules)"
NOTHING = "pass"
IMPORT_ENV = "import open_webui.env"
FINDERS = "import sys; print(*(type(finder).__module__ for finder in sys.meta_path))"
CLASSES = """
from open_webui.models.folders import Folders
from open_webui.models.tags import Tags
print(type(Tags).__module__, type(Folders).__module__)
"""
STOCK = ["open_webui.models.tags", "open_webui.models.folders"]
OURS = ["openwebui_pocketbase.repositories.tags", "openwebui_pocketbase.repositories.folders"]
NAME = "openwebui_pocketbase"
SECRET = "a-secret-that-nobody-must-see"


@pytest.fixture
def host_env(tmp_path: Path) -> dict[str, str]:
    return host_environment(tmp_path)


def test_other_programs_import_two_small_modules(plain_venv: Venv, wheel_venv: Venv) -> None:
    added = set(wheel_venv.output(MODULES)) - set(plain_venv.output(MODULES))
    assert added == {NAME, f"{NAME}._autostart", "__future__"}


def test_other_programs_import_no_module_of_ours_from_the_standard_library(wheel_venv: Venv) -> None:
    """What the interpreter loads for its own start is all there is: typing or re would cost milliseconds."""
    log = wheel_venv.run(NOTHING, "-X", "importtime").stderr.splitlines()
    end = next(index for index, line in enumerate(log) if line.endswith(f"{NAME}._autostart"))
    depth = [len(line) - len(line.rsplit("|", 1)[1].lstrip()) for line in log]
    inside = []
    for index in range(end - 1, -1, -1):  # what a module imports is listed before it, and indented more
        if depth[index] <= depth[end]:
            break
        inside.append(log[index].split("|")[-1].strip())
    assert set(inside) <= {"__future__", NAME}


def test_other_programs_get_no_output(wheel_venv: Venv) -> None:
    result = wheel_venv.run(NOTHING)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("options", [(), ("-I",)], ids=["plain", "isolated"])
def test_finder_waits_for_the_host(options: tuple[str, ...], wheel_venv: Venv) -> None:
    assert wheel_venv.output(FINDERS, *options)[0] == f"{NAME}._autostart"


@pytest.mark.parametrize("option", ["-S", "-IS"])
def test_nothing_starts_without_site(option: str, wheel_venv: Venv) -> None:
    assert f"{NAME}._autostart" not in wheel_venv.output(FINDERS, option)


def test_disabled_by_the_environment(wheel_venv: Venv) -> None:
    assert f"{NAME}._autostart" not in wheel_venv.output(FINDERS, env={"OPENWEBUI_POCKETBASE_DISABLE": "1"})


def test_uninstalling_removes_every_trace(distributions: Distributions, tmp_path: Path) -> None:
    venv = Venv(tmp_path / "venv")
    before = venv.files()
    venv.install(distributions.wheel)
    installed = venv.files() - before
    assert any(name.endswith(f"{NAME}.pth") for name in installed)
    assert str(Path("bin", "openwebui-pocketbase")) in installed
    venv.uninstall("openwebui-pocketbase")
    assert venv.files() == before


def test_every_installed_file_is_in_the_record(distributions: Distributions, tmp_path: Path) -> None:
    venv = Venv(tmp_path / "venv")
    before = venv.files()
    venv.install(distributions.wheel)
    record = next(venv.site_packages.glob("openwebui_pocketbase-*.dist-info/RECORD")).read_text()
    recorded = {(venv.site_packages / line.rsplit(",", 2)[0]).resolve() for line in record.splitlines()}
    installed = {venv.root / name for name in venv.files() - before}
    assert {file.resolve() for file in installed if file.is_file()} == recorded


def test_command_line_starts(host_venv: Venv) -> None:
    result = run([host_venv.root / "bin" / "openwebui-pocketbase", "--help"])
    assert result.returncode == 0, result.stderr
    assert "serve" in result.stdout


@pytest.mark.parametrize("left", ["nothing", "empty directory", "data", "package without modules"])
def test_half_removed_package_disturbs_nobody(left: str, distributions: Distributions, tmp_path: Path) -> None:
    venv = Venv(tmp_path / "venv")
    venv.install(distributions.wheel)
    package = venv.site_packages / NAME
    shutil.rmtree(package)
    if left != "nothing":
        package.mkdir()
    if left == "data":
        (package / "assets").mkdir()
    if left == "package without modules":
        (package / "__init__.py").touch()
    result = venv.run("print('done')")
    assert (result.returncode, result.stdout, result.stderr) == (0, "done\n", "")


def test_without_settings_nothing_stays_in_the_host(host_venv: Venv, host_env: dict[str, str]) -> None:
    """Once it was seen that its SQL database is not that of a site with groups in PocketBase."""
    words = host_venv.output(f"import open_webui.internal.db\n{MODULES}\nprint('finders')\n{FINDERS}", env=host_env)
    start = words.index("finders")
    modules, finders = words[:start], words[start + 1 :]
    added = ("_autostart", "exceptions", "config_file", "settings", "host", "host.activation")
    assert {name for name in modules if name.split(".")[0] == NAME} == {NAME, *(f"{NAME}.{name}" for name in added)}
    assert finders
    assert not [finder for finder in finders if finder.startswith(NAME)]


def test_without_settings_the_classes_are_stock(host_venv: Venv, host_env: dict[str, str]) -> None:
    assert host_venv.output(CLASSES, env=host_env)[-2:] == STOCK


@pytest.mark.parametrize("options", [(), ("-I",)], ids=["plain", "isolated"])
def test_storage_backend_replaces_the_classes(
    options: tuple[str, ...], host_venv: Venv, host_env: dict[str, str]
) -> None:
    env = host_env | {"STORAGE_BACKEND": "pocketbase"}
    assert host_venv.output(CLASSES, *options, env=env)[-2:] == OURS


def test_config_file_replaces_the_classes_it_names(host_venv: Venv, host_env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "openwebui-pocketbase.toml").write_text("groups.folders = 'pocketbase'")
    assert host_venv.output(CLASSES, env=host_env)[-2:] == [STOCK[0], OURS[1]]


def test_disabled_host_is_stock(host_venv: Venv, host_env: dict[str, str]) -> None:
    env = host_env | {"STORAGE_BACKEND": "pocketbase", "OPENWEBUI_POCKETBASE_DISABLE": "1"}
    words = host_venv.output(f"{CLASSES}\n{FINDERS}\n{MODULES}", env=env)
    assert [word for word in words if word in STOCK + OURS][:2] == STOCK
    assert {word for word in words if word.startswith(NAME)} == {NAME, f"{NAME}._autostart"}


@pytest.mark.parametrize("options", [(), ("-I",)], ids=["plain", "isolated"])
def test_editable_installation_replaces_the_classes(options: tuple[str, ...], host_env: dict[str, str]) -> None:
    """The environment of the tests itself: building another editable one needs more than the tests have."""
    origin = json.loads(distribution("openwebui-pocketbase").read_text("direct_url.json") or "{}")
    require(origin.get("dir_info", {}).get("editable", False), "an editable installation of this project")
    result = run([sys.executable, *options, "-c", CLASSES], env=host_env | {"STORAGE_BACKEND": "pocketbase"})
    assert result.stdout.split()[-2:] == OURS, result.stderr


BROKEN_FILES = {
    "bad TOML": ("groups = [", ["openwebui-pocketbase.toml", "Cannot read", "init"]),
    "unknown key": ("colour = 'red'", ["colour", "openwebui-pocketbase init"]),
    "unknown group": ("groups.nothing = 'pocketbase'", ["nothing", "tags", "folders", "openwebui-pocketbase init"]),
    "unknown default": ("storage_backend = 'mysql'", ["storage_backend", "sqlalchemy", "openwebui-pocketbase init"]),
    "unknown backend": ("groups.tags = 'memory'", ["tags = 'memory'", "sqlalchemy, pocketbase"]),
    "secret of the wrong type": (
        f"[pocketbase]\ntoken = ['{SECRET}']",
        ["pocketbase.token", "openwebui-pocketbase init"],
    ),
    "url without credentials": (
        "[pocketbase]\nurl = 'http://h'",
        ["identity and password", "openwebui-pocketbase init"],
    ),
}


def refuses(result: Result, expected: list[str]) -> None:
    """The program ended with one message for its reader."""
    assert result.returncode == 3, result.stderr
    assert "Traceback" not in result.stderr
    assert SECRET not in result.stdout + result.stderr
    (message,) = result.stderr.split("\nopenwebui-pocketbase: ")[1:]
    assert [text for text in [*expected, "What to do: "] if text not in message] == []
    assert len(message.strip().splitlines()) == 2


@pytest.mark.parametrize(("text", "expected"), BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_broken_config_file_ends_the_host(
    text: str, expected: list[str], host_venv: Venv, host_env: dict[str, str], tmp_path: Path
) -> None:
    content = text if "[pocketbase" in text else f"{text}\n[pocketbase]\nidentity = 'me'\npassword = '{SECRET}'\n"
    (tmp_path / "openwebui-pocketbase.toml").write_text(content)
    refuses(host_venv.run(f"{IMPORT_ENV}\nprint('went on')", env=host_env), expected)


BROKEN_VARIABLES = {
    "unknown variable": ({"OPENWEBUI_POCKETBASE_COLOUR": SECRET}, ["OPENWEBUI_POCKETBASE_COLOUR"]),
    "unknown backend": ({"STORAGE_BACKEND": "mysql"}, ["STORAGE_BACKEND: ", "the environment"]),
    "missing file": ({"OPENWEBUI_POCKETBASE_CONFIG": "/nowhere/x.toml"}, ["/nowhere/x.toml", "init"]),
    "url with a password": (
        {"OPENWEBUI_POCKETBASE_URL": f"http://me:{SECRET}@host"},
        ["OPENWEBUI_POCKETBASE_URL: ", "must not contain credentials"],
    ),
}


@pytest.mark.parametrize(("variables", "expected"), BROKEN_VARIABLES.values(), ids=BROKEN_VARIABLES)
def test_broken_environment_ends_the_host(
    variables: dict[str, str], expected: list[str], host_venv: Venv, host_env: dict[str, str]
) -> None:
    refuses(host_venv.run(IMPORT_ENV, env=host_env | variables), expected)
