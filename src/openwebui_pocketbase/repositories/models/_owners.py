"""Who owns models and made versions of them, if users are in the SQL database."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from open_webui.internal.db import get_async_db_context
from open_webui.models.users import User
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["names_of", "owners", "owners_like"]


async def owners(user_ids: Collection[str], db: AsyncSession | None = None) -> list[tuple[Any, ...]]:
    """Return id, name, role and address of those users."""
    if not user_ids:
        return []
    statement = select(User.id, User.name, User.role, User.email).where(User.id.in_(user_ids))
    async with get_async_db_context(db) as session:
        return [tuple(row) for row in await session.execute(statement)]


async def owners_like(query: str, user_ids: Collection[str], db: AsyncSession | None = None) -> list[str]:
    """Return those of the users whose name, address or user name is like a query."""
    pattern = f"%{query}%"
    is_like = or_(*(column.ilike(pattern) for column in (User.name, User.email, User.username)))
    statement = select(User.id).where(User.id.in_(user_ids), is_like)
    async with get_async_db_context(db) as session:
        return list((await session.execute(statement)).scalars())


async def names_of(user_ids: Collection[str], db: AsyncSession | None = None) -> dict[str, str]:
    """Return the names of those users by id."""
    return {user_id: name for user_id, name, *_ in await owners(user_ids, db)}
