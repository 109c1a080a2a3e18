"""Finding the plugins and asking them which backend stores which group."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import pluggy

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.hookspecs import PROJECT, STOCK, RepositoryBinding, StorageSpecs
from openwebui_pocketbase.settings import Settings

__all__ = ["PROJECT", "Registry", "create_plugin_manager", "plugin_manager"]


def plugin_manager(*, without: str = "") -> pluggy.PluginManager:
    """Return a manager with the plugins of all installed distributions, but for one of that name."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(StorageSpecs)
    if without:
        manager.set_blocked(without)
    manager.load_setuptools_entrypoints(PROJECT)
    return manager


def create_plugin_manager(settings: Settings) -> pluggy.PluginManager:
    """Return a manager with all plugins, which prints their calls if the settings say so."""
    manager = plugin_manager()
    if settings.logging.trace_hooks:
        manager.add_hookcall_monitoring(_before, _after)
    return manager


class Registry:
    """Knows every backend of every group, and which one is configured.

    Args:
        manager: The plugins.
        settings: The configuration.
        data_dir: Open WebUI's data directory.

    Raises:
        ConfigurationError: The settings name a backend which no plugin has, two plugins have the same, or groups
            that belong together are apart.
    """

    def __init__(self, manager: pluggy.PluginManager, settings: Settings, data_dir: Path) -> None:
        self._bindings: dict[tuple[str, str], RepositoryBinding] = {}
        for bindings in manager.hook.openwebui_register_repositories(settings=settings, data_dir=data_dir):
            for binding in bindings:
                self._add(binding)
        self._backends = {group: self._choose(group, settings) for group in CATALOG}
        self._check()

    @property
    def backends(self) -> Mapping[str, str]:
        """Group -> backend, for every group."""
        return self._backends

    @property
    def replaced(self) -> Mapping[str, str]:
        """Group -> backend, for the groups which are not in the host's SQL database."""
        return {group: backend for group, backend in self._backends.items() if backend != STOCK}

    def available(self, group: str) -> list[str]:
        """Return the names of the backends that can store a group."""
        return [backend for known, backend in self._bindings if known == group]

    def bindings(self) -> list[RepositoryBinding]:
        """Return the bindings in force."""
        return [self._bindings[choice] for choice in self._backends.items()]

    def changed(self, settings: Settings, bindings: Iterable[RepositoryBinding]) -> Registry:
        """Return the same with other settings, and other bindings in the place of those of the same group and backend.

        Raises:
            ConfigurationError: See the class.
        """
        other = copy(self)
        other._take(self._bindings | {(each.group, each.backend): each for each in bindings}, settings)  # noqa: SLF001
        return other

    def _take(self, bindings: Mapping[tuple[str, str], RepositoryBinding], settings: Settings) -> None:
        self._bindings = dict(bindings)
        self._backends = {group: self._choose(group, settings) for group in CATALOG}
        self._check()

    def _add(self, binding: RepositoryBinding) -> None:
        key = (binding.group, binding.backend)
        if binding.group not in CATALOG:
            raise ConfigurationError(
                f"A plugin registers the backend {binding.backend!r} for {binding.group!r}, which is no group.",
                hint=f"Uninstall or repair it; the groups are {', '.join(CATALOG)}.",
            )
        if key in self._bindings:
            raise ConfigurationError(
                f"Two plugins register the backend {binding.backend!r} for {binding.group!r}.",
                hint="Uninstall one of them.",
            )
        self._bindings[key] = binding

    def _check(self) -> None:
        for group in CATALOG.values():
            backend = self._backends[group.name]
            for other, reason in group.together.items():
                if backend != self._backends[other]:
                    raise ConfigurationError(
                        f"{group.name} are in {backend}, but {other} in {self._backends[other]}: {reason}.",
                        hint=f"Give both the same backend in [groups]: {group.name} and {other}.",
                    )
            for needed, reason in group.requires.items():
                if backend not in (STOCK, self._backends[needed]):
                    raise ConfigurationError(
                        f"{group.name} are in {backend}, but {needed} in {self._backends[needed]}: {reason}.",
                        hint=f'Set {needed} = "{backend}" in [groups], or {group.name} = "{STOCK}".',
                    )

    def _choose(self, group: str, settings: Settings) -> str:
        named = settings.groups.get(group, settings.storage_backend)
        if named not in self.available(group):
            setting = f"[groups] {group}" if group in settings.groups else "storage_backend"
            raise ConfigurationError(
                f"{setting} = {named!r}: nothing installed stores {group} there.",
                hint=f"Possible values: {', '.join(self.available(group))}.",
            )
        return named


def _before(hook_name: str, implementations: Sequence[pluggy.HookImpl], kwargs: Mapping[str, Any]) -> None:
    plugins = ", ".join(implementation.plugin_name for implementation in reversed(implementations))
    print(f"openwebui-pocketbase: {hook_name}({', '.join(kwargs)}) -> {plugins or 'nobody'}", file=sys.stderr)


def _after(outcome: pluggy.Result[Any], hook_name: str, _implementations: Sequence[pluggy.HookImpl], _: object) -> None:
    result = repr(outcome.exception) if outcome.exception else f"{len(outcome.get_result() or ())} result(s)"
    print(f"openwebui-pocketbase: {hook_name} = {result}", file=sys.stderr)
