"""What the repositories on PocketBase have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial
from typing import Any, ClassVar, Final, Protocol, TypeVar

import orjson
from open_webui.utils.json_codec import JSONCodec
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec import Codec, JsonFormat
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.transactions import open_transaction

__all__ = [
    "JSON",
    "LARGE",
    "PocketBaseRepository",
    "Requests",
    "codec_of",
    "host_transaction",
    "in_thread_if",
    "list_of",
]

T = TypeVar("T")

LARGE = 1 << 18
"""Bytes of a reply from which on a thread makes models of it."""

JSON: Final = JsonFormat(dumps=partial(JSONCodec.dumps, ensure_ascii=False), loads=JSONCodec.loads)
"""The host's own JSON encoder."""


class Requests(Protocol):
    """What repositories need of a client."""

    async def read(self, path: str, parameters: Mapping[str, Any]) -> Any:
        """Call a method that only reads."""

    async def read_bytes(self, path: str, parameters: Mapping[str, Any]) -> bytes:
        """Call a method that only reads; return its answer as it came."""

    async def write(
        self, path: str, parameters: Mapping[str, Any], *, is_urgent: bool = True, is_large: bool = False
    ) -> Any:
        """Call a method that writes; return its answer.

        Args:
            path: The method.
            parameters: The request's body.
            is_urgent: Whether what changes has to be in the SQL database's copies before this returns.
            is_large: Whether it changes thousands of records, so that one such write is made at a time.
        """

    async def start_job(self, name: str) -> None:
        """Have PocketBase begin with a job that it would do by itself later."""


class PocketBaseRepository:
    """Mixed into a stock repository class, whose storing methods it replaces.

    The host's singleton becomes an instance by a change of its class, so there is no ``__init__``.

    Attributes:
        route: First part of the paths of its methods in the hooks.
        table: The host's name of the table whose rows most methods return.
        model: The host's model of such a row.
        is_urgent: Whether what its writes change has to be in the SQL database's copies before they return.
        pocketbase: The client; set when the repository is bound.
    """

    route: ClassVar[str]
    table: ClassVar[str]
    model: ClassVar[Any]
    is_urgent: ClassVar[bool] = True
    pocketbase: Requests

    async def _read(self, method: str, **parameters: Any) -> Any:
        """Call a method of the hooks that only reads; return its reply."""
        return await self.pocketbase.read(f"{self.route}/{method}", parameters)

    async def _write(self, method: str, **parameters: Any) -> Any:
        """Call a method of the hooks that writes; return its reply."""
        return await self._written(method, parameters)

    async def _write_many(self, method: str, **parameters: Any) -> Any:
        """Call a method of the hooks that changes thousands of records, one at a time; return its reply."""
        return await self._written(method, parameters, is_large=True)

    async def _written(self, method: str, parameters: Mapping[str, Any], **more: bool) -> Any:
        if not self.is_urgent:
            more["is_urgent"] = False
        with self._host_errors(method):
            return await self.pocketbase.write(f"{self.route}/{method}", parameters, **more)

    @staticmethod
    def _host_errors(method: str) -> AbstractContextManager[object]:
        """Return a context that turns errors of PocketBase into those which callers of a stock write expect."""
        return nullcontext(method)

    async def _one(self, method: str, **parameters: Any) -> Any:
        """Return the row that a reading method finds, as the host's model; None if it finds none."""
        return self._model_of(await self._read(method, **parameters))

    async def _many(self, method: str, **parameters: Any) -> list[Any]:
        """Return the rows that a reading method finds, as the host's models."""
        return self._models_of(await self._read(method, **parameters))

    async def _made(self, make: Callable[[Any], T], method: str, **parameters: Any) -> T:
        """Return what a function makes of the reply of a reading method; in a thread if that is much."""
        reply = await self.pocketbase.read_bytes(f"{self.route}/{method}", parameters)
        return await in_thread_if(len(reply) >= LARGE, lambda: make(orjson.loads(reply)))

    def _encoded(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row of the table, or some of its columns, as it goes to PocketBase."""
        return codec_of(self.table).encode(row)

    def _decoded(self, row: Sequence[Any]) -> dict[str, Any]:
        """Return the columns of a row of the table that came from PocketBase."""
        return codec_of(self.table).decode(row)

    def _model_of(self, row: Sequence[Any] | None) -> Any:
        """Return a row that came from PocketBase as the host's model; None for none."""
        return self.model.model_validate(self._decoded(row)) if row else None

    def _models_of(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """Return rows that came from PocketBase as the host's models."""
        return list_of(self.model).validate_python([self._decoded(row) for row in rows])


async def in_thread_if(condition: bool, make: Callable[[], T]) -> T:
    """Return what a function makes; in a thread on this condition, so that nobody waits for it."""
    return await asyncio.to_thread(make) if condition else make()


@cache
def codec_of(table: str) -> Codec:
    """Return the codec of a host table, with the host's own JSON encoder for its JSON columns."""
    return Codec(TABLES[table], dumps=JSON.dumps, loads=JSON.loads)


@cache
def list_of(model: Any) -> TypeAdapter[list[Any]]:
    """Return the validator of a list of models: one call for all rows is a third faster than one for each."""
    return TypeAdapter(list[model])


@contextmanager
def host_transaction(session: AsyncSession | None) -> Iterator[None]:
    """Make writes within the block part of a transaction of the host's that is not committed yet.

    Rows that the host's SQL joins are then copied to the SQL database in that transaction: a transaction of their
    own would wait for the caller's, which on SQLite has the only write lock.
    """
    token = open_transaction.set(session)
    try:
        yield
    finally:
        open_transaction.reset(token)
