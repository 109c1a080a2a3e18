"""The host's change of the policy for second factors: what is one transaction in SQL is one write to PocketBase."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import wraps
from types import FunctionType, SimpleNamespace
from typing import Any

from open_webui.models.config import Config
from open_webui.utils.mfa import MFA_CONFIG_KEYS

from openwebui_pocketbase.exceptions import ConflictError
from openwebui_pocketbase.seams._rebind import rebound

__all__ = ["in_one_write"]

ATTEMPTS = 20
"""So often the policy is changed from the present one, which others may change at that moment."""


def in_one_write(stock: FunctionType) -> Callable[[Any, Mapping[str, Any]], Awaitable[bool]]:
    """Return `update_mfa_config`, which reads the policy, and writes it and ends all sessions at once.

    The stock function runs as it is, except that its global names ``Auths`` and ``Config``, and those of SQL, collect
    what it would do there. It runs again if the policy it has read is not the present one any more.
    """

    @wraps(stock)
    async def update_mfa_config(request: Any, updates: Mapping[str, Any]) -> bool:
        attempts = ATTEMPTS
        while True:
            attempts -= 1
            transaction = _Transaction(updates)
            meanings = dict.fromkeys(("Auths", "Config"), transaction)
            statements = {"select": lambda _entity: _READ, "update": lambda _entity: _LOCK}
            run = rebound(stock, **meanings, **statements, get_async_db=transaction.opened)
            try:
                return bool(await run(request, updates))
            except ConflictError as error:
                if error.code != "config_changed" or not attempts:
                    raise

    return update_mfa_config


class _Statement:
    """Stands for one of the host's statements, whatever is added to it."""

    def where(self, _condition: Any) -> _Statement:
        return self

    def values(self, **_values: Any) -> _Statement:
        return self


_READ, _LOCK = _Statement(), _Statement()


class _Transaction:
    """Stands for the session and for the two repositories that the host uses with it.

    Args:
        updates: What is to be stored.
    """

    key = SimpleNamespace(in_=lambda _keys: None)
    value = None

    def __init__(self, updates: Mapping[str, Any]) -> None:
        self._updates = updates
        self._version = ""
        self._is_done = False

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[_Transaction]:
        yield self

    async def execute(self, statement: _Statement) -> Any:
        """Answer with the stored policy; whoever changes it meanwhile is noticed, so there is no lock."""
        if statement is _LOCK:
            return None
        self._version, values = await Config.entries(MFA_CONFIG_KEYS.values())
        rows = [SimpleNamespace(key=key, value=value) for key, value in values.items()]
        return SimpleNamespace(scalars=lambda: rows)

    async def upsert(self, updates: Mapping[str, Any], *, db: _Transaction | None = None) -> None:
        """Store values; within the transaction they come with its end."""
        if db is None:
            await Config.upsert(updates)

    async def revoke_all_sessions(self, *, db: _Transaction) -> list[str]:
        """Store the values and end all sessions; return the ids of the users."""
        self._is_done = True
        ids: list[str] = await Config.change_from(self._version, self._updates, revoke=True)
        return ids

    async def commit(self) -> None:
        """Store the values, if nobody's sessions are ended."""
        if not self._is_done:
            await Config.change_from(self._version, self._updates, revoke=False)
