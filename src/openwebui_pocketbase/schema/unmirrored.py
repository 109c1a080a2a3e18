"""Counting rows, contents and texts that only PocketBase has, without a copy in the SQL database."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["CONTENTS", "COUNTED", "Counted", "count_unmirrored"]

CONTENTS = "contents of files"
"""Label of the files whose contents are in PocketBase."""


class Counted(NamedTuple):
    """Something that is counted.

    Attributes:
        label: What it is, for people.
        table: The host's table whose records are looked at.
        where: SQL of the records that count.
    """

    label: str
    table: str
    where: str = "TRUE"


COUNTED = (
    Counted("chats", "chat"),
    # The messages of deleted chats go a little later than these: owui/chats/_remains.js.
    Counted(
        "messages in chats",
        "chat_message",
        "chat_id NOT IN (SELECT chat_id FROM owui_chat_locks WHERE token GLOB 'old-*')",
    ),
    Counted("shared chats", "shared_chat"),
    Counted("links from chats to files", "chat_file"),
    Counted("tags", "tag"),
    Counted("folders", "folder"),
    Counted("models", "model"),
    Counted("versions of models", "model_history"),
    # A move with --keep leaves contents behind that nobody needs any more.
    Counted(CONTENTS, "file", "pending = FALSE AND path GLOB 'pb://*'"),
    Counted("extracted texts of files", "file", "pending = FALSE AND text != ''"),
    Counted("channels", "channel"),
    Counted("members of channels", "channel_member"),
    Counted("links from channels to files", "channel_file"),
    Counted("webhooks of channels", "channel_webhook"),
    Counted("messages in channels", "message"),
    Counted("reactions to messages", "message_reaction"),
)
"""All that is counted. Credentials and the configuration are not: ``leave`` copies them, and what is copied cannot be
told from the rest."""


def count_unmirrored(admin: AdminClient, groups: Collection[str]) -> dict[str, dict[str, int]]:
    """Count what only PocketBase has of some groups, in one request.

    Args:
        admin: The server, with the schema of this version.
        groups: The groups.

    Returns:
        Group -> label -> a number above 0.
    """
    counted = {each.label: each for each in COUNTED if TABLES[each.table].group in groups}
    if not counted:
        return {}
    selects = [
        f"SELECT '{each.label}' AS label, count(*) AS n FROM {TABLES[each.table].collection} WHERE {each.where}"
        for each in counted.values()
    ]
    found: dict[str, dict[str, int]] = {}
    for row in admin.sql(" UNION ALL ".join(selects)):
        if number := int(row["n"]):
            found.setdefault(TABLES[counted[row["label"]].table].group, {})[row["label"]] = number
    return found
