"""Protocols of the stock repositories of the group ``messages``."""
# Generated from Open WebUI 0.12.4; to renew, run: python tools/generate_interfaces.py

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from open_webui.models.channels import (
        ChannelFileModel,
        ChannelForm,
        ChannelMemberModel,
        ChannelModel,
        ChannelWebhookForm,
        ChannelWebhookModel,
        CreateChannelForm,
    )
    from open_webui.models.messages import (
        MessageForm,
        MessageModel,
        MessageReactionModel,
        MessageReplyToResponse,
        MessageResponse,
        Reactions,
    )
    from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["IChannelsRepo", "IMessagesRepo"]


@runtime_checkable
class IMessagesRepo(Protocol):
    """What callers use of ``Messages``."""

    async def insert_new_message(
        self, form_data: MessageForm, channel_id: str, user_id: str, db: AsyncSession | None = None
    ) -> MessageModel | None: ...

    async def insert_new_app_message(
        self, app_id: str, channel_id: str, form_data: MessageForm, db: AsyncSession | None = None
    ) -> MessageResponse: ...

    async def update_app_message_by_id(
        self, id: str, app_id: str, updated_at: int, form_data: MessageForm, db: AsyncSession | None = None
    ) -> MessageResponse | None: ...

    async def get_message_by_id(
        self, id: str, include_thread_replies: bool | None = True, db: AsyncSession | None = None
    ) -> MessageResponse | None: ...

    async def get_thread_replies_by_message_id(
        self, id: str, db: AsyncSession | None = None
    ) -> list[MessageReplyToResponse]: ...

    async def get_reply_user_ids_by_message_id(self, id: str, db: AsyncSession | None = None) -> list[str]: ...

    async def get_messages_by_channel_id(
        self, channel_id: str, skip: int = 0, limit: int = 50, db: AsyncSession | None = None
    ) -> list[MessageReplyToResponse]: ...

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
    ) -> list[MessageReplyToResponse]: ...

    async def get_last_message_by_channel_id(
        self, channel_id: str, db: AsyncSession | None = None
    ) -> MessageModel | None: ...

    async def get_pinned_messages_by_channel_id(
        self, channel_id: str, skip: int = 0, limit: int = 50, db: AsyncSession | None = None
    ) -> list[MessageModel]: ...

    async def update_message_by_id(
        self, id: str, form_data: MessageForm, db: AsyncSession | None = None
    ) -> MessageModel | None: ...

    async def update_is_pinned_by_id(
        self, id: str, is_pinned: bool, pinned_by: str | None = None, db: AsyncSession | None = None
    ) -> MessageModel | None: ...

    async def get_unread_message_count(
        self, channel_id: str, user_id: str, last_read_at: int | None = None, db: AsyncSession | None = None
    ) -> int: ...

    async def add_reaction_to_message(
        self, id: str, user_id: str, name: str, db: AsyncSession | None = None
    ) -> MessageReactionModel | None: ...

    async def get_reactions_by_message_id(self, id: str, db: AsyncSession | None = None) -> list[Reactions]: ...

    async def get_reactions_by_message_ids(
        self, ids: list[str], db: AsyncSession | None = None
    ) -> dict[str, list[Reactions]]:
        """Batch-fetch reactions for multiple messages in a single query."""

    async def get_thread_reply_counts_by_message_ids(
        self, ids: list[str], db: AsyncSession | None = None
    ) -> dict[str, tuple[int, int | None]]:
        """Batch-fetch reply counts and latest reply timestamps for multiple parent messages."""

    async def remove_reaction_by_id_and_user_id_and_name(
        self, id: str, user_id: str, name: str, db: AsyncSession | None = None
    ) -> bool: ...

    async def delete_reactions_by_id(self, id: str, db: AsyncSession | None = None) -> bool: ...

    async def delete_replies_by_id(self, id: str, db: AsyncSession | None = None) -> bool: ...

    async def delete_message_by_id(self, id: str, db: AsyncSession | None = None) -> bool: ...

    async def search_messages_by_channel_ids(
        self,
        channel_ids: list[str],
        query: str,
        start_timestamp: int | None = None,
        end_timestamp: int | None = None,
        limit: int = 10,
        db: AsyncSession | None = None,
    ) -> list[MessageModel]:
        """Search messages in specified channels by content."""


