"""PocketBase definitions derived from the declared tables: collections, triggers, tables of our own."""

from __future__ import annotations

import zlib
from typing import Any

from openwebui_pocketbase.origin import APPLICATION, LENGTH, SCRIPT
from openwebui_pocketbase.schema.changes import change_statement
from openwebui_pocketbase.schema.config import CONFIG_TRIGGERS
from openwebui_pocketbase.schema.data_urls import DATA_URL_TABLES, DATA_URL_TRIGGERS
from openwebui_pocketbase.schema.tables import SCHEMA_VERSION, TABLES, Column, Extra, Index, Search, Table
from openwebui_pocketbase.schema.tags import IS_ENTERED, TAG_REFILL, TAG_STATEMENTS

__all__ = [
    "CORE_ADDITIONS",
    "CORE_STATEMENTS",
    "CORE_TABLES",
    "CORE_TRIGGERS",
    "collection",
    "first_collections",
    "refill_statements",
    "statements_of",
    "version_statement",
    "waiting_statement",
]

TEXT_MAX = 1_000_000_000
"""Characters of a text and bytes of a JSON field; PocketBase's own defaults are 5,000 and 1 MiB."""

FILE_MAX = 2**40
"""Bytes of an uploaded file; PocketBase's own default is 5 MiB. The limit that users see is a setting."""

CORE_TABLES = (
    "CREATE TABLE IF NOT EXISTS owui_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    (
        # Without AUTOINCREMENT, which costs every write another page: the newest row is never pruned.
        "CREATE TABLE IF NOT EXISTS owui_changes (seq INTEGER PRIMARY KEY, "
        "collection TEXT NOT NULL, record_id TEXT NOT NULL, op TEXT NOT NULL, at INTEGER NOT NULL, "
        "concerned TEXT NOT NULL DEFAULT '', origin TEXT NOT NULL DEFAULT '')"
    ),
    # Keys sort by time.
    "CREATE TABLE IF NOT EXISTS owui_idempotency (key TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID",
)
"""Tables of our own: versions, the change feed and the answers of writes already made."""

CORE_ADDITIONS = {
    "owui_changes": {"concerned": "TEXT NOT NULL DEFAULT ''", "origin": "TEXT NOT NULL DEFAULT ''"},
}
"""Table of our own -> its columns that servers of earlier versions have not, and what they are."""

CORE_TRIGGERS = (
    # A write ends by storing its answer, which begins with the number of the newest change before it; its key says
    # whose it is. One statement less than if the hooks did this.
    (
        "CREATE TRIGGER IF NOT EXISTS owui_idempotency_origin AFTER UPDATE ON owui_idempotency BEGIN "
        f"UPDATE owui_changes SET origin = substr(NEW.key, 14, {LENGTH}) WHERE seq > CAST(NEW.answer AS INTEGER) "
        f"AND NEW.key GLOB '????????????-[{APPLICATION}{SCRIPT}]????????-*'; END"
    ),
)
"""Triggers on tables of our own."""

CORE_STATEMENTS = (
    *CORE_TABLES,
    # A restored backup brings its own epoch along, so a reader of the change feed notices.
    "INSERT OR IGNORE INTO owui_meta (key, value) VALUES ('epoch', lower(hex(randomblob(16))))",
    # What makes the names of data URLs, so that nobody can guess one.
    "INSERT OR IGNORE INTO owui_meta (key, value) VALUES ('data_urls', lower(hex(randomblob(32))))",
)


def version_statement(version: int = SCHEMA_VERSION) -> str:
    """Return the statement that records the schema's version."""
    return f"INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '{version:d}')"


def statements_of(table: Table) -> tuple[str, ...]:
    """Return the statements that add to a table's collection what PocketBase's collections cannot have."""
    return (
        *_change_triggers(table),
        *(_search_statements(table.collection, table.search) if table.search else ()),
        *OF_TABLES.get(table.name, ()),
    )


def refill_statements(table: Table) -> tuple[str, ...]:
    """Return the statements that make derived data anew if a trigger that keeps it was missing."""
    return TAG_REFILL if table.name == "chat" else ()


