"""What stands behind the gate: repositories, functions and objects of the host, with the implementation in force."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial, wraps
from typing import Any, cast

from openwebui_pocketbase.exceptions import CompatibilityError
from openwebui_pocketbase.host.binding import methods_for, put_methods, storing_methods
from openwebui_pocketbase.host.gate import Gate

__all__ = ["GatedClass", "GatedFunction", "GatedObject"]

Method = Callable[..., Any]

IN_FORCE = "__owui_in_force__"
"""Attribute of a class made here: name of a method -> what is called when it was let in, with the object."""


class GatedObject:
    """An object of the host whose class can be changed while it is used.

    The object stays, as the host's modules have imported it by name. Its class is made from the implementation's:
    each method that stores waits at the gate, and then calls the implementation that is in force by then.

    Args:
        gate: Where calls wait.
        instance: The object.
        name: What it is called.
    """

    def __init__(self, gate: Gate, instance: Any, name: str) -> None:
        self._gate = gate
        self._instance = instance
        self._name = name
        self._stock: type = type(instance)
        self._classes: dict[type, type] = {}
        self._attributes: set[str] = set()

    @property
    def stock(self) -> type:
        """The class that it had."""
        return self._stock

    def prepare(self, implementation: type) -> type:
        """Return the class that it gets with an implementation, made the first time."""
        if implementation not in self._classes:
            self._classes[implementation] = _gated(implementation, self._stock, self._gate, self._name)
        return self._classes[implementation]

    def use(self, implementation: type, attributes: Mapping[str, Any]) -> None:
        """Put an implementation in force.

        Args:
            implementation: A class that extends the stock class, or that itself.
            attributes: Set on the object; those of the implementation before are taken away.
        """
        made = self.prepare(implementation)
        state = vars(self._instance)
        for gone in self._attributes.difference(attributes):
            state.pop(gone, None)
        state.update(attributes)
        self._attributes = set(attributes)
        self._instance.__class__ = made

    def undo(self) -> None:
        """Give the object back as it was."""
        self._instance.__class__ = self._stock
        for name in self._attributes:
            vars(self._instance).pop(name, None)
        self._attributes = set()


class GatedFunction:
    """A function of the host, or what replaces it, whichever is in force when it is called.

    Args:
        gate: Where calls wait.
        stock: The host's function.
        name: What it is called.
    """

    def __init__(self, gate: Gate, stock: Method, name: str) -> None:
        self.stock = stock
        self._in_force = stock
        self.dispatch = self._dispatching(gate, name)

    def use(self, make: Callable[[Method], Method] | None) -> None:
        """Put what is made of the stock function in force; None for that itself."""
        self._in_force = make(self.stock) if make is not None else self.stock

    def _dispatching(self, gate: Gate, name: str) -> Method:
        if not inspect.iscoroutinefunction(self.stock):
            raise CompatibilityError(f"{name} is not asynchronous, and cannot wait while data are switched.")

        # FastAPI makes a route's parameters of the stock signature, which `wraps` hands on.
        @wraps(self.stock)
        async def dispatch(*args: Any, **kwargs: Any) -> Any:
            async with gate.passing(name):
                return await self._in_force(*args, **kwargs)

        return dispatch


class GatedClass:
    """A class of the host that is used without an instance: the methods that store wait at the gate.

    Args:
        gate: Where calls wait.
        owner: The class.
        name: What it is called.
    """

    def __init__(self, gate: Gate, owner: type, name: str) -> None:
        self._owner = owner
        self._methods = {
            method: GatedFunction(gate, getattr(owner, method), f"{name}.{method}") for method in storing_methods(owner)
        }
        self._undo = put_methods(owner, {name: staticmethod(each.dispatch) for name, each in self._methods.items()})
        self._take_away: Callable[[], None] = lambda: None

    def prepare(self, implementation: type) -> type:
        """Return what is put in force with an implementation: that itself."""
        return implementation

    def use(self, implementation: type, attributes: Mapping[str, Any]) -> None:
        """Put an implementation in force.

        Args:
            implementation: A class that has the methods, or the class itself for its own.
            attributes: Set on its instance.
        """
        is_stock = implementation is self._owner
        methods = {} if is_stock else methods_for(self._owner, implementation, attributes)
        for name, gated in self._methods.items():
            gated.use(None if is_stock else partial(_instead, methods.pop(name)))
        self._take_away()
        self._take_away = put_methods(self._owner, methods)  # seams call them, which are inside

    def undo(self) -> None:
        """Give the class back as it was."""
        self._take_away()
        self._undo()


def _instead(method: Method, _stock: Method) -> Method:
    return method


def _gated(implementation: type, stock: type, gate: Gate, name: str) -> type:
    methods, in_force = {}, {}
    for method in dir(implementation):
        function = _function(implementation, method)
        wrapped = _kind(method, _function(stock, method) or function)
        if function is not None and wrapped is not None:
            in_force[method] = function
            methods[method] = wrapped(gate, f"{name}.{method}", method, function)
    made = {**methods, "__module__": implementation.__module__, IN_FORCE: in_force}
    return type(implementation.__name__, (implementation,), made)


def _function(owner: type, method: str) -> Method | None:
    """Return a method as a function that is given the object; None if it is no method."""
    found = inspect.getattr_static(owner, method, None)
    if isinstance(found, staticmethod):
        static: Method = found.__func__

        @wraps(static)
        def function(_self: Any, *args: Any, **kwargs: Any) -> Any:
            return static(*args, **kwargs)

        return function
    return found if inspect.isfunction(found) else None


def _kind(method: str, function: Method | None) -> Callable[[Gate, str, str, Method], Method] | None:
    """Return what has to be around a method; None if it can be called as it is.

    Private methods are called within others, but for the context managers: the host uses one from outside.
    Repositories' methods that are not asynchronous only compute; those of the storage read and write.

    Args:
        method: Its name.
        function: The stock method of this name, else our own: the host calls ours as it would call that.
    """
    if function is None or method.startswith("__"):
        return None
    if inspect.isasyncgenfunction(inspect.unwrap(function)) and not inspect.isasyncgenfunction(function):
        return _around_manager
    if method.startswith("_"):
        return None
    if inspect.iscoroutinefunction(function):
        return _around_coroutine
    return _around_function if _blocks(function) else None


def _blocks(function: Method) -> bool:
    """Tell whether a function that is not asynchronous stores something: those of the host's storage providers do."""
    return function.__module__.partition(".storage.")[1] != ""


def _in_force(instance: Any, method: str) -> Method:
    return cast("Method", getattr(type(instance), IN_FORCE)[method])


def _around_coroutine(gate: Gate, name: str, method: str, function: Method) -> Method:
    @wraps(function)
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if gate.is_inside:
            return await function(self, *args, **kwargs)
        entered = await gate.enter(name)
        try:
            return await _in_force(self, method)(self, *args, **kwargs)
        finally:
            gate.leave(entered)

    return call


def _around_manager(gate: Gate, name: str, method: str, function: Method) -> Method:
    @wraps(function)
    @asynccontextmanager
    async def call(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async with gate.passing(name), _in_force(self, method)(self, *args, **kwargs) as entered:
            yield entered

    return call


def _around_function(gate: Gate, name: str, method: str, function: Method) -> Method:
    @wraps(function)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        with gate.passing_blocking(name):
            return _in_force(self, method)(self, *args, **kwargs)

    return call
