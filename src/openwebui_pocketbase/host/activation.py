"""Deciding at the host's start whether this package has anything to do, and doing it."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

from openwebui_pocketbase.exceptions import ConfigurationError, OpenWebUIPocketBaseError
from openwebui_pocketbase.host import DATABASE, STARTUP_FAILURE
from openwebui_pocketbase.settings import Settings, load_settings

if TYPE_CHECKING:
    from openwebui_pocketbase.server.locks import FileLock

__all__ = ["activate"]

log = logging.getLogger(__name__)

COMMANDS = "openwebui_pocketbase.cli"
"""Loaded in the process of a command, which is no start of Open WebUI."""

OWN = "openwebui-pocketbase"
"""Our directory within the data directory, of sites that had to do with this package."""

_HELD: dict[Path, FileLock] = {}
"""Locks that this process has until it ends."""


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
        _keep_restores_out(data_dir)
        settings = _settings(data_dir)
        if not settings.wants_other_backend():
            watcher.undo()
            watcher.callbacks.clear()
            watcher.callbacks[DATABASE] = lambda database: _end(watcher, database, data_dir)
            return
        from openwebui_pocketbase.host.installation import Installation  # noqa: PLC0415 - only if wanted
        from openwebui_pocketbase.server.permissions import make_directory  # noqa: PLC0415 - only if wanted

        with contextlib.suppress(OSError):
            make_directory(data_dir / OWN, 0o700)
        _keep_restores_out(data_dir)
        configure_logging(settings)
        installation = Installation(settings, data_dir, Path(env.__file__ or "").parent, str(env.VERSION))
        watcher.callbacks.clear()
        watcher.callbacks.update(installation.callbacks())
        watcher.undo = _both(installation.undo, watcher.undo)
    except OpenWebUIPocketBaseError as error:
        print(f"\nopenwebui-pocketbase: {error}\n", file=sys.stderr, flush=True)
        raise SystemExit(STARTUP_FAILURE) from error


def _settings(data_dir: Path) -> Settings:
    """Read the settings; plugins are looked for only if these ask for anything, or name what may be a plugin's."""
    try:
        settings = load_settings(data_dir)
    except ConfigurationError:
        _join_plugins()
        return load_settings(data_dir)
    if settings.wants_other_backend():
        _join_plugins()
    return settings


def _join_plugins() -> None:
    from openwebui_pocketbase.joining import join_plugins  # noqa: PLC0415 - only if wanted

    join_plugins()


def _keep_restores_out(data_dir: Path) -> None:
    """Have no restore begin until this process ends; refuse to start while there is one, or half of one."""
    if not os.access(data_dir / OWN, os.F_OK):
        return
    from openwebui_pocketbase.last_start import RUNNING, is_half_restored  # noqa: PLC0415 - only on data of ours

    if data_dir not in _HELD and os.name != "nt":  # Windows has no such locks
        from openwebui_pocketbase.server.locks import FileLock  # noqa: PLC0415 - only on data of ours

        # A disk may take no files, or no locks: a restore looks at the databases as well.
        with contextlib.suppress(OSError):
            if (lock := FileLock.take(data_dir / RUNNING, shared=True)) is None:
                raise ConfigurationError(
                    f"A restore into {data_dir}, or its undoing, is going on.", hint="Start again when it has ended."
                )
            _HELD[data_dir] = lock
    if is_half_restored(data_dir):
        raise ConfigurationError(
            f"A restore into {data_dir} is going on, or was cut off: some data are of then, and some of now.",
            hint="Run: openwebui-pocketbase backup restore --continue (or --undo)",
        )


def _end(watcher: Watcher, database: ModuleType, data_dir: Path) -> None:
    """Leave the host alone; but say so if these are the data of a site with groups in PocketBase.

    Nobody could sign in, or people would see an empty site, and nothing would tell why.
    """
    with contextlib.suppress(ValueError):
        sys.meta_path.remove(watcher)  # type: ignore[arg-type]  # it is the finder
    tables = _guarded_tables(database)
    pocketbase = data_dir / "pocketbase"
    if not (tables or os.access(pocketbase / "data.db", os.F_OK)):
        return
    from openwebui_pocketbase.last_start import LastStart, is_moving  # noqa: PLC0415 - only on such a site

    last = LastStart.read(data_dir)
    if tables:
        log.error(
            "The rows of the SQL tables %s are in PocketBase, but the settings keep every group of data in the SQL"
            " database: people cannot sign in, or miss what they had, and these tables take no changes. Set what was"
            " set before (STORAGE_BACKEND=pocketbase, or the config file), or run: openwebui-pocketbase leave",
            ", ".join(tables),
        )
        if last and COMMANDS not in sys.modules:
            last.ignored().write(data_dir)
    elif COMMANDS not in sys.modules and not (last and last.has_left) and not is_moving(data_dir):
        log.error(
            "There is a PocketBase in %s, but the settings keep every group of data in the SQL database: whoever signs"
            " up first becomes the administrator of an empty site. If its data are to be used, set"
            " STORAGE_BACKEND=pocketbase, or what was set before.",
            pocketbase,
        )


def _guarded_tables(database: ModuleType) -> list[str]:
    engine = database.engine
    if engine.url.get_backend_name() == "sqlite" and not Path(engine.url.database or "").is_file():
        return []
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - the host has just imported it

    from openwebui_pocketbase.guard.triggers import guarded_tables  # noqa: PLC0415 - needs it

    try:
        with engine.connect() as connection:
            return guarded_tables(connection, schema=database.DATABASE_SCHEMA or None)
    except SQLAlchemyError:
        return []  # the host is going to say it


def configure_logging(settings: Settings) -> None:
    """Set the level of our logger; its records go where the host's go."""
    logging.getLogger("openwebui_pocketbase").setLevel(settings.logging.level)


def _both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        one()
        other()

    return both
