"""What a table needs of PocketBase, as plain data: to be compared with a server, or with an earlier version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from openwebui_pocketbase.schema.definitions import (
    collection,
    first_collections,
    refill_statements,
    statements_of,
    waiting_statement,
)
from openwebui_pocketbase.schema.tables import SCHEMA_VERSION, TABLES, Table

__all__ = ["OURS", "Description", "Schema", "describe", "digest_of", "digest_statement", "wanted_schema"]


@dataclass(frozen=True)
class Description:
    """The collection of one table, and the SQL objects beside it.

    Attributes:
        group: The group of data.
        collection: PocketBase's name of the collection.
        definition: The collection in the form of PocketBase's collections import.
        first: As what the collection is made, one after the other, before it becomes that.
        statements: What creates triggers, full-text tables and tables of our own, in order.
        waiting: The statement after which all records wait for a full-text index made anew; empty if there is none.
        types: Declared type of each field that holds a column or is kept for one.
        refill: The statements that make derived data anew if a trigger or an index that keeps it was missing.
        removed: Fields of earlier versions, which are deleted with their data.
    """

    group: str
    collection: str
    definition: dict[str, Any]
    first: list[dict[str, Any]]
    statements: list[str]
    waiting: str
    types: dict[str, str]
    refill: list[str]
    removed: list[str]


def describe(table: Table) -> Description:
    """Return what a declared table needs."""
    return Description(
        group=table.group,
        collection=table.collection,
        definition=collection(table),
        first=first_collections(table),
        statements=list(statements_of(table)),
        waiting=waiting_statement(table),
        types={**{column.field: column.type for column in table.columns}, **{e.name: e.type for e in table.extras}},
        refill=list(refill_statements(table)),
        removed=list(table.removed),
    )


def digest_of(descriptions: Iterable[Description]) -> str:
    """Return the SHA-256 of what the tables of a group need."""
    text = json.dumps([asdict(description) for description in descriptions], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_statement(group: str, digest: str) -> str:
    """Return the statement that records what a group's collections are; an empty digest for none."""
    if not digest:
        return f"DELETE FROM owui_meta WHERE key = 'digest/{group}'"
    return f"INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/{group}', '{digest}')"


@dataclass(frozen=True)
class Schema:
    """What all tables of one version need.

    Attributes:
        version: Version of the schema as a whole.
        tables: What each table needs.
    """

    version: int
    tables: tuple[Description, ...]

    @property
    def digests(self) -> dict[str, str]:
        """Group -> digest of what its tables need; a server keeps these in ``owui_meta``."""
        groups = dict.fromkeys(table.group for table in self.tables)
        return {group: digest_of(table for table in self.tables if table.group == group) for group in groups}


OURS = Schema(SCHEMA_VERSION, tuple(describe(table) for table in TABLES.values() if not table.joined))
"""What this version needs without plugins; released migrations lead to it."""


def wanted_schema() -> Schema:
    """Return what this version needs, with the tables that plugins have joined."""
    joined = tuple(describe(table) for table in TABLES.values() if table.joined)
    return Schema(SCHEMA_VERSION, (*OURS.tables, *joined))
