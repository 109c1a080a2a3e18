"""Open WebUI's health checks, so that they see PocketBase as well; and one of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType

from fastapi.responses import JSONResponse

from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError, UnavailableError

__all__ = ["Health", "extend_health_checks"]

PATH = "/health/storage"

# All in seconds.
FRESH = 1.0
ENOUGH = 2.0
GIVE_UP = 10.0


class Health:
    """Whether the backends answer: asked once for all who want to know at the same time, and remembered for a second.

    Args:
        probe: Asks all backends; raises if one does not answer.
    """

    def __init__(self, probe: Callable[[], Awaitable[None]]) -> None:
        self._probe = probe
        self._asking: asyncio.Task[None] | None = None
        self._began = 0.0

    async def check(self) -> None:
        """Return if the backends answer.

        Raises:
            OpenWebUIPocketBaseError: One does not, or not within two seconds.
        """
        now = asyncio.get_running_loop().time()
        if self._asking is None or (self._asking.done() and now - self._began >= FRESH):
            self._began = now
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(_notice)
        await asyncio.wait([self._asking], timeout=max(0.0, self._began + ENOUGH - now))
        if not self._asking.done():
            raise UnavailableError(
                f"The storage has not answered within {ENOUGH:g} seconds.",
                url="",
                hint="Look whether PocketBase runs, with: openwebui-pocketbase doctor",
            )
        self._asking.result()

    async def _ask(self) -> None:
        try:
            # Longer than anybody waits: the probe repeats its request, which brings an embedded server back.
            async with asyncio.timeout(GIVE_UP):
                await self._probe()
        except OpenWebUIPocketBaseError:
            raise
        except Exception as error:
            raise UnavailableError(f"The storage does not answer: {error or type(error).__name__}", url="") from error


def extend_health_checks(
    main: ModuleType, health: Health, backends: Callable[[], Mapping[str, str]]
) -> Callable[[], None]:
    """Have ``/ready`` and ``/health/db`` see all backends, and add ``/health/storage``.

    Args:
        main: The module ``open_webui.main``.
        health: Whether the backends besides the SQL database answer.
        backends: Returns group -> backend, of all groups.

    Returns:
        A function that undoes it.
    """
    stock = main.async_db_ping

    async def ping() -> None:
        await stock()
        await health.check()

    async def storage() -> JSONResponse:
        """Tell which backend stores which group of data; 503 if one of them does not answer."""
        try:
            await ping()
        except Exception:  # noqa: BLE001 - whatever it is, the answer is "no"; the log has it from the requests it fails
            up = False
        else:
            up = True
        return JSONResponse({"status": up, "groups": dict(backends())}, status_code=200 if up else 503)

    main.async_db_ping = ping  # type: ignore[attr-defined]
    routes = main.app.router.routes
    main.app.add_api_route(PATH, storage, methods=["GET"], include_in_schema=False)
    route = routes.pop()
    routes.insert(0, route)  # before the one that serves the pages of the browser's application, whatever the path

    def undo() -> None:
        main.async_db_ping = stock  # type: ignore[attr-defined]
        if route in routes:
            routes.remove(route)

    return undo


def _notice(task: asyncio.Task[None]) -> None:
    """Take note of a failure for which nobody waited long enough."""
    if not task.cancelled():
        task.exception()
