"""What most commands need first: where Open WebUI's data is, and which settings apply to it."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from openwebui_pocketbase.config_file import CONFIG_VARIABLE, config_files, find_config_file, read_config_file
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.host.contract import installed_open_webui
from openwebui_pocketbase.joining import join_plugins
from openwebui_pocketbase.last_start import LastStart
from openwebui_pocketbase.settings import Settings, environment_names, load_settings

__all__ = [
    "SERVE_DATA_DIR",
    "ConfigOption",
    "DataDirOption",
    "Site",
    "find_open_webui",
    "is_distribution",
    "named_data_dir",
]

SERVE_DATA_DIR = Path("data")
"""Where ``serve`` keeps the data if nothing else is said."""

DataDirOption = Annotated[
    Path | None,
    typer.Option(
        file_okay=False,
        readable=False,  # whether it has to be is for the command to say
        show_default=False,
        help="Open WebUI's data directory; default: $DATA_DIR, else the one in Open WebUI's package.",
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        dir_okay=False,
        show_default=False,
        help="Config file; default: $OPENWEBUI_POCKETBASE_CONFIG, else openwebui-pocketbase.toml in the data "
        "directory, else in the working directory.",
    ),
]


@dataclass(frozen=True)
class Site:
    """One Open WebUI, as far as its settings go.

    Attributes:
        data_dir: Open WebUI's data directory, absolute.
        environ: The environment variables that apply.
        assumed: Those of them that are not set here: the last start of Open WebUI had them.
        last_start: That start, as far as it is known.
    """

    data_dir: Path
    environ: Mapping[str, str]
    assumed: Mapping[str, str]
    last_start: LastStart | None

    @classmethod
    def of(cls, data_dir: Path | None, config: Path | None) -> Site:
        """Return the site that the options ``--data-dir`` and ``--config`` name.

        Raises:
            ConfigurationError: No directory is named, and there are two candidates; the config file is wrong; or a
                plugin fails.
        """
        join_plugins()
        overrides = {CONFIG_VARIABLE: str(_absolute(config))} if config else {}
        directory = _absolute(named_data_dir(data_dir) or _default_data_dir())
        environ = {**os.environ, **overrides}
        last_start = LastStart.read(directory)
        assumed = _assumed(last_start, directory, environ) if last_start else {}
        return cls(directory, {**environ, **assumed}, assumed, last_start)

    def existing(self) -> Site:
        """Return this site, if there is one.

        Raises:
            ConfigurationError: There is no such data directory; Open WebUI's code would make it.
        """
        if not self.data_dir.is_dir():
            raise ConfigurationError(
                f"There is no data directory {self.data_dir}.",
                hint="Name Open WebUI's with --data-dir, or set DATA_DIR.",
            )
        return self

    def config_file(self) -> Path | None:
        """Return the config file in force, or None."""
        return next(iter(self.config_files()), None)

    def config_files(self) -> list[Path]:
        """Return the config files that there are, the one in force first."""
        return config_files(self.data_dir, self.environ)

    def settings(self) -> Settings:
        """Read config file and environment.

        Raises:
            ConfigurationError: Something is wrong there, or a secret is needed that Open WebUI's last start was given.
        """
        try:
            return load_settings(self.data_dir, self.environ)
        except ConfigurationError as error:
            variables = self.last_start.variables if self.last_start else {}
            secrets = [name for name, value in variables.items() if not value and not self.environ.get(name)]
            if not secrets:
                raise
            raise ConfigurationError(
                f"{error.args[0]} Secrets of Open WebUI's last start are not kept, and not set here.",
                hint=f"Run it with Open WebUI's values of: {', '.join(secrets)}.",
            ) from None


def named_data_dir(option: Path | None) -> Path | None:
    """Return the data directory of the option or of the environment, or None."""
    if option is not None:
        return option
    variable = os.environ.get("DATA_DIR")
    return Path(variable) if variable else None


def find_open_webui(last_start: LastStart | None = None) -> tuple[Path, str] | None:
    """Find Open WebUI, also the source tree of a container from outside of its directory.

    Returns:
        The directory ``open_webui`` and the version; None if there is no Open WebUI.
    """
    # What last ran on these data is what is meant, wherever this program was started.
    return installed_open_webui(*([str(Path(last_start.package_dir).parent)] if last_start else []))


def is_distribution() -> bool:
    """Tell whether Open WebUI was installed by pip, as opposed to running from its source tree."""
    try:
        importlib.metadata.distribution("open-webui")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _default_data_dir() -> Path:
    """Return what Open WebUI takes without ``DATA_DIR``, unless ``serve`` has been used here."""
    found = installed_open_webui()
    if found is None:
        return SERVE_DATA_DIR
    package_dir, _ = found
    default = (package_dir if is_distribution() else package_dir.parent) / "data"
    here = _absolute(SERVE_DATA_DIR)
    if here != default and os.access(here / "pocketbase", os.F_OK):
        raise ConfigurationError(
            f"It is not clear which data directory is meant: {here}, which has a PocketBase in it, or {default},"
            " which is Open WebUI's default.",
            hint=f"Give --data-dir {SERVE_DATA_DIR}, or another one, or set DATA_DIR.",
        )
    return default


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path} is in the working directory, which is gone.", hint="Change to another directory."
        ) from None


def _assumed(last_start: LastStart, data_dir: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the last start that nothing here says otherwise."""
    missing = {name: value for name, value in last_start.variables.items() if value and not environ.get(name)}
    if not os.access(missing.get(CONFIG_VARIABLE, ""), os.R_OK):
        missing.pop(CONFIG_VARIABLE, None)
    config = find_config_file(data_dir, {**missing, **environ})
    values = read_config_file(config) if config else {}
    paths = environment_names()
    # A file that was changed since then is meant to decide.
    return {name: value for name, value in missing.items() if not (name in paths and _is_set(values, paths[name]))}


def _is_set(values: Any, keys: tuple[str, ...]) -> bool:
    if not keys:
        return True
    return isinstance(values, dict) and keys[0] in values and _is_set(values[keys[0]], keys[1:])
