"""What is compared of each repository, and how; a test that compares more or less derives its own contract."""

from __future__ import annotations

from typing import Any

from openwebui_pocketbase.catalog import REPOSITORIES
from openwebui_pocketbase.host.binding import load
from tests.support.differential import Contract

__all__ = [
    "ACCESS",
    "AUTHS",
    "CHANNELS",
    "CONFIG",
    "FILES",
    "FOLDERS",
    "GROUPS",
    "MESSAGES",
    "MODELS",
    "MODEL_HISTORIES",
    "OAUTH_SESSIONS",
    "TAGS",
    "USERS",
    "ours",
]


def ours(*names: str) -> dict[str, type]:
    """Return our classes of repositories, by name, as a contract's ``bound`` wants them."""
    paths = {spec.name: spec.ours for spec in REPOSITORIES}
    return {name: load(paths[name]) for name in names}


def _contract(name: str, tables: str, *, bound: tuple[str, ...] = (), **more: Any) -> Contract:
    return Contract(name=name, tables=tuple(tables.split()), subject=ours(name)[name], bound=ours(*bound), **more)


_MEMBERSHIPS = {"group_member": frozenset({"id"})}
"""The stock class adds members in the order of a set."""

ACCESS = _contract("AccessGrants", "access_grant group_member group", bound=("Groups",), generated=_MEMBERSHIPS)
AUTHS = _contract("Auths", "user auth api_key", bound=("Users",))
CONFIG = _contract("Config", "config")
FILES = _contract(
    "Files",
    "file",
    all_of_user="get_files_by_user_id",
    ordered=frozenset(
        {
            "get_files_by_ids",
            "get_file_metadatas_by_ids",
            "get_file_list",
            "search_files",
            "get_pending_files_for_knowledge",
        }
    ),
)
FOLDERS = _contract(
    "Folders",
    "folder",
    all_of_user="get_folders_by_user_id",
    unordered=frozenset({"get_folder_ids_by_id_and_user_id_in_subtree", "get_shared_folder_ids_for_user"}),
    ordered=frozenset(
        {
            "get_folders_by_ids",
            "get_folders_by_parent_id_and_user_id",
            "get_children_folders_by_id_and_user_id",
            "delete_folder_by_id_and_user_id",
        }
    ),
)
CHANNELS = _contract(
    "Channels",
    "channel channel_member channel_file channel_webhook access_grant group_member group user",
    bound=("AccessGrants", "Groups", "Users"),
    generated=_MEMBERSHIPS,
)
GROUPS = _contract(
    "Groups",
    "group group_member access_grant",
    all_of_user="get_groups_by_member_id",
    generated=_MEMBERSHIPS,
    ordered=frozenset({"get_all_groups", "get_groups", "search_groups", "get_groups_by_member_ids"}),
)
MESSAGES = _contract(
    "Messages",
    "message message_reaction channel_member channel_webhook user",
    bound=("Channels", "Users"),
    ordered=frozenset(
        {
            "get_messages_by_channel_id",
            "get_messages_by_parent_id",
            "get_thread_replies_by_message_id",
            "get_pinned_messages_by_channel_id",
            "search_messages_by_channel_ids",
        }
    ),
)
MODELS = _contract(
    "Models",
    "model model_history access_grant group_member group user",
    bound=("ModelHistories", "AccessGrants", "Groups", "Users"),
    generated=_MEMBERSHIPS,
    ordered=frozenset({"search_models"}),
)
MODEL_HISTORIES = _contract(
    "ModelHistories",
    "model model_history access_grant user",
    bound=("Models", "AccessGrants", "Groups", "Users"),
    ordered=frozenset({"get_history_by_model_id"}),
)
OAUTH_SESSIONS = _contract(
    "OAuthSessions",
    "oauth_session",
    generated={"oauth_session": frozenset({"token"})},  # no two encryptions are equal
    ordered=frozenset({"get_session_by_provider_and_user_id"}),
)
TAGS = _contract("Tags", "tag", all_of_user="get_tags_by_user_id")
USERS = _contract("Users", "user api_key", ordered=frozenset({"get_first_user"}))
