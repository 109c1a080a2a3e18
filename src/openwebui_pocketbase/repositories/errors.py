"""The exceptions that the host expects of a repository."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.exc import IntegrityError

from openwebui_pocketbase.exceptions import ConflictError, InvalidRequestError, OpenWebUIPocketBaseError, ResponseError

__all__ = ["default_on_error", "integrity_error", "integrity_errors", "is_outage"]

P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D")

Log = Callable[..., None]

_OF_THE_DATA = (ConflictError, InvalidRequestError)
"""Errors whose cause is what was to be stored; a database would refuse it as well."""


def is_outage(error: Exception) -> bool:
    """Return whether an error says nothing about the data: the server could not be asked."""
    return isinstance(error, OpenWebUIPocketBaseError) and not isinstance(error, _OF_THE_DATA)


def default_on_error(
    default: Callable[[], D], log: Log | None = None, message: str = ""
) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Coroutine[Any, Any, T | D]]]:
    """Return a default where the stock method swallows its exceptions.

    An outage is raised: the stock database is a file beside the host and has none, and "not found" would be a lie
    that callers act on.

    Args:
        default: Makes the default.
        log: Method of the stock module's logger, if the stock method logs.
        message: What the stock method logs before the exception.
    """

    def decorate(method: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T | D]]:
        @functools.wraps(method)
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> T | D:
            try:
                return await method(*args, **kwargs)
            except Exception as error:
                if is_outage(error):
                    raise
                if log is not None:
                    log("%s: %s", message, error)
                return default()

        return wrapper

    return decorate


def integrity_error(method: str, error: ResponseError) -> IntegrityError:
    """Return the exception that SQLAlchemy raises for a taken key, which callers of the host depend on.

    The host shows its text to people, so that has no address of PocketBase; the cause has.
    """
    return IntegrityError(method, None, Exception(f"PocketBase refused it: {error.code or error.status}"))


@contextmanager
def integrity_errors(method: str) -> Iterator[None]:
    """Raise what SQLAlchemy raises where a key is taken, or a column is None that must not be."""
    try:
        yield
    except ConflictError as error:
        raise integrity_error(method, error) from error
    except InvalidRequestError as error:
        if error.code != "not_null":
            raise
        raise integrity_error(method, error) from error
