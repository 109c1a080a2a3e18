"""Deletions of the host that take access grants along in SQL, past their repository."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from open_webui.models.access_grants import AccessGrants
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import within

__all__ = ["of_models", "of_skill", "of_tool"]

Method = Callable[..., Awaitable[Any]]


def of_models(stock: Method) -> Method:
    """Return `ModelsTable._delete_models`, which deletes the models' grants in PocketBase, too."""

    async def _delete_models(self: Any, session: AsyncSession, ids: Iterable[str]) -> None:
        ids = list(ids)
        await stock(self, session, ids)
        with within(session):
            await AccessGrants.revoke_all_access_to_each("model", ids)

    return _delete_models


def of_skill(stock: Method) -> Method:
    """Return `SkillsTable.delete_skill_by_id`, which deletes the skill's grants in PocketBase first."""
    return _after_revocation(stock, "skill")


def of_tool(stock: Method) -> Method:
    """Return `ToolsTable.delete_tool_by_id`, which deletes the tool's grants in PocketBase first."""
    return _after_revocation(stock, "tool")


def _after_revocation(stock: Method, resource_type: str) -> Method:
    async def delete_by_id(self: Any, id: str, db: AsyncSession | None = None) -> Any:
        # First, because a grant without its resource would open the next one of the same id to the same people.
        await AccessGrants.revoke_all_access(resource_type, id)
        return await stock(self, id, db=db)

    return delete_by_id
