"""A former schema, made up: ours with other columns, indexes, triggers and full-text tables; and data in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.repositories.chats._parts import wire_of
from openwebui_pocketbase.schema.description import OURS, Description, Schema, describe
from openwebui_pocketbase.schema.tables import SCHEMA_VERSION, TABLES, Extra, Index
from tests.support.chats import index_all
from tests.support.pocketbase import PocketBaseProcess

GROUPS = ("folders", "tags", "chats", "messages")
NEW_VERSION = SCHEMA_VERSION + len(GROUPS)


def former(table: Description) -> Description:
    """What a table was like, in the former schema."""
    if table.collection == "owui_folders":
        return former_folders()
    statements = [
        statement.replace("'trigram'", "'porter'")
        .replace("'ascii'", "'unicode61'")
        .replace("VALUES ('owui_tags', NEW.id, 'update'", "VALUES ('owui_tags', NEW.id, 'changed'")
        for statement in table.statements
    ]
    if table.collection == "owui_chats":
        statements = [statement for statement in statements if "idx_owui_chat_tags_chat_id" not in statement]
        statements.append("CREATE INDEX IF NOT EXISTS idx_owui_chat_tags_tag ON owui_chat_tags (tag)")
    return replace(table, statements=statements)


def former_folders() -> Description:
    """A column less, one of another type, one that is no more and that a trigger names; other indexes."""
    table = TABLES["folder"]
    columns = [
        column.model_copy(update={"type": "int64"} if column.name == "updated_at" else {})
        for column in table.columns
        if column.name != "is_expanded"
    ]
    described = describe(
        table.model_copy(
            update={
                "columns": tuple(columns),
                "extras": (Extra(name="old_note", type="text"),),
                "indexes": (
                    Index(columns=("user_id", "parent_id"), where="`parent_id` != ''"),
                    Index(columns=("old_note",)),
                    Index(columns=("updated_at",)),
                ),
                "removed": ("is_expanded",),
            }
        )
    )
    names_it = (
        "CREATE TRIGGER owui_folders_old_note AFTER UPDATE ON owui_folders WHEN NEW.old_note != OLD.old_note "
        "BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('x', NEW.old_note, 'x', 0); END"
    )
    fields = described.definition["fields"]
    shorter = [field | {"max": 500} if field["name"] == "name" else field for field in fields]
    definition = described.definition | {"fields": shorter}
    return replace(described, definition=definition, statements=[*described.statements, names_it])


OLD = Schema(SCHEMA_VERSION, tuple(former(table) for table in OURS.tables))
NEW = Schema(
    NEW_VERSION,
    tuple(
        replace(table, removed=["old_note"]) if table.collection == "owui_folders" else table for table in OURS.tables
    ),
)

CHATS = {f"c0000000-0000-4000-8000-{number:012d}": number for number in range(6)}


def chat(chat_id: str, number: int) -> dict[str, Any]:
    message = {"id": "m", "role": "user", "content": f"Haystacks and needles Nr. {number}"}
    row: dict[str, Any] = dict.fromkeys(
        ("last_read_at", "share_id", "folder_id", "current_message_id", "timer_at", "summary", "tasks")
    )
    row |= {"id": chat_id, "user_id": "u1", "title": f"Unforgettable {number}", "created_at": 1, "updated_at": number}
    body = {"history": {"messages": {"m": message}, "currentId": None}}
    return row | {"archived": False, "pinned": False, "meta": {"tags": ["a"]}, "variables": {}, "chat": body}


async def fill(server: PocketBaseProcess) -> None:
    client = server.client()
    for chat_id, number in CHATS.items():
        await client.write("chats/insert_chats", wire_of(chat(chat_id, number), []))
    await index_all(client)
    await client.aclose()
    with server.admin() as admin:
        admin.sql("INSERT INTO owui_tags (id, key, name, user_id) VALUES ('0123456789abcdef', 'a', 'A', 'u1')")
        admin.sql("DELETE FROM owui_stale_tags")  # the chats have their tag, as soon as anybody reads the feed
        admin.sql(
            "INSERT INTO owui_folders (id, name, user_id, items, updated_at, old_note, nulls) VALUES "
            "('f-1', 'One', 'u1', '{\"b\":1.0}', '0001700000000000123', 'gone', '[]'), "
            "('f-2', 'Two', 'u1', NULL, '', '', '[\"items\",\"updated_at\"]')"
        )


DATA = {
    "folders": "SELECT id, name, user_id, items, updated_at, nulls FROM owui_folders ORDER BY id",
    "tags": "SELECT * FROM owui_tags",
    "chats": "SELECT id, title, chat, meta, abs(doc) FROM owui_chats ORDER BY id",
    "messages": "SELECT id, entry, position, abs(doc) FROM owui_chat_messages ORDER BY id",
    "join": "SELECT * FROM owui_chat_tags ORDER BY chat_id",
    "mine": "SELECT id, mine FROM owui_tags",
}


def data(admin: AdminClient) -> dict[str, Any]:
    return {name: admin.sql(sql) for name, sql in DATA.items()}


def as_now(before: dict[str, Any]) -> dict[str, Any]:
    times = {"f-1": "1700000000000123", "f-2": "0"}
    return before | {"folders": [row | {"updated_at": times[row["id"]]} for row in before["folders"]]}


def of_administrator(admin: AdminClient) -> None:
    """Give a collection of ours a field and an index that are somebody else's."""
    tags = admin.collections()["owui_tags"]
    fields = [*tags["fields"], {"name": "mine", "type": "text"}]
    indexes = [*tags["indexes"], "CREATE INDEX `idx_mine` ON `owui_tags` (`mine`)"]
    admin.send("PATCH", "/api/collections/owui_tags", {"fields": fields, "indexes": indexes})
