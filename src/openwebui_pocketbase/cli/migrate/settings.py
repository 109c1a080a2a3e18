"""The settings after a switch: checked before it, written during it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from openwebui_pocketbase.cli.migrate.moving import Moving
from openwebui_pocketbase.config_file import CONFIG_FILE, CONFIG_VARIABLE, with_backends, write_backends
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.manager import Registry, create_plugin_manager
from openwebui_pocketbase.settings import environment_names, load_settings

__all__ = ["NewSettings"]


@dataclass(frozen=True)
class NewSettings:
    """A config file that is to be written.

    Attributes:
        path: Where.
        backends: Group -> its new backend.
    """

    path: Path
    backends: Mapping[str, str]

    @classmethod
    def of(cls, moving: Moving) -> NewSettings:
        """Return the settings that have the groups at their target.

        Raises:
            ConfigurationError: An environment variable says otherwise, or groups that belong together would be apart.
        """
        site = moving.site
        path = site.config_file() or site.data_dir / CONFIG_FILE
        before = path.read_text(encoding="utf-8-sig") if path.exists() else ""
        backends = dict.fromkeys(moving.groups, moving.to)
        after = with_backends(before, backends)
        with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
            file.write(after)
            file.flush()
            settings = load_settings(site.data_dir, {**site.environ, CONFIG_VARIABLE: file.name})
        variables = {
            keys[1]: name for name, keys in environment_names().items() if keys[0] == "groups" and len(keys) > 1
        }
        for group, backend in backends.items():
            if settings.groups.get(group) != backend:
                raise ConfigurationError(
                    f"The environment variable {variables[group]} decides where {group} are, not the config file.",
                    hint=f"Unset it where Open WebUI is started, and name {group} in {path} instead.",
                )
        Registry(create_plugin_manager(settings), settings, site.data_dir)
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise _not_writable(path, "this user must not")
        return cls(path, backends)

    def write(self) -> None:
        """Put the new settings into force.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        try:
            write_backends(self.path, self.backends)
        except OSError as error:
            raise _not_writable(self.path, error.strerror or str(error)) from None


def _not_writable(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The config file {path} cannot be written: {why}.",
        hint="Run this as a user who can, or name another file in OPENWEBUI_POCKETBASE_CONFIG, for Open WebUI as well.",
    )
