"""The host's check of stored factors, whose SQL names the table ``auth``, with those from the repository."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import FunctionType, SimpleNamespace
from typing import Any

from open_webui.models.auths import Auths

from openwebui_pocketbase.seams._rebind import rebound

__all__ = ["with_factors_from_repository"]


def with_factors_from_repository(stock: FunctionType) -> Callable[..., Awaitable[None]]:
    """Return `validate_mfa_configuration`, which asks the repository for what it would select in SQL.

    The stock function runs as it is, except that its global name ``get_async_db`` gives a session whose only
    answer is the factors of all users.
    """
    return rebound(stock, get_async_db=_factors)


@asynccontextmanager
async def _factors() -> AsyncIterator[Any]:
    async def execute(_statement: Any) -> Any:
        values = await Auths.get_mfa_values()
        return SimpleNamespace(scalars=lambda: values)

    yield SimpleNamespace(execute=execute)
