"""SQL objects beside PocketBase's collections: triggers, full-text tables, and indexes of our own tables.

They have no data of their own, so one whose text differs from what is wanted is dropped and made anew. SQLite keeps the
text of each in ``sqlite_master``, as it was given but for ``IF NOT EXISTS``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from openwebui_pocketbase.schema.definitions import CORE_TABLES, CORE_TRIGGERS
from openwebui_pocketbase.schema.description import Description, Schema
from openwebui_pocketbase.schema.fields import index_name

__all__ = ["FOUND", "NAMES", "SqlObject", "fingerprint", "names_of", "objects_of", "replacements", "units"]

LONGEST = 5_000
"""Characters of one call of PocketBase's SQL endpoint, which is one transaction."""

FOUND = (
    "SELECT type, name, sql FROM sqlite_master WHERE "
    "sql GLOB 'CREATE TRIGGER owui_*' AND tbl_name GLOB 'owui_*' "
    "OR sql GLOB 'CREATE VIRTUAL TABLE owui_*' "
    "OR sql GLOB 'CREATE INDEX idx_owui_*' AND tbl_name GLOB 'owui_*' "
    "AND tbl_name NOT IN (SELECT name FROM _collections)"
)
"""SQL of the objects of a server; ``version.js`` has the same condition. Other spellings are of administrators."""

NAMES = (
    "SELECT group_concat(line, char(10)) AS names FROM ("
    "SELECT name AS line FROM sqlite_master WHERE type IN ('table', 'index') AND name GLOB '*owui_*' UNION ALL "
    "SELECT c.name || '.' || (f.value ->> '$.name') || ' ' || (f.value ->> '$.type') "
    "FROM _collections c, json_each(c.fields) f WHERE c.name GLOB 'owui_*')"
)
"""SQL of the tables and indexes of a server, and of its collections' fields, as `names_of` has them."""

_CREATE = re.compile(
    r"(CREATE (?:UNIQUE )?(VIRTUAL TABLE|TABLE|INDEX|TRIGGER)) (?:IF NOT EXISTS )?((\w+).*)", re.DOTALL
)


@dataclass(frozen=True)
class SqlObject:
    """Something that was, or is to be, created by SQL.

    Attributes:
        kind: ``TRIGGER``, ``INDEX``, ``VIRTUAL TABLE`` or ``TABLE``.
        name: Its name.
        sql: The statement that creates it, as SQLite keeps it.
    """

    kind: str
    name: str
    sql: str

    @classmethod
    def of(cls, statement: str) -> SqlObject:
        """Return what a statement creates."""
        match = _CREATE.fullmatch(statement)
        if match is None:
            raise ValueError(f"This creates nothing: {statement}")
        return cls(kind=match[2], name=match[4], sql=f"{match[1]} {match[3]}")

    @property
    def create(self) -> str:
        """The statement that creates it unless it is there."""
        return re.sub(r"(TABLE|INDEX|TRIGGER) ", r"\1 IF NOT EXISTS ", self.sql, count=1)

    @property
    def drop(self) -> str:
        """The statement that removes it."""
        return f"DROP {self.kind.removeprefix('VIRTUAL ')} IF EXISTS {self.name}"


def objects_of(description: Description) -> list[SqlObject]:
    """Return what is created beside a collection, tables of our own included."""
    return [SqlObject.of(statement) for statement in description.statements]


def names_of(schema: Schema) -> set[str]:
    """Return the tables, the indexes and the collections' fields that a version needs, each field with its type."""
    own = [*map(SqlObject.of, CORE_TABLES), *(item for table in schema.tables for item in objects_of(table))]
    names = {item.name for item in own if item.kind != "TRIGGER"}
    for table in schema.tables:
        names |= {index_name(index) for index in table.definition["indexes"]}
        names |= {f"{table.collection}.{field['name']} {field['type']}" for field in table.definition["fields"]}
    return names