def waiting_statement(table: Table) -> str:
    """Return the statement after which all records wait for a full-text index that has been made anew, or ``""``."""
    if table.search is None:
        return ""
    waits = ", waits = TRUE" if table.search.words else ""
    return f"UPDATE {table.collection} SET doc = -doc{waits} WHERE doc > 0"


OF_TABLES = {
    "chat": (
        *TAG_STATEMENTS,
        (
            "CREATE TABLE IF NOT EXISTS owui_chat_locks (chat_id TEXT PRIMARY KEY, token TEXT NOT NULL, "
            "expires_at INTEGER NOT NULL) WITHOUT ROWID"
        ),
        *DATA_URL_TABLES,
        *DATA_URL_TRIGGERS["chat"],
    ),
    "chat_message": DATA_URL_TRIGGERS["chat_message"],
    "config": CONFIG_TRIGGERS,
    "shared_chat": DATA_URL_TRIGGERS["shared_chat"],
}
"""Host table -> further tables of our own and the triggers that fill them.

``owui_chat_locks`` has who may write a chat's messages alone, and until when (milliseconds).
"""


def _search_statements(collection_name: str, search: Search) -> tuple[str, ...]:
    """Return the statements that make a full-text index, and keep it up to date.

    It holds no text, and of each record only which words it has, or which sequences of three letters: who finds a
    record there has to look whether it has them in the right order. That is a quarter of the size of an index with
    positions, and half the work.

    Where the words are given by who writes a record, a record that somebody else has changed gets a negative number.
    """
    index = f"{collection_name}_search"
    new = search.text.replace("{row}", "NEW")
    changed = f"{search.text.replace('{row}', 'OLD')} IS NOT {new} OR OLD.doc IS NOT NEW.doc"
    insert = f"INSERT INTO {index} (rowid, text) SELECT NEW.doc, {new} WHERE NEW.doc > 0;"
    delete = f"DELETE FROM {index} WHERE rowid = OLD.doc AND OLD.doc > 0;"
    not_indexed = f"UPDATE {collection_name} SET doc = -doc WHERE id = NEW.id AND doc > 0 AND doc = OLD.doc;"
    trigger = f"CREATE TRIGGER IF NOT EXISTS {index}"
    of_words = (f"CREATE VIRTUAL TABLE IF NOT EXISTS {collection_name}_words USING fts5vocab ({index}, instance)",)
    column, tokenizer = ("words", "ascii") if search.words else ("text", "trigram")
    of_text = (f"{trigger}_create AFTER INSERT ON {collection_name} BEGIN {insert} END",)
    return (
        (
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {index} USING fts5 ({column}, tokenize = "
            f"'{tokenizer}', content = '', contentless_delete = 1, detail = none)"
        ),
        *(of_words if search.words else of_text),
        (
            f"{trigger}_update AFTER UPDATE OF {', '.join(search.fields)}, doc ON {collection_name} WHEN {changed} "
            f"BEGIN {delete} {not_indexed if search.words else insert} END"
        ),
        f"{trigger}_delete AFTER DELETE ON {collection_name} BEGIN {delete} END",
    )


def _change_triggers(table: Table) -> tuple[str, ...]:
    """Return the statements that put every change of a table's records into the change feed."""
    name = table.collection
    when = ""
    if table.name == "chat":
        when = f"WHEN {IS_ENTERED} "
    elif table.search and table.search.words:
        # A record that gets another number in the index is what it was for everybody else.
        when = "WHEN NEW.doc IS OLD.doc OR NEW.updated IS NOT OLD.updated "
    return tuple(
        f"CREATE TRIGGER IF NOT EXISTS {name}_{op} AFTER {event} ON {name} {condition}"
        f"BEGIN {change_statement(table, row, op)} END"
        for op, event, row, condition in (
            ("create", "INSERT", "NEW", ""),
            ("update", "UPDATE", "NEW", when),
            ("delete", "DELETE", "OLD", ""),
        )
    )


def collection(table: Table) -> dict[str, Any]:
    """Return a table's collection in the form of PocketBase's collections import."""
    return {
        "name": table.collection,
        "type": _type(table),
        # Null rules: superusers only. With any other rule an expired token would read an empty list.
        "listRule": None,
        "viewRule": None,
        "createRule": None,
        "updateRule": None,
        "deleteRule": None,
        **(_NO_SIGN_IN if table.auth else {}),
        "fields": sorted(_fields(table), key=lambda field: _place(table, field["name"])),
        "indexes": [_index(table, index) for index in _indexes(table)] + _id_indexes(table),
    }


def _fields(table: Table) -> list[dict[str, Any]]:
    """Return a collection's fields in the order of its SQL table's columns."""
    return [
        _id_field(table),
        *(_field(table, c) for c in table.columns if c.field != "id"),
        *({"name": f"{c.field}_folded", "type": "text", "max": TEXT_MAX} for c in table.columns if c.folded),
        *(_typed(extra) for extra in _extras(table)),
        {"name": "nulls", "type": "json", "maxSize": TEXT_MAX},
        {"name": "created", "type": "autodate", "onCreate": True, "onUpdate": False},
        {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
    ]


def _place(table: Table, field: str) -> int:
    """Return the place that a field has in PocketBase's dashboard; of two that have the same the order is as it was."""
    return table.shown.index(field) if field in table.shown else len(table.shown)


def first_collections(table: Table) -> list[dict[str, Any]]:
    """Return as what a collection has to be made, one after the other, before it becomes whole.

    PocketBase puts a new collection's columns into alphabetical order, and those of new fields behind them, in the
    order of the fields: so large fields come later, and what is shown first is settled last. A relation comes later as
    well if it leads to the collection itself, which has to be there.
    """
    fields: tuple[Column | Extra, ...] = (*table.columns, *table.extras)
    later = {field.name for field in fields if field.large or field.relation == table.name}
    later |= {f"{column.field}_folded" for column in table.columns if column.folded and column.large}
    if not later:
        return []
    ordered = collection(table) | {"fields": _fields(table), "indexes": []}
    return [ordered | {"fields": [each for each in _fields(table) if each["name"] not in later]}, ordered]


def _type(table: Table) -> str:
    return "auth" if table.auth else "base"


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
    options = {"hidden": column.secret, "presentable": column.presentable}
    field: dict[str, Any] = {"name": column.field} | {name: True for name, value in options.items() if value}
    if table.auth and column.field == "email":
        return field | {"type": "email", "system": True, "required": False}
    return _typed(column) | field


def _typed(column: Column | Extra) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name}
    if column.type == "text" and column.relation:
        return field | _relation(column, many=False)
    if column.type in ("text", "int64", "date"):
        return field | {"type": "text", "max": TEXT_MAX}
    if column.type == "json":
        return field | {"type": "json", "maxSize": TEXT_MAX}
    if column.type == "relation":
        return field | _relation(column, many=True)
    if column.type == "file":
        # Protected: without a token of somebody who may read the record, the address alone gives nothing.
        return field | {"type": "file", "maxSelect": 1, "maxSize": FILE_MAX, "protected": True}
    return field | {"type": {"bool": "bool", "int": "number"}[column.type]}


def _relation(column: Column | Extra, *, many: bool) -> dict[str, Any]:
    return {
        "type": "relation",
        "collectionId": _collection_id(TABLES[column.relation]),
        "cascadeDelete": column.cascade,
        "maxSelect": TEXT_MAX if many else 1,
    }


def _collection_id(table: Table) -> str:
    """Return the id that PocketBase gives to a collection with this type and name."""
    return f"pbc_{zlib.crc32(f'{_type(table)}{table.collection}'.encode())}"


def _extras(table: Table) -> tuple[Extra, ...]:
    return (*table.extras, Extra(name="doc", type="int")) if table.search else table.extras


def _indexes(table: Table) -> tuple[Index, ...]:
    return (*table.indexes, Index(columns=("doc",), unique=True, where="`doc` != 0")) if table.search else table.indexes


def _index(table: Table, index: Index) -> str:
    unique = "UNIQUE " if index.unique else ""
    order = {column.removeprefix("-"): " DESC" if column.startswith("-") else "" for column in index.columns}
    quoted = {name: name if "(" in name else f"`{name}`" for name in order}
    columns = ", ".join(f"{quoted[c]}{' COLLATE NOCASE' if index.nocase else ''}{desc}" for c, desc in order.items())
    name = f"idx_{table.collection}_{index.name or '_'.join(order)}"
    where = f" WHERE {index.where}" if index.where else ""
    return f"CREATE {unique}INDEX `{name}` ON `{table.collection}` ({columns}){where}"
