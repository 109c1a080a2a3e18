"""Running a function of the host as it is, but with other meanings of some global names."""

from __future__ import annotations

from types import FunctionType
from typing import Any

__all__ = ["rebound"]


def rebound(stock: FunctionType, **names: Any) -> FunctionType:
    """Return a copy of a function whose global names mean something else.

    The module itself stays as it is, so calls at the same time do not see each other's meanings. A function that
    others may replace later in its module has to be rebound at each call.

    Args:
        stock: The host's function.
        names: Global name -> what it means.
    """
    function = FunctionType(
        stock.__code__, {**stock.__globals__, **names}, stock.__name__, stock.__defaults__, stock.__closure__
    )
    function.__kwdefaults__ = stock.__kwdefaults__
    function.__annotations__ = stock.__annotations__  # FastAPI makes a route's parameters of them
    function.__doc__ = stock.__doc__
    return function
