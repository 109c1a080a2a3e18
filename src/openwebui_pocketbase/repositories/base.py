"""What the repositories on PocketBase have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Protocol

from open_webui.utils.json_codec import JSONCodec
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec.rows import Codec
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["PocketBaseRepository", "Requests", "codec_of", "open_transaction", "within"]

open_transaction: ContextVar[AsyncSession | None] = ContextVar("open_transaction", default=None)
"""The host's SQL transaction which a write belongs to, if there is one."""


class Requests(Protocol):
    """What repositories need of a client."""

    async def read(self, path: str, parameters: Mapping[str, Any]) -> Any:
        """Call a method that only reads."""

    async def read_bytes(self, path: str, parameters: Mapping[str, Any]) -> bytes:
        """Call a method that only reads; return its answer as it came."""

    async def write(self, path: str, parameters: Mapping[str, Any]) -> Any:
        """Call a method that writes."""


class PocketBaseRepository:
    """Mixed into a stock repository class, whose storing methods it replaces.

    The host's singleton becomes an instance by a change of its class, so there is no ``__init__``.

    Attributes:
        pocketbase: The client; set when the repository is bound.
    """

    pocketbase: Requests


def codec_of(table: str) -> Codec:
    """Return the codec of a host table, with the host's own JSON encoder for its JSON columns."""
    return Codec(TABLES[table], dumps=partial(JSONCodec.dumps, ensure_ascii=False), loads=JSONCodec.loads)


@contextmanager
def within(session: AsyncSession | None) -> Iterator[None]:
    """Tell that what is written belongs to a transaction of the host's, not committed yet.

    Rows which the host's SQL joins are then copied to the SQL database in that transaction: in one of its own it
    would wait for the caller's, which on SQLite has the only write lock.
    """
    token = open_transaction.set(session)
    try:
        yield
    finally:
        open_transaction.reset(token)