@runtime_checkable
class IChannelsRepo(Protocol):
    """What callers use of ``Channels``."""

    async def insert_new_channel(
        self, form_data: CreateChannelForm, user_id: str, db: AsyncSession | None = None
    ) -> ChannelModel | None: ...

    async def get_channels(self, db: AsyncSession | None = None) -> list[ChannelModel]: ...

    async def get_channels_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[ChannelModel]: ...

    async def get_dm_channel_by_user_ids(
        self, user_ids: list[str], db: AsyncSession | None = None
    ) -> ChannelModel | None: ...

    async def add_members_to_channel(
        self,
        channel_id: str,
        invited_by: str,
        user_ids: list[str] | None = None,
        group_ids: list[str] | None = None,
        db: AsyncSession | None = None,
    ) -> list[ChannelMemberModel]: ...

    async def remove_members_from_channel(
        self, channel_id: str, user_ids: list[str], db: AsyncSession | None = None
    ) -> int: ...

    async def is_user_channel_manager(self, channel_id: str, user_id: str, db: AsyncSession | None = None) -> bool: ...

    async def join_channel(
        self, channel_id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChannelMemberModel | None: ...

    async def leave_channel(self, channel_id: str, user_id: str, db: AsyncSession | None = None) -> bool: ...

    async def get_member_by_channel_and_user_id(
        self, channel_id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChannelMemberModel | None: ...

    async def get_members_by_channel_id(
        self, channel_id: str, db: AsyncSession | None = None
    ) -> list[ChannelMemberModel]: ...

    async def pin_channel(
        self, channel_id: str, user_id: str, is_pinned: bool, db: AsyncSession | None = None
    ) -> bool: ...

    async def update_member_mute_status(
        self, channel_id: str, user_id: str, is_channel_muted: bool, db: AsyncSession | None = None
    ) -> bool: ...

    async def update_member_last_read_at(
        self, channel_id: str, user_id: str, db: AsyncSession | None = None
    ) -> bool: ...

    async def update_member_active_status(
        self, channel_id: str, user_id: str, is_active: bool, db: AsyncSession | None = None
    ) -> bool: ...

    async def is_user_channel_member(self, channel_id: str, user_id: str, db: AsyncSession | None = None) -> bool: ...

    async def is_app_channel_member(self, channel_id: str, app_id: str, db: AsyncSession | None = None) -> bool: ...

    async def get_channel_by_id(self, id: str, db: AsyncSession | None = None) -> ChannelModel | None: ...

    async def get_channels_by_file_id(self, file_id: str, db: AsyncSession | None = None) -> list[ChannelModel]: ...

    async def get_channels_by_file_id_and_user_id(
        self, file_id: str, user_id: str, db: AsyncSession | None = None
    ) -> list[ChannelModel]: ...

    async def get_channel_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChannelModel | None: ...

    async def update_channel_by_id(
        self, id: str, form_data: ChannelForm, db: AsyncSession | None = None
    ) -> ChannelModel | None: ...

    async def add_file_to_channel_by_id(
        self, channel_id: str, file_id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChannelFileModel | None: ...

    async def set_file_message_id_in_channel_by_id(
        self, channel_id: str, file_id: str, message_id: str, db: AsyncSession | None = None
    ) -> bool: ...

    async def remove_file_from_channel_by_id(
        self, channel_id: str, file_id: str, db: AsyncSession | None = None
    ) -> bool: ...

    async def delete_channel_by_id(self, id: str, db: AsyncSession | None = None) -> bool: ...

    async def insert_webhook(
        self, channel_id: str, user_id: str, form_data: ChannelWebhookForm, db: AsyncSession | None = None
    ) -> ChannelWebhookModel | None: ...

    async def get_webhooks_by_channel_id(
        self, channel_id: str, db: AsyncSession | None = None
    ) -> list[ChannelWebhookModel]: ...

    async def get_webhook_by_id(
        self, webhook_id: str, db: AsyncSession | None = None
    ) -> ChannelWebhookModel | None: ...

    async def get_webhook_by_id_and_token(
        self, webhook_id: str, token: str, db: AsyncSession | None = None
    ) -> ChannelWebhookModel | None: ...

    async def update_webhook_by_id(
        self, webhook_id: str, form_data: ChannelWebhookForm, db: AsyncSession | None = None
    ) -> ChannelWebhookModel | None: ...

    async def update_webhook_last_used_at(self, webhook_id: str, db: AsyncSession | None = None) -> bool: ...

    async def delete_webhook_by_id(self, webhook_id: str, db: AsyncSession | None = None) -> bool: ...
