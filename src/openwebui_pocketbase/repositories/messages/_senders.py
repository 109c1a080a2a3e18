"""Who sent messages, as far as that is in the SQL database: apps always, users if they are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from open_webui.internal.db import get_async_db_context
from open_webui.models.apps import App
from open_webui.models.users import User
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["apps", "users"]


async def apps(ids: Collection[str], db: AsyncSession | None) -> dict[str, str]:
    """Return the names of those apps by id; no statement if there are none."""
    if not ids:
        return {}
    async with get_async_db_context(db) as session:
        rows = await session.execute(select(App.id, App.name).where(App.id.in_(ids)))
        return {app_id: name for app_id, name in rows}  # noqa: C416 - a row is a pair, for mypy it is not


async def users(ids: Collection[str], db: AsyncSession | None) -> dict[str, dict[str, Any]]:
    """Return id, name and role of those users by id; no statement if there are none."""
    if not ids:
        return {}
    async with get_async_db_context(db) as session:
        rows = await session.execute(select(User.id, User.name, User.role).where(User.id.in_(ids)))
        return {row.id: {"id": row.id, "name": row.name, "role": row.role} for row in rows}
