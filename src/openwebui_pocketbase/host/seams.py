"""Replacing functions of the host that go to SQL tables directly."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from openwebui_pocketbase.exceptions import CompatibilityError
from openwebui_pocketbase.host.binding import load

__all__ = ["put_function", "replace_function"]

Undo = Callable[[], None]
Function = Callable[..., Any]


def replace_function(module: ModuleType, name: str, path: str) -> Undo:
    """Replace a function of a module by what is made of it.

    Args:
        module: See `put_function`.
        name: See `put_function`.
        path: ``"module:function"`` that is given the stock function and returns the new one.
    """
    return put_function(module, name, load(path))


def put_function(module: ModuleType, name: str, make: Callable[[Function], Function]) -> Undo:
    """Replace a function of a module, and the route it serves, if it is the endpoint of one.

    Callers in the module look the function up as a global, importers import it later; both get the
    replacement. A route holds its endpoint, and what FastAPI made of the endpoint's signature: it
    is registered again.

    Args:
        module: The host's module; just imported, and not yet included in the application.
        name: Name of the function, or ``Class.method``.
        make: Is given the stock function and returns the new one.

    Returns:
        A function that undoes it.

    Raises:
        CompatibilityError: The module has no such function.
    """
    owner_name, _, attribute = name.rpartition(".")
    owner = getattr(module, owner_name, None) if owner_name else module
    stock = getattr(owner, attribute, None)
    if stock is None:
        raise CompatibilityError(f"{module.__name__} has no function {name}.")
    replacement = make(stock)
    setattr(owner, attribute, replacement)
    undo_route = _replace_route(getattr(module, "router", None), stock, replacement)

    def undo() -> None:
        setattr(owner, attribute, stock)
        undo_route()

    return undo


def _replace_route(router: Any, stock: Callable[..., Any], replacement: Callable[..., Any]) -> Undo:
    routes = getattr(router, "routes", [])
    index = next((i for i, route in enumerate(routes) if getattr(route, "endpoint", None) is stock), None)
    if index is None:
        return lambda: None
    route = routes[index]
    router.add_api_route(
        route.path.removeprefix(router.prefix),
        replacement,
        methods=route.methods,
        name=route.name,
        response_model=route.response_model,
        status_code=route.status_code,
        dependencies=route.dependencies[len(router.dependencies) :],  # the router's own come first, and again
        include_in_schema=route.include_in_schema,
        tags=route.tags[len(router.tags) :],
        responses=route.responses,
        response_class=route.response_class,
        openapi_extra=route.openapi_extra,
    )
    routes[index] = routes.pop()  # the order of routes decides which one a path matches

    def undo() -> None:
        routes[index] = route

    return undo
