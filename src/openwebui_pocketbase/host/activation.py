"""Deciding, at the host's start, whether anything is to be done; and doing it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Protocol

from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError
from openwebui_pocketbase.host import STARTUP_FAILURE
from openwebui_pocketbase.settings import Settings, load_settings

__all__ = ["Watcher", "activate"]


class Watcher(Protocol):
    """The import finder of `openwebui_pocketbase._autostart`."""

    callbacks: dict[str, Callable[[ModuleType], None]]
    undo: Callable[[], None]


def activate(watcher: Watcher, env: ModuleType) -> None:
    """Extend the host if the settings ask for it; called when ``open_webui.env`` has been imported.

    Wrong settings, or a host we do not know, end the program: going on would mean to store into,
    and to read from, the SQL database instead.

    Args:
        watcher: Where to register what has to happen when modules of the host are imported.
        env: The module ``open_webui.env``.
    """
    try:
        data_dir = Path(env.DATA_DIR)
        settings = load_settings(data_dir)
        if not settings.wants_other_backend():
            watcher.undo()
            sys.meta_path.remove(watcher)  # type: ignore[arg-type]  # it is the finder
            return
        configure_logging(settings)
        from openwebui_pocketbase.host.installation import Installation  # noqa: PLC0415 - only if wanted

        installation = Installation(settings, data_dir, Path(env.__file__ or "").parent, str(env.VERSION))
        watcher.callbacks.clear()
        watcher.callbacks.update(installation.callbacks())
        watcher.undo = _both(installation.undo, watcher.undo)
    except OpenWebUIPocketBaseError as error:
        print(f"\nopenwebui-pocketbase: {error}\n", file=sys.stderr, flush=True)
        raise SystemExit(STARTUP_FAILURE) from error


def configure_logging(settings: Settings) -> None:
    """Set the level of our logger; its records go where the host's go."""
    logging.getLogger("openwebui_pocketbase").setLevel(settings.logging.level)


def _both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        one()
        other()

    return both
