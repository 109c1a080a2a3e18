"""Searching the messages of channels; the hooks are in ``owui/messages/search.js``."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor

from open_webui.models.messages import MessageModel
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec.rows import int64_text
from openwebui_pocketbase.codec.words import pieces_of
from openwebui_pocketbase.repositories.messages._base import MessageRows

__all__ = ["MessageSearch", "looked_up"]

LOOKED_UP = 3
"""Parts of words that are looked up in the index; each can have many places."""


class MessageSearch(MessageRows):
    """The method of messages that searches."""

    async def search_messages_by_channel_ids(
        self,
        channel_ids: list[str],
        query: str,
        start_timestamp: int | None = None,
        end_timestamp: int | None = None,
        limit: int = 10,
        db: AsyncSession | None = None,
    ) -> list[MessageModel]:
        """Return messages of these channels that contain a text, latest first.

        Args:
            channel_ids: The channels.
            query: What they contain, without case; ``%`` and ``_`` are wildcards.
            start_timestamp: Time of the first, in nanoseconds; 0 or None for any.
            end_timestamp: Time of the last, in nanoseconds; 0 or None for any.
            limit: Most messages; None for all.
            db: Ignored.

        Raises:
            OverflowError: A time is beyond 64 bits.
        """
        folded = f"{query}".lower()
        found: list[MessageModel] = await self._made(
            self._models_of,
            "search_messages_by_channel_ids",
            # What is in no channel is not in a channel without id.
            channel_ids=[channel_id for channel_id in channel_ids if channel_id],
            query=folded,
            pieces=looked_up([folded]),
            start=int64_text(ceil(start_timestamp)) if start_timestamp else None,
            end=int64_text(floor(end_timestamp)) if end_timestamp else None,
            limit=limit,
        )
        return found


def looked_up(terms: Iterable[str]) -> list[dict[str, str | None]]:
    """Return parts of words which messages have that contain all these terms, in lower case.

    These are the longest, which are in fewer messages than others.
    """
    pieces = dict.fromkeys(piece for term in terms for piece in pieces_of(term))
    longest = sorted(pieces, key=lambda piece: len(piece.text), reverse=True)[:LOOKED_UP]
    return [{"text": piece.text, "words": piece.match} for piece in longest]
