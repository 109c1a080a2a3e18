"""Protocols of the stock repositories of the group ``messages``."""
# Generated from Open WebUI 0.12.4; to renew, run: python tools/generate_interfaces.py
# ruff: noqa: A002 - names, number and defaults of arguments are the host's

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
    ) -> MessageModel | None:
        """Store a new message."""

    async def insert_new_app_message(
        self, app_id: str, channel_id: str, form_data: MessageForm, db: AsyncSession | None = None
    ) -> MessageResponse:
        """Store a new app message."""

    async def update_app_message_by_id(
        self, id: str, app_id: str, updated_at: int, form_data: MessageForm, db: AsyncSession | None = None
    ) -> MessageResponse | None:
        """Change the app message for this id."""

    async def get_message_by_id(
        self, id: str, include_thread_replies: bool | None = True, db: AsyncSession | None = None
    ) -> MessageResponse | None:
        """Return the message for this id."""

    async def get_thread_replies_by_message_id(
        self, id: str, db: AsyncSession | None = None
    ) -> list[MessageReplyToResponse]:
        """Return the thread replies for this message id."""

    async def get_reply_user_ids_by_message_id(self, id: str, db: AsyncSession | None = None) -> list[str]:
        """Return the reply user ids for this message id."""

    async def get_messages_by_channel_id(
        self, channel_id: str, skip: int = 0, limit: int = 50, db: AsyncSession | None = None
    ) -> list[MessageReplyToResponse]:
        """Return the messages for this channel id."""

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
        """Return a page of the thread below a message."""

    async def get_last_message_by_channel_id(
        self, channel_id: str, db: AsyncSession | None = None
    ) -> MessageModel | None:
        """Return the last message for this channel id."""

    async def get_pinned_messages_by_channel_id(
        self, channel_id: str, skip: int = 0, limit: int = 50, db: AsyncSession | None = None
    ) -> list[MessageModel]:
        """Return the pinned messages for this channel id."""

    async def update_message_by_id(
        self, id: str, form_data: MessageForm, db: AsyncSession | None = None
    ) -> MessageModel | None:
        """Change the message for this id."""

    async def update_is_pinned_by_id(
        self, id: str, is_pinned: bool, pinned_by: str | None = None, db: AsyncSession | None = None
    ) -> MessageModel | None:
        """Pin or unpin the message."""

    async def get_unread_message_count(
        self, channel_id: str, user_id: str, last_read_at: int | None = None, db: AsyncSession | None = None
    ) -> int:
        """Count the messages of the channel which the user has not read."""

    async def add_reaction_to_message(
        self, id: str, user_id: str, name: str, db: AsyncSession | None = None
    ) -> MessageReactionModel | None:
        """Store the reaction of a user to the message."""

    async def get_reactions_by_message_id(self, id: str, db: AsyncSession | None = None) -> list[Reactions]:
        """Return the reactions for this message id."""

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
    ) -> bool:
        """Remove the reaction for this id and this user id and this name."""

    async def delete_reactions_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete the reactions for this id."""

    async def delete_replies_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete the replies for this id."""

    async def delete_message_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete the message for this id."""

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
    ) -> ChannelModel | None:
        """Store a new channel."""

    async def get_channels(self, db: AsyncSession | None = None) -> list[ChannelModel]:
        """Return the channels."""

    async def get_channels_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[ChannelModel]:
        """Return the channels for this user id."""

    async def get_dm_channel_by_user_ids(
        self, user_ids: list[str], db: AsyncSession | None = None
    ) -> ChannelModel | None:
        """Return the direct-message channel of exactly these users."""

    async def add_members_to_channel(
        self,
        channel_id: str,
        invited_by: str,
        user_ids: list[str] | None = None,
        group_ids: list[str] | None = None,
        db: AsyncSession | None = None,
    ) -> list[ChannelMemberModel]:
        """Make the users, and the members of the groups, members of the channel."""

    async def remove_members_from_channel(
        self, channel_id: str, user_ids: list[str], db: AsyncSession | None = None
    ) -> int:
        """End the membership of these users in the channel."""

    async def is_user_channel_manager(self, channel_id: str, user_id: str, db: AsyncSession | None = None) -> bool:
        """Tell whether the user manages the channel."""

    async def join_channel(
        self, channel_id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChannelMemberModel | None:
        """Make the user a member of the channel."""

    async def leave_channel(self, channel_id: str, user_id: str, db: AsyncSession | None = None) -> bool:
        """End the user's membership of the channel."""

    async def get_member_by_channel_and_user_id(
        self, channel_id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChannelMemberModel | None:
        """Return the member for this channel and this user id."""

    async def get_members_by_channel_id(
        self, channel_id: str, db: AsyncSession | None = None
    ) -> list[ChannelMemberModel]:
        """Return the members for this channel id."""

    async def pin_channel(self, channel_id: str, user_id: str, is_pinned: bool, db: AsyncSession | None = None) -> bool:
        """Pin or unpin the channel for the user."""

    async def update_member_mute_status(
        self, channel_id: str, user_id: str, is_channel_muted: bool, db: AsyncSession | None = None
    ) -> bool:
        """Mute or unmute the channel for the user."""

    async def update_member_last_read_at(self, channel_id: str, user_id: str, db: AsyncSession | None = None) -> bool:
        """Note that the user has read the channel."""

    async def update_member_active_status(
        self, channel_id: str, user_id: str, is_active: bool, db: AsyncSession | None = None
    ) -> bool:
        """Set whether the user takes part in the channel."""

    async def is_user_channel_member(self, channel_id: str, user_id: str, db: AsyncSession | None = None) -> bool:
        """Tell whether the user is a member of the channel."""

    async def is_app_channel_member(self, channel_id: str, app_id: str, db: AsyncSession | None = None) -> bool:
        """Tell whether the app is a member of the channel."""

    async def get_channel_by_id(self, id: str, db: AsyncSession | None = None) -> ChannelModel | None:
        """Return the channel for this id."""

    async def get_channels_by_file_id(self, file_id: str, db: AsyncSession | None = None) -> list[ChannelModel]:
        """Return the channels for this file id."""

    async def get_channels_by_file_id_and_user_id(
        self, file_id: str, user_id: str, db: AsyncSession | None = None
    ) -> list[ChannelModel]:
        """Return the channels for this file id and this user id."""

    async def get_channel_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChannelModel | None:
        """Return the channel for this id and this user id."""

    async def update_channel_by_id(
        self, id: str, form_data: ChannelForm, db: AsyncSession | None = None
    ) -> ChannelModel | None:
        """Change the channel for this id."""

    async def add_file_to_channel_by_id(
        self, channel_id: str, file_id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChannelFileModel | None:
        """Note that the file is used in the channel."""

    async def set_file_message_id_in_channel_by_id(
        self, channel_id: str, file_id: str, message_id: str, db: AsyncSession | None = None
    ) -> bool:
        """Note which message of the channel has the file."""

    async def remove_file_from_channel_by_id(
        self, channel_id: str, file_id: str, db: AsyncSession | None = None
    ) -> bool:
        """Note that the file is no longer used in the channel."""

    async def delete_channel_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete the channel for this id."""

    async def insert_webhook(
        self, channel_id: str, user_id: str, form_data: ChannelWebhookForm, db: AsyncSession | None = None
    ) -> ChannelWebhookModel | None:
        """Store the webhook."""

    async def get_webhooks_by_channel_id(
        self, channel_id: str, db: AsyncSession | None = None
    ) -> list[ChannelWebhookModel]:
        """Return the webhooks for this channel id."""

    async def get_webhook_by_id(self, webhook_id: str, db: AsyncSession | None = None) -> ChannelWebhookModel | None:
        """Return the webhook for this id."""

    async def get_webhook_by_id_and_token(
        self, webhook_id: str, token: str, db: AsyncSession | None = None
    ) -> ChannelWebhookModel | None:
        """Return the webhook for this id and this token."""

    async def update_webhook_by_id(
        self, webhook_id: str, form_data: ChannelWebhookForm, db: AsyncSession | None = None
    ) -> ChannelWebhookModel | None:
        """Change the webhook for this id."""

    async def update_webhook_last_used_at(self, webhook_id: str, db: AsyncSession | None = None) -> bool:
        """Note that the webhook is used now."""

    async def delete_webhook_by_id(self, webhook_id: str, db: AsyncSession | None = None) -> bool:
        """Delete the webhook for this id."""
