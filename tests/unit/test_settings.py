"""Where settings come from, which one wins, and what is refused."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from openwebui_pocketbase.cli.init import template
from openwebui_pocketbase.config_file import CONFIG_FILE, CONFIG_VARIABLE, config_files, find_config_file
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.manager import Registry, create_plugin_manager
from openwebui_pocketbase.settings import (
    GROUPS,
    Settings,
    environment_names,
    load_settings,
)

ROOT = Path(__file__).resolve().parents[2]
SECRET = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "cwd"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    directory.mkdir()
    return directory


def load(text: str, data_dir: Path, environ: dict[str, str] | None = None) -> Settings:
    (data_dir / CONFIG_FILE).write_text(text)
    return load_settings(data_dir, environ or {})


# --- where the file is found


def test_without_anything_all_is_at_its_default(data_dir: Path) -> None:
    assert find_config_file(data_dir, {}) is None
    assert load_settings(data_dir, {}) == Settings()
    assert not Settings().wants_other_backend()


def test_the_first_file_is_read(data_dir: Path, working_directory: Path, tmp_path: Path) -> None:
    named = tmp_path / "named.toml"
    for path in (working_directory / CONFIG_FILE, data_dir / CONFIG_FILE):
        path.write_text("")
        assert find_config_file(data_dir, {}) == path
    named.write_text("")
    assert find_config_file(data_dir, {CONFIG_VARIABLE: str(named)}) == named
    assert find_config_file(None, {}) == working_directory / CONFIG_FILE


def test_an_empty_name_is_no_name(data_dir: Path) -> None:
    assert find_config_file(data_dir, {CONFIG_VARIABLE: ""}) is None


def test_the_home_directory_is_understood(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.toml").write_text("")
    assert find_config_file(data_dir, {CONFIG_VARIABLE: "~/mine.toml"}) == tmp_path / "mine.toml"


def test_files_that_are_ignored_are_known(data_dir: Path, working_directory: Path) -> None:
    files = [data_dir / CONFIG_FILE, working_directory / CONFIG_FILE]
    for path in files:
        path.write_text("")
    assert config_files(data_dir, {}) == files
    assert config_files(data_dir, {CONFIG_VARIABLE: str(files[1])}) == files[::-1]
    assert config_files(working_directory, {}) == files[1:]


def test_a_byte_order_mark_is_no_setting(data_dir: Path) -> None:
    (data_dir / CONFIG_FILE).write_bytes(b'\xef\xbb\xbfstorage_backend = "pocketbase"\n')
    assert load_settings(data_dir, {}).storage_backend == "pocketbase"


@pytest.mark.parametrize("whose", ["everybody's", "a stranger's"])
def test_a_file_in_the_working_directory_must_not_be_a_stranger_s(
    whose: str, data_dir: Path, working_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could name any program as ``binary``."""
    path = working_directory / CONFIG_FILE
    path.write_text('storage_backend = "pocketbase"')
    if whose == "everybody's":
        path.chmod(0o666)
    else:
        owner = path.stat().st_uid or 1000
        os.chown(path, owner, -1)
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(ConfigurationError, match=f"{path} was found in the working directory") as refused:
        load_settings(data_dir, {})
    assert CONFIG_VARIABLE in refused.value.hint
    assert load_settings(data_dir, {CONFIG_VARIABLE: str(path)}).storage_backend == "pocketbase"
    # What is not in force harms nobody.
    (data_dir / CONFIG_FILE).write_text("")
    assert load_settings(data_dir, {}) == Settings()


