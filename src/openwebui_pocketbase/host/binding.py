"""Turning the host's repository singletons into those of another backend, in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from openwebui_pocketbase.exceptions import ConfigurationError

__all__ = ["above", "bind", "extend", "load"]


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
    return _become(singleton, replacement, attributes)


def extend(module: ModuleType, name: str, path: str, attributes: Mapping[str, Any]) -> Callable[[], None]:
    """Put a class above that of an object, whatever that is.

    Args:
        module: The host's module that defines the object.
        name: Name of the object in it.
        path: ``"module:Class"`` of the class, which extends a class of the host that the object's extends as well.
        attributes: Set on the object.

    Returns:
        A function that undoes it.
    """
    extended = getattr(module, name)
    stock: type = type(extended)
    return _become(extended, above(stock, path), attributes)


@cache
def above(stock: type, path: str) -> type:
    """Return the class that has the methods of one of ours, and those of another class below; see `extend`."""
    ours = load(path)
    return type(ours.__name__, (ours, stock), {"__module__": ours.__module__})


def _become(singleton: Any, replacement: type, attributes: Mapping[str, Any]) -> Callable[[], None]:
    stock = type(singleton)
    singleton.__class__ = replacement
    vars(singleton).update(attributes)

    def undo() -> None:
        singleton.__class__ = stock
        for attribute in attributes:
            vars(singleton).pop(attribute, None)

    return undo
