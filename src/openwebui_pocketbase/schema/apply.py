"""Bringing a server's collections and SQL objects to what this version needs, over the admin API.

Each step leaves a server that works, and that the next call brings further:

1. Collections are created, fields added, options and indexes changed: one call, all or nothing.
2. A field with another type gets a successor, its values are copied, and the successor takes its name.
3. Triggers and full-text tables whose text differs are made anew, now that all fields are there.
4. Fields that are no more are deleted, now that no trigger names them.
5. Version and digests are recorded.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.exceptions import SchemaError
from openwebui_pocketbase.schema.definitions import CORE_ADDITIONS, CORE_STATEMENTS, version_statement
from openwebui_pocketbase.schema.description import Description, Schema, digest_statement, wanted_schema
from openwebui_pocketbase.schema.fields import NEW_TYPE, changed_types, copy_statement, index_name, indexes, replacement
from openwebui_pocketbase.schema.objects import FOUND, replacements
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["LEASE", "apply_schema"]

PATIENCE = 190.0
"""Seconds for one request: making a large index anew takes time, for which PocketBase gives three minutes."""

LEASE = 200
"""Seconds after which a process that was changing the schema is taken for dead: no step of it takes longer."""

NEW_EPOCH = "UPDATE owui_meta SET value = lower(hex(randomblob(16))) WHERE key = 'epoch'"
"""After this statement nobody goes on where they were in the change feed: they compare, or read all anew."""


def apply_schema(admin: AdminClient, schema: Schema | None = None) -> bool:
    """Bring a server to a schema; safe to repeat.

    Args:
        admin: The server.
        schema: What it has to have; default: what this version needs, with the tables of plugins.

    Returns:
        Whether that was done; not if another process is doing it.

    Raises:
        ResponseError: PocketBase refused a step.
    """
    with admin.patience(PATIENCE):
        for statement in CORE_STATEMENTS:
            admin.sql(statement)
        with _alone(admin) as renew:
            if renew():
                _apply(admin, schema or wanted_schema(), renew)
                return True
            return False


def _apply(admin: AdminClient, schema: Schema, renew: Callable[[], bool]) -> None:
    """Take the steps, as long as nobody else has begun to."""
    _extend_core(admin)
    existing = admin.collections()
    tables = schema.tables
    others = [] if _has_whole_feed(tables, existing, admin) else [NEW_EPOCH]
    _create([table for table in tables if table.collection not in existing], admin)
    admin.import_collections([_extended(table, existing.get(table.collection)) for table in tables])
    for statement in _nones(existing):
        admin.sql(statement)
    for table in tables:
        if changed_types((existing.get(table.collection) or table.definition)["fields"], table.definition["fields"]):
            if not renew():
                raise SchemaError("Another process has begun to change PocketBase's schema.", hint="Start again.")
            _change_types(table, admin, existing.get(table.collection))
    _make_indexes(tables, admin)
    for call in replacements(tables, admin.sql(FOUND)):
        renew()
        admin.sql(call)
    for table in tables:
        _remove_fields(table, admin, existing.get(table.collection))
    digests = [digest_statement(group, digest) for group, digest in schema.digests.items()]
    # Of a plugin that is gone: its records stay, but nothing keeps its collections up to date.
    others.append(f"DELETE FROM owui_meta WHERE key GLOB 'digest/*' AND key NOT IN ({_listed(schema.digests)})")
    admin.sql("; ".join([*others, *digests, version_statement(schema.version)]))


def _has_whole_feed(tables: Sequence[Description], existing: Mapping[str, dict[str, Any]], admin: AdminClient) -> bool:
    """Tell whether the change feed has had all changes of the collections that there are.

    It has not of those whose triggers are missing, as while the plugin was not installed that they belong to.
    """
    found = {row["name"] for row in admin.sql(FOUND)}
    names = {table.collection for table in tables}.intersection(existing)
    return found.issuperset(f"{name}_{operation}" for name in names for operation in ("create", "update", "delete"))


def _listed(groups: Iterable[str]) -> str:
    return ", ".join(f"'digest/{group}'" for group in groups)


@contextmanager
def _alone(admin: AdminClient) -> Iterator[Callable[[], bool]]:
    """Keep other processes from changing the schema meanwhile.

    Yields:
        What takes the lease, or renews it, and returns whether this process has it.
    """
    token = secrets.token_hex(8)
    mine = f"key = 'changing' AND value GLOB '* {token}'"
    now = "CAST(strftime('%s', 'now') AS INTEGER)"  # the server's clock, which all processes share

    def renew() -> bool:
        # The value is the time at which the lease ends, and who has it.
        admin.sql(
            f"INSERT INTO owui_meta (key, value) VALUES ('changing', ({now} + {LEASE}) || ' {token}') "
            f"ON CONFLICT (key) DO UPDATE SET value = excluded.value "
            f"WHERE CAST(value AS INTEGER) < {now} OR value GLOB '* {token}'"
        )
        return bool(admin.sql(f"SELECT 1 FROM owui_meta WHERE {mine}"))

    try:
        yield renew
    finally:
        admin.sql(f"DELETE FROM owui_meta WHERE {mine}")


def _extend_core(admin: AdminClient) -> None:
    """Give tables of our own the columns that an earlier version did not have."""
    for table, columns in CORE_ADDITIONS.items():
        there = {row["name"] for row in admin.sql(f"SELECT name FROM pragma_table_info('{table}')")}
        for name, definition in columns.items():
            if name not in there:
                admin.sql(f"ALTER TABLE {table} ADD COLUMN {name} {definition}")


def _create(descriptions: Sequence[Description], admin: AdminClient) -> None:
    """Create collections, at once since they refer to each other; `_extended` makes them what they are to be."""
    if descriptions:
        admin.import_collections([next(iter(each.first), each.definition) for each in descriptions])
    if further := [collection for description in descriptions for collection in description.first[1:]]:
        admin.import_collections(further)


def _extended(description: Description, existing: dict[str, Any] | None) -> dict[str, Any]:
    """Return a collection's definition; of one that exists, what an administrator may not have set."""
    definition = description.definition
    if existing is None:
        return definition
    changed = changed_types(existing["fields"], definition["fields"])
    return {
        "name": definition["name"],
        "type": definition["type"],
        "fields": [_kept(field, existing["fields"]) for field in definition["fields"] if field["name"] not in changed],
        "indexes": indexes(description.collection, existing["indexes"], definition["indexes"]),
    }


