"""Database sessions of the host's that answer some queries from PocketBase: apps' memberships, channels and messages.

Each is for one of the functions in `apps`, and gives the few answers about these which that function asks for. All else
is the host's session's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from open_webui.models.access_grants import AccessGrants
from open_webui.models.apps import App
from open_webui.models.channels import ChannelMember, ChannelModel, Channels
from open_webui.models.messages import Message
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import Requests, codec_of
from openwebui_pocketbase.repositories.channels import PocketBaseChannels
from openwebui_pocketbase.repositories.errors import integrity_errors

__all__ = ["ChannelsOfApp", "InChannel", "Invitation", "Memberships", "Messages", "Page", "Session", "app_ids"]


class Session:
    """A session of the host's, which gives all answers that a subclass does not."""

    def __init__(self, db: AsyncSession) -> None:
        self._db = db

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


class Messages(Session):
    """Knows messages by their ids."""

    async def get(self, entity: Any, id: str) -> Any:
        if entity is not Message:
            return await self._db.get(entity, id)
        return _message(await _pocketbase().read("channels/get_app_message", {"id": id}))


class Page(Session):
    """Knows the messages of one page, the one whose thread it is and the one behind which it begins."""

    def __init__(
        self, db: AsyncSession, channel_id: str, before: str | None, parent_id: str | None, limit: int
    ) -> None:
        super().__init__(db)
        self._asked: dict[str, Any] = {
            "channel_id": channel_id,
            "before": before,
            "parent_id": parent_id,
            "number": limit + 1,
        }
        self._read: tuple[dict[str, Any], list[Any]] | None = None

    async def get(self, _entity: Any, id: str) -> Any:
        known, _ = await self._answer()
        return known[id]

    async def scalars(self, _statement: Any) -> SimpleNamespace:
        _, messages = await self._answer()
        return SimpleNamespace(all=lambda: messages)

    async def _answer(self) -> tuple[dict[str, Any], list[Any]]:
        if self._read is None:  # not before the stock function has checked the access
            parent, cursor, rows = await _pocketbase().read("channels/get_app_channel_messages", self._asked)
            known = {self._asked["parent_id"]: _message(parent), self._asked["before"]: _message(cursor)}
            self._read = known, [_message(row) for row in rows]
        return self._read


class InChannel(Session):
    """Knows the apps of a channel."""

    def __init__(self, db: AsyncSession, channel_id: str) -> None:
        super().__init__(db)
        self._channel_id = channel_id

    async def scalars(self, _statement: Any) -> Any:
        ids = await app_ids(self._channel_id)
        return await self._db.scalars(select(App).where(App.id.in_(ids)).order_by(App.id))


class ChannelsOfApp(Session):
    """Knows the channels of an app; also in the place of the repository, which is asked for each of them."""

    def __init__(self, db: AsyncSession, app_id: str) -> None:
        super().__init__(db)
        self._app_id = app_id
        self._channels: dict[str, Any] = {}

    async def scalars(self, _statement: Any) -> SimpleNamespace:
        rows = await _pocketbase().read("channels/get_app_channels", {"app_id": self._app_id})
        found = [ChannelModel.model_validate(codec_of("channel").decode(row)) for row in rows]
        self._channels = {channel.id: channel for channel in found}
        grants = await AccessGrants.get_grants_by_resources("channel", [*self._channels], db=self._db) if found else {}
        for channel in found:
            channel.access_grants = grants.get(channel.id, [])
        return SimpleNamespace(all=lambda: found)

    async def get_channel_by_id(self, id: str, db: Any) -> Any:
        return self._channels[id]


class Invitation(Session):
    """Keeps the membership of one app in one channel, which is written on commit."""

    def __init__(self, db: AsyncSession, channel_id: str, app_id: str) -> None:
        super().__init__(db)
        self._which = {"channel_id": channel_id, "app_id": app_id}
        self._before: dict[str, Any] | None = None
        self._member: Any = None

    async def scalar(self, _statement: Any) -> Any:
        row = await _pocketbase().read("channels/get_app_member", self._which)
        if row is not None:
            self._before = codec_of("channel_member").decode(row)
            self._member = ChannelMember(**self._before)
        return self._member

    def add(self, member: Any) -> None:
        self._member = member

    async def commit(self) -> None:
        after = {column.name: getattr(self._member, column.name) for column in ChannelMember.__table__.columns}
        with integrity_errors("invite_app"):
            if self._before is None:
                # What the model of the table leaves to the database.
                usual = {"is_channel_muted": False, "is_channel_pinned": False}
                member = codec_of("channel_member").record(after | usual)
                await _pocketbase().write("channels/insert_app_member", {"members": [member]})
            else:
                changed = {name: value for name, value in after.items() if value != self._before[name]}
                await _change_members(self._which, changed)
        await self._db.commit()


class Memberships(Session):
    """Writes changes of apps' memberships on commit, and then commits.

    In this order a failure in between leaves an app that is a member nowhere, though it may still be installed: it is
    let into no channel, and a repetition ends the same memberships again. If PocketBase cannot be asked, nothing has
    changed at all, as in a transaction. The other way round an app that is connected anew later would be back in
    channels from which it was taken.
    """

    def __init__(self, db: AsyncSession) -> None:
        super().__init__(db)
        self._changes: list[Mapping[str, Any]] = []

    async def execute(self, statement: Any) -> None:
        self._changes.append(statement.compile().params)

    async def commit(self) -> None:
        for values in self._changes:
            which = {"app_id": values["app_id_1"], "channel_id": values.get("channel_id_1")}
            columns = ChannelMember.__table__.columns
            await _change_members(which, {name: value for name, value in values.items() if name in columns})
        await self._db.commit()


async def app_ids(channel_id: str, joined_before: str | None = None) -> list[str]:
    """Return the ids of the apps that are active members of a channel."""
    wanted = {"channel_id": channel_id, "joined_before": joined_before}
    ids: list[str] = await _pocketbase().read("channels/get_app_ids", wanted)
    return ids


async def _change_members(which: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
    """Change memberships of an app: in one channel, or in all of them."""
    if columns:
        changes = codec_of("channel_member").changes(columns)
        await _pocketbase().write("channels/update_app_members", {**which, **changes})


def _message(row: list[Any] | None) -> Any:
    return Message(**codec_of("message").decode(row)) if row else None


def _pocketbase() -> Requests:
    assert isinstance(Channels, PocketBaseChannels)  # noqa: S101 - the seams are there only then
    return Channels.pocketbase
