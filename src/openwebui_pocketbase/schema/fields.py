"""How a collection's fields and indexes get from what they are to what they should be."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any

__all__ = ["NEW_TYPE", "changed_types", "copy_statement", "index_name", "indexes", "replacement"]

NEW_TYPE = "_new_type"
"""What the name of a field ends in that takes over another one's values in another type."""


Changed = dict[str, tuple[str, dict[str, Any]]]
"""Name of a field that gets another type -> the type it has, and the field as it is wanted."""


def changed_types(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> Changed:
    """Return the fields that have another type, which PocketBase cannot change."""
    types = {field["name"]: field["type"] for field in found}
    return {
        field["name"]: (types[field["name"]], field)
        for field in wanted
        if types.get(field["name"], field["type"]) != field["type"]
    }


def replacement(field: dict[str, Any]) -> dict[str, Any]:
    """Return the field that takes a field's place; with the id that PocketBase gives to a new one of that name."""
    name = field["name"]
    return field | {"name": f"{name}{NEW_TYPE}", "id": f"{field['type']}{zlib.crc32(name.encode())}"}


def copy_statement(collection: str, changed: Changed, types: Mapping[str, str]) -> str:
    """Return the statement that copies the values of fields into those of another type which take their places.

    Args:
        collection: Its name.
        changed: The fields, see `changed_types`.
        types: Declared type that each gets.
    """
    values = (f"`{name}{NEW_TYPE}` = {_value_as(name, found, types[name])}" for name, (found, _) in changed.items())
    return f"UPDATE {collection} SET {', '.join(values)}"


def _value_as(name: str, found: str, wanted: str) -> str:
    """Return SQL of a field's value in another type; what has no equivalent becomes the empty value.

    Args:
        name: The field.
        found: PocketBase's type of it.
        wanted: The declared type that it gets.
    """
    column = f"`{name}`"
    if found == "json" and wanted != "json":
        # A scalar's own value; of a list or an object its text.
        is_text = f"NOT json_valid({column}) OR json_type({column}) IN ('array', 'object')"
        column = f"(CASE WHEN {is_text} THEN {column} ELSE {column} ->> '$' END)"
    if wanted == "bool":
        return f"coalesce(CAST({column} AS NUMERIC), 0) != 0"
    if wanted == "int":
        return f"coalesce(CAST({column} AS INTEGER), 0)"
    is_none = f"EXISTS (SELECT 1 FROM json_each(nulls) WHERE value = '{name}')"
    if wanted == "json":
        is_json = {"text": f"json_valid({column})", "bool": "FALSE"}.get(found, "TRUE")
        other = f"iif({column}, 'true', 'false')" if found == "bool" else f"json_quote({column})"
        return f"CASE WHEN {is_none} THEN NULL WHEN {is_json} THEN {column} ELSE {other} END"
    whole = f"CAST({column} AS INTEGER)"
    text = f"CAST({whole} AS TEXT)" if found in ("number", "bool") else f"coalesce(CAST({column} AS TEXT), '')"
    if wanted == "int64":
        # As the codec writes it: 19 digits, and negative numbers as their distance from -2**63.
        text = f"iif({whole} < 0, printf('-%019d', {whole} + 9223372036854775807 + 1), printf('%019d', {whole}))"
    return f"iif({is_none}, '', {text})"


def index_name(statement: str) -> str:
    """Return the name of the index which a statement creates."""
    match = re.search(r"INDEX\s+(?:IF NOT EXISTS\s+)?[`\"\[]?(\w+)", statement, re.IGNORECASE)
    return match[1] if match else ""


def indexes(collection: str, found: list[str], wanted: list[str]) -> list[str]:
    """Return the indexes a collection gets: those wanted, and those there that are not of this package."""
    return [*wanted, *(index for index in found if not index_name(index).startswith(f"idx_{collection}_"))]
