"""Open WebUI's data in PocketBase, beside an unmodified Open WebUI.

This module is imported by every Python program of the environment (through the start-up
file), so it must stay free of imports: the public names below are loaded on first use.
"""

__version__ = "0.1.0"

__all__ = [
    "Change",
    "Extension",
    "HostContext",
    "OpenWebUIPocketBaseError",
    "RepositoryBinding",
    "Seam",
    "Settings",
    "WrittenThrough",
    "__version__",
    "hookimpl",
    "repository",
]

_HOMES = {
    "Change": "changes.feed",
    "Extension": "hookspecs",
    "HostContext": "hookspecs",
    "OpenWebUIPocketBaseError": "exceptions",
    "RepositoryBinding": "hookspecs",
    "Seam": "hookspecs",
    "Settings": "settings",
    "WrittenThrough": "hookspecs",
    "hookimpl": "hookspecs",
    "repository": "lookup",
}

TYPE_CHECKING = False  # the module typing would cost every program a millisecond
if TYPE_CHECKING:
    from openwebui_pocketbase.changes.feed import Change
    from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError
    from openwebui_pocketbase.hookspecs import Extension, HostContext, RepositoryBinding, Seam, WrittenThrough, hookimpl
    from openwebui_pocketbase.interfaces.lookup import RepositoryLookup
    from openwebui_pocketbase.settings import Settings

    repository: RepositoryLookup


def __getattr__(name: str) -> object:
    """Load a public name from its module on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - kept out of other programs' start-up

    return getattr(import_module(f"{__name__}.{home}"), name)
