"""What a distribution can add to Open WebUI's storage: the plugin hooks, and the values they exchange.

A distribution takes part by an entry point in the group ``openwebui`` that names a module or an object
with functions marked by `hookimpl`. Our own PocketBase backend is registered in the same way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pluggy

from openwebui_pocketbase.catalog import Extended, Seam
from openwebui_pocketbase.changes.feed import Change
from openwebui_pocketbase.settings import Settings

__all__ = [
    "PROJECT",
    "STOCK",
    "Extension",
    "HostContext",
    "RepositoryBinding",
    "Seam",
    "StorageSpecs",
    "WrittenThrough",
    "hookimpl",
    "hookspec",
]

PROJECT = "openwebui"
"""pluggy's project name and the group of the entry points."""

STOCK = "sqlalchemy"
"""Backend of the host's own classes, whose rows are in the host's SQL database."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True)
class RepositoryBinding:
    """A backend's repositories for one group.

    Attributes:
        group: The group of data, one of those of the host in `openwebui_pocketbase.settings.GROUPS`.
        backend: The name users write in ``[groups]``.
        classes: Name of the host's singleton -> ``"module:Class"`` of the class it becomes; a subclass
            of the stock class, without ``__init__`` and ``__slots__``, imported after the stock module.
        attributes: Set on each of the singletons, such as a client.
        ready_with: Name of the singleton -> dotted name of the module of the host that its class has to be imported
            after, if that is another one than the singleton's own.
    """

    group: str
    backend: str
    classes: Mapping[str, str]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    ready_with: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WrittenThrough:
    """Tables of a plugin's own that PocketBase is to have, row by row, before the SQL database commits.

    Attributes:
        group: What users write in ``[groups]``; no other group has this name.
        tables: SQLAlchemy's tables, or classes mapped to them, of a ``MetaData`` of the plugin's own: Open WebUI's is
            not there yet.
    """

    group: str
    tables: Sequence[Any]


@dataclass(frozen=True)
class Extension:
    """What an object of the host gets besides what it is.

    Attributes:
        extended: The object, and the class that comes above its own.
        attributes: Set on the object.
    """

    extended: Extended
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class HostContext:
    """What hooks get to know about the host.

    Attributes:
        app: Open WebUI's FastAPI application.
        settings: The configuration.
        data_dir: Open WebUI's data directory.
        backends: Group -> backend, of all groups which are not in the host's SQL database.
        modules: Modules of the host that were extended, by name.
        changed: Calls `StorageSpecs.openwebui_change` of all plugins, and returns what is to be awaited; None if no
            plugin has it.
    """

    app: Any
    settings: Settings
    data_dir: Path
    backends: Mapping[str, str]
    modules: Mapping[str, ModuleType] = field(default_factory=dict)
    changed: Callable[[Change], Iterable[Awaitable[None] | None]] | None = None


class StorageSpecs(Protocol):
    """The hooks; an implementation names only those arguments it wants."""

    @hookspec
    def openwebui_register_repositories(self, settings: Settings, data_dir: Path) -> Sequence[RepositoryBinding]:
        """Return the groups which this plugin can store, and how; Open WebUI's data are in ``data_dir``."""

    @hookspec
    def openwebui_register_tables(self) -> Sequence[WrittenThrough]:
        """Return tables of this plugin's own that are to be written through, by group.

        Called before the settings are read, by commands as well: without Open WebUI's modules.
        """

    @hookspec
    def openwebui_register_seams(self, backends: Mapping[str, str]) -> Sequence[Seam]:
        """Return the functions of the host to replace, given the backend of each group that is not in SQL."""

    @hookspec
    def openwebui_register_extensions(self, backends: Mapping[str, str]) -> Sequence[Extension]:
        """Return the objects of the host to extend, given the backend of each group that is not in SQL."""

    @hookspec
    def openwebui_bootstrap(self, context: HostContext) -> Awaitable[None] | None:
        """Make the backend ready: called before Open WebUI starts; an exception stops the start."""

    @hookspec
    def openwebui_start_realtime(self, context: HostContext) -> Awaitable[None] | None:
        """Begin to carry outside changes to the open browsers: called when Open WebUI has started."""

    @hookspec
    def openwebui_change(self, change: Change) -> Awaitable[None] | None:
        """Take note of a change in PocketBase, whoever made it: called in each process of the application, in order.

        ``change.op`` is ``lost`` if changes are not known any more, as after a restore: anything may have changed.
        The next change waits until this has returned; an exception is logged.
        """

    @hookspec
    def openwebui_check_health(self, context: HostContext) -> Awaitable[None] | None:
        """Ask the backend for an answer; an exception means that it has none. Not called again before it returns."""

    @hookspec
    def openwebui_shutdown(self, context: HostContext) -> Awaitable[None] | None:
        """Give everything back: called after Open WebUI has stopped, also if its start failed."""
