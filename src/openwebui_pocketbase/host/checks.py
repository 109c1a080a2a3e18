"""The host's checks of roles, which look at one attribute of the user.

They are not coroutines, so FastAPI runs them in a thread. That costs nearly every request two changes of threads, and
both wait for the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from importlib import import_module
from typing import Any

from fastapi.dependencies.models import Dependant

__all__ = ["check_at_once", "checks_of_host"]

Check = Callable[..., Any]

CACHED = ("cache_key", "is_coroutine_callable")
"""What FastAPI keeps of a dependency that was asked for it."""


def checks_of_host() -> list[Check]:
    """Return the checks of Open WebUI."""
    auth = import_module("open_webui.utils.auth")
    return [auth.get_verified_user, auth.get_admin_user]


def check_at_once(app: Any, checks: Collection[Check]) -> Callable[[], None]:
    """Have an application's routes call checks without a thread; the checks themselves stay as they are.

    Args:
        app: Open WebUI's FastAPI application.
        checks: Functions that others depend on, and that never wait.

    Returns:
        A function that undoes it.
    """
    awaited = {check: _awaited(check) for check in checks}
    found = [each for route in app.router.routes for each in _below(getattr(route, "dependant", None))]
    changed = [(each, each.call) for each in found if each.call in awaited]
    for each, check in changed:
        _set(each, awaited[check])

    def undo() -> None:
        for each, check in changed:
            _set(each, check)

    return undo


def _awaited(check: Check) -> Check:
    async def checked(**values: Any) -> Any:
        return check(**values)

    return checked


def _below(dependant: Dependant | None) -> Iterator[Dependant]:
    """Yield everything that a route depends on, directly or not."""
    for each in dependant.dependencies if dependant else ():
        yield each
        yield from _below(each)


def _set(dependant: Dependant, call: Check) -> None:
    dependant.call = call
    for name in CACHED:
        vars(dependant).pop(name, None)
