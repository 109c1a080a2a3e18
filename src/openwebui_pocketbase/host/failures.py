"""How users, and readers of the log, are told that the storage has failed."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeGuard

from fastapi import Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from openwebui_pocketbase.exceptions import (
    ConflictError,
    MovedTableError,
    OpenWebUIPocketBaseError,
    RequestError,
    TooLargeError,
    UnavailableError,
)
from openwebui_pocketbase.host_request import serving

__all__ = ["answer_failures"]

log = logging.getLogger(__name__)

QUIET_SECONDS = 10.0
"""For how long a cause is not logged again."""

CAUSES = 100
"""How many causes are remembered; there are a handful, unless a message has something new each time."""

TOLD = frozenset({409, 413, 503})
"""Statuses that say that something is not stored."""

Handler = Callable[[Request, Any], Awaitable[Response]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


def answer_failures(app: Any) -> Callable[[], None]:
    """Answer requests which the storage failed, clearly and without addresses, and log why.

    Args:
        app: Open WebUI's FastAPI application.

    Returns:
        A function that undoes it.
    """
    causes = _Causes()
    handlers = app.exception_handlers
    stock: Handler = handlers.get(HTTPException, http_exception_handler)

    async def failed(request: Request, error: OpenWebUIPocketBaseError) -> Response:
        causes.log(request, error)
        if isinstance(error, MovedTableError):  # a plug-in of somebody's: to try again would not help
            return JSONResponse({"detail": str(error)}, status_code=500)
        if isinstance(error, TooLargeError):
            return JSONResponse({"detail": "This is too large to be stored."}, status_code=413)
        if _is_stale(error):
            detail = "Somebody else has changed this in the meantime. Please try again."
            return JSONResponse({"detail": detail}, status_code=409)
        return JSONResponse({"detail": "The storage is not available. Please try again."}, status_code=503)

    async def answered(request: Request, error: HTTPException) -> Response:
        # Some routes make a "400 Something went wrong" of every exception: the one they caught is its context.
        cause = error.__context__
        if isinstance(cause, TooLargeError | UnavailableError) or _is_stale(cause):
            return await failed(request, cause)
        return await stock(request, error)

    router = app.router
    route: Application = router.middleware_stack
    router.middleware_stack = _telling(route, failed)
    before = {kind: handlers.get(kind) for kind in (OpenWebUIPocketBaseError, HTTPException)}
    app.add_exception_handler(OpenWebUIPocketBaseError, failed)
    app.add_exception_handler(HTTPException, answered)

    def undo() -> None:
        router.middleware_stack = route
        for kind, handler in before.items():
            if handler is None:
                handlers.pop(kind, None)
            else:
                handlers[kind] = handler

    return undo


def _telling(route: Application, failed: Handler) -> Application:
    """Have a request answered as failed if something it wrote through is not stored, whatever its route makes of that.

    Many of the host's repositories catch every exception, and some routes then tell that all went well.
    """

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        request = serving.get()
        if request is None:
            await route(scope, receive, send)
            return
        has_begun = is_told = False

        async def tell() -> None:
            nonlocal is_told
            is_told = True
            answer = await failed(Request(scope), request.refusal)
            await answer(scope, receive, send)

        async def pass_on(message: Any) -> None:
            nonlocal has_begun
            if not has_begun and request.refusal is not None and message.get("status") not in TOLD:
                has_begun = True
                await tell()
            elif not is_told:
                has_begun = True
                await send(message)

        try:
            await route(scope, receive, pass_on)
        except Exception:
            if has_begun or request.refusal is None:
                raise
            await tell()

    return serve


def _is_stale(error: BaseException | None) -> TypeGuard[ConflictError]:
    """Tell whether a row that was to be written through had been changed by others."""
    return isinstance(error, ConflictError) and error.code == "stale"


class _Causes:
    """Logs each cause once in a while, and how often it came in between."""

    def __init__(self) -> None:
        self._logged: dict[str, tuple[float, int]] = {}
        """Cause -> when it was logged, and how often it came since."""

    def log(self, request: Request, error: OpenWebUIPocketBaseError) -> None:
        text = str(error.args[0])
        # The same failure of many methods is one cause.
        cause = f"{type(error).__name__} {text.replace(error.url, '') if isinstance(error, RequestError) else text}"
        logged_at, unsaid = self._logged.get(cause, (float("-inf"), 0))
        now = time.monotonic()
        if now - logged_at < QUIET_SECONDS:
            self._logged[cause] = logged_at, unsaid + 1
            return
        if len(self._logged) >= CAUSES:
            self._logged.clear()
        self._logged[cause] = now, 0
        log.error(
            "%s %s failed: %s%s%s",
            request.method,
            request.url.path,
            " ".join(text.split()),
            f" What to do: {error.hint}" if error.hint else "",
            f" ({unsaid} more since this was last said)" if unsaid else "",
        )