def fingerprint(schema: Schema) -> str:
    """Return the digest of what a version needs, as ``version.js`` makes it of what a server has."""
    lines = [f"digest/{group} {digest}" for group, digest in schema.digests.items()]
    lines += [
        f"{wanted.name} {wanted.sql}"
        for description in schema.tables
        for wanted in objects_of(description)
        if wanted.kind != "TABLE"
    ]
    lines += [f"{wanted.name} {wanted.sql}" for wanted in map(SqlObject.of, CORE_TRIGGERS)]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def replacements(descriptions: Sequence[Description], found: Iterable[Mapping[str, str]]) -> list[str]:
    """Return what gives a server the wanted objects, as texts of several statements; each is one transaction.

    Args:
        descriptions: What is wanted.
        found: The rows of `FOUND`.
    """
    rows = list(found)
    there = {row["name"]: row["sql"] for row in rows}
    core = [
        [item.drop, item.create] if item.name in there else [item.create]
        for item in map(SqlObject.of, CORE_TRIGGERS)
        if there.get(item.name) != item.sql
    ]
    return list(_packed("; ".join(unit) for unit in [*core, *units(descriptions, rows)]))


def units(descriptions: Sequence[Description], found: Iterable[Mapping[str, str]]) -> list[list[str]]:
    """Return what gives a server the wanted objects; the statements of a unit belong into one transaction.

    A trigger is dropped and made anew in one unit: no writer finds it missing. What is not wanted goes last.
    """
    there = {row["name"]: SqlObject.of(row["sql"]) for row in found}
    result = [unit for description in descriptions for unit in _of_collection(description, there)]
    wanted = {item.name for description in descriptions for item in objects_of(description)}
    wanted |= {item.name for item in map(SqlObject.of, CORE_TRIGGERS)}
    order = ("TRIGGER", "INDEX", "VIRTUAL TABLE")
    useless = sorted((item for item in there.values() if item.name not in wanted), key=lambda i: order.index(i.kind))
    return [*result, [item.drop for item in useless]] if useless else result


def _of_collection(description: Description, there: Mapping[str, SqlObject]) -> Iterator[list[str]]:
    """Return the units of a collection."""
    wanted = objects_of(description)
    yield from ([item.create] for item in wanted if item.kind == "TABLE")
    done = set()
    search = [item for item in wanted if item.kind == "VIRTUAL TABLE"]
    fills = [item for item in wanted if item.kind == "TRIGGER" and search and _mentions(item, search[0].name)]
    # Without its triggers the index has missed writes.
    if any(there.get(item.name) != item for item in [*search, *fills]):
        # No trigger sees that all records wait now: the change feed has nothing to say of it.
        seeing = [item for item in wanted if item.kind == "TRIGGER" and _sees_waiting(item, search[0].name)]
        done = {item.name for item in seeing}
        yield [
            *(item.drop for item in [*seeing, *reversed(search)] if item.name in there),
            *(item.create for item in search),
            description.waiting,
            *(item.create for item in seeing),
        ]
    yield from (
        [item.drop, item.create] if item.name in there else [item.create]
        for item in wanted
        if item.kind in ("TRIGGER", "INDEX") and item.name not in done and there.get(item.name) != item
    )
    derived = [item for item in wanted if item.kind in ("TRIGGER", "INDEX") and "_tags" in item.name]
    is_new = not any(item.name in there for item in wanted)
    if description.refill and not is_new and any(there.get(item.name) != item for item in derived):
        yield description.refill


def _sees_waiting(trigger: SqlObject, index: str) -> bool:
    return " UPDATE ON " in trigger.sql or _mentions(trigger, index)


def _mentions(trigger: SqlObject, index: str) -> bool:
    return re.search(rf"\b{index}\b", trigger.sql) is not None


def _packed(texts: Iterable[str]) -> Iterator[str]:
    """Join texts into as few calls as they fit in."""
    call = ""
    for text in texts:
        if call and len(call) + len(text) + 2 > LONGEST:
            yield call
            call = ""
        call = f"{call}; {text}" if call else text
    if call:
        yield call
