"""Turning the host's repository singletons into those of another backend, in place."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from openwebui_pocketbase.exceptions import ConfigurationError

__all__ = ["above", "bind", "extend", "load", "methods_for", "put_methods", "storing_methods"]


def load(path: str) -> Any:
    """Return the object of a path ``"module:name"``."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def bind(module: ModuleType, name: str, path: str, attributes: Mapping[str, Any]) -> Callable[[], None]:
    """Make a singleton an instance of another class.

    The object itself stays: up to 59 modules of the host have imported it by name. If it is a class, which the host
    uses without an instance, its methods that store become those of an instance of the other class.

    Args:
        module: The host's module that defines the singleton.
        name: Name of the singleton in it.
        path: ``"module:Class"`` of the new class, which extends the stock class; in place of a class, one that has its
            methods.
        attributes: Set on the singleton.

    Returns:
        A function that undoes it.

    Raises:
        ConfigurationError: The new class does not extend the stock class, or has not all methods.
    """
    singleton = getattr(module, name)
    replacement = load(path)
    if replacement is singleton:
        return lambda: None
    if isinstance(singleton, type):
        return put_methods(singleton, methods_for(singleton, replacement, attributes))
    stock = type(singleton)
    if not issubclass(replacement, stock):
        raise ConfigurationError(f"{path} does not extend {stock.__module__}.{stock.__qualname__}.")
    return _become(singleton, replacement, attributes)


def storing_methods(owner: type) -> list[str]:
    """Return the names of a class's methods that store: those which are asynchronous."""
    return [name for name in dir(owner) if name[0] != "_" and inspect.iscoroutinefunction(getattr(owner, name))]


def methods_for(owner: type, replacement: type, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the methods of a new instance, for a class in whose place it stores.

    Args:
        owner: The host's class.
        replacement: Our class.
        attributes: Set on the instance.

    Raises:
        ConfigurationError: It has not all methods.
    """
    names = storing_methods(replacement)
    missing = [name for name in storing_methods(owner) if name not in names]
    if missing:
        path = f"{replacement.__module__}:{replacement.__qualname__}"
        raise ConfigurationError(f"{path} does not have {', '.join(missing)} of {owner.__module__}.{owner.__name__}.")
    instance = replacement()
    vars(instance).update(attributes)
    return {name: getattr(instance, name) for name in names}


def put_methods(owner: type, methods: Mapping[str, Any]) -> Callable[[], None]:
    """Give a class methods, in place of its own or besides them; return a function that undoes it."""
    before = {name: vars(owner)[name] for name in methods if name in vars(owner)}
    for name, method in methods.items():
        setattr(owner, name, method)

    def undo() -> None:
        for name in methods:
            if name in before:
                setattr(owner, name, before[name])
            else:
                delattr(owner, name)

    return undo


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
