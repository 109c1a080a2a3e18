"""Webhooks of channels: addresses at which other programs post."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Sequence
from typing import Any

from open_webui.models.channels import ChannelWebhookForm, ChannelWebhookModel
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.channels._base import ChannelRepository

__all__ = ["ChannelWebhooks"]


class ChannelWebhooks(ChannelRepository):
    """The methods of `ChannelTable` for webhooks."""

    async def insert_webhook(
        self, channel_id: str, user_id: str, form_data: ChannelWebhookForm, db: AsyncSession | None = None
    ) -> ChannelWebhookModel | None:
        """Create a webhook with a token of its own."""
        webhook = ChannelWebhookModel(
            id=str(uuid.uuid4()),
            channel_id=channel_id,
            user_id=user_id,
            name=form_data.name,
            profile_image_url=form_data.profile_image_url,
            token=secrets.token_urlsafe(32),
            last_used_at=None,
            created_at=time.time_ns(),
            updated_at=time.time_ns(),
        )
        await self._write("insert_webhook", webhooks=[codec_of("channel_webhook").record(webhook.model_dump())])
        return webhook

    async def get_webhooks_by_channel_id(
        self, channel_id: str, db: AsyncSession | None = None
    ) -> list[ChannelWebhookModel]:
        """Return the webhooks of a channel, oldest first."""
        return [_webhook(row) for row in await self._read("get_webhooks_by_channel_id", channel_id=channel_id)]

    async def get_webhook_by_id(self, webhook_id: str, db: AsyncSession | None = None) -> ChannelWebhookModel | None:
        """Return the webhook with this id, or None."""
        return _webhook(await self._read("get_webhook_by_id", id=webhook_id))

    async def get_webhook_by_id_and_token(
        self, webhook_id: str, token: str, db: AsyncSession | None = None
    ) -> ChannelWebhookModel | None:
        """Return the webhook with this id if this is its token, or None."""
        return _webhook(await self._read("get_webhook_by_id_and_token", id=webhook_id, token=token))

    async def update_webhook_by_id(
        self, webhook_id: str, form_data: ChannelWebhookForm, db: AsyncSession | None = None
    ) -> ChannelWebhookModel | None:
        """Change name and picture of a webhook; None if there is no such webhook."""
        columns = form_data.model_dump(include={"name", "profile_image_url"})
        return _webhook(await self._change_webhook(webhook_id, {**columns, "updated_at": time.time_ns()}))

    async def update_webhook_last_used_at(self, webhook_id: str, db: AsyncSession | None = None) -> bool:
        """Note that somebody posts at a webhook; False if there is no such webhook."""
        return await self._change_webhook(webhook_id, {"last_used_at": time.time_ns()}) is not None

    async def delete_webhook_by_id(self, webhook_id: str, db: AsyncSession | None = None) -> bool:
        """Delete a webhook; False if there is no such webhook."""
        deleted: int = await self._write("delete_webhook_by_id", id=webhook_id)
        return deleted > 0

    async def _change_webhook(self, webhook_id: str, columns: dict[str, Any]) -> Sequence[Any] | None:
        """Change a webhook; return its row, or None."""
        changed = codec_of("channel_webhook").changes(columns)
        row: Sequence[Any] | None = await self._write("update_webhook", id=webhook_id, **changed)
        return row


def _webhook(wire: Sequence[Any] | None) -> Any:
    """Return a webhook that came from PocketBase; None for none."""
    return ChannelWebhookModel.model_validate(codec_of("channel_webhook").decode(wire)) if wire else None
