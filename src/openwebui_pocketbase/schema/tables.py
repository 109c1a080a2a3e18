"""The host's tables as they are kept in PocketBase, read from their one declaration."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from openwebui_pocketbase.assets import TABLES_FILE

__all__ = ["SCHEMA_VERSION", "TABLES", "Column", "Index", "Table"]


class _Declaration(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Declaration):
    """A column of a host table.

    Attributes:
        name: The host's name of it.
        field: PocketBase's name of it.
        type: ``int`` is exact up to 2**53; ``int64`` (nanoseconds) is kept as sortable text.
        null: Whether it can be None.
    """

    name: str
    field: str = ""
    type: Literal["text", "json", "bool", "int", "int64"]
    null: bool = False

    def model_post_init(self, _: object) -> None:
        """Name the field like the column unless told otherwise."""
        object.__setattr__(self, "field", self.field or self.name)


class Index(_Declaration):
    """An index over PocketBase fields."""

    columns: tuple[str, ...]
    unique: bool = False


class Table(_Declaration):
    """A host table and the PocketBase collection that holds its rows.

    Attributes:
        name: The host's name of the table.
        group: The group of data it belongs to.
        collection: PocketBase's name of it.
        hashed_id: The columns whose hash is the record id; empty if the row's id is the record id.
    """

    name: str
    group: str
    collection: str
    hashed_id: tuple[str, ...] = ()
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...] = ()


class _File(_Declaration):
    version: int = Field(alias="schema")
    tables: dict[str, dict[str, object]]


_FILE = _File.model_validate_json(TABLES_FILE.read_bytes())

SCHEMA_VERSION = _FILE.version
"""Version of the schema as a whole; it grows with every migration."""

TABLES: dict[str, Table] = {name: Table.model_validate({"name": name, **table}) for name, table in _FILE.tables.items()}
"""Every table, by the host's name of it."""
