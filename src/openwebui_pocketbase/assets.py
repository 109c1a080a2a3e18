"""Where the PocketBase migrations and hooks are: inside the installed package, or in a source checkout."""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path

__all__ = ["HOOKS_DIR", "MIGRATIONS_DIR", "TABLES_FILE", "left_over"]

_PACKAGE = Path(__file__).resolve().parent
_ASSETS = next(directory for directory in (_PACKAGE / "assets", _PACKAGE.parents[1] / "assets") if directory.is_dir())

HOOKS_DIR = _ASSETS / "pb_hooks"
MIGRATIONS_DIR = _ASSETS / "pb_migrations"
TABLES_FILE = HOOKS_DIR / "owui" / "tables.json"
"""The one declaration of the host's tables, shared by the hooks and by this package."""

_FOLDER = "owui/"
"""The folder of hooks that is ours alone."""

_BEFORE_THE_FOLDER = frozenset(
    f"{name}.js"
    for name in (
        *("access", "auths", "chats", "folders", "groups", "mirror", "oauth_sessions", "shared_chats", "tags", "users"),
        *("chat_dashboard", "chat_history", "chat_imports", "chat_index", "chat_lists", "chat_messages", "chat_search"),
        *("chat_shares", "chat_state", "chat_tags", "chat_timers", "chat_usage", "chat_workspace"),
        *("owui_backup", "owui_bulk", "owui_dashboard", "owui_dispatch", "owui_embedded", "owui_json", "owui_proof"),
        *("owui_rows", "owui_version"),
    )
) | {"owui_tables.json"}
"""Hook files of versions that had them beside ``owui.pb.js``; closed, as no further version will."""


def left_over(found: Iterable[str], ours: Container[str]) -> tuple[str, ...]:
    """Return the hook files that an earlier version of this package has left behind.

    PocketBase loads none of them by itself: they only get in the way of people. Files with common names, such as
    ``users.js``, count only beside those which nobody else has.

    Args:
        found: Files in ``pb_hooks``, by their paths below it.
        ours: Those of this version.
    """
    names = sorted(name for name in found if name not in ours)
    flat = [name for name in names if name in _BEFORE_THE_FOLDER]
    if not any(name.startswith("owui_") for name in flat):
        flat = []
    return (*flat, *(name for name in names if name.startswith(_FOLDER)))
