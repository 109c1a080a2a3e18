"""Finding the route of a request among the six hundred of Open WebUI.

Starlette tries one after the other, which takes longer than a request to PocketBase for those at the end. Nearly all
begin with words that nobody else's path begins with; so only a few have to be tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi.routing import APIRoute
from starlette._utils import get_route_path
from starlette.routing import BaseRoute, Match, NoMatchFound, Route

__all__ = ["index_routes"]

SEGMENTS = 3
"""How many parts of a path, such as ``/api/v1/chats``, routes are told apart by."""


def index_routes(app: Any) -> Callable[[], None]:
    """Have an application find its routes faster; which one a request gets stays the same.

    Args:
        app: Open WebUI's FastAPI application.

    Returns:
        A function that undoes it.
    """
    routes = app.router.routes
    index = _Index(routes)
    routes.insert(0, index)
    return lambda: routes.remove(index)


class _Index(BaseRoute):
    """Stands before all routes and finds the first that serves a request. Where none does, the others are tried.

    Args:
        routes: The routes of the application, this one among them; others may be added.
    """

    def __init__(self, routes: list[BaseRoute]) -> None:
        self._routes = routes
        self._indexed: list[BaseRoute] = []
        self._by_start: dict[str, list[BaseRoute]] = {}
        self._elsewhere: list[BaseRoute] = []

    def matches(self, scope: Any) -> tuple[Match, Any]:
        """Return what the first route that matches returns."""
        path = get_route_path(scope)
        # A line feed at the end of a path is matched as if it was not there.
        if scope["type"] == "http" and "\n" not in path:
            for route in self._candidates(path):
                match, child_scope = route.matches(scope)
                if match is Match.FULL:
                    return match, {"route": route, **child_scope}
        return Match.NONE, {}

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Have the route that was found answer."""
        await scope["route"].handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        """Leave that to the route itself.

        Raises:
            NoMatchFound: Always.
        """
        raise NoMatchFound(name, path_params)

    def _candidates(self, path: str) -> Sequence[BaseRoute]:
        """Return the routes that may match a path, in their order."""
        if self._routes != self._indexed:
            self._index()
        return self._by_start.get(_start(path), self._elsewhere)

    def _index(self) -> None:
        self._indexed = [*self._routes]
        others = [route for route in self._indexed if route is not self]
        starts = [_start_of(route) for route in others]
        self._elsewhere = [route for route, start in zip(others, starts, strict=True) if start is None]
        self._by_start = {
            start: [route for route, own in zip(others, starts, strict=True) if own in (None, start)]
            for start in {*filter(None, starts)}
        }


def _start(path: str) -> str:
    return "/".join(path.split("/", SEGMENTS + 1)[: SEGMENTS + 1])


def _start_of(route: BaseRoute) -> str | None:
    """Return the start of every path that a route matches; None if they have none in common, or may have none."""
    if not isinstance(route, Route) or type(route).matches not in (Route.matches, APIRoute.matches):
        return None
    path: str = route.path
    known, parameter, _ = path.partition("{")
    if parameter and known.count("/") <= SEGMENTS:
        return None
    return _start(known)
