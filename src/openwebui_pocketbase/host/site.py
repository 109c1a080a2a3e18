"""What is in force in one process of the host."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from openwebui_pocketbase.changes.feed import Change
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.hookspecs import HostContext
from openwebui_pocketbase.manager import Registry
from openwebui_pocketbase.plugin import BACKEND
from openwebui_pocketbase.settings import Settings, environment_names, load_settings

__all__ = ["Site", "settings_for"]


@dataclass
class Site:
    """What is in force in this process.

    Attributes:
        settings: The configuration.
        registry: The backends of all groups.
        context: What the hooks are told of the host; None before its application is made.
    """

    settings: Settings
    registry: Registry
    context: HostContext | None = None

    def make_context(
        self,
        app: Any,
        data_dir: Path,
        modules: Mapping[str, ModuleType],
        changed: Callable[[Change], Iterable[Awaitable[None] | None]] | None,
    ) -> None:
        """Note what hooks are told of the host; see `HostContext`."""
        self.context = HostContext(app, self.settings, data_dir, self.registry.replaced, modules, changed)

    def change(self, settings: Settings, registry: Registry) -> None:
        """Note that something else is in force."""
        self.settings, self.registry = settings, registry
        if self.context is not None:
            self.context = replace(self.context, settings=settings, backends=registry.replaced)

    @property
    def in_pocketbase(self) -> list[str]:
        """The groups that are in PocketBase."""
        return [group for group, backend in self.registry.replaced.items() if backend == BACKEND]


def settings_for(backends: Mapping[str, str], data_dir: Path) -> Settings:
    """Return the settings as the config file is going to have them.

    Args:
        backends: Group -> backend, of all groups, which the config file does not have yet.
        data_dir: Open WebUI's data directory.

    Raises:
        ConfigurationError: The config file is wrong, or the environment says otherwise than it is going to.
    """
    settings = load_settings(data_dir)
    for name, keys in environment_names().items():
        value = os.environ.get(name)
        if value and keys[0] == "groups" and backends.get(keys[-1], value) != value:
            raise ConfigurationError(
                f"The environment of Open WebUI has {name}={value}, which the config file cannot change.",
                hint=f"Remove {name}, name the group in the config file instead, and start Open WebUI again.",
            )
    return settings.model_copy(update={"groups": dict(backends)})
