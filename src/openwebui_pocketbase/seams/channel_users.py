"""Users in SQL who are filtered by a channel in PocketBase; the hooks are in ``owui/seams/channel_users.js``.

The stock method runs as it is, but for its condition that a user is a member.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import FunctionType
from typing import Any

from open_webui.internal.db import get_async_db_context
from open_webui.models.users import User
from sqlalchemy import exists
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.neighbours import neighbour
from openwebui_pocketbase.seams._entities import among
from openwebui_pocketbase.seams._rebind import rebound

__all__ = ["over_members"]


def over_members(stock: FunctionType) -> Callable[..., Awaitable[Any]]:
    """Return `UsersTable.get_users`, which asks for the members of a channel first, if it is given one."""

    async def get_users(
        self: Any,
        filter: dict[str, Any] | None = None,
        sort: dict[str, Any] | None = None,
        skip: int | None = None,
        limit: int | None = None,
        db: AsyncSession | None = None,
    ) -> Any:
        method = stock
        if filter and filter.get("channel_id"):
            channel = {"channel_id": filter["channel_id"]}
            ids = await neighbour("Channels").pocketbase.read("channels/get_user_ids", channel)
            async with get_async_db_context(db) as session:
                dialect = session.bind.dialect.name
            method = rebound(stock, exists=_knowing(ids, dialect))
        return await method(self, filter, sort, skip, limit, db)

    return get_users


def _knowing(ids: list[str], dialect: str) -> Callable[[Any], Any]:
    """Return SQLAlchemy's ``exists``, except that the members of the channel are these users."""
    # No index can be used with this: users without an order of their own come as the stock condition leaves them.
    user_id = User.id.concat("")

    def knowing(statement: Any) -> Any:
        table = statement.column_descriptions[0]["entity"].__tablename__
        return among(user_id, ids, dialect) if table == "channel_member" else exists(statement)

    return knowing
