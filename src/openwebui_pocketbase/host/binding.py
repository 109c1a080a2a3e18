"""Turning the host's repository singletons into those of another backend, in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from openwebui_pocketbase.exceptions import ConfigurationError

__all__ = ["bind", "load"]


def load(path: str) -> Any:
    """Return the object of a path ``"module:name"``."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def bind(module: ModuleType, name: str, path: str, attributes: Mapping[str, Any]) -> Callable[[], None]:
    """Make a singleton an instance of another class.

    The object itself stays: up to 59 modules of the host have imported it by name.

    Args:
        module: The host's module that defines the singleton.
        name: Name of the singleton in it.
        path: ``"module:Class"`` of the new class, which extends the stock class.
        attributes: Set on the singleton.

    Returns:
        A function that undoes it.

    Raises:
        ConfigurationError: The new class does not extend the stock class.
    """
    singleton = getattr(module, name)
    stock = type(singleton)
    replacement = load(path)
    if not issubclass(replacement, stock):
        raise ConfigurationError(f"{path} does not extend {stock.__module__}.{stock.__qualname__}.")
    singleton.__class__ = replacement
    vars(singleton).update(attributes)

    def undo() -> None:
        singleton.__class__ = stock
        for attribute in attributes:
            vars(singleton).pop(attribute, None)

    return undo
