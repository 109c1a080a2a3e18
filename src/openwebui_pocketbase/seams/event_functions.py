"""The functions that administrators have attached to events, which the host reads from SQL at every event.

Saving a title is such an event: sixteen at once would start sixteen reads, which compete for the interpreter with the
requests that wait for an answer. So one read serves all that asked before it began.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from openwebui_pocketbase.shared_reads import SharedReads

__all__ = ["shared"]


def shared(stock: Callable[..., Awaitable[list[Any]]]) -> Callable[..., Awaitable[list[Any]]]:
    """Return `get_functions_by_type`, whose read may be that of another caller as long as it has not begun yet."""
    reads = SharedReads()

    @wraps(stock)
    async def get_functions_by_type(self: Any, type: str, active_only: Any = False, db: Any = None) -> list[Any]:
        if db is not None:
            return await stock(self, type, active_only, db)
        found = await reads.read((type, bool(active_only)), lambda: stock(self, type, active_only))
        return [function.model_copy(deep=True) for function in found]

    return get_functions_by_type
