"""Pages of a channel's messages, the last one, pinned ones, and how many are unread."""

from __future__ import annotations

from open_webui.models.messages import MessageModel, MessageReplyToResponse
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec.rows import int64_text
from openwebui_pocketbase.repositories.messages._base import MessageRows

__all__ = ["MessagePages"]


class MessagePages(MessageRows):
    """The methods of messages about a channel as a whole."""

    async def get_messages_by_channel_id(
        self, channel_id: str, skip: int = 0, limit: int = 50, db: AsyncSession | None = None
    ) -> list[MessageReplyToResponse]:
        """Return a page of the messages outside of threads, latest first."""
        return await self._responses(db, "get_messages_by_channel_id", channel_id=channel_id, skip=skip, limit=limit)

    async def get_last_message_by_channel_id(
        self, channel_id: str, db: AsyncSession | None = None
    ) -> MessageModel | None:
        """Return the latest message, replies in threads included; None if there is none."""
        return await self._one("get_last_message_by_channel_id", channel_id=channel_id)

    async def get_pinned_messages_by_channel_id(
        self, channel_id: str, skip: int = 0, limit: int = 50, db: AsyncSession | None = None
    ) -> list[MessageModel]:
        """Return a page of the pinned messages, latest pinned first."""
        parameters = {"channel_id": channel_id, "skip": skip, "limit": limit}
        return await self._made(self._models_of, "get_pinned_messages_by_channel_id", **parameters)

    async def get_unread_message_count(
        self, channel_id: str, user_id: str, last_read_at: int | None = None, db: AsyncSession | None = None
    ) -> int:
        """Return how many messages outside of threads came since a time, without the user's own.

        Args:
            channel_id: The channel.
            user_id: The user; all messages count if it is empty.
            last_read_at: Nanoseconds since 1970; None: all messages.
            db: Ignored.

        Raises:
            OverflowError: The time is beyond 64 bits.
        """
        parameters = {"channel_id": channel_id, "user_id": user_id, "last_read_at": int64_text(last_read_at or 0)}
        count: int = await self._read("get_unread_message_count", **parameters)
        return count
