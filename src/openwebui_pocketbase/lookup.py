"""The repository in force, whatever its backend: for plugins, and for scripts beside Open WebUI."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openwebui_pocketbase import _autostart
from openwebui_pocketbase.catalog import CATALOG, StockRepository, spec_of
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.joining import join_plugins
from openwebui_pocketbase.settings import load_settings

__all__ = ["repository"]


def repository(name: str) -> Any:
    """Return a repository of Open WebUI, on the backend that the settings give its group.

    In a script, Open WebUI's modules are imported by the first call, and extended as in its server. The repository
    is the host's singleton: it stays the same object, and connects when it is first used.

    Args:
        name: A group, such as ``"tags"``, for its main repository; or Open WebUI's name of any repository, such as
            ``"Tags"`` or ``"Auths"``.

    Raises:
        ValueError: There is no such group or repository.
        ConfigurationError: Open WebUI was imported before it could be extended: its repositories are those of the SQL
            database, but the settings ask for others.
    """
    spec = _find(name)
    _extend_host()
    return getattr(import_module(spec.module), spec.name)


def _find(name: str) -> StockRepository:
    if name in CATALOG and CATALOG[name].all_repositories:
        return CATALOG[name].all_repositories[0]
    try:
        return spec_of(name)
    except KeyError:
        groups = [group.name for group in CATALOG.values() if group.all_repositories]
        names = [spec.name for group in CATALOG.values() for spec in group.all_repositories]
        close = get_close_matches(str(name), [*groups, *names], n=1)
        guess = f" Did you mean {close[0]!r}?" if close else ""
        known = f"Groups: {', '.join(groups)}. Repositories: {', '.join(names)}."
        raise ValueError(f"There is no repository {name!r}.{guess} {known}") from None


@cache
def _extend_host() -> None:
    """Have the host extended when it is imported, as the start-up file does; refuse a host that should have been."""
    if _autostart.TRIGGER not in sys.modules:
        _autostart.install()
    env = import_module(_autostart.TRIGGER)
    finders = [finder for finder in sys.meta_path if isinstance(finder, _autostart.ModuleWatcher)]
    is_extended = any(_autostart.TRIGGER not in finder.callbacks for finder in finders)
    if is_extended or _autostart.is_disabled():
        return
    join_plugins()
    if load_settings(Path(env.DATA_DIR)).wants_other_backend():
        raise ConfigurationError(
            "Open WebUI was imported before openwebui-pocketbase could extend it: its repositories are those of the"
            " SQL database, but the settings ask for others.",
            hint="Call openwebui_pocketbase.repository() before anything imports open_webui; or install"
            " openwebui-pocketbase with pip, whose start-up file sees to it in every program.",
        )


if TYPE_CHECKING:
    from openwebui_pocketbase.interfaces.lookup import RepositoryLookup

    _: RepositoryLookup = repository
