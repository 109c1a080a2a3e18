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
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.schema.definitions import CORE_STATEMENTS, version_statement
from openwebui_pocketbase.schema.description import OURS, Description, Schema, digest_statement
from openwebui_pocketbase.schema.fields import NEW_TYPE, changed_types, copy_statement, indexes, replacement
from openwebui_pocketbase.schema.objects import FOUND, replacements

__all__ = ["LEASE", "apply_schema"]

LEASE = 60
"""Seconds after which a process that was changing the schema is taken for dead."""

PATIENCE = 190.0
"""Seconds for one request: making a large index anew takes time, for which PocketBase gives three minutes."""


def apply_schema(admin: AdminClient, schema: Schema = OURS) -> bool:
    """Bring a server to a schema; safe to repeat.

    Args:
        admin: The server.
        schema: What it has to have.

    Returns:
        Whether that was done; not if another process is doing it.

    Raises:
        ResponseError: PocketBase refused a step.
    """
    with admin.patience(PATIENCE):
        for statement in CORE_STATEMENTS:
            admin.sql(statement)
        with _alone(admin) as is_alone:
            if is_alone:
                _apply(admin, schema)
            return is_alone


def _apply(admin: AdminClient, schema: Schema) -> None:
    """Take the steps."""
    existing = admin.collections()
    tables = schema.tables
    _create([table for table in tables if table.collection not in existing], admin)
    admin.import_collections([_extended(table, existing.get(table.collection)) for table in tables])
    for table in tables:
        _change_types(table, admin, existing.get(table.collection))
    for call in replacements(tables, admin.sql(FOUND)):
        admin.sql(call)
    for table in tables:
        _remove_fields(table, admin, existing.get(table.collection))
    digests = [digest_statement(group, digest) for group, digest in schema.digests.items()]
    admin.sql("; ".join([*digests, version_statement(schema.version)]))


@contextmanager
def _alone(admin: AdminClient) -> Iterator[bool]:
    """Keep other processes from changing the schema meanwhile; the value is whether this one may."""
    token = secrets.token_hex(8)
    now = int(time.time())
    # The value is the time at which the lease ends, and who has it.
    admin.sql(
        f"INSERT INTO owui_meta (key, value) VALUES ('changing', '{now + LEASE} {token}') ON CONFLICT (key) "
        f"DO UPDATE SET value = excluded.value WHERE CAST(value AS INTEGER) < {now}"
    )
    mine = f"key = 'changing' AND value GLOB '* {token}'"
    try:
        yield bool(admin.sql(f"SELECT 1 FROM owui_meta WHERE {mine}"))
    finally:
        admin.sql(f"DELETE FROM owui_meta WHERE {mine}")


def _create(descriptions: Sequence[Description], admin: AdminClient) -> None:
    """Create collections, at once since they refer to each other; `_extended` adds large fields behind the others."""
    if descriptions:
        admin.import_collections([description.small or description.definition for description in descriptions])


def _extended(description: Description, existing: dict[str, Any] | None) -> dict[str, Any]:
    """Return a collection's definition; of one that exists, what an administrator may not have set."""
    definition = description.definition
    if existing is None:
        return definition
    changed = changed_types(existing["fields"], definition["fields"])
    return {
        "name": definition["name"],
        "type": definition["type"],
        "fields": [field for field in definition["fields"] if field["name"] not in changed],
        "indexes": indexes(description.collection, existing["indexes"], definition["indexes"]),
    }


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
    admin.send("PATCH", path, {"fields": [*(field for field in present if field["name"] not in changed), *renamed]})


def _remove_fields(description: Description, admin: AdminClient, existing: dict[str, Any] | None) -> None:
    """Delete the fields of earlier versions; those that an administrator added stay."""
    if not existing or not {field["name"] for field in existing["fields"]} & set(description.removed):
        return
    fields = admin.collections()[description.collection]["fields"]
    kept = [field for field in fields if field["name"] not in description.removed]
    admin.send("PATCH", f"/api/collections/{description.collection}", {"fields": kept})
