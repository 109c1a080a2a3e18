"""What most commands begin with: where Open WebUI's data is, and which settings apply to it."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.host.contract import installed_open_webui
from openwebui_pocketbase.settings import CONFIG_VARIABLE, Settings, find_config_file, load_settings

__all__ = ["SERVE_DATA_DIR", "ConfigOption", "DataDirOption", "Site", "is_distribution", "named_data_dir"]

SERVE_DATA_DIR = Path("data")
"""Where ``serve`` keeps the data if nothing else is said."""

DataDirOption = Annotated[
    Path | None,
    typer.Option(
        file_okay=False,
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
    """

    data_dir: Path
    environ: Mapping[str, str]

    @classmethod
    def of(cls, data_dir: Path | None, config: Path | None) -> Site:
        """Return the site that the options ``--data-dir`` and ``--config`` name.

        Raises:
            ConfigurationError: No directory is named, and there are two candidates.
        """
        overrides = {CONFIG_VARIABLE: str(config.expanduser().absolute())} if config else {}
        directory = named_data_dir(data_dir) or _default_data_dir()
        return cls(directory.expanduser().absolute(), {**os.environ, **overrides})

    def config_file(self) -> Path | None:
        """Return the config file in force, or None."""
        return find_config_file(self.data_dir, self.environ)

    def settings(self) -> Settings:
        """Read config file and environment."""
        return load_settings(self.data_dir, self.environ)


def named_data_dir(option: Path | None) -> Path | None:
    """Return the data directory of the option or of the environment, or None."""
    if option is not None:
        return option
    variable = os.environ.get("DATA_DIR")
    return Path(variable) if variable else None


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
    here = SERVE_DATA_DIR.absolute()
    if here != default and (here / "pocketbase").is_dir():
        raise ConfigurationError(
            f"It is not clear which data directory is meant: {here}, which has a PocketBase in it, or {default},"
            " which is Open WebUI's default.",
            hint=f"Give --data-dir {SERVE_DATA_DIR}, or another one, or set DATA_DIR.",
        )
    return default
