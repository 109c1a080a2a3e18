"""Starting and stopping the backends with the host's application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError

__all__ = ["wrap_lifespan"]

Message = MutableMapping[str, Any]
Hook = Callable[[], Awaitable[None]]


def wrap_lifespan(app: Any, *, bootstrap: Hook, started: Hook, shutdown: Hook) -> Callable[[], None]:
    """Put the backends' start before, and their stop after, the application's own.

    Args:
        app: Open WebUI's FastAPI application.
        bootstrap: Makes the backends ready; its failure stops the start.
        started: Called when the application has started.
        shutdown: Gives everything back; called in any case.

    Returns:
        A function that undoes it.
    """
    router = app.router
    stock_context, stock_protocol = router.lifespan_context, router.lifespan
    failures: list[OpenWebUIPocketBaseError] = []

    @asynccontextmanager
    async def context(app: Any) -> AsyncIterator[Any]:
        try:
            try:
                await bootstrap()
            except OpenWebUIPocketBaseError as error:
                failures.append(error)
                raise
            async with stock_context(app) as state:
                await started()
                yield state
        finally:
            await shutdown()

    async def protocol(scope: Any, receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        async def send_clearly(message: Message) -> None:
            # The server prints this; the traceback it would contain says nothing to an administrator.
            if message["type"] == "lifespan.startup.failed" and failures:
                message = {**message, "message": f"openwebui-pocketbase: {failures[-1]}"}
            await send(message)

        await stock_protocol(scope, receive, send_clearly)

    router.lifespan_context, router.lifespan = context, protocol
    app.add_exception_handler(OpenWebUIPocketBaseError, _answer_unavailable)

    def undo() -> None:
        router.lifespan_context, router.lifespan = stock_context, stock_protocol
        app.exception_handlers.pop(OpenWebUIPocketBaseError, None)

    return undo


async def _answer_unavailable(_request: Request, _error: Exception) -> JSONResponse:
    """Answer 503 when the storage failed: never "not found", and without addresses."""
    return JSONResponse({"detail": "The storage is not available. Please try again."}, status_code=503)