def test_a_file_that_everybody_can_write_is_worth_a_warning(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    load("", data_dir)
    assert caplog.text == ""
    (data_dir / CONFIG_FILE).chmod(0o646)
    load("", data_dir)
    assert f"chmod o-w {data_dir / CONFIG_FILE}" in caplog.text


def test_a_working_directory_that_is_gone_has_no_settings(data_dir: Path, working_directory: Path) -> None:
    working_directory.rmdir()
    assert load_settings(data_dir, {}) == Settings()


def test_files_are_not_merged(data_dir: Path, working_directory: Path) -> None:
    (working_directory / CONFIG_FILE).write_text('contract = "warn"')
    assert load('storage_backend = "pocketbase"', data_dir).contract == "strict"


# --- what wins


def test_the_environment_wins(data_dir: Path) -> None:
    text = """
        storage_backend = "sqlalchemy"
        groups = {tags = "pocketbase", folders = "pocketbase"}
        [pocketbase]
        timeouts = {read = 1.0, retry = 2}
    """
    environ = {
        "STORAGE_BACKEND": "pocketbase",
        "OPENWEBUI_POCKETBASE_GROUPS_TAGS": "sqlalchemy",
        "OPENWEBUI_POCKETBASE_TIMEOUTS_READ": "7",
        "OPENWEBUI_POCKETBASE_LOGGING_TRACE_HOOKS": "true",
        "UNRELATED": "x",
    }
    settings = load(text, data_dir, environ)
    assert settings.storage_backend == "pocketbase"
    assert settings.groups == {"tags": "sqlalchemy", "folders": "pocketbase"}
    assert settings.pocketbase.timeouts.read == 7.0
    assert settings.pocketbase.timeouts.retry == 2.0
    assert settings.logging.trace_hooks is True


def test_an_empty_variable_is_not_set(data_dir: Path) -> None:
    environ = dict.fromkeys(environment_names(), "")
    assert load('contract = "warn"', data_dir, environ) == Settings(contract="warn")


SAMPLES = {
    "STORAGE_BACKEND": "pocketbase",
    "OPENWEBUI_POCKETBASE_CONTRACT": "warn",
    "OPENWEBUI_POCKETBASE_TRIPWIRE": "warn",
    "OPENWEBUI_POCKETBASE_SWITCHABLE": "true",
    "OPENWEBUI_POCKETBASE_URL": "https://pb.example.org",
    "OPENWEBUI_POCKETBASE_LOGGING_LEVEL": "DEBUG",
    "OPENWEBUI_POCKETBASE_LOGGING_TRACE_HOOKS": "true",
}


@pytest.mark.parametrize(("name", "keys"), environment_names().items())
def test_every_variable_reaches_its_setting(name: str, keys: tuple[str, ...]) -> None:
    found: Any = load_settings(None, {"OPENWEBUI_POCKETBASE_TOKEN": "needed for url", name: SAMPLES.get(name, "7")})
    default: Any = Settings()
    for key in keys:
        found = found[key] if isinstance(found, dict) else getattr(found, key)
        default = default.get(key) if isinstance(default, dict) else getattr(default, key)
    assert found != default
    assert found in (SAMPLES.get(name, "7"), 7, True, Path("7"), SecretStr("7"))


def test_settings_are_frozen() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.contract = "warn"
    with pytest.raises(ValidationError):
        settings.pocketbase.timeouts.read = 1.0


# --- what is refused

LOGIN = f'identity = "me@example.org"\npassword = "{SECRET}"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f'[pocketbase]\n{LOGIN}colour = "red"', "pocketbase.colour"),
        (f'[pocketbase]\n{LOGIN}[pocketbase.timeouts]\nread = "{SECRET}"', "pocketbase.timeouts.read"),
        (f"[pocketbase]\n{LOGIN}[pocketbase.timeouts]\nread = 0", "greater than 0"),
        (f'groups = {{{SECRET} = "pocketbase"}}'.replace(SECRET, "planets"), "unknown group planets"),
        (f'pocketbase = "{SECRET}"', "pocketbase"),
        (f'[pocketbase]\npassword = ["{SECRET}"]', "pocketbase.password"),
        (f'[pocketbase]\npassword = "{SECRET}', "Cannot read the config file"),
        (f"[pocketbase]\npassword = {SECRET}", "Cannot read the config file"),
        (f'storage_backend = "{SECRET}"', "storage_backend"),
        (f'[pocketbase]\nurl = "ftp://me:{SECRET}@pb"', "must start with http"),
        (f'[pocketbase]\nurl = "https://me:{SECRET}@pb.example.org/x"', "must not contain credentials"),
        ('[pocketbase]\nurl = "https://pb.example.org"', "url needs identity and password, or token"),
        (f'[pocketbase]\ntoken = "{SECRET}\\r\\nX: y"', "token must be one line"),
        (f'[pocketbase]\nurl = "https://pb"\npassword = "{SECRET}"', "url needs identity and password, or token"),
    ],
)
def test_a_wrong_file(text: str, message: str, data_dir: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(text, data_dir)
    assert message in str(raised.value)
    assert CONFIG_FILE in str(raised.value)
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__, "the cause may show the values"


def test_a_file_in_another_encoding(data_dir: Path) -> None:
    (data_dir / CONFIG_FILE).write_bytes('contract = "wärn"'.encode("latin-1"))
    with pytest.raises(ConfigurationError, match="Cannot read the config file"):
        load_settings(data_dir, {})


def test_a_named_file_that_is_not_there(data_dir: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"OPENWEBUI_POCKETBASE_CONFIG names .*nowhere\.toml") as raised:
        load_settings(data_dir, {CONFIG_VARIABLE: str(data_dir / "nowhere.toml")})
    assert "openwebui-pocketbase init" in raised.value.hint


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"OPENWEBUI_POCKETBASE_PASSWROD": SECRET}, "OPENWEBUI_POCKETBASE_PASSWROD"),
        ({"OPENWEBUI_POCKETBASE_GROUPS_PLANETS": SECRET}, "OPENWEBUI_POCKETBASE_GROUPS_PLANETS"),
        ({"OPENWEBUI_POCKETBASE_EMBEDDED_PORT": SECRET}, "OPENWEBUI_POCKETBASE_EMBEDDED_PORT: "),
        ({"OPENWEBUI_POCKETBASE_URL": f"https://me:{SECRET}@pb.example.org"}, "must not contain credentials"),
        ({"STORAGE_BACKEND": "Pocketbase"}, "STORAGE_BACKEND: "),
    ],
)
def test_a_wrong_variable(environ: dict[str, str], message: str, data_dir: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_settings(data_dir, environ)
    assert message in str(raised.value)
    assert SECRET not in str(raised.value)


def test_a_value_where_a_section_is_wanted(data_dir: Path) -> None:
    with pytest.raises(ConfigurationError, match="must be a section") as raised:
        load(f'pocketbase = "{SECRET}"', data_dir, {"OPENWEBUI_POCKETBASE_URL": "https://pb.example.org"})
    assert SECRET not in str(raised.value)


def test_the_address(data_dir: Path) -> None:
    settings = load(f'[pocketbase]\nurl = "https://pb.example.org/base/"\n{LOGIN}', data_dir)
    assert settings.pocketbase.url == "https://pb.example.org/base"
    settings = load(f'[pocketbase]\nurl = "http://pb:8090/@x"\ntoken = "{SECRET}"', data_dir)
    assert settings.pocketbase.url == "http://pb:8090/@x"
    assert SECRET not in repr(settings)


# --- documentation, and the file that init writes


def leaves(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, (*path, name))
        elif name == "groups":
            yield from (((name, group), "not set") for group in GROUPS)
        else:
            yield (*path, name), "not set" if field.default is None else f"`{json.dumps(field.default)}`"


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    rows = re.findall(r"^\| `([a-z_.]+)` \| `([A-Z_]+)` \| (.+?) \| (.+) \|$", text, re.MULTILINE)
    variables = {keys: name for name, keys in environment_names().items()}
    expected = [(".".join(keys), variables[keys], default) for keys, default in leaves(Settings)]
    assert sorted(row[:3] for row in rows) == sorted(expected)
    assert all(meaning.endswith((".", ").")) for *_, meaning in rows)


def test_examples_in_the_documentation_load(data_dir: Path) -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(examples) >= 4
    assert all(load(example, data_dir).wants_other_backend() for example in examples)


def test_every_setting_has_a_description() -> None:
    def described(model: type[BaseModel]) -> None:
        for name, field in model.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                assert field.annotation.__doc__
                described(field.annotation)
            else:
                assert field.description, name

    described(Settings)


def test_the_new_file_uses_pocketbase_and_shows_the_defaults(data_dir: Path) -> None:
    assert load(template(), data_dir) == Settings(storage_backend="pocketbase")
    uncommented = re.sub(r"^#(?=[a-z_]+ = )", "", template(), flags=re.MULTILINE)
    assert uncommented.count("\n#") < template().count("\n#")
    assert load(uncommented, data_dir) == Settings(storage_backend="pocketbase")
    values = flat(tomllib.loads(uncommented))
    assert values == {keys for keys, default in leaves(Settings) if default != "not set"}


def test_the_new_file_shows_what_has_no_default(data_dir: Path) -> None:
    hidden = {keys for keys, default in leaves(Settings) if default == "not set"}
    shown = re.sub(r"^# ([a-z_]+) = (\.\.\.|\".*\")", r'\1 = "x"', template(), flags=re.MULTILINE)
    assert hidden <= flat(tomllib.loads(shown))
    assert all(f"({name})" in unwrapped() or f"# {name}" in template() for name in environment_names())


def test_a_setting_behind_the_groups_is_told_from_a_group(data_dir: Path) -> None:
    (data_dir / "openwebui-pocketbase.toml").write_text('[groups]\ntags = "pocketbase"\nswitchable = true\n')
    with pytest.raises(ConfigurationError, match="has switchable among the groups") as caught:
        load_settings(data_dir, {})
    assert "first line" in str(caught.value)


def test_the_new_file_offers_every_group(data_dir: Path) -> None:
    offered = re.sub(r"^# (\w+ = \"pocketbase\")", r"\1", template(), flags=re.MULTILINE)
    settings = load(offered, data_dir)
    assert set(settings.groups) == set(GROUPS)
    registry = Registry(create_plugin_manager(settings), settings, data_dir)
    assert registry.replaced == settings.groups


def unwrapped() -> str:
    return template().replace("\n# ", " ")


def flat(values: dict[str, Any], path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found = set()
    for name, value in values.items():
        found |= flat(value, (*path, name)) if isinstance(value, dict) else {(*path, name)}
    return found
