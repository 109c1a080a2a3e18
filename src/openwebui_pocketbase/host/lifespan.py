"""Starting and stopping the backends with the host's application."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError
from openwebui_pocketbase.host import STARTUP_FAILURE

__all__ = ["end_process", "wrap_lifespan"]

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
    failures: list[Exception] = []

    @asynccontextmanager
    async def context(app: Any) -> AsyncIterator[Any]:
        failures.clear()
        try:
            with _noting(failures):
                await bootstrap()
            async with stock_context(app) as state:
                with _noting(failures):
                    await started()
                with _settled_heap():
                    yield state
        finally:
            await shutdown()

    async def protocol(scope: Any, receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        async def send_clearly(message: Message) -> None:
            failed = message["type"] == "lifespan.startup.failed" and failures
            if failed and isinstance(failures[-1], OpenWebUIPocketBaseError):
                # The server prints this; the traceback it would contain says nothing to an administrator.
                message = {**message, "message": f"openwebui-pocketbase: {failures[-1]}"}
            await send(message)
            if failed and multiprocessing.parent_process() is not None:
                end_process()

        await stock_protocol(scope, receive, send_clearly)

    router.lifespan_context, router.lifespan = context, protocol

    def undo() -> None:
        router.lifespan_context, router.lifespan = stock_context, stock_protocol

    return undo


@contextmanager
def _noting(errors: list[Exception]) -> Iterator[None]:
    """Keep an error of the block in a list, and let it pass."""
    try:
        yield
    except Exception as error:
        errors.append(error)
        raise


@contextmanager
def _settled_heap() -> Iterator[None]:
    """Within the block, have garbage collections leave out what is in memory now, the application's modules.

    That is a million objects. Whoever opens long chats makes so many new ones that Python looks through all of these
    about every fifty requests, for half a second in which nobody is served.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def end_process() -> None:
    """End this worker at once.

    Python needs up to ten seconds to take the host's libraries down. uvicorn kills a worker that is silent for five,
    takes it for one that died, and starts another one: for ever, as it looks for this status only.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(STARTUP_FAILURE)
