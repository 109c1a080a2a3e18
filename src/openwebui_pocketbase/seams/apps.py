"""External apps in channels: the apps are in SQL, their memberships and the channels' messages in PocketBase.

The stock functions run as they are, over sessions of the host's whose few answers about the tables of channels come
from PocketBase. The hooks are in ``owui/seams/apps.js``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import wraps
from types import FunctionType
from typing import Any

from open_webui.internal.db import get_async_db, get_async_db_context
from open_webui.models.apps import App
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec.rows import int64_text
from openwebui_pocketbase.seams._app_sessions import (
    ChannelsOfApp,
    InChannel,
    Invitation,
    Memberships,
    Messages,
    Page,
    Session,
    app_ids,
)
from openwebui_pocketbase.seams._rebind import rebound

__all__ = [
    "channels_of_app",
    "history",
    "ids_in_channel",
    "in_channel",
    "interaction",
    "invitation",
    "removal",
    "reply",
    "uninstallation",
]

Function = Callable[..., Awaitable[Any]]


def in_channel(stock: FunctionType) -> Function:
    """Return `get_channel_apps`, the endpoint that lists the apps of a channel."""

    @wraps(stock)
    async def get_channel_apps(channel_id: str, user: Any, db: AsyncSession) -> Any:
        return await stock(channel_id, user=user, db=InChannel(db, channel_id))

    return get_channel_apps


def invitation(stock: FunctionType) -> Function:
    """Return `invite_app`, the endpoint that makes an app a member, or again; 409 if another one does so meanwhile."""

    @wraps(stock)
    async def invite_app(channel_id: str, form: Any, user: Any, db: AsyncSession) -> Any:
        return await stock(channel_id, form, user=user, db=Invitation(db, channel_id, form.app_id))

    return invite_app


def removal(stock: FunctionType) -> Function:
    """Return `remove_app`, the endpoint that ends an app's membership."""

    @wraps(stock)
    async def remove_app(channel_id: str, app_id: str, user: Any, db: AsyncSession) -> Any:
        return await stock(channel_id, app_id, user=user, db=Memberships(db))

    return remove_app


def uninstallation(stock: FunctionType) -> Function:
    """Return `AppsTable.uninstall_app_by_id`, which ends all memberships of the app."""
    return rebound(stock, get_async_db_context=_over(get_async_db_context, Memberships))


def ids_in_channel(_stock: FunctionType) -> Function:
    """Return `AppsTable.get_app_ids_by_channel_id`, asked with each message: no request where no app is active."""

    async def get_app_ids_by_channel_id(
        _self: Any, channel_id: str, joined_before: int, db: AsyncSession | None = None
    ) -> list[str]:
        async with get_async_db_context(db) as session:
            active = {*await session.scalars(select(App.id).where(App.is_active.is_(True)))}
        if not active:
            return []
        return [app_id for app_id in await app_ids(channel_id, int64_text(joined_before)) if app_id in active]

    return get_app_ids_by_channel_id


def interaction(stock: FunctionType) -> Function:
    """Return `create_app_interaction`, the endpoint behind the buttons of an app's message."""

    @wraps(stock)
    async def create_app_interaction(app_id: str, form_data: Any, user: Any, db: AsyncSession) -> Any:
        return await stock(app_id, form_data, user=user, db=Messages(db))

    return create_app_interaction


def reply(stock: FunctionType) -> Function:
    """Return `app_channel_reply_handler`, which tells apps of messages that mention them."""

    async def app_channel_reply_handler(channel_id: str, message_id: str, user_id: str) -> None:
        # A copy per call: the module's other functions may be replaced at any time.
        handle = rebound(stock, get_async_db=_over(get_async_db, Messages))
        await handle(channel_id, message_id, user_id)

    return app_channel_reply_handler


def channels_of_app(stock: FunctionType) -> Function:
    """Return `get_app_channels`: one read for all channels, and one for their grants."""

    async def get_app_channels(app: Any, db: AsyncSession) -> Any:
        channels = ChannelsOfApp(db, app.id)
        return await rebound(stock, Channels=channels)(app, channels)

    return get_app_channels


def history(stock: FunctionType) -> Function:
    """Return `get_app_channel_messages`: one read for a page, its thread and its cursor."""

    async def get_app_channel_messages(
        app: Any,
        db: AsyncSession,
        channel_id: str,
        before: str | None = None,
        parent_id: str | None = None,
        limit: int = 50,
    ) -> Any:
        page = Page(db, channel_id, before, parent_id, limit)
        return await stock(app, page, channel_id, before, parent_id, limit)

    return get_app_channel_messages


def _over(
    sessions: Callable[..., AbstractAsyncContextManager[AsyncSession]], kind: type[Session]
) -> Callable[..., AbstractAsyncContextManager[Session]]:
    """Return what opens sessions of the host, so that they are of a kind of ours."""

    @asynccontextmanager
    async def opened(*args: Any) -> AsyncIterator[Session]:
        async with sessions(*args) as session:
            yield kind(session)

    return opened
