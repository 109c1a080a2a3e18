"""Messages of channels in the host's unified search, whose SQL names the tables ``message`` and ``channel_member``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from open_webui.models.channels import ChannelMember, ChannelModel, Channels
from open_webui.models.messages import Message, Messages
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.messages.search import looked_up
from openwebui_pocketbase.seams._entities import as_entity

__all__ = ["of_messages"]


class _Known:
    """`Channels` for one search: the channels that its user can read, asked for once."""

    def __init__(self, channels: list[ChannelModel]) -> None:
        self._channels = channels

    async def get_channels_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[ChannelModel]:
        return self._channels


async def of_messages(
    host: Mapping[str, Any], db: AsyncSession, user: Any, query: str, kind: str, sharing: str, scope: str, page: int
) -> dict[str, Any]:
    """Return what the stock function's names mean: the messages that its page can show, and members of direct messages.

    Args:
        host: The globals of the stock function, whose arguments the others are.
        db: For the stock function's statement.
        user: Who searches.
        query: The text.
        kind: Of results.
        sharing: ``mine``, ``shared`` or ``all``.
        scope: A folder or a channel, or empty.
        page: Number of the page, from 1.
    """
    channels = await Channels.get_channels_by_user_id(user.id, db=db)
    direct = [channel.id for channel in channels if channel.type == "dm" and not channel.name]
    searched = [channel.id for channel in channels if not scope or scope == f"channel:{channel.id}"]
    terms = host["terms_for"](query.strip())
    rows: list[Any] = []
    members: list[Any] = []
    if channels:
        rows, members = await Messages.pocketbase.read(
            "messages/search_workspace",
            {
                "user_id": user.id,
                "channel_ids": searched if kind in ("all", "message") else [],
                "direct_ids": direct,
                "terms": terms,
                "pieces": looked_up(terms),
                "sharing": sharing,
                "number": page * host["PAGE_SIZE"] + 1,
            },
        )
    decode = codec_of("message").decode
    return {
        "Channels": _Known(channels),
        "ChannelMember": as_entity(
            ChannelMember, [{"channel_id": channel_id, "user_id": user_id} for channel_id, user_id in members], db
        ),
        "Message": as_entity(Message, [decode(row) for row in rows], db),
    }
