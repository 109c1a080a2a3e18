"""Marking SQL statements as this package's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["ours", "ours_only"]

ours: ContextVar[bool] = ContextVar("ours", default=False)
"""Whether the statements of this task may use every SQL table; SQLAlchemy's greenlets share the task's context."""


@contextmanager
def ours_only() -> Iterator[None]:
    """Mark the statements that are executed inside as this package's own."""
    token = ours.set(True)
    try:
        yield
    finally:
        ours.reset(token)