def _nones(existing: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """Yield statements after which new columns that can be None are None in the records that were there."""
    for table in TABLES.values():
        fields = {field["name"] for field in existing.get(table.collection, {}).get("fields", ())}
        new = [c.name for c in table.columns if c.null and c.type != "json" and c.field not in fields]
        if fields and new:
            listed = ", ".join(f"'$[#]', '{name}'" for name in new)
            yield (
                f"UPDATE {table.collection} SET nulls = json_insert(nulls, {listed}) "
                "WHERE json_valid(nulls) AND json_type(nulls) = 'array'"
            )


def _kept(field: dict[str, Any], existing: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a field's definition; hidden or presentable as well if an administrator has made it so."""
    found = next((each for each in existing if each["name"] == field["name"]), {})
    return field | {name: True for name in ("hidden", "presentable") if found.get(name)}


def _make_indexes(tables: Sequence[Description], admin: AdminClient) -> None:
    """Make the collections' indexes that are not there although PocketBase's definition has them.

    Raises:
        ResponseError: Records contradict a unique index.
    """
    there = {row["name"] for row in admin.sql("SELECT name FROM sqlite_master WHERE type = 'index'")}
    for table in tables:
        for statement in table.definition["indexes"]:
            if index_name(statement) not in there:
                admin.sql(statement)


def _change_types(description: Description, admin: AdminClient, existing: dict[str, Any] | None) -> None:
    """Give fields another type, and their values with it.

    Writers are refused meanwhile: what they wrote into the old field would be lost with it.
    """
    changed = changed_types(existing["fields"], description.definition["fields"]) if existing else {}
    if not changed:
        return
    name = description.collection
    path = f"/api/collections/{name}"
    successors = [replacement(field) for _, field in changed.values()]
    names = {f"{field}{NEW_TYPE}": field for field in changed}
    present: list[dict[str, Any]] = admin.collections()[name]["fields"]
    present = [field for field in present if field["name"] not in names]
    admin.send("PATCH", path, {"fields": [*present, *successors]})
    # Those of the change feed as well: nobody writes now, and for readers no record has changed.
    triggers = admin.sql(
        f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{name}' AND name GLOB 'owui_*'"
    )
    admin.sql(
        "; ".join(
            [
                *(f"DROP TRIGGER {trigger['name']}" for trigger in triggers),
                copy_statement(name, changed, description.types),
                *(
                    f"CREATE TRIGGER {name}_no_{event.lower()} BEFORE {event} ON {name} "
                    "BEGIN SELECT RAISE(ABORT, 'the schema is being changed'); END"
                    for event in ("INSERT", "UPDATE", "DELETE")
                ),
            ]
        )
    )
    renamed = [field | {"name": names[field["name"]]} for field in successors]
    order = {field["name"]: place for place, field in enumerate(description.definition["fields"])}
    fields = [*(field for field in present if field["name"] not in changed), *renamed]
    admin.send("PATCH", path, {"fields": sorted(fields, key=lambda field: order.get(field["name"], len(order)))})


def _remove_fields(description: Description, admin: AdminClient, existing: dict[str, Any] | None) -> None:
    """Delete the fields of earlier versions; those that an administrator added stay."""
    if not existing or not {field["name"] for field in existing["fields"]} & set(description.removed):
        return
    fields = admin.collections()[description.collection]["fields"]
    kept = [field for field in fields if field["name"] not in description.removed]
    admin.send("PATCH", f"/api/collections/{description.collection}", {"fields": kept})
