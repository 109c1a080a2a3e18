"""Names of users who are in the SQL database."""

from __future__ import annotations

from open_webui.internal.db import get_async_db_context
from open_webui.models.users import User
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["names_in_sql"]

NAMES_AT_ONCE = 500
"""Users in one SQL query; each is a variable of the statement."""


async def names_in_sql(user_ids: set[str | None], db: AsyncSession | None) -> dict[str | None, str]:
    """Return ``{user_id: name}`` of those of the users who exist."""
    wanted = [user_id for user_id in user_ids if user_id is not None]
    names: dict[str | None, str] = {}
    async with get_async_db_context(db) as session:
        for at in range(0, len(wanted), NAMES_AT_ONCE):
            some = wanted[at : at + NAMES_AT_ONCE]
            found = await session.execute(select(User.id, User.name).where(User.id.in_(some)))
            names |= dict(found.tuples().all())
    return names
