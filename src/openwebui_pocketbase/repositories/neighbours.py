"""The repositories of other groups, and whether their rows are in PocketBase, where a hook can read them itself."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from openwebui_pocketbase.catalog import spec_of
from openwebui_pocketbase.repositories.base import PocketBaseRepository

__all__ = ["is_on_pocketbase", "neighbour"]


def neighbour(name: str) -> Any:
    """Return the host's singleton, whatever its backend.

    It is imported on the call: the modules of the host import each other, and a repository replaces its
    stock class before the module of its neighbour is there.

    Args:
        name: Name of the singleton, such as ``Groups``.
    """
    return getattr(import_module(spec_of(name).module), name)


def is_on_pocketbase(name: str) -> bool:
    """Return whether the rows of a repository are in PocketBase; see `neighbour`."""
    return isinstance(neighbour(name), PocketBaseRepository)
