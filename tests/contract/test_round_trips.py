"""One call of a repository is one request to PocketBase, or none where the stock method asks nothing either."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from open_webui.models import (
    auths,
    channels,
    chat_messages,
    chats,
    groups,
    messages,
    oauth_sessions,
    shared_chats,
    users,
)
from open_webui.models.auths import AuthModel, MfaData
from open_webui.models.channels import ChannelWebhookForm, CreateChannelForm
from open_webui.models.chats import ChatForm, ChatImportForm
from open_webui.models.config import Config
from open_webui.models.files import FileForm, FileUpdateForm
from open_webui.models.folders import FolderForm, FolderUpdateForm
from open_webui.models.groups import GroupForm, GroupUpdateForm
from open_webui.models.messages import MessageForm
from open_webui.models.users import UserStatus
from open_webui.utils import apps

from openwebui_pocketbase.catalog import REPOSITORIES, spec_of
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.host.binding import bind, storing_methods
from openwebui_pocketbase.repositories.access import PocketBaseAccessGrants
from openwebui_pocketbase.repositories.config import PocketBaseConfig
from openwebui_pocketbase.repositories.files import PocketBaseFiles
from openwebui_pocketbase.repositories.folders import PocketBaseFolders
from openwebui_pocketbase.repositories.groups import PocketBaseGroups
from openwebui_pocketbase.repositories.tags import PocketBaseTags
from tests.support.differential import clear, public_methods
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import sqlite_database

OURS = {spec.name: spec.ours for spec in REPOSITORIES}


async def _verify(_hash: str) -> bool:
    return True


TAGS: list[tuple[Any, ...]] = [
    (1, "insert_new_tag", "a", "u1"),
    (1, "insert_new_tag", "a", "u1"),
    (1, "ensure_tags_exist", ["a", "b", "c"], "u1"),
    (1, "ensure_tags_exist", ["a", "b", "c"], "u1"),
    (0, "ensure_tags_exist", [], "u1"),
    (1, "get_tag_by_name_and_user_id", "a", "u1"),
    (1, "get_tag_by_name_and_user_id", "x", "u1"),
    (1, "get_tags_by_user_id", "u1"),
    (1, "get_tags_by_ids_and_user_id", ["a", "b"], "u1"),
    (1, "get_tags_by_ids_and_user_id", [], "u1"),
    (1, "delete_tag_by_name_and_user_id", "a", "u1"),
    (1, "delete_tag_by_name_and_user_id", "a", "u1"),
    (1, "delete_tags_by_ids_and_user_id", ["b", "c"], "u1"),
    (0, "delete_tags_by_ids_and_user_id", [], "u1"),
]

CONFIG: list[tuple[Any, ...]] = [
    (1, "upsert", {"a": 1, "web.b": [2]}),
    (0, "upsert", {}),
    (1, "get", "a"),
    (1, "get_many", "a", "web.b", "x"),
    (1, "get_namespace", "web"),
    (1, "get_all"),
    (1, "delete", "a"),
    (1, "seed_defaults", {"web.b": 1}),
    (2, "seed_defaults", {"c": 1, "d": 2}),
    (2, "rename_prefix", "web", "net"),
    (1, "rename_prefix", "web", "net"),
    (1, "repair_config_rows"),
    (1, "clear"),
]

FOLDERS: list[tuple[Any, ...]] = [
    (1, "insert_new_folder", "u1", FolderForm(name="b"), "id of a"),
    (1, "get_folder_by_id", "id of a"),
    (1, "get_folder_by_id", "x"),
    (1, "get_folder_by_id_and_user_id", "id of a", "u1"),
    (1, "get_folders_by_ids", ["id of a", "x"]),
    (1, "get_folders_by_ids", []),
    (1, "get_shared_folder_ids_for_user", "u1", {"g1"}),
    (1, "get_children_folders_by_id_and_user_id", "id of a", "u1"),
    (1, "get_children_folders_by_id_and_user_id", "x", "u1"),
    (1, "get_folders_by_user_id", "u1"),
    (1, "get_folder_by_parent_id_and_user_id_and_name", None, "u1", "a"),
    (1, "get_folders_by_parent_id_and_user_id", "id of a", "u1"),
    (1, "get_folder_ids_by_id_and_user_id_in_subtree", "id of a", "u1"),
    (1, "update_folder_parent_id_by_id_and_user_id", "id of a", "u1", None),
    (1, "update_folder_by_id_and_user_id", "id of a", "u1", FolderUpdateForm(name="c", data={"a": 1})),
    (1, "update_folder_by_id_and_user_id", "x", "u1", FolderUpdateForm(name="c")),
    (1, "update_folder_is_expanded_by_id_and_user_id", "id of a", "u1", True),
    (1, "search_folders_by_names", "u1", ["c", "b"]),
    (0, "search_folders_by_names", "u1", []),
    (1, "search_folders_by_name_contains", "u1", "c"),
    (1, "delete_folder_by_id_and_user_id", "id of a", "u1"),
    (1, "delete_folder_by_id_and_user_id", "id of a", "u1"),
    (0, "normalize_folder_name", "a"),
]

DB = {"db": None}
"""Keyword arguments of methods whose caller owns the SQL transaction."""

INHERITED = {"include_inherited": True}
"""Keyword arguments of methods that look at groups."""

USERS: list[tuple[Any, ...]] = [
    (1, "insert_new_user", "new-user", "n", "n@x"),
    (1, "get_user_by_id", "id of a"),
    (1, "get_user_by_id", "x"),
    (1, "get_user_by_api_key", "k"),
    (1, "get_user_by_email", "a@x"),
    (1, "get_user_by_oauth_sub", "p", "1"),
    (1, "get_user_by_scim_external_id", "p", "1"),
    (1, "get_scim_users", {"email": "a@x"}, {"order_by": "created_at"}, 0, 5),
    (1, "get_scim_user_by_id", "id of a"),
    (1, "get_users"),
    (1, "get_users", {"query": "n", "roles": ["!x"], "channel_id": "c"}, {"order_by": "name"}, 1, 5),
    (1, "get_users", {"group_ids": ["g"]}, {"order_by": "group_id:g"}, 1, 5),
    (0, "get_users", {"user_ids": [], "group_ids": []}),
    (1, "get_users_by_group_id", "g"),
    (1, "get_users_by_user_ids", ["id of a"]),
    (1, "get_num_users"),
    (1, "has_users"),
    (1, "get_first_user"),
    (1, "get_num_users_active_today"),
    (1, "update_user_role_by_id", "id of a", "admin"),
    (1, "update_user_status_by_id", "id of a", UserStatus(status_emoji="x")),
    (1, "update_user_profile_image_url_by_id", "id of a", ""),
    (1, "update_last_active_by_id", "id of a"),
    (0, "update_last_active_by_id", "id of a"),
    (1, "update_user_oauth_by_id", "id of a", "p", "1"),
    (1, "update_user_scim_by_id", "id of a", "p", "1"),
    (1, "update_user_scim_by_id", "id of a", "p", "1"),
    (1, "update_user_by_id", "id of a", {"email": "b@x"}),
    (1, "update_user_settings_by_id", "id of a", {"ui": {"a": 1}}),
    (1, "get_user_api_key_by_id", "id of a"),
    (1, "update_user_api_key_by_id", "id of a", "k"),
    (1, "delete_user_api_key_by_id", "id of a"),
    (1, "get_valid_user_ids", ["id of a"]),
    (1, "get_super_admin_user"),
    (1, "get_active_user_count"),
    (1, "is_user_active", "id of a"),
    (1, "delete_user_by_id", "new-user"),
]

AUTHS: list[tuple[Any, ...]] = [
    (1, "insert_new_auth", "d@x", "hash", "d"),
    (1, "get_auth_by_id", "id of a"),
    (1, "authenticate_user", "b@x", _verify),
    (1, "authenticate_user", "x", _verify),
    (1, "authenticate_user_by_api_key", "k"),
    (0, "authenticate_user_by_api_key", ""),
    (1, "authenticate_user_by_email", "b@x"),
    (1, "update_mfa_by_id", AuthModel(id="id", email="", password=""), MfaData(), DB),
    (1, "revoke_sessions_by_user_id", "id of a", DB),
    (1, "revoke_all_sessions", DB),
    (1, "update_email_by_id", "id of a", "c@x"),
    (1, "update_user_password_by_id", "id of a", "hash"),
    (1, "delete_auth_by_id", "id of a"),
]

OAUTH_SESSIONS: list[tuple[Any, ...]] = [
    (1, "create_session", "u1", "p", {"a": 1}),
    (1, "get_session_by_id", "x"),
    (1, "get_session_by_id_and_user_id", "x", "u1"),
    (1, "get_session_by_provider_and_user_id", "p", "u1"),
    (1, "get_sessions_by_user_id", "u1"),
    (1, "update_session_by_id", "x", {"a": 1}),
    (1, "delete_session_by_id", "x"),
    (1, "delete_sessions_by_user_id", "u1"),
    (1, "delete_sessions_by_user_id_and_provider", "u1", "p"),
    (1, "delete_sessions_by_provider", "p"),
]

GROUPS: list[tuple[Any, ...]] = [
    (1, "insert_new_group", "u1", GroupForm(name="b", description="", parent_group_id="id of a")),
    (1, "get_all_groups"),
    (1, "get_group_by_name", "a"),
    (1, "get_groups", {"query": "a", "share": True, "member_id": "u1"}),
    (1, "search_groups", {"query": "a", "member_id": "u1"}),
    (1, "add_users_to_group", "id of a", ["u1", "u2"]),
    (1, "get_groups_by_member_id", "u1"),
    (1, "get_groups_by_member_ids", ["u1", "u2"], INHERITED),
    (0, "get_groups_by_member_ids", []),
    (1, "get_ancestor_ids", "id of a"),
    (1, "get_group_by_id", "id of a"),
    (1, "get_group_by_id", "x"),
    (1, "get_group_user_ids_by_id", "id of a"),
    (1, "get_group_user_ids_by_ids", ["id of a"], INHERITED),
    (0, "get_group_user_ids_by_ids", []),
    (1, "get_group_member_count_by_id", "id of a"),
    (1, "get_group_member_counts_by_ids", ["id of a"], INHERITED),
    (0, "get_group_member_counts_by_ids", []),
    (1, "set_group_user_ids_by_id", "id of a", ["u2", "u3"]),
    (1, "remove_users_from_group", "id of a", ["u2"]),
    (1, "update_group_by_id", "id of a", GroupUpdateForm(name="a", description="", permissions={"a": 1})),
    (1, "create_groups_by_group_names", "u1", ["a", "c", "d"]),
    (0, "create_groups_by_group_names", "u1", []),
    (1, "sync_groups_by_group_names", "u1", ["a", "c", "d"]),
    (1, "remove_user_from_all_groups", "u1"),
    (1, "delete_group_by_id", "id of a"),
    (1, "delete_all_groups"),
]

GRANT = {"principal_type": "user", "principal_id": "u1", "permission": "read"}

ACCESS: list[tuple[Any, ...]] = [
    (1, "grant_access", "model", "m", "user", "u1", "read"),
    (1, "revoke_access", "model", "m", "user", "u1", "read"),
    (1, "set_access_control", "model", "m", {"read": {"group_ids": ["g"], "user_ids": ["u1"]}}),
    (1, "set_access_grants", "model", "m", [GRANT, {**GRANT, "permission": "write"}]),
    (1, "replace_access_grants", None, "model", "m", [GRANT]),
    (1, "get_access_control", "model", "m"),
    (1, "get_grants_by_resource", "model", "m"),
    (1, "get_grants_by_resources", "model", ["m", "n"]),
    (0, "get_grants_by_resources", "model", []),
    (1, "has_anyone_access", "model", "m"),
    (1, "has_access", "u1", "model", "m"),
    (1, "has_access", "u1", "model", "m", "write", {"g"}),
    (1, "get_accessible_resource_ids", "u1", "model", ["m", "n"]),
    (1, "get_accessible_resource_ids", "u1", "model", ["m", "n"], "write", {"g"}),
    (0, "get_accessible_resource_ids", "u1", "model", []),
    (1, "get_users_with_access", "model", "m"),
    (0, "get_user_ids_by_access_grants", []),
    (1, "get_revoked_user_ids_by_resource", "model", "m", []),
    (1, "revoke_all_access", "model", "m"),
]

CHAT = "c0000000-0000-4000-8000-000000000001"
MESSAGE: dict[str, Any] = {
    "id": "a",
    "parentId": None,
    "childrenIds": [],
    "role": "user",
    "content": "x",
    "timestamp": 1,
}
BODY = {"title": "t", "history": {"messages": {"a": MESSAGE}, "currentId": "a"}}
REPLY = {"message_id": "reply", "model_id": "m"}
SOMEBODY = SimpleNamespace(id="u1", name="n", role="user")

# What changes a message or the body reads first, unless the process has just written them: a second request.
CHATS: list[tuple[Any, ...]] = [
    (1, "insert_new_chat", CHAT, "u1", ChatForm(chat=BODY)),
    (1, "import_chats", "u1", [ChatImportForm(chat=BODY), ChatImportForm(chat=BODY)]),
    (1, "get_chat_by_id", CHAT),
    (1, "get_chat_by_id", "x"),
    (1, "get_chat_by_id_and_user_id", CHAT, "u1"),
    (1, "get_accessible_chat_by_id", CHAT, SOMEBODY),
    (1, "is_chat_owner", CHAT, "u1"),
    (1, "get_chat_folder_id", CHAT, "u1"),
    (1, "get_chat_title_by_id", CHAT),
    (1, "get_chat_tasks_by_id", CHAT),
    (1, "get_message_by_id_and_message_id", CHAT, "a"),
    (1, "get_message_by_id_and_message_id", CHAT, "x"),
    (1, "get_message_metadata", CHAT, "a", "files"),
    (1, "get_messages_map_by_chat_id", CHAT),
    (1, "update_chat_by_id", CHAT, {"params": {}}),
    (2, "update_chat_by_id", CHAT, BODY),
    (2, "update_chat_params_by_id", CHAT, {"a": 1}),
    (1, "update_chat_title_by_id", CHAT, "title"),
    (2, "upsert_message_to_chat_by_id_and_message_id", CHAT, "a", {"content": "y"}),
    (1, "add_message_status_to_chat_by_id_and_message_id", CHAT, "a", {"done": True}),
    (1, "add_message_files_by_id_and_message_id", CHAT, "a", [{"id": "f"}]),
    (2, "insert_chat_turn", CHAT, SOMEBODY, {"id": "b", "parentId": "a", "content": "z"}, [REPLY]),
    (2, "delete_message_from_chat_by_id_and_message_id", CHAT, "b"),
    (1, "update_chat_variables_by_id", CHAT, {"a": 1}),
    (1, "update_chat_last_read_at_by_id", CHAT, "u1"),
    (1, "mark_chat_unread_by_id", CHAT, "u1"),
    (1, "mark_chats_read_by_folder_ids", "u1", ["f"]),
    (0, "mark_chats_read_by_folder_ids", "u1", []),
    (1, "mark_chats_read_by_user_id", "u1"),
    (1, "toggle_chat_pinned_by_id", CHAT),
    (1, "toggle_chat_archive_by_id", CHAT),
    (1, "archive_all_chats_by_user_id", "u1"),
    (1, "unarchive_all_chats_by_user_id", "u1"),
    (1, "update_chat_folder_id_by_id_and_user_id", CHAT, "u1", "f"),
    (1, "move_chats_by_folder_id", "f", "g"),
    (1, "update_chat_share_id_by_id", CHAT, None),
    (1, "update_chat_tasks_by_id", CHAT, [{"a": 1}]),
    (1, "update_chat_tags_by_id", CHAT, ["a", "b"], SOMEBODY),
    (1, "update_chat_tags_by_id", CHAT, ["b", "c"], SOMEBODY),
    (1, "add_chat_tag_by_id_and_user_id_and_tag_name", CHAT, "u1", "d"),
    (1, "delete_tag_by_id_and_user_id_and_tag_name", CHAT, "u1", "d"),
    (1, "delete_orphan_tags_for_user", ["d"], "u1"),
    (0, "delete_orphan_tags_for_user", [], "u1"),
    (1, "get_chat_tags_by_id_and_user_id", CHAT, "u1"),
    (1, "get_chat_list_by_user_id_and_tag_name", "u1", "b"),
    (1, "count_chats_by_tag_name_and_user_id", "b", "u1"),
    (1, "count_chats_by_tag_ids_and_user_id", [f"tag {number}" for number in range(30)], "u1"),
    (0, "count_chats_by_tag_ids_and_user_id", [], "u1"),
    (1, "get_chat_title_id_list_by_user_id", "u1"),
    (1, "get_chat_list_by_user_id", "u1", True, {"query": "t", "order_by": "title", "direction": "asc"}),
    (1, "get_archived_chat_list_by_user_id", "u1"),
    (1, "get_pinned_chats_by_user_id", "u1"),
    (1, "get_chats_by_folder_id_and_user_id", "g", "u1"),
    (1, "get_all_chats_by_folder_id", "g"),
    (1, "get_chats"),
    (1, "get_chats_by_user_id", "u1"),
    (1, "get_chats_by_user_id_and_search_text", "u1", "title"),
    (1, "get_chats_by_user_id_and_search_text", "u1", ""),
    (1, "get_archived_chats_by_user_id", "u1"),
    (1, "get_chats_by_folder_ids_and_user_id", ["g"], "u1"),
    (1, "get_chat_list_by_chat_ids", [CHAT]),
    (1, "get_internal_chat_ids_by_parent_id", CHAT, "u1"),
    (1, "get_internal_chat_by_note_id", "n", "u1"),
    (1, "get_internal_chats_by_note_id", "n", "u1"),
    (1, "get_chat_metas_by_chat_ids", [CHAT]),
    (1, "get_owner_ids_by_chat_ids", [CHAT]),
    (0, "get_owner_ids_by_chat_ids", []),
    (1, "get_participant_ids_by_chat_ids", [CHAT]),
    (0, "get_participant_ids_by_chat_ids", []),
    (1, "get_user_usage_chat_stats", "u1"),
    (1, "get_chats_by_model_id", "m", {"order_by": "user_name"}),
    (1, "count_archived_chats_by_user_id", "u1"),
    (1, "count_chats_by_folder_id_and_user_id", "g", "u1"),
    (1, "count_chats_by_folder_ids_and_user_id", ["g"], "u1"),
    (0, "count_chats_by_folder_ids_and_user_id", [], "u1"),
    (1, "count_all_chats_by_folder_id", "g"),
    (1, "count_unread_by_folder_ids", "u1", ["g"]),
    (0, "count_unread_by_folder_ids", "u1", []),
    (1, "insert_shared_chat_by_chat_id", CHAT),
    (1, "update_shared_chat_by_chat_id", CHAT),
    (1, "get_chat_by_share_id", "s"),
    (1, "get_shared_chat_list_by_user_id", "u1"),
    (1, "delete_shared_chat_by_chat_id", CHAT),
    (1, "delete_shared_chats_by_user_id", "u1"),
    (1, "insert_chat_files", CHAT, "a", ["no file"], "u1"),
    (0, "insert_chat_files", CHAT, "a", [], "u1"),
    (1, "get_chat_files_by_chat_id_and_message_id", CHAT, "a"),
    (1, "delete_chat_file", CHAT, "f"),
    (1, "get_shared_chat_ids_by_file_id", "f"),
    (1, "backfill_messages_by_chat_id", CHAT, "u1", {"a": {"role": "user"}}),
    (0, "filter_task_ids_by_user_id", None, "u1", []),
    (1, "delete_chat_by_id_and_user_id", CHAT, "u2"),
    (1, "delete_chat_by_id", CHAT),
    (2, "delete_chats_by_user_id_and_folder_id", "u1", "g"),  # a job deletes the messages
    (3, "delete_chats_by_user_id", "u1"),
]


SHARED_CHATS: list[tuple[Any, ...]] = [
    (1, "create", CHAT, "u1"),
    (1, "update", CHAT),
    (1, "set_share_mode", CHAT, None),
    (1, "get_by_id", CHAT),
    (1, "get_by_chat_id", CHAT),
    (1, "get_by_user_id", "u1", {"query": "a"}),
    (1, "delete_by_id", CHAT),
    (1, "delete_by_chat_id", CHAT),
    (1, "delete_all_by_user_id", "u1"),
]

CHAT_MESSAGES: list[tuple[Any, ...]] = [
    (2, "upsert_message", "b", CHAT, "u1", {"role": "assistant", "content": "x", "done": False, "model": "m"}),
    (1, "upsert_message", "b", CHAT, "u1", {"content": "y"}),
    (2, "upsert_messages", CHAT, "u1", {str(number): MESSAGE for number in range(20)}),
    (0, "upsert_messages", CHAT, "u1", {}),
    (1, "get_message_by_id", f"{CHAT}-b"),
    (1, "has_unfinished_assistant_by_chat_id", CHAT),
    (1, "get_messages_by_chat_id", CHAT),
    (1, "get_messages_map_by_chat_id", CHAT),
    (1, "get_messages_by_user_id", "u1"),
    (1, "get_messages_by_model_id", "m"),
    (1, "get_chat_ids_by_model_id", "m"),
    (1, "get_analytics_summary", 1, 2, "g"),
    (1, "get_message_count_by_model", 1, 2, "g"),
    (1, "get_model_analytics", 1, 2, "g"),
    (1, "get_token_usage_by_model", 1, 2, "g"),
    (1, "get_user_analytics", 1, 2, "g"),
    (1, "get_user_usage_summary", "u1"),
    (1, "get_user_first_message_created_at", "u1"),
    (1, "get_user_daily_usage", "u1", 1, 2),
    (1, "get_user_top_models", "u1", 1, 2),
    (1, "get_user_top_tools", "u1", 1, 2),
    (1, "get_message_count_by_user", 1, 2, "g"),
    (1, "get_message_count_by_chat", 1, 2, "g"),
    (1, "get_usage_over_time_by_model", 1, 2, "g"),
    (1, "delete_message_ids_by_chat_id", CHAT, ["0", "1"]),
    (0, "delete_message_ids_by_chat_id", CHAT, []),
    (3, "delete_messages_by_chat_id", CHAT),
]


FILES: list[tuple[Any, ...]] = [
    (1, "insert_new_file", "u1", FileForm(id="f", filename="a", path="")),
    (1, "get_file_by_id", "f"),
    (1, "get_file_by_id_and_user_id", "f", "u1"),
    (1, "get_file_metadata_by_id", "f"),
    (1, "get_files"),
    (1, "count_files_by_user_id", "u1"),
    (1, "check_access_by_user_id", "f", "u1"),
    (1, "get_files_by_ids", ["f"]),
    (1, "get_file_metadatas_by_ids", ["f"]),
    (1, "get_files_by_user_id", "u1"),
    (1, "get_file_list", "u1"),
    (1, "search_files", "u1", "*"),
    (1, "update_file_by_id", "f", FileUpdateForm(hash="h")),
    (1, "update_file_hash_by_id", "f", "h"),
    (1, "update_file_data_by_id", "f", {"status": "pending", "content": "text"}),
    (1, "update_file_metadata_by_id", "f", {"data": {"knowledge_id": "k"}}),
    (1, "update_file_name_by_id", "f", "b"),
    (1, "get_pending_files_for_knowledge", "k"),
    (1, "delete_file_by_id", "f"),
    (1, "delete_all_files"),
]

CHANNEL_FORM = CreateChannelForm(name="C", access_grants=[GRANT])
HOOK = ChannelWebhookForm(name="h")

CHANNELS: list[tuple[Any, ...]] = [
    (1, "insert_new_channel", CHANNEL_FORM, "u1"),
    (1, "get_channels"),
    (1, "get_channels_by_user_id", "u1"),
    (1, "get_channel_by_id", "id of a"),
    (1, "get_channel_by_id", "x"),
    (1, "get_channel_by_id_and_user_id", "id of a", "u1"),
    (1, "get_dm_channel_by_user_ids", ["u1", "u2"]),
    (1, "update_channel_by_id", "id of a", CHANNEL_FORM),
    (1, "join_channel", "id of a", "u1"),
    (1, "join_channel", "id of a", "u1"),
    (1, "add_members_to_channel", "id of a", "u1", ["u2"]),
    (2, "add_members_to_channel", "id of a", "u1", ["u2"], ["g"]),  # the members of the group are asked for first
    (1, "leave_channel", "id of a", "u2"),
    (1, "pin_channel", "id of a", "u2", True),
    (1, "update_member_mute_status", "id of a", "u3", True),
    (1, "update_member_last_read_at", "id of a", "u2"),
    (1, "update_member_active_status", "id of a", "u2", True),
    (1, "get_member_by_channel_and_user_id", "id of a", "u2"),
    (1, "get_members_by_channel_id", "id of a"),
    (1, "is_user_channel_manager", "id of a", "u2"),
    (1, "is_user_channel_member", "id of a", "u2"),
    (1, "is_app_channel_member", "id of a", "app"),
    (1, "remove_members_from_channel", "id of a", ["u2"]),
    (1, "add_file_to_channel_by_id", "id of a", "f", "u1"),
    (1, "add_file_to_channel_by_id", "id of a", "f", "u1"),
    (1, "set_file_message_id_in_channel_by_id", "id of a", "f", "m"),
    (1, "get_channels_by_file_id", "f"),
    (1, "get_channels_by_file_id_and_user_id", "f", "u1"),
    (1, "remove_file_from_channel_by_id", "id of a", "f"),
    (1, "insert_webhook", "id of a", "u1", HOOK),
    (1, "get_webhooks_by_channel_id", "id of a"),
    (1, "get_webhook_by_id", "w"),
    (1, "get_webhook_by_id_and_token", "w", "t"),
    (1, "update_webhook_by_id", "w", HOOK),
    (1, "update_webhook_last_used_at", "w"),
    (1, "delete_webhook_by_id", "w"),
    (1, "delete_channel_by_id", "id of a"),
]


MESSAGE_FORM = MessageForm(content="text", data={"files": []})
MESSAGES: list[tuple[Any, ...]] = [
    (1, "insert_new_message", MESSAGE_FORM, "c", "u1"),
    (1, "insert_new_app_message", "app", "c", MESSAGE_FORM),
    (1, "update_app_message_by_id", "id of a", "app", 1, MESSAGE_FORM),
    (1, "get_message_by_id", "id of a"),
    (1, "get_message_by_id", "id of a", False),
    (1, "get_message_by_id", "x"),
    (1, "update_message_by_id", "id of a", MESSAGE_FORM),
    (1, "update_is_pinned_by_id", "id of a", True, "u1"),
    (1, "get_messages_by_channel_id", "c"),
    (1, "get_messages_by_parent_id", "c", "id of a"),
    (1, "get_thread_replies_by_message_id", "id of a"),
    (1, "get_reply_user_ids_by_message_id", "id of a"),
    (1, "get_thread_reply_counts_by_message_ids", ["id of a"]),
    (0, "get_thread_reply_counts_by_message_ids", []),
    (1, "get_last_message_by_channel_id", "c"),
    (1, "get_pinned_messages_by_channel_id", "c"),
    (1, "get_unread_message_count", "c", "u1"),
    (1, "add_reaction_to_message", "id of a", "u1", "ok"),
    (1, "add_reaction_to_message", "id of a", "u1", "ok"),
    (1, "get_reactions_by_message_id", "id of a"),
    (1, "get_reactions_by_message_ids", ["id of a"]),
    (0, "get_reactions_by_message_ids", []),
    (1, "search_messages_by_channel_ids", ["c"], "text"),
    (1, "remove_reaction_by_id_and_user_id_and_name", "id of a", "u1", "ok"),
    (1, "delete_reactions_by_id", "id of a"),
    (1, "delete_replies_by_id", "id of a"),
    (1, "delete_message_by_id", "id of a"),
    (1, "delete_message_by_id", "id of a"),
]


@pytest.fixture
async def client(pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseClient]:
    client = pocketbase.client()
    for table in ("tag", "folder"):
        await clear(client, table)  # and signs in
    yield client
    await client.aclose()


async def measure(repository: Any, calls: list[tuple[Any, ...]], requests: list[bytes]) -> list[tuple[Any, ...]]:
    counted = []
    for _, method, *args in calls:
        requests.clear()
        keywords = args[-1] if args and any(args[-1] is known for known in (DB, INHERITED)) else {}
        result = getattr(repository, method)(*args[: len(args) - len(keywords)], **keywords)
        if method != "normalize_folder_name":
            await result
        counted.append((len(requests), method, *args))
    return counted


def with_id(calls: list[tuple[Any, ...]], key: str) -> list[tuple[Any, ...]]:
    """Put the id of what was made in the place of its name."""

    def put(item: Any) -> Any:
        if isinstance(item, GroupForm):
            return item.model_copy(update={"parent_group_id": key}) if item.parent_group_id else item
        return [key] if item == ["id of a"] else key if item == "id of a" else item

    return [tuple(put(item) for item in call) for call in calls]


async def test_tags(client: PocketBaseClient, requests: list[bytes]) -> None:
    tags = PocketBaseTags()
    tags.pocketbase = client
    assert await measure(tags, TAGS, requests) == TAGS


async def test_config(client: PocketBaseClient, requests: list[bytes]) -> None:
    """Of what runs by itself: in a request that has asked for anything, reads need none."""
    ours = PocketBaseConfig()
    ours.pocketbase = client
    assert await measure(ours, CONFIG, requests) == CONFIG
    assert {method for _, method, *_ in CONFIG} == {*storing_methods(Config)}


async def test_folders(client: PocketBaseClient, requests: list[bytes], tmp_path: Path) -> None:
    folders = PocketBaseFolders()
    folders.pocketbase = client
    requests.clear()
    parent = await folders.insert_new_folder("u1", FolderForm(name="a"))
    assert parent is not None
    assert len(requests) == 1
    calls = [tuple(parent.id if item == "id of a" else item for item in call) for call in FOLDERS]
    database = sqlite_database(tmp_path)
    try:
        with database.active():
            assert await measure(folders, calls, requests) == calls
    finally:
        await database.close()


async def test_files(client: PocketBaseClient, requests: list[bytes], tmp_path: Path) -> None:
    await clear(client, "file")
    files = PocketBaseFiles()
    files.pocketbase = client
    database = sqlite_database(tmp_path)
    try:
        with database.active():
            assert await measure(files, FILES, requests) == FILES
    finally:
        await database.close()


async def test_users_auths_and_oauth_sessions(
    client: PocketBaseClient, requests: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_sockets(_user_ids: Any) -> None:
        pass

    monkeypatch.setattr(groups, "refresh_group_sessions", no_sockets)
    await clear(client, "user", "auth", "api_key", "oauth_session")
    database = sqlite_database(tmp_path)
    undo = [
        bind(
            import_module(path),
            name,
            f"openwebui_pocketbase.repositories.{module}:{replacement}",
            {"pocketbase": client},
        )
        for path, name, module, replacement in [
            ("open_webui.models.users", "Users", "users.users", "PocketBaseUsers"),
            ("open_webui.models.auths", "Auths", "users.auths", "PocketBaseAuths"),
            ("open_webui.models.oauth_sessions", "OAuthSessions", "users.oauth_sessions", "PocketBaseOAuthSessions"),
        ]
    ]
    try:
        with database.active():
            user = await auths.Auths.insert_new_auth("a@x", "hash", "a")
            for repository, counted in [
                (users.Users, USERS),
                (auths.Auths, AUTHS),
                (oauth_sessions.OAuthSessions, OAUTH_SESSIONS),
            ]:
                calls = [tuple(user.id if item == "id of a" else item for item in call) for call in counted]
                assert await measure(repository, calls, requests) == calls
    finally:
        for each in undo:
            each()
        await database.close()


async def test_chats(client: PocketBaseClient, requests: list[bytes], tmp_path: Path, may_create_chats: None) -> None:
    await clear(client, "chat", "chat_message", "shared_chat", "chat_file")
    database = sqlite_database(tmp_path)
    path = "openwebui_pocketbase.repositories"
    undo = [
        bind(
            import_module(f"open_webui.models.{module}"),
            name,
            f"{path}.chats:PocketBase{name}",
            {"pocketbase": client},
        )
        for module, name in [("chats", "Chats"), ("chat_messages", "ChatMessages"), ("shared_chats", "SharedChats")]
    ]
    try:
        with database.active():
            assert await measure(chats.Chats, CHATS, requests) == CHATS
            assert await measure(chat_messages.ChatMessages, CHAT_MESSAGES, requests) == CHAT_MESSAGES
            assert await measure(shared_chats.SharedChats, SHARED_CHATS, requests) == SHARED_CHATS
    finally:
        for each in undo:
            each()
        await database.close()


async def test_channels(client: PocketBaseClient, requests: list[bytes], tmp_path: Path) -> None:
    database = sqlite_database(tmp_path)
    undo = [
        bind(import_module(spec_of(name).module), name, OURS[name], {"pocketbase": client})
        for name in ("Channels", "AccessGrants", "Groups", "Users")
    ]
    try:
        await clear(client, "channel", "channel_member", "channel_file", "channel_webhook")
        with database.active():
            channel = await channels.Channels.insert_new_channel(CHANNEL_FORM, "u1")
            calls = with_id(CHANNELS, channel.id)
            assert await measure(channels.Channels, calls, requests) == calls
    finally:
        for each in undo:
            each()
        await database.close()


async def test_messages(
    client: PocketBaseClient, requests: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_apps(_message: Any, _kind: str) -> None:
        pass

    monkeypatch.setattr(apps, "publish_app_message_event", no_apps)
    database = sqlite_database(tmp_path)
    undo = [
        bind(import_module(spec_of(name).module), name, OURS[name], {"pocketbase": client})
        for name in ("Channels", "Messages", "Users")
    ]
    try:
        with database.active():
            message = await messages.Messages.insert_new_message(MESSAGE_FORM, "c", "u1")
            calls = with_id(MESSAGES, message.id)
            assert await measure(messages.Messages, calls, requests) == calls
            assert {method for _, method, *_ in MESSAGES} == public_methods("Messages")
    finally:
        for each in undo:
            each()
        await database.close()


async def test_groups_and_access(
    client: PocketBaseClient, requests: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_sockets(_user_ids: Any) -> None:
        pass

    monkeypatch.setattr(groups, "refresh_group_sessions", no_sockets)
    await clear(client, "group", "group_member", "access_grant")
    ours, grants = PocketBaseGroups(), PocketBaseAccessGrants()
    ours.pocketbase = grants.pocketbase = client
    group = await ours.insert_new_group("u1", GroupForm(name="a", description=""))
    assert group
    calls = with_id(GROUPS, group.id)
    assert await measure(ours, calls, requests) == calls
    database = sqlite_database(tmp_path)
    try:
        with database.active():
            assert await measure(grants, ACCESS, requests) == ACCESS
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("Tags", TAGS),
        ("Files", FILES),
        ("Folders", FOLDERS),
        ("Users", USERS),
        ("Auths", AUTHS),
        ("OAuthSessions", OAUTH_SESSIONS),
        ("Groups", GROUPS),
        ("Chats", CHATS),
        ("ChatMessages", CHAT_MESSAGES),
        ("SharedChats", SHARED_CHATS),
        ("AccessGrants", ACCESS),
        ("Channels", CHANNELS),
    ],
)
def test_every_method_is_counted(name: str, calls: list[tuple[Any, ...]]) -> None:
    # Static or without I/O, and inherited; the last is a context manager.
    pure = {"is_active", "clear_mfa_challenges", "has_permission_filter", "get_current_message_id", "merge_history"}
    pure |= {"get_unresolved_parent_ids", "delete_message_from_history", "upsert_message_to_history"}
    pure |= {"require_chat_creation_permission", "edit_message_output", "DB_TO_JSON_KEY_MAP", "EXCLUDED_COLUMNS"}
    assert {method for _, method, *_ in calls} == public_methods(name) - pure
