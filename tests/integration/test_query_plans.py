"""SQLite answers every read by an index: no read of one user's rows looks at those of all."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from openwebui_pocketbase.schema.tables import TABLES
from tests.support.hooks import methods, run_node

if TYPE_CHECKING:
    from openwebui_pocketbase.client import AdminClient
    from tests.support.pocketbase import PocketBaseProcess

COLLECTIONS = [table.collection for table in TABLES.values()]

LOAD = """
globalThis.$app = { store: () => ({ get: () => "run" }) };
const [samples, all] = JSON.parse(process.argv[2]);
const statements = {};
for (const [group, { reads }] of Object.entries(require(process.argv[1]))) {
  for (const [name, read] of Object.entries(reads)) {
    const path = `${group}/${name}`;
    if (typeof read === "function") {
      (samples[path] || [all]).forEach((sample, index) => { statements[`${path} ${index}`] = read(sample); });
    } else {
      statements[path] = read;
    }
  }
}
console.log(JSON.stringify(statements));
"""
"""The modules need nothing of PocketBase to make their SQL."""

PARAMETERS = {
    "id": "i",
    "ids": ["i", "j"],
    "name": "n",
    "parent_id": "p",
    "user_id": "u",
    "api_key": "k",
    "app_id": "a",
    "before": "b",
    "channel_id": "c",
    "channel_user_ids": ["i"],
    "granted": ["c"],
    "last_read_at": "1",
    "message_ids": ["m"],
    "after_part": 1,
    "keys": [["k", "l"]],
    "names": ["n"],
    "token": "t",
    "with_replies": True,
    "email": "e",
    "excluded_roles": ["r"],
    "external_id": "x",
    "group_id": "g",
    "group_ids": ["g"],
    "groups": True,
    "group_user_ids": ["i"],
    "joined_before": "1",
    "limit": 1,
    "number": 1,
    "order_group_ids": ["g"],
    "order_user_ids": ["i"],
    "provider": "p",
    "query": "q",
    "roles": ["r"],
    "permission": "p",
    "resource_id": "r",
    "resource_ids": ["r"],
    "resource_type": "t",
    "share": "s",
    "since": 1,
    "skip": 1,
    "sub": "s",
    "user_group_ids": ["g"],
    "user_ids": ["i"],
    "after": "a",
    "anchor": "a",
    "archived": False,
    "chats": ["c"],
    "collections": ["owui_tags"],
    "due": "1",
    "event": "e",
    "bytes": 1,
    "longest": 1,
    "pinned": True,
    "snapshots": ["s"],
    "chat_id": "c",
    "end": 1,
    "file_id": "f",
    "folder_id": "f",
    "folder_ids": ["f"],
    "key": "k",
    "longest_pause": 1,
    "message_id": "m",
    "model_id": "m",
    "newer_than": 1,
    "note_id": "n",
    "parent_chat_id": "p",
    "start": 1,
    "tag": "t",
    "tags": ["t"],
    "end_date": 2,
    "now": 1,
    "shift": 1,
    "size": 86400,
    "version": 1,
    "start_date": 1,
    "created_by": "u",
    "not_created_by": "u",
    "owner_ids": ["u"],
    "page": 1,
    "tag_patterns": ["t"],
    "username_pattern": "u",
    "folds": [["K", "k"]],
    "knowledge_id": "k",
    "length": 1,
    "pattern": "%p%",
    "with_text": False,
}

LATEST = [["updated_at", True], ["id", False]]
LATEST_OF_FEW = [["+updated_at", True], ["id", False]]
UNREAD_FIRST = [["unread", True], *LATEST]
FOLDER = ["in_folder", "unpinned", "active", "visible"]

SPAN: dict[str, object] = {"start_date": 1, "end_date": 2}
DAYS: dict[str, object] = {"zone": [[1, 0], [2, 3600]], "size": 86400}
ANALYTICS: list[dict[str, object]] = [{}, SPAN, {"group_id": "g", **SPAN}, {"user_ids": ["u"], "end_date": 2}]
BY_MODEL_OR_USER = [
    "get_analytics_summary",
    "get_message_count_by_model",
    "get_model_analytics",
    "get_token_usage_by_model",
    "get_user_analytics",
    "get_message_count_by_user",
    "get_message_count_by_chat",
]

SAMPLES: dict[str, list[dict[str, object]]] = {
    **{f"chat_messages/{name}": ANALYTICS for name in BY_MODEL_OR_USER},
    "chat_messages/get_usage_over_time_by_model": [
        *({**DAYS, **sample} for sample in ANALYTICS),
        {**DAYS, **SPAN, "size": 600, "tokens": True},
    ],
    "chat_messages/get_chat_ids_by_model_id": [{}, SPAN],
    "chat_messages/get_messages_by_model_id": [{}, SPAN],
    "chat_messages/get_user_usage_summary": [{}, {**SPAN, **DAYS}],
    "chat_messages/get_user_daily_usage": [{**SPAN, **DAYS}],
    "chat_messages/get_user_top_models": [SPAN],
    "chat_messages/get_user_top_tools": [SPAN],
    "changes/get_missing": [{"table": "user"}, {"table": "access_grant"}],
    "chats/get_chat_list": [
        {"filters": ["of_user", "visible", "in_no_folder", "unpinned", "active"], "order": LATEST},
        {"filters": ["of_user", "visible"], "order": UNREAD_FIRST},
        {"filters": ["of_user", "visible", "active", "named"], "order": [["rowid", False]]},
        {"filters": ["of_user", "archived", "visible"], "order": LATEST_OF_FEW},
        {"filters": ["of_user", "pinned", "active", "visible"], "order": LATEST_OF_FEW},
        {"filters": [*FOLDER, "of_user"], "order": LATEST},
        {"filters": FOLDER, "order": UNREAD_FIRST},
        {"filters": ["of_user", "of_parent"], "order": LATEST},
        {"filters": ["in_list", "of_user", "in_folder"], "order": [["rowid", False]]},
    ],
    "chats/get_whole_chats": [
        {"filters": ["of_user", "visible", "newer"], "order": LATEST, "counted": True},
        {"filters": ["of_user", "archived", "visible"], "order": LATEST_OF_FEW},
        {"filters": ["in_folders", "of_user", "unpinned", "active", "visible"], "order": LATEST_OF_FEW},
        {"filters": ["in_list", "active", "visible"], "order": LATEST_OF_FEW},
        {"filters": ["of_user", "of_note"], "order": LATEST},
        {"filters": ["visible"], "order": [["updated_at", True], ["user_id", True], ["rowid", True]]},
    ],
    "chats/count_chats": [
        {"filters": ["of_user", "archived", "visible"]},
        {"filters": ["of_user", "in_folder", "visible"]},
        {"filters": ["of_user", "in_folders", "visible"]},
        {"filters": FOLDER},
    ],
    # With a text these are too long for PocketBase's SQL endpoint: see test_search_plans.py.
    "chats/get_chats_by_user_id_and_search_text": [{"archived": False}, {"tags": ["t"], "pinned": True}],
    "chats/search_workspace": [],
    "messages/search_messages_by_channel_ids": [],
    "messages/search_workspace": [],
    "channels/get_app_channel_messages": [
        {"parent_id": None, "before": None},
        {"parent_id": None, "before": "b"},
        {"parent_id": "p", "before": "b"},
    ],
    "chats/get_chat_metas_by_chat_ids": [{}],
    "chats/get_message_metadata": [{"name": "files"}],
    "chats/get_chats_by_model_id": [
        {"order": "updated_at", "start": 1, "end": 2, "is_here": False},
        {"order": "user_name", "is_here": True},
    ],
    **{
        f"channels/{name}": [{"user_id": "u"}, {"user_id": "u", "granted": ["c"]}]
        for name in (
            "get_channel_by_id_and_user_id",
            "get_channels_by_file_id_and_user_id",
            "get_channels_by_user_id",
        )
    },
    "channels/get_channel_list": [{"user_id": "u", "with_users": True}, {"user_id": "u", "granted": ["c"]}],
    **{f"files/{name}": [{}, {"user_id": "u"}] for name in ("count_files_by_user_id", "get_file_list")},
    "files/search_files": [{"pattern": None}, {"pattern": "%p%"}, {"user_id": "u", "pattern": "%p%"}],
    "groups/get_groups": [
        {},
        {"user_ids": ["i"], "query": "q"},
        {"user_ids": ["i"], "share": True, "query": "q"},
        {"share": True},
        {"share": False},
    ],
    "groups/search_groups": [{}, {"user_ids": ["i"], "query": "q", "share": "s"}],
    "auths/authenticate_user": [{"email": "e"}],
    "models/get_all_tags": [{"is_base_model": True}, {"user_id": "u"}],
    "models/get_models": [{"ids": ["i"], "user_id": "u", "with_users": True}, {"user_id": "u"}],
    "models/get_models_by_file_id": [{}],
    "models/search_models": [
        {"order_by": "created_at", "with_users": True},
        {"username_pattern": "u", "order_by": "name"},
        {"user_group_ids": [], "tag_patterns": []},
        {"owner_ids": [], "not_created_by": "u"},
    ],
    "users/get_user_by_email": [{"email": "e"}],
    "users/get_scim_users": [{"id": "i"}, {"email": "e", "ascending": False}],
    "users/get_users": [
        {"user_ids": ["i"], "query": "q", "roles": ["r"], "excluded_roles": ["r"], "order_by": "order_group_ids"},
        {"group_ids": ["g"], "order_by": "name", "ascending": True},
        {"group_user_ids": ["i"], "channel_user_ids": ["i"], "order_by": "order_user_ids"},
        {"channel_id": "c"},
    ],
}
"""Arguments for reads whose SQL depends on them, one for each shape; without, a read is given all parameters."""

OF_ALL_ROWS = {
    **{f"chat_messages/{name} 0": "of all times" for name in [*BY_MODEL_OR_USER, "get_usage_over_time_by_model"]},
    "chats/get_whole_chats 5": "of all chats",
    "channels/get_channels": "of all channels",
    **{
        f"channels/{name} {sample}": "of channels that are not for members, by an index of these"
        for name in ("get_channels_by_user_id", "get_channel_list")
        for sample in range(2)
    },
    "config/get_entries": "all there is, if it has changed",
    "config/get_rows": "all there is",
    "files/count_files_by_user_id 0": "counts all",
    "files/get_file_list 0": "counts all",
    "files/get_files": "of all files",
    "files/search_files 0": "a page of all files, in the order of an index",
    "files/search_files 1": "of all files, until a page is full, in the order of an index",
    "groups/get_all_groups": "of all groups",
    "groups/get_groups 0": "of all groups",
    "groups/get_groups 2": "of all groups that are shared; the share is in the JSON: no index knows it",
    "groups/get_groups 3": "of all groups that are shared; the share is in the JSON: no index knows it",
    "groups/get_groups 4": "of all groups that are not shared; the share is in the JSON: no index knows it",
    "groups/search_groups 0": "of all groups",
    **dict.fromkeys(
        ("models/get_all_models", "models/get_base_models", "models/get_owner_ids", "models/get_models_by_file_id 0"),
        "of all models, of which there are few",
    ),
    **{f"models/{name}": "of all models" for name in ("get_all_tags 0", "get_all_tags 1", "get_models 1")},
    **{f"migrate/get_size_of_{collection}": "counts all, before a copy" for collection in COLLECTIONS},
    **{
        f"migrate/count_dangling_{table.collection}_{column.name}": "looks at all references, in a verification"
        for table in TABLES.values()
        for column in table.columns
        if column.relation
    },
    "models/get_models_to_sync": "the ids of all models: what is not listed is deleted",
    **{f"models/search_models {sample}": "of all models" for sample in range(4)},
    "auths/get_mfa_values": "of all users who have any, when the host starts",
    "users/get_num_users": "counts all",
    "users/get_user_by_oauth_sub": "the name of the provider is a key in the JSON: no index knows it",
    "users/get_user_by_scim_external_id": "the name of the provider is a key in the JSON: no index knows it",
    "users/has_users": "the first, then no more",
}
"""Reads which may look at every row, and why."""

LONGEST = 5000
"""Characters PocketBase takes in one statement of its SQL endpoint."""


@pytest.fixture(scope="module")
def reads() -> dict[str, str]:
    """Every read of the hooks: path -> SQL."""
    statements: dict[str, str] = run_node(LOAD, json.dumps([SAMPLES, PARAMETERS]))
    return statements


def plan(admin: AdminClient, sql: str, server: PocketBaseProcess) -> list[str]:
    """Return the steps in which SQLite runs a statement of the hooks."""
    named = parameters_of(sql)
    body = (
        "'"
        + json.dumps({name: value for name, value in PARAMETERS.items() if name in named}).replace("[[", "[ [")
        + "'"
    )
    statement = f"EXPLAIN QUERY PLAN {sql.replace('{:body}', body)}"
    assert not re.search(r"\{:|\[\[|\{\{", statement)  # PocketBase would replace that
    if len(statement) > LONGEST:  # one of all mirrored tables, which our own SQLite knows as well
        with closing(sqlite3.connect(f"file:{server.data_dir}/data.db?mode=ro", uri=True)) as database:
            return [row[-1] for row in database.execute(statement)]
    return [row["detail"] for row in admin.sql(statement)]


def parameters_of(sql: str) -> set[str]:
    return set(re.findall(r"\{:body\}(?: ->>|,) '\$\.(\w+)'", sql))


def full_scans(sql: str, steps: list[str]) -> list[str]:
    """Return those steps which look at every row of one of our tables."""
    names = "|".join(COLLECTIONS)
    aliases = {alias for _, alias in re.findall(rf"\b({names}) (?!ON\b|WHERE\b|JOIN\b)(\w+)", sql)}
    ours = aliases | set(COLLECTIONS)
    return [step for step in steps if step.startswith("SCAN ") and step.split()[1] in ours]


@pytest.mark.parametrize("module", sorted(methods()))
def test_no_read_scans_a_table(module: str, reads: dict[str, str], fresh_pocketbase: PocketBaseProcess) -> None:
    found = {}
    with fresh_pocketbase.admin() as admin:
        for path, sql in reads.items():
            if path.startswith(f"{module}/") and path not in OF_ALL_ROWS:
                steps = plan(admin, sql, fresh_pocketbase)
                assert any(re.search(r"SEARCH \w+ (EXISTS )?USING .*(INDEX|PRIMARY KEY)", step) for step in steps), (
                    path,
                    steps,
                )
                if scans := full_scans(sql, steps):
                    found[path] = scans
    assert found == {}


def test_reads_of_all_rows_scan(reads: dict[str, str], fresh_pocketbase: PocketBaseProcess) -> None:
    """What does not need to be in the list is not in it."""
    with fresh_pocketbase.admin() as admin:
        assert {
            path for path in OF_ALL_ROWS if not full_scans(reads[path], plan(admin, reads[path], fresh_pocketbase))
        } == set()


def test_all_reads_are_looked_at(reads: dict[str, str]) -> None:
    assert len(reads) > 10
    assert {name for sql in reads.values() for name in parameters_of(sql)} <= PARAMETERS.keys()


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("channels/get_app_channel_messages 0", "owui_messages_top_level (channel_id=?)"),
        ("channels/get_app_channel_messages 1", "owui_messages_top_level (channel_id=? AND created_at<?)"),
        ("channels/get_app_channel_messages 2", "owui_messages_parent_id_created_at_id (parent_id=? AND created_at<?)"),
        ("channels/get_app_ids", "owui_channel_members_channel_id_app_id (channel_id=?"),
        ("channels/get_app_channels", "owui_channel_members_app_id (app_id=?)"),
        ("channels/get_user_ids", "owui_channel_members_channel_id_user_id (channel_id=?"),
        ("chats/get_chat_list 0", "owui_chats_user_id_updated_at_id (user_id=?)"),
        ("chats/get_chat_list 3", "owui_chats_user_id_archived (user_id=? AND archived=?)"),
        ("chats/get_chat_list 4", "owui_chats_user_id_pinned (user_id=? AND pinned=?)"),
        ("chats/count_chats 0", "owui_chats_user_id_archived (user_id=? AND archived=?)"),
        ("chats/get_chat_list_by_user_id_and_tag_name", "SEARCH t USING PRIMARY KEY (user_id=? AND tag=?)"),
        ("chats/count_chats_by_tag_ids_and_user_id", "SEARCH t USING PRIMARY KEY (user_id=? AND tag=?)"),
        ("chats/get_user_usage_chat_stats", "owui_chat_messages_chat_id_position (chat_id=?)"),
        ("chats/get_chats_by_model_id 0", "owui_chat_messages_model_id_created_at (model_id=? AND created_at>"),
        ("chats/count_unread_by_folder_ids", "(user_id=? AND folder_id=? AND archived=?)"),
        ("chats/count_unread_by_folder_ids", "owui_chat_messages_chat_id (chat_id=?)"),
        (
            "channels/get_channels_by_user_id 0",
            "SEARCH m USING INDEX idx_owui_channel_members_user_id_channel_id (user_id=?)",
        ),
        ("channels/get_channels_by_user_id 0", "SCAN c USING INDEX idx_owui_channels_type"),
        ("channels/get_channel_list 0", "COVERING INDEX idx_owui_messages_channel_id_created_at (channel_id=?)"),
        ("channels/get_channel_list 0", "idx_owui_messages_top_level (channel_id=? AND created_at>?)"),
        ("files/get_file_list 1", "COVERING INDEX idx_owui_files_user_id_updated_at_id (user_id=?)"),
        ("files/count_files_by_user_id 1", "COVERING INDEX idx_owui_files_user_id_"),
        ("files/search_files 2", "owui_files_user_id_created_at_id (user_id=?)"),
        ("files/get_pending_files_for_knowledge", "owui_files_knowledge_status (<expr>=? AND <expr>=?)"),
    ],
)
def test_lists_use_the_index_made_for_them(
    path: str, index: str, reads: dict[str, str], fresh_pocketbase: PocketBaseProcess
) -> None:
    """Another one is an index, too, but of all users' chats without a folder, or of all chats of a user."""
    with fresh_pocketbase.admin() as admin:
        steps = plan(admin, reads[path], fresh_pocketbase)
    assert any(index in step for step in steps), steps
    if path == "chats/get_chat_list 0":
        assert "USE TEMP B-TREE FOR ORDER BY" not in steps
        assert "owui_chat_messages" not in reads[path]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM owui_tags t WHERE t.name = 'x'",
        "SELECT * FROM owui_tags t ORDER BY t.rowid",
        "SELECT t.user_id, t.key FROM owui_tags t",  # by an index, but all of it
        "SELECT * FROM owui_folders WHERE lower(name) = 'x'",
    ],
)
def test_check_finds_scans(sql: str, fresh_pocketbase: PocketBaseProcess) -> None:
    with fresh_pocketbase.admin() as admin:
        assert full_scans(sql, plan(admin, sql, fresh_pocketbase))
