"""Write into assets/pb_hooks/owui/tables.json the tables that are written through, as the host's mappers have them.

Usage: python tools/generate_tables.py

The other tables are declared by hand and stay as they are. Types, what may be None, unique values, what leads to other
rows: all that comes from the host; what it does not tell is in the constants of this file. Format the result with
prettier. A changed declaration needs a migration: see tools/generate_migration.py.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel
from sqlalchemy import Column, Table
from sqlalchemy.types import TypeDecorator

from openwebui_pocketbase.assets import TABLES_FILE
from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.schema.mapped import indexes_of, type_of

COLLECTIONS = {"memory": "owui_memories", "knowledge": "owui_knowledge", "prompt_history": "owui_prompt_histories"}
COLLECTIONS |= {f"{name}_history": f"owui_{name}_histories" for name in ("tool", "function", "skill")}
COLLECTIONS |= {"knowledge_directory": "owui_knowledge_directories"}
"""What is not the table's name with an s."""

IN_NANOSECONDS = {"note", "pinned_note", "automation", "automation_run", "app"}
IN_NANOSECONDS |= {"calendar", "calendar_event", "calendar_event_attendee"}
"""Tables whose times are too large for a number of JavaScript."""

SECRET = {"tool": {"valves"}, "function": {"valves"}, "app": {"api_key"}}
"""Columns that only superusers see, whatever rules a collection gets."""

LARGE = {"content", "snapshot", "specs", "valves"}
LARGE_OF = {"note": {"data"}, "feedback": {"data"}}
"""Columns with long values."""

FREE_IDS = {"tool", "function", "skill"}
"""Tables whose ids are words that people choose."""

UNIQUE = {"pinned_note": [("user_id", "note_id")]}
"""What only the host's migrations, not its mappers, say is unique."""

UNINDEXED = {"version_id"}
"""Columns with ids of rows that nothing is found by."""

NOT_NULL = {"prompt": {"is_active", "created_at", "updated_at"}}
"""Columns that only the host's migrations, not its mappers, say always have a value."""

SHOWN = {
    "note": ["title", "user_id", "updated_at", "created_at"],
    "pinned_note": ["note_id", "user_id", "created_at"],
    "prompt": ["command", "name", "content", "tags", "is_active", "user_id", "updated_at"],
    "tool": ["name", "user_id", "updated_at", "created_at"],
    "function": ["name", "type", "is_active", "is_global", "user_id", "updated_at"],
    "skill": ["name", "description", "is_active", "user_id", "updated_at"],
    "knowledge": ["name", "description", "user_id", "updated_at", "created_at"],
    "knowledge_directory": ["name", "knowledge_id", "parent_id", "user_id", "created_at"],
    "knowledge_file": ["file_id", "knowledge_id", "directory_id", "user_id", "created_at"],
    "memory": ["content", "type", "path", "user_id", "updated_at"],
    "feedback": ["type", "user_id", "data", "created_at"],
    "automation": ["name", "is_active", "next_run_at", "last_run_at", "user_id", "folder_id"],
    "automation_run": ["automation_id", "status", "error", "chat_id", "created_at"],
    "calendar": ["name", "color", "is_default", "user_id", "created_at"],
    "calendar_event": ["title", "start_at", "end_at", "all_day", "location", "calendar_id", "user_id"],
    "calendar_event_attendee": ["event_id", "user_id", "status", "created_at"],
    "app": ["name", "slug", "is_active", "user_id", "updated_at"],
}
SHOWN |= {
    f"{name}_history": [f"{name}_id", "commit_message", "user_id", "created_at"]
    for name in ("prompt", "tool", "function", "skill")
}
"""The columns that a person looks for, first to last."""

PRESENTABLE = {"name", "title"}
"""Columns that stand for their rows."""

RELATIONS = {("knowledge_file", "file_id"), ("knowledge_file", "knowledge_id"), ("pinned_note", "note_id")}
RELATIONS |= {("knowledge_directory", "knowledge_id"), ("knowledge_directory", "parent_id")}
"""Foreign keys that PocketBase follows as well: of what is deleted there, PostgreSQL deletes what refers to it."""


