"""Making known, to everything below, which HTTP request to the host is being served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from openwebui_pocketbase.host_request import HostRequest, serving

__all__ = ["tell_requests_apart"]

Application = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


def tell_requests_apart(app: Any) -> Callable[[], None]:
    """Have each HTTP request, and the tasks that it starts, know that they belong together.

    Args:
        app: Open WebUI's FastAPI application; it has served nothing yet.

    Returns:
        A function that undoes it.
    """
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: _around(build())

    def undo() -> None:
        del app.build_middleware_stack
        app.middleware_stack = None  # it is built again

    return undo


def _around(stack: Application) -> Application:
    async def serve(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await stack(scope, receive, send)
            return
        request = HostRequest()
        token = serving.set(request)
        try:
            await stack(scope, receive, send)
        finally:
            serving.reset(token)
            request.forget()  # what it leaves behind may serve others

    return serve
