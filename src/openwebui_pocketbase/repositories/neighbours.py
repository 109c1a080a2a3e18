"""Whether the repositories of other groups are on PocketBase, too: then a hook can read their rows itself."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from openwebui_pocketbase.catalog import repository
from openwebui_pocketbase.repositories.base import PocketBaseRepository

__all__ = ["is_on_pocketbase", "neighbour"]


def neighbour(name: str) -> Any:
    """Return the host's singleton, whatever its backend.

    It is imported when it is called for: the modules of the host import each other, and a repository replaces its
    stock class before the module of its neighbour is there.

    Args:
        name: Name of the singleton, such as ``Groups``.
    """
    return getattr(import_module(repository(name).module), name)


def is_on_pocketbase(name: str) -> bool:
    """Return whether the rows of a repository are in PocketBase; see `neighbour`."""
    return isinstance(neighbour(name), PocketBaseRepository)
