"""Deletions in the host that also delete access grants by SQL, past their repository.

The stock methods run as they are, except that they only look at the copies of grants which they would delete: what
the SQL database has of them follows PocketBase.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from types import FunctionType
from typing import Any

from open_webui.models.access_grants import AccessGrant, AccessGrants
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import host_transaction
from openwebui_pocketbase.seams._rebind import rebound

__all__ = ["of_models", "of_skill", "of_tool"]

Method = Callable[..., Awaitable[Any]]


def of_models(stock: FunctionType) -> Method:
    """Return `ModelsTable._delete_models`, extended to delete the models' grants in PocketBase."""
    delete_models = _sparing_grants(stock)

    async def _delete_models(self: Any, session: AsyncSession, ids: Iterable[str]) -> None:
        ids = list(ids)
        await delete_models(self, session, ids)
        with host_transaction(session):
            await AccessGrants.revoke_all_access_to_each("model", ids)

    return _delete_models


def of_skill(stock: FunctionType) -> Method:
    """Return `SkillsTable.delete_skill_by_id`, which deletes the skill's grants in PocketBase first."""
    return _after_revocation(stock, "skill")


def of_tool(stock: FunctionType) -> Method:
    """Return `ToolsTable.delete_tool_by_id`, which deletes the tool's grants in PocketBase first."""
    return _after_revocation(stock, "tool")


def _after_revocation(stock: FunctionType, resource_type: str) -> Method:
    delete_one = _sparing_grants(stock)

    async def delete_by_id(self: Any, id: str, db: AsyncSession | None = None) -> Any:
        # First, because a grant without its resource would open the next one of the same id to the same people.
        await AccessGrants.revoke_all_access(resource_type, id)
        return await delete_one(self, id, db=db)

    return delete_by_id


def _sparing_grants(stock: FunctionType) -> Method:
    """Return a stock method whose ``delete(AccessGrant)`` is a SELECT of the same rows."""

    def sparing(entity: Any) -> Any:
        return select(AccessGrant.id) if entity is AccessGrant else delete(entity)

    return rebound(stock, delete=sparing)
