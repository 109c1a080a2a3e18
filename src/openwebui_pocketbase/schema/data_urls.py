"""Tables of the data URLs of chats, and the triggers that note whose may have changed; see ``owui/data_urls.js``."""

from __future__ import annotations

from typing import Final

from openwebui_pocketbase.data_urls import DOCUMENTS
from openwebui_pocketbase.schema.changes import NOW
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["DATA_URL_TABLES", "DATA_URL_TRIGGERS"]

_COMPLETE = (
    "WHEN (SELECT count(*) FROM owui_data_url_parts WHERE name = NEW.name) = NEW.parts "
    "BEGIN INSERT INTO owui_data_urls (name, parts, seen) "
    "VALUES (NEW.name, NEW.parts, NEW.at) ON CONFLICT (name) DO UPDATE SET seen = excluded.seen; END"
)

DATA_URL_TABLES: Final = (
    (
        "CREATE TABLE IF NOT EXISTS owui_data_urls (name TEXT PRIMARY KEY, parts INTEGER NOT NULL, "
        "seen INTEGER NOT NULL) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE IF NOT EXISTS owui_data_url_parts (name TEXT NOT NULL, part INTEGER NOT NULL, "
        "parts INTEGER NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (name, part))"
    ),
    (
        "CREATE TABLE IF NOT EXISTS owui_data_url_uses (owner TEXT NOT NULL, name TEXT NOT NULL, "
        "PRIMARY KEY (owner, name)) WITHOUT ROWID"
    ),
    "CREATE INDEX IF NOT EXISTS idx_owui_data_url_uses_name ON owui_data_url_uses (name)",
    (
        "CREATE TABLE IF NOT EXISTS owui_data_url_unsure (owner TEXT PRIMARY KEY, since INTEGER NOT NULL, "
        "version INTEGER NOT NULL) WITHOUT ROWID"
    ),
    f"CREATE TRIGGER IF NOT EXISTS owui_data_url_parts_complete AFTER INSERT ON owui_data_url_parts {_COMPLETE}",
    f"CREATE TRIGGER IF NOT EXISTS owui_data_url_parts_again AFTER UPDATE OF at ON owui_data_url_parts {_COMPLETE}",
)
"""What there is besides collections; with all its parts a data URL is complete, in whichever order they come."""


def _triggers(table: str, fields: tuple[str, ...]) -> tuple[str, ...]:
    collection = TABLES[table].collection
    owner = "chat_id" if table == "chat_message" else "id"

    def has(row: str) -> str:
        # Not of the fields together: JSON that was never set is NULL, and so would that be.
        return " OR ".join(f"instr({row}.{field}, 'owui-data-url:')" for field in fields)

    changes = f"WHEN {has('NEW')} OR {has('OLD')}"

    def note(*rows: str) -> str:
        # With another version each time, so that whoever is looking sees that there is more to look at; JavaScript has
        # 53 bits for it.
        owners = ", ".join(f"({row}.{owner}, {NOW}, random() >> 12)" for row in rows)
        return (
            f"BEGIN INSERT INTO owui_data_url_unsure (owner, since, version) VALUES {owners} "
            "ON CONFLICT (owner) DO UPDATE SET version = excluded.version; END"
        )

    name = f"CREATE TRIGGER IF NOT EXISTS {collection}_data_urls"
    return (
        f"{name}_create AFTER INSERT ON {collection} WHEN {has('NEW')} {note('NEW')}",
        f"{name}_update AFTER UPDATE OF {', '.join(fields)} ON {collection} {changes} {note('NEW')}",
        # Apart from the former: that is compiled with each piece of an answer.
        f"{name}_move AFTER UPDATE OF {owner} ON {collection} {changes} {note('OLD', 'NEW')}",
        f"{name}_delete AFTER DELETE ON {collection} WHEN {has('OLD')} {note('OLD')}",
    )


DATA_URL_TRIGGERS: Final = {table: _triggers(table, fields) for table, fields in DOCUMENTS.items()}
"""Host table -> the triggers on its collection."""