def declaration(group: str, table: Table, model: type[BaseModel]) -> dict[str, Any]:
    """Return what tables.json says of a table."""
    hints = get_type_hints(model)
    columns = [column_of(table.name, column, hints.get(column.name)) for column in table.columns]
    concerns = [name for name in ("user_id",) if name in table.columns]
    return {
        "group": group,
        "collection": COLLECTIONS.get(table.name, f"owui_{table.name}s"),
        **({"concerns": concerns} if concerns else {}),
        "mirrored": True,
        "through": True,
        **({"id_pattern": "^[a-z0-9_-]+$"} if table.name in FREE_IDS else {}),
        "shown": SHOWN[table.name],
        "columns": columns,
        **({"indexes": found} if (found := indexes_of(table, UNIQUE.get(table.name, ()), unindexed=UNINDEXED)) else {}),
    }


def column_of(table: str, column: Column[Any], hint: Any) -> dict[str, Any]:
    """Return what tables.json says of a column."""
    found: dict[str, Any] = {"name": column.name}
    if column.primary_key:
        return found | {"field": "id", "type": "text"}
    found["type"] = type_of_host(table, column)
    if found["type"] == "json" and (holds := holds_of(hint)):
        found["holds"] = holds
    if column.nullable:
        found["null"] = True
        if column.name in NOT_NULL.get(table, ()) or (hint is not None and type(None) not in get_args(hint)):
            found["required"] = True
    if column.name in SECRET.get(table, ()):
        found["secret"] = True
    if column.name in LARGE | LARGE_OF.get(table, set()):
        found["large"] = True
    if (table, column.name) in RELATIONS:
        (key,) = column.foreign_keys
        found |= {"relation": key.column.table.name, "cascade": key.ondelete == "CASCADE"}
    if column.name in PRESENTABLE:
        found["presentable"] = True
    return found


def type_of_host(table: str, column: Column[Any]) -> str:
    """Return the type of a column's values."""
    if isinstance(column.type, TypeDecorator):
        return "json"  # all of the host's are
    found = type_of(column)
    if found is None:
        raise TypeError(f"{table}.{column.name}: {column.type!r}")
    if found in ("int", "int64"):
        return "int64" if table in IN_NANOSECONDS else "int"
    return found


def holds_of(hint: Any) -> str:
    """Return what JSON a field of the host's model takes besides None; empty for any."""
    kinds = {getattr(each, "__origin__", each) for each in (get_args(hint) or (hint,)) if each is not type(None)}
    if getattr(hint, "__origin__", None) in (dict, list):
        kinds = {hint.__origin__}
    models = {each for each in kinds if isinstance(each, type) and issubclass(each, BaseModel)}
    if kinds and kinds <= {dict} | models:
        return "object"
    return "list" if kinds == {list} else ""


def model_of(module: Any, table: Table) -> type[BaseModel]:
    """Return the model of a table's rows: the one with most of these fields, and fewest others."""
    names = set(table.columns.keys())
    models = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, BaseModel)]
    return min(models, key=lambda each: (-len(names & set(each.model_fields)), len(each.model_fields)))


def generated() -> dict[str, Any]:
    """Return the tables that are written through, by name."""
    base = import_module("open_webui.internal.db").Base
    found = {}
    for group in CATALOG.values():
        for spec in group.written_through:
            module = import_module(spec.module)
            for name in spec.tables:
                table = next(each for each in base.metadata.tables.values() if each.name == name)
                found[name] = declaration(group.name, table, model_of(module, table))
    return found


def text_of(declared: dict[str, Any]) -> str:
    """Return the declarations as they are laid out: what is in a list is a line."""
    tables = ",\n".join(f"{json.dumps(name)}: {laid_out(table)}" for name, table in declared["tables"].items())
    return f'{{\n"schema": {declared["schema"]},\n"tables": {{\n{tables}\n}}\n}}\n'


def laid_out(table: dict[str, Any]) -> str:
    """Return a table's declaration."""
    lines = []
    for name, value in table.items():
        text = json.dumps(value)
        if name in ("columns", "extras"):
            text = "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
        lines.append(f"{json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}"


def main() -> None:
    declared = json.loads(TABLES_FILE.read_text(encoding="utf-8"))
    by_hand = {name: table for name, table in declared["tables"].items() if not table.get("through")}
    TABLES_FILE.write_text(text_of({**declared, "tables": by_hand | generated()}), encoding="utf-8")


if __name__ == "__main__":
    main()
