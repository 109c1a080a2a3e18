"""The host's SQL transaction that a write to PocketBase belongs to; known to repositories and to the mirror."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["open_transaction"]

open_transaction: ContextVar[AsyncSession | None] = ContextVar("open_transaction", default=None)
"""The transaction; None if the write stands alone."""
