"""The replies in the thread of a message."""

from __future__ import annotations

from open_webui.models.messages import MessageReplyToResponse
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec.rows import int64_of
from openwebui_pocketbase.repositories.messages._base import MessageRows

__all__ = ["MessageThreads"]


class MessageThreads(MessageRows):
    """The methods of messages about threads."""

    async def get_messages_by_parent_id(
        self,
        channel_id: str,
        parent_id: str,
        skip: int = 0,
        limit: int = 50,
        db: AsyncSession | None = None,
        *,
        around: str | None = None,
        before: str | None = None,
    ) -> list[MessageReplyToResponse]:
        """Return a page of a thread, latest first, with its parent at the end if there is room.

        Args:
            channel_id: The parent's channel; a parent of another one has no thread here.
            parent_id: The message that the thread belongs to.
            skip: How many replies are before the page.
            limit: Most replies on the page.
            db: For apps and users in the SQL database.
            around: The page that has this message, ten replies below its top.
            before: The page that begins behind this message.
        """
        return await self._responses(
            db,
            "get_messages_by_parent_id",
            channel_id=channel_id,
            parent_id=parent_id,
            skip=skip,
            limit=limit,
            anchor=before or around or None,
            is_before=bool(before),
        )

    async def get_thread_replies_by_message_id(
        self, id: str, db: AsyncSession | None = None
    ) -> list[MessageReplyToResponse]:
        """Return all replies to a message, latest first."""
        return await self._responses(db, "get_thread_replies_by_message_id", parent_id=id)

    async def get_reply_user_ids_by_message_id(self, id: str, db: AsyncSession | None = None) -> list[str]:
        """Return who replied to a message, once for each reply."""
        ids: list[str] = await self._read("get_reply_user_ids_by_message_id", parent_id=id)
        return ids

    async def get_thread_reply_counts_by_message_ids(
        self, ids: list[str], db: AsyncSession | None = None
    ) -> dict[str, tuple[int, int | None]]:
        """Return number and time (nanoseconds) of the latest of the replies to each of those messages that has some."""
        if not ids:
            return {}
        found = await self._read("get_thread_reply_counts_by_message_ids", ids=list(ids))
        return {message_id: (number, int64_of(latest)) for message_id, number, latest in found}
