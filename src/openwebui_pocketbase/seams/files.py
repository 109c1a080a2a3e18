"""Functions of the host that never look at what was extracted of a file, which can be megabytes.

They run as they are, except that their global name ``Files`` means the same files without that text, or without it in
what a write returns.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import signature
from types import FunctionType
from typing import Any

from open_webui.models.files import Files

from openwebui_pocketbase.seams._rebind import rebound

__all__ = ["looking_at_what_is_returned", "looking_at_what_is_wanted", "not_looking", "not_looking_at_what_is_returned"]


def not_looking(stock: FunctionType) -> FunctionType:
    """Return a function that looks at the text of no file."""
    return rebound(stock, Files=Files.seen())


def not_looking_at_what_is_returned(stock: FunctionType) -> FunctionType:
    """Return a function that looks at the text of files that it reads, and not at what its writes return."""
    return rebound(stock, Files=Files.seen(reads_text=True))


def looking_at_what_is_returned(stock: FunctionType) -> FunctionType:
    """Return a function that gives back what a write returns, and does not look at the text of what it reads."""
    return rebound(stock, Files=Files.seen(returns_text=True))


def looking_at_what_is_wanted(stock: FunctionType) -> Callable[..., Awaitable[Any]]:
    """Return a function that lists files, and takes the text out of them unless its parameter ``content`` is true."""
    parameters = signature(stock)
    without_text = not_looking(stock)

    @wraps(stock)
    async def listing(*args: Any, **kwargs: Any) -> Any:
        function = stock if parameters.bind(*args, **kwargs).arguments.get("content", True) else without_text
        return await function(*args, **kwargs)

    return listing
