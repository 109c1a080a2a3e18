"""Telling our own SQL statements from everybody else's, for whoever watches the host's database engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["ours", "ours_only"]

ours: ContextVar[bool] = ContextVar("ours", default=False)
"""Whether the statements that run now are this package's own; also seen by SQLAlchemy's event listeners."""


@contextmanager
def ours_only() -> Iterator[None]:
    """Mark the statements of a block as ours."""
    token = ours.set(True)
    try:
        yield
    finally:
        ours.reset(token)
