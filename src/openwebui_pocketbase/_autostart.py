"""Runs at the start of every Python program of the environment, so that it finds the host's start.

Standard library only, and next to no work: a finder is added that waits for ``open_webui.env``. Whether
anything happens then is decided in `openwebui_pocketbase.host.activation`. Set
``OPENWEBUI_POCKETBASE_DISABLE=1`` to keep even the finder out.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # the module typing would cost every program a millisecond
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

HOST = "open_webui."
TRIGGER = "open_webui.env"
"""First module of the host to be complete in every process; it knows the data directory."""
WORKERS = "uvicorn.supervisors.multiprocess"
"""Starts several workers, in a process that may never import the host: ``uvicorn open_webui.main:app``."""


class ModuleWatcher:
    """A finder that finds nothing itself: it calls back when a module of the host has been imported.

    It watches all of them, because the import of another may have begun when the trigger's is complete; and
    `WORKERS`.
    """

    def __init__(self) -> None:
        self.callbacks: dict[str, Callable[[ModuleType], None]] = {}
        self.undo: Callable[[], None] = lambda: None

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Let the other finders find a watched module, and see to its callback."""
        if not name.startswith(HOST) and name != WORKERS:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:  # None: a package without __init__, nothing is run
                    self._call_after(spec.loader)
                return spec
        return None

    def _call_after(self, loader: object) -> None:
        """Make a loader call back after it has run its module; a failure of either undoes the import."""

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module  # type: ignore[attr-defined]
            loader.exec_module(module)  # type: ignore[attr-defined]
            callback = self.callbacks.get(module.__name__)
            if callback is not None:
                callback(module)

        loader.exec_module = exec_module  # type: ignore[attr-defined]


def is_disabled() -> bool:
    """Return whether the host is to be left alone, whatever the settings say."""
    return os.environ.get("OPENWEBUI_POCKETBASE_DISABLE") == "1"


def install() -> None:
    """Wait for the host; safe to call again."""
    if not is_disabled() and not any(isinstance(finder, ModuleWatcher) for finder in sys.meta_path):
        watcher = ModuleWatcher()
        watcher.callbacks[TRIGGER] = lambda module: _activate(watcher, module)
        watcher.callbacks[WORKERS] = lambda module: _watch_workers(watcher, module)
        sys.meta_path.insert(0, watcher)


def uninstall() -> None:
    """Stop waiting, and give a host that was extended its stock classes and functions back; safe to call again."""
    for finder in [finder for finder in sys.meta_path if isinstance(finder, ModuleWatcher)]:
        sys.meta_path.remove(finder)
        finder.undo()


def _activate(watcher: ModuleWatcher, module: ModuleType) -> None:
    from openwebui_pocketbase.host.activation import activate  # noqa: PLC0415 - heavy, and only for the host

    activate(watcher, module)


def _watch_workers(watcher: ModuleWatcher, module: ModuleType) -> None:
    """Have uvicorn's parent of several workers tell by its status that they could not start; by itself it ends with 0.

    It changes what happens after the end only, and only if the host's settings ask for us.
    """
    parent = getattr(module, "Multiprocess", None)
    stock = getattr(parent, "run", None)
    if parent is None or stock is None:
        return

    def run(self: Any) -> None:
        stock(self)
        if str(self.config.app).startswith(HOST):
            from openwebui_pocketbase.host.workers import end_if_failed  # noqa: PLC0415 - only for the host

            end_if_failed(worker.exitcode for worker in self.processes)

    parent.run = run
    watcher.undo = lambda: setattr(parent, "run", stock)
