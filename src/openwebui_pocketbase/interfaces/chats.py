"""Protocols of the stock repositories of the group ``chats``."""
# Generated from Open WebUI 0.12.4; to renew, run: python tools/generate_interfaces.py

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from open_webui.models.chat_messages import ChatMessageModel
    from open_webui.models.chats import (
        Chat,
        ChatFileModel,
        ChatForm,
        ChatImportForm,
        ChatListResponse,
        ChatModel,
        ChatTitleIdResponse,
    )
    from open_webui.models.shared_chats import (
        ChatShareMode,
        ShareChatForm,
        SharedChatModel,
        SharedChatResponse,
    )
    from open_webui.models.tags import TagModel
    from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["IChatMessagesRepo", "IChatsRepo", "ISharedChatsRepo"]


@runtime_checkable
class IChatsRepo(Protocol):
    """What callers use of ``Chats``."""

    def edit_message_output(self, chat_id: str, message_id: str) -> AbstractAsyncContextManager[Any]:
        """Read and modify tool state under the same lock, updating both message stores."""

    def get_current_message_id(self, chat: dict[str, Any] | None) -> str | None: ...

    async def require_chat_creation_permission(self, user_id: str, db: AsyncSession | None = None) -> None: ...

    async def insert_new_chat(
        self,
        id: str,
        user_id: str,
        form_data: ChatForm,
        db: AsyncSession | None = None,
        *,
        internal_meta: dict[str, Any] | None = None,
        timer_at: int | None = None,
    ) -> ChatModel | None: ...

    async def get_internal_chat_ids_by_parent_id(self, parent_chat_id: str, user_id: str) -> list[str]: ...

    async def get_internal_chat_by_note_id(
        self, note_id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChatModel | None: ...

    async def get_internal_chats_by_note_id(
        self, note_id: str, user_id: str, db: AsyncSession | None = None
    ) -> list[ChatModel]: ...

    async def import_chats(
        self, user_id: str, chat_import_forms: list[ChatImportForm], db: AsyncSession | None = None
    ) -> list[ChatModel]: ...

    async def update_chat_by_id(
        self, id: str, chat: dict[str, Any], db: AsyncSession | None = None, *, touch: bool = True
    ) -> ChatModel | None:
        """Patch top-level chat keys; history is merged so stale writers don't drop messages."""

    async def update_chat_params_by_id(self, id: str, params: dict[str, Any]) -> ChatModel | None: ...

    async def update_chat_variables_by_id(
        self, id: str, variables: dict[str, Any] | None, db: AsyncSession | None = None, *, touch: bool = True
    ) -> ChatModel | None: ...

    async def update_chat_last_read_at_by_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> tuple[int, bool] | None: ...

    async def mark_chat_unread_by_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChatTitleIdResponse | None: ...

    async def mark_chats_read_by_folder_ids(
        self, user_id: str, folder_ids: list[str], db: AsyncSession | None = None
    ) -> int: ...

    async def mark_chats_read_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> int: ...

    async def update_chat_title_by_id(self, id: str, title: str) -> ChatModel | None: ...

    async def update_chat_tags_by_id(self, id: str, tags: list[str], user: Any) -> None:
        """Replace a chat's tags. Runs after every completion with tag"""

    async def get_chat_title_by_id(self, id: str) -> str | None: ...

    @staticmethod
    def get_unresolved_parent_ids(messages_map: dict[str, Any]) -> set[str]:
        """Return parent IDs referenced by messages but absent from the map."""

    @staticmethod
    def merge_history(
        existing_history: dict[str, Any] | None, incoming_history: dict[str, Any] | None
    ) -> dict[str, Any]: ...

    @staticmethod
    def delete_message_from_history(history: dict[str, Any], message_id: str) -> set[str]: ...

    @staticmethod
    def upsert_message_to_history(
        history: dict[str, Any], message_id: str, message: dict[str, Any]
    ) -> dict[str, Any]: ...

    async def backfill_messages_by_chat_id(
        self, chat_id: str, user_id: str, messages: dict[str, dict[str, Any]]
    ) -> None:
        """Write messages to the ``chat_message`` table so future lookups"""

    async def get_messages_map_by_chat_id(self, id: str) -> dict[str, Any] | None:
        """Message map for walking history (see ``get_message_list``)."""

    async def get_message_by_id_and_message_id(self, id: str, message_id: str) -> dict[str, Any] | None: ...

    async def get_message_metadata(
        self, chat_id: str, message_id: str, metadata_key: Literal["files", "sources", "embeds"]
    ) -> Any | None:
        """Read one message metadata field without rebuilding the whole history."""

    async def insert_chat_turn(self, chat_id: Any, user: Any, user_message: Any, message_ids: Any) -> Any: ...

    async def upsert_message_to_chat_by_id_and_message_id(
        self, id: str, message_id: str, message: dict[str, Any], *, touch: bool = True
    ) -> ChatModel | None: ...

    async def delete_message_from_chat_by_id_and_message_id(self, id: str, message_id: str) -> ChatModel | None: ...

    async def add_message_status_to_chat_by_id_and_message_id(
        self, id: str, message_id: str, status: dict[str, Any]
    ) -> ChatModel | None: ...

    async def add_message_files_by_id_and_message_id(
        self, id: str, message_id: str, files: list[dict[str, Any]]
    ) -> list[dict[str, Any]] | None: ...

    async def insert_shared_chat_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Create a shared snapshot for a chat. Returns the original chat with share_id set."""

    async def update_shared_chat_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Refresh the shared snapshot with current chat content."""

    async def delete_shared_chat_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> bool:
        """Delete shared snapshot for a chat."""

    async def unarchive_all_chats_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> bool: ...

    async def update_chat_share_id_by_id(
        self, id: str, share_id: str | None, db: AsyncSession | None = None
    ) -> ChatModel | None: ...

    async def toggle_chat_pinned_by_id(self, id: str, db: AsyncSession | None = None) -> ChatModel | None: ...

    async def toggle_chat_archive_by_id(self, id: str, db: AsyncSession | None = None) -> ChatModel | None: ...

    async def archive_all_chats_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> bool: ...

    async def get_archived_chat_list_by_user_id(
        self,
        user_id: str,
        filter: dict[str, Any] | None = None,
        skip: int = 0,
        limit: int = 50,
        db: AsyncSession | None = None,
    ) -> list[ChatTitleIdResponse]: ...

    async def count_archived_chats_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> int: ...

    async def get_shared_chat_list_by_user_id(
        self,
        user_id: str,
        filter: dict[str, Any] | None = None,
        skip: int = 0,
        limit: int = 50,
        db: AsyncSession | None = None,
    ) -> list[SharedChatResponse]:
        """Delegate to SharedChats for listing shared chats by user."""

    async def get_chat_list_by_user_id(
        self,
        user_id: str,
        include_archived: bool = False,
        filter: dict[str, Any] | None = None,
        skip: int = 0,
        limit: int = 50,
        db: AsyncSession | None = None,
    ) -> list[ChatTitleIdResponse]: ...

    async def get_chat_title_id_list_by_user_id(
        self,
        user_id: str,
        include_archived: bool = False,
        include_folders: bool = False,
        include_pinned: bool = False,
        sort_by: str = "updated_at",
        sort_dir: str = "desc",
        skip: int | None = None,
        limit: int | None = None,
        db: AsyncSession | None = None,
    ) -> list[ChatTitleIdResponse]: ...

    async def get_chat_list_by_chat_ids(
        self, chat_ids: list[str], skip: int = 0, limit: int = 50, db: AsyncSession | None = None
    ) -> list[ChatModel]: ...

    async def get_chat_metas_by_chat_ids(
        self, chat_ids: list[str], include_archived: bool = False, db: AsyncSession | None = None
    ) -> list[dict[str, Any]]: ...

    async def get_owner_ids_by_chat_ids(
        self, chat_ids: list[str], db: AsyncSession | None = None
    ) -> dict[str, str]: ...

    async def get_chats_by_model_id(
        self,
        model_id: str,
        filter: dict[str, Any] | None = None,
        skip: int = 0,
        limit: int = 50,
        db: AsyncSession | None = None,
    ) -> dict[str, Any]: ...

    async def get_chat_by_id(self, id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Fetch a chat by PK, auto-sanitizing null bytes on read."""

    async def get_chat_by_share_id(self, id: str, db: AsyncSession | None = None) -> ChatModel | None:
        """Look up a shared chat snapshot by its share token."""

    async def get_chat_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChatModel | None: ...

    async def get_accessible_chat_by_id(
        self,
        id: str,
        user: Any,
        db: AsyncSession | None = None,
        *,
        permission: Literal["read", "write"] = "read",
        chat: Chat | ChatModel | None = None,
    ) -> ChatModel | None: ...

    async def filter_task_ids_by_user_id(self, chat: Any, user_id: str, task_ids: list[str]) -> list[str]: ...

    async def is_chat_owner(self, id: str, user_id: str, db: AsyncSession | None = None) -> bool:
        """Lightweight ownership check — uses EXISTS subquery instead of loading"""

    async def get_chat_folder_id(self, id: str, user_id: str, db: AsyncSession | None = None) -> str | None:
        """Fetch only the folder_id column for a chat, without loading the full"""

    async def count_unread_by_folder_ids(
        self, user_id: str, folder_ids: list[str], db: AsyncSession | None = None
    ) -> dict[str, int]: ...

    async def get_chats(self, skip: int = 0, limit: int = 50, db: AsyncSession | None = None) -> list[ChatModel]: ...

    async def get_user_usage_chat_stats(self, user_id: str, db: AsyncSession | None = None) -> dict[str, Any]: ...

    async def get_chats_by_user_id(
        self,
        user_id: str,
        filter: dict[str, Any] | None = None,
        skip: int | None = None,
        limit: int | None = None,
        db: AsyncSession | None = None,
    ) -> ChatListResponse: ...

    async def get_pinned_chats_by_user_id(
        self, user_id: str, db: AsyncSession | None = None
    ) -> list[ChatTitleIdResponse]: ...

    async def get_archived_chats_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[ChatModel]: ...

    async def get_chats_by_user_id_and_search_text(
        self,
        user_id: str,
        search_text: str,
        include_archived: bool = False,
        skip: int = 0,
        limit: int = 60,
        db: AsyncSession | None = None,
    ) -> list[ChatModel]:
        """Filters chats based on a search query using Python, allowing pagination using skip and limit."""

    async def get_chats_by_folder_id_and_user_id(
        self,
        folder_id: str,
        user_id: str,
        skip: int = 0,
        limit: int = 60,
        sort_by: str = "updated_at",
        sort_dir: str = "desc",
        db: AsyncSession | None = None,
    ) -> list[ChatTitleIdResponse]: ...

    async def get_all_chats_by_folder_id(
        self,
        folder_id: str,
        skip: int = 0,
        limit: int = 60,
        sort_by: str = "updated_at",
        sort_dir: str = "desc",
        unread_for_user_id: str | None = None,
        db: AsyncSession | None = None,
    ) -> list[dict[str, Any]]:
        """Get chats in a folder across ALL users. Returns dicts with user_id."""

    async def get_participant_ids_by_chat_ids(
        self, chat_ids: list[str], db: AsyncSession | None = None
    ) -> dict[str, list[str]]: ...

    async def count_all_chats_by_folder_id(self, folder_id: str, db: AsyncSession | None = None) -> int: ...

    async def get_chats_by_folder_ids_and_user_id(
        self, folder_ids: list[str], user_id: str, db: AsyncSession | None = None
    ) -> list[ChatModel]: ...

    async def update_chat_folder_id_by_id_and_user_id(
        self, id: str, user_id: str, folder_id: str, db: AsyncSession | None = None
    ) -> ChatModel | None: ...

    async def get_chat_tags_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> list[TagModel]: ...

    async def get_chat_list_by_user_id_and_tag_name(
        self, user_id: str, tag_name: str, skip: int = 0, limit: int = 50, db: AsyncSession | None = None
    ) -> list[ChatTitleIdResponse]: ...

    async def add_chat_tag_by_id_and_user_id_and_tag_name(
        self, id: str, user_id: str, tag_name: str, db: AsyncSession | None = None
    ) -> None:
        """Add one tag to a chat's meta. Meta-column-only, never the blob."""

    async def count_chats_by_tag_name_and_user_id(
        self, tag_name: str, user_id: str, db: AsyncSession | None = None
    ) -> int: ...

    async def count_chats_by_tag_ids_and_user_id(
        self, tag_ids: list[str], user_id: str, db: AsyncSession | None = None
    ) -> dict[str, int]:
        """Per-tag chat counts in one round trip (one scalar subquery per tag)."""

    async def delete_orphan_tags_for_user(
        self, tag_ids: list[str], user_id: str, threshold: int = 0, db: AsyncSession | None = None
    ) -> None:
        """Delete tag rows from *tag_ids* that appear in at most *threshold*"""

    async def count_chats_by_folder_id_and_user_id(
        self, folder_id: str, user_id: str, db: AsyncSession | None = None
    ) -> int: ...

    async def count_chats_by_folder_ids_and_user_id(
        self, folder_ids: list[str], user_id: str, db: AsyncSession | None = None
    ) -> int: ...

    async def delete_tag_by_id_and_user_id_and_tag_name(
        self, id: str, user_id: str, tag_name: str, db: AsyncSession | None = None
    ) -> bool: ...

    async def delete_chat_by_id(self, id: str, db: AsyncSession | None = None) -> bool: ...

    async def delete_chat_by_id_and_user_id(self, id: str, user_id: str, db: AsyncSession | None = None) -> bool: ...

    async def delete_chats_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> bool: ...

    async def delete_chats_by_user_id_and_folder_id(
        self, user_id: str, folder_id: str, db: AsyncSession | None = None
    ) -> bool: ...

    async def move_chats_by_folder_id(
        self, folder_id: str, new_folder_id: str | None, db: AsyncSession | None = None
    ) -> bool: ...

    async def delete_shared_chats_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """Delete all shared chat snapshots created by a user."""

    async def insert_chat_files(
        self, chat_id: str, message_id: str, file_ids: list[str], user_id: str, db: AsyncSession | None = None
    ) -> list[ChatFileModel] | None: ...

    async def get_chat_files_by_chat_id_and_message_id(
        self, chat_id: str, message_id: str, db: AsyncSession | None = None
    ) -> list[ChatFileModel]: ...

    async def delete_chat_file(self, chat_id: str, file_id: str, db: AsyncSession | None = None) -> bool: ...

    async def get_shared_chat_ids_by_file_id(self, file_id: str, db: AsyncSession | None = None) -> list[str]:
        """Return file-associated chats with a share link or folder audience."""

    async def update_chat_tasks_by_id(self, id: str, tasks: list[dict[str, Any]]) -> ChatModel | None:
        """Update the tasks list on a chat."""

    async def get_chat_tasks_by_id(self, id: str) -> list[dict[str, Any]]:
        """Read the tasks list from a chat (lightweight column query)."""


@runtime_checkable
class IChatMessagesRepo(Protocol):
    """What callers use of ``ChatMessages``."""

    async def upsert_message(
        self, message_id: str, chat_id: str, user_id: str, data: dict[str, Any], db: AsyncSession | None = None
    ) -> ChatMessageModel | None:
        """Insert or update a chat message."""

    async def upsert_messages(
        self, chat_id: str, user_id: str, messages: dict[str, dict[str, Any]], db: AsyncSession | None = None
    ) -> None:
        """Backfill missing rows without overwriting newer message data."""

    async def get_message_by_id(self, id: str, db: AsyncSession | None = None) -> ChatMessageModel | None: ...

    async def has_unfinished_assistant_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> bool: ...

    async def get_messages_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> list[ChatMessageModel]: ...

    async def get_messages_map_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> dict[str, Any] | None:
        """Build a {message_id: message_dict} map from chat_message rows."""

    async def get_messages_by_user_id(
        self, user_id: str, skip: int = 0, limit: int = 50, db: AsyncSession | None = None
    ) -> list[ChatMessageModel]: ...

    async def get_messages_by_model_id(
        self,
        model_id: str,
        start_date: int | None = None,
        end_date: int | None = None,
        skip: int = 0,
        limit: int = 100,
        db: AsyncSession | None = None,
    ) -> list[ChatMessageModel]: ...

    async def get_chat_ids_by_model_id(
        self,
        model_id: str,
        start_date: int | None = None,
        end_date: int | None = None,
        skip: int = 0,
        limit: int = 50,
        db: AsyncSession | None = None,
    ) -> list[str]:
        """Get distinct chat_ids that used a specific model."""

    async def delete_messages_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> bool: ...

    async def delete_message_ids_by_chat_id(
        self, chat_id: str, message_ids: set[str], db: AsyncSession | None = None
    ) -> bool:
        """Delete specific ``chat_message`` rows by their original message IDs."""

    async def get_analytics_summary(
        self,
        start_date: int | None = None,
        end_date: int | None = None,
        group_id: str | None = None,
        db: AsyncSession | None = None,
    ) -> dict[str, int]:
        """Return dashboard totals without materializing every model, user, and chat group."""

    async def get_message_count_by_model(
        self,
        start_date: int | None = None,
        end_date: int | None = None,
        group_id: str | None = None,
        db: AsyncSession | None = None,
    ) -> dict[str, int]: ...

    async def get_model_analytics(
        self,
        start_date: int | None = None,
        end_date: int | None = None,
        group_id: str | None = None,
        db: AsyncSession | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Count messages, distinct users, and chats per model in one pass."""

    async def get_token_usage_by_model(
        self,
        start_date: int | None = None,
        end_date: int | None = None,
        group_id: str | None = None,
        db: AsyncSession | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Aggregate token usage by model using database-level aggregation."""

    async def get_user_analytics(
        self,
        start_date: int | None = None,
        end_date: int | None = None,
        group_id: str | None = None,
        db: AsyncSession | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Aggregate all message counts and token usage per user in one pass."""

    async def get_user_usage_summary(
        self,
        user_id: str,
        start_date: int | None = None,
        end_date: int | None = None,
        include_active_days: bool = True,
        timezone: str | None = None,
        db: AsyncSession | None = None,
    ) -> dict[str, Any]: ...

    async def get_user_first_message_created_at(self, user_id: str, db: AsyncSession | None = None) -> int | None: ...

    async def get_user_daily_usage(
        self, user_id: str, start_date: int, end_date: int, timezone: str | None = None, db: AsyncSession | None = None
    ) -> list[dict[str, Any]]: ...

    async def get_user_top_models(
        self, user_id: str, start_date: int, end_date: int, limit: int = 5, db: AsyncSession | None = None
    ) -> list[dict[str, Any]]: ...

    async def get_user_top_tools(
        self, user_id: str, start_date: int, end_date: int, limit: int = 5, db: AsyncSession | None = None
    ) -> list[dict[str, Any]]: ...

    async def get_message_count_by_user(
        self,
        start_date: int | None = None,
        end_date: int | None = None,
        group_id: str | None = None,
        db: AsyncSession | None = None,
    ) -> dict[str, int]: ...

    async def get_message_count_by_chat(
        self,
        start_date: int | None = None,
        end_date: int | None = None,
        group_id: str | None = None,
        db: AsyncSession | None = None,
    ) -> dict[str, int]: ...

    async def get_usage_over_time_by_model(
        self,
        start_date: int | None = None,
        end_date: int | None = None,
        group_id: str | None = None,
        db: AsyncSession | None = None,
        granularity: str = "daily",
        metric: str = "messages",
        bucket_offset: int = 0,
    ) -> dict[str, dict[str, int]]:
        """Get message counts or total tokens grouped by time bucket and model."""


@runtime_checkable
class ISharedChatsRepo(Protocol):
    """What callers use of ``SharedChats``."""

    async def create(
        self, chat_id: str, user_id: str, db: AsyncSession | None = None, *, share_mode: ChatShareMode = None
    ) -> SharedChatModel | None:
        """Create a snapshot of the chat for link sharing."""

    async def update(
        self, share_id: str, form_data: ShareChatForm | None = None, db: AsyncSession | None = None
    ) -> SharedChatModel | None:
        """Re-snapshot: update the shared chat with the current state of the original chat."""

    async def set_share_mode(self, share_id: str, share_mode: ChatShareMode, db: AsyncSession | None = None) -> Any: ...

    async def get_by_id(self, share_id: str, db: AsyncSession | None = None) -> SharedChatModel | None:
        """Get a shared chat by its share token."""

    async def get_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> SharedChatModel | None:
        """Get the shared chat for a given original chat. Returns the most recent one."""

    async def get_by_user_id(
        self,
        user_id: str,
        filter: dict[str, Any] | None = None,
        skip: int = 0,
        limit: int = 50,
        db: AsyncSession | None = None,
    ) -> list[SharedChatResponse]:
        """List all shared chats created by a user."""

    async def delete_by_id(self, share_id: str, db: AsyncSession | None = None) -> bool:
        """Delete a shared chat by its share token."""

    async def delete_by_chat_id(self, chat_id: str, db: AsyncSession | None = None) -> bool:
        """Delete all shared chats for a given original chat."""

    async def delete_all_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """Delete all shared chats created by a user."""
