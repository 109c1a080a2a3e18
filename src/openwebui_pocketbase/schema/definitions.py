"""PocketBase definitions derived from the declared tables: collections, triggers, tables of our own."""

from __future__ import annotations

from typing import Any

from openwebui_pocketbase.schema.tables import SCHEMA_VERSION, Column, Index, Table

__all__ = ["CORE_STATEMENTS", "change_triggers", "collection", "version_statement"]

TEXT_MAX = 1_000_000_000
"""Characters of a text and bytes of a JSON field; PocketBase's own defaults are 5,000 and 1 MiB."""

CORE_STATEMENTS = (
    "CREATE TABLE IF NOT EXISTS owui_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # A restored backup brings its own epoch along, so a reader of the change feed notices.
    "INSERT OR IGNORE INTO owui_meta (key, value) VALUES ('epoch', lower(hex(randomblob(16))))",
    (
        # Without AUTOINCREMENT, which costs every write another page: the newest row is never pruned.
        "CREATE TABLE IF NOT EXISTS owui_changes (seq INTEGER PRIMARY KEY, "
        "collection TEXT NOT NULL, record_id TEXT NOT NULL, op TEXT NOT NULL, at INTEGER NOT NULL)"
    ),
    # Keys sort by time.
    "CREATE TABLE IF NOT EXISTS owui_idempotency (key TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID",
)
"""Tables of our own: versions, the change feed and the answers of writes already made."""


def version_statement(version: int = SCHEMA_VERSION) -> str:
    """Return the statement that records the schema's version."""
    return f"INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '{version:d}')"


def change_triggers(collection_name: str) -> tuple[str, ...]:
    """Return the statements that put every change of a collection's records into the change feed."""
    return tuple(
        f"CREATE TRIGGER IF NOT EXISTS {collection_name}_{op} AFTER {event} ON {collection_name} BEGIN "
        f"INSERT INTO owui_changes (collection, record_id, op, at) "
        f"VALUES ('{collection_name}', {row}.id, '{op}', CAST(unixepoch('subsec') * 1000 AS INTEGER)); END"
        for op, event, row in (
            ("create", "INSERT", "NEW"),
            ("update", "UPDATE", "NEW"),
            ("delete", "DELETE", "OLD"),
        )
    )


def collection(table: Table) -> dict[str, Any]:
    """Return a table's collection in the form of PocketBase's collections import."""
    fields = [_id_field(table), *(_field(table, c) for c in table.columns if c.field != "id")]
    return {
        "name": table.collection,
        "type": "auth" if table.auth else "base",
        # Null rules: superusers only. With any other rule an expired token would read an empty list.
        "listRule": None,
        "viewRule": None,
        "createRule": None,
        "updateRule": None,
        "deleteRule": None,
        **(_NO_SIGN_IN if table.auth else {}),
        "fields": [
            *fields,
            *({"name": f"{c.field}_folded", "type": "text", "max": TEXT_MAX} for c in table.columns if c.folded),
            {"name": "nulls", "type": "json", "maxSize": TEXT_MAX},
            {"name": "created", "type": "autodate", "onCreate": True, "onUpdate": False},
            {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
        ],
        "indexes": [_index(table, index) for index in table.indexes] + _id_indexes(table),
    }


_NO_SIGN_IN = {
    # Null: nobody, by whatever method, until an administrator of PocketBase decides otherwise.
    "authRule": None,
    "manageRule": None,
    "passwordAuth": {"enabled": False, "identityFields": ["email"]},
    "oauth2": {"enabled": False},
    "otp": {"enabled": False},
    "mfa": {"enabled": False},
    "authAlert": {"enabled": False},
}
"""Options of an auth collection: PocketBase's own ways to sign in are off."""


def _id_field(table: Table) -> dict[str, Any]:
    common = {"name": "id", "type": "text", "primaryKey": True, "required": True, "system": True}
    if table.hashed_id:
        return common | {
            "pattern": "^[a-z0-9]+$",
            "min": 15,
            "max": 32,
            "autogeneratePattern": "[a-z0-9]{32}",
        }
    uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    return common | {"pattern": table.id_pattern, "min": 1, "max": 100, "autogeneratePattern": uuid}


def _id_indexes(table: Table) -> list[str]:
    """With a pattern of its own, PocketBase looks ids up without case: a full scan without this index."""
    if table.hashed_id:
        return []
    name = table.collection
    return [f"CREATE UNIQUE INDEX `idx_{name}_id_nocase` ON `{name}` (`id` COLLATE NOCASE)"]


def _field(table: Table, column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.field} | ({"hidden": True} if column.secret else {})
    if table.auth and column.field == "email":
        return field | {"type": "email", "system": True, "required": False}
    if column.type in ("text", "int64", "date"):
        return field | {"type": "text", "max": TEXT_MAX}
    if column.type == "json":
        return field | {"type": "json", "maxSize": TEXT_MAX}
    return field | {"type": {"bool": "bool", "int": "number"}[column.type]}


def _index(table: Table, index: Index) -> str:
    unique = "UNIQUE " if index.unique else ""
    columns = ", ".join(f"`{column}`" + (" COLLATE NOCASE" if index.nocase else "") for column in index.columns)
    name = f"idx_{table.collection}_{'_'.join(index.columns)}"
    where = f" WHERE {index.where}" if index.where else ""
    return f"CREATE {unique}INDEX `{name}` ON `{table.collection}` ({columns}){where}"
