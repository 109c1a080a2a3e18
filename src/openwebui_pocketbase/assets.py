"""Where the PocketBase migrations and hooks are: inside the installed package, or in a source checkout."""

from __future__ import annotations

from pathlib import Path

__all__ = ["HOOKS_DIR", "MIGRATIONS_DIR", "TABLES_FILE"]

_PACKAGE = Path(__file__).resolve().parent
_ASSETS = next(directory for directory in (_PACKAGE / "assets", _PACKAGE.parents[1] / "assets") if directory.is_dir())

HOOKS_DIR = _ASSETS / "pb_hooks"
MIGRATIONS_DIR = _ASSETS / "pb_migrations"
TABLES_FILE = HOOKS_DIR / "owui" / "tables.json"
"""The one declaration of the host's tables, shared by the hooks and by this package."""
