"""The host's tables as they are kept in PocketBase, read from their one declaration."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from openwebui_pocketbase.assets import TABLES_FILE

__all__ = ["SCHEMA_VERSION", "TABLES", "Column", "Extra", "Index", "Search", "Table", "files_of_plugins"]


class _Declaration(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Declaration):
    """A column of a host table.

    Attributes:
        name: The host's name of it.
        field: PocketBase's name of it.
        type: ``int`` is exact up to 2**53; ``int64`` (nanoseconds) is kept as sortable text, ``date`` as ISO text.
        holds: What JSON the host's models take, besides None; empty for any.
        null: Whether it can be None.
        required: Whether the host's models need a value all the same: what is empty in a record that was made in
            the dashboard is no None then, and a document is {}.
        folded: Whether it can be searched without case, in a second field with its text in lower case.
        secret: Whether PocketBase shows it to nobody but superusers, whatever rules a collection gets.
        large: Whether its values are long. Such columns are behind all others: SQLite reads through a row up to the
            column that it needs.
        relation: The host table whose ids it has, if it is a relation in PocketBase. The hooks take ids of what is not
            there, as the host does.
        cascade: Whether PocketBase deletes the record with the one that the relation leads to.
        presentable: Whether it stands for its record wherever PocketBase's dashboard shows what a relation leads to.
    """

    name: str
    field: str = ""
    type: Literal["text", "json", "bool", "int", "int64", "date"]
    holds: Literal["", "object", "list"] = ""
    null: bool = False
    required: bool = False
    folded: bool = False
    secret: bool = False
    large: bool = False
    relation: str = ""
    cascade: bool = False
    presentable: bool = False

    def model_post_init(self, _: object) -> None:
        """Name the field like the column unless told otherwise."""
        object.__setattr__(self, "field", self.field or self.name)


class Extra(_Declaration):
    """A field that is no column of the host's; the hooks and the repositories keep it for themselves.

    Attributes:
        name: PocketBase's name of it.
        type: As of a column; ``relation`` leads to any number of records, ``file`` is what somebody has uploaded.
        large: Whether its values are long.
        relation: The host table whose records it leads to.
        cascade: Whether PocketBase deletes the record with the last of these.
    """

    name: str
    type: Literal["text", "json", "bool", "int", "relation", "file"]
    large: bool = False
    relation: str = ""
    cascade: bool = False


class Search(_Declaration):
    """A full-text index over the records of a table.

    Attributes:
        text: SQL of what is looked for in a record; ``{row}`` is the record.
        fields: The fields it is made from.
        words: Whether who writes a record gives the words that are indexed; else SQLite makes them of the text.
    """

    text: str
    words: bool = False
    fields: tuple[str, ...]


class Index(_Declaration):
    """An index over PocketBase fields.

    Attributes:
        columns: The fields, or SQL of what is made of them; one that begins with ``-`` is in descending order.
        name: What it is called, if not after its fields.
        unique: Whether no two records may have the same values.
        nocase: Whether ASCII letters are compared without case.
        where: SQL of the records it is for; all if empty.
    """

    columns: tuple[str, ...]
    name: str = ""
    unique: bool = False
    nocase: bool = False
    where: str = ""


class Table(_Declaration):
    """A host table and the PocketBase collection that holds its rows.

    Attributes:
        name: The host's name of the table.
        group: The group of data it belongs to.
        collection: PocketBase's name of it.
        auth: Whether it is a PocketBase auth collection. Its records are saved without validation: the host
            takes e-mail addresses that PocketBase would not.
        mirrored: Whether its rows are copied to the SQL database, because the host's own SQL joins it.
        through: Whether the host goes on writing that copy, and PocketBase gets the rows with each commit.
        joined: Whether it is another plugin's.
        incomplete: The extra that marks records which are no rows yet: no method returns them, and they are not copied.
        concerns: The columns that tell whom a record concerns. The change feed has their values with each change: of a
            record that is deleted there is nothing else left.
        hashed_id: The columns whose hash is the record id; empty if the row's id is the record id.
        id_pattern: What record ids look like that are the row's own.
        shown: The fields that a person looks for, in this order: they come first in PocketBase's dashboard.
        extras: Fields besides the host's columns.
        search: The full-text index, if there is one. Its records have a field ``doc``, their number in it, which is
            negative for what is not indexed and is looked through instead.
        removed: Fields of earlier versions, which are deleted with their data.
    """

    name: str
    group: str
    collection: str
    auth: bool = False
    mirrored: bool = False
    through: bool = False
    joined: bool = False
    incomplete: str = ""
    concerns: tuple[str, ...] = ()
    hashed_id: tuple[str, ...] = ()
    id_pattern: str = "^[a-z0-9-]+$"
    shown: tuple[str, ...]
    columns: tuple[Column, ...]
    extras: tuple[Extra, ...] = ()
    search: Search | None = None
    indexes: tuple[Index, ...] = ()
    removed: tuple[str, ...] = ()


class _File(_Declaration):
    version: int = Field(alias="schema")
    tables: dict[str, dict[str, object]]


_FILE = _File.model_validate_json(TABLES_FILE.read_bytes())

SCHEMA_VERSION = _FILE.version
"""Version of the schema as a whole; it grows with every migration."""

TABLES: dict[str, Table] = {name: Table.model_validate({"name": name, **table}) for name, table in _FILE.tables.items()}
"""Every table, by the SQL database's name of it; those of plugins come last."""


def files_of_plugins() -> dict[str, str]:
    """Return the hook files that declare the tables of plugins: path below ``pb_hooks`` -> text; one for each group.

    The hooks read whatever files are there, so those of a plugin that is gone do no harm.
    """
    groups: dict[str, dict[str, object]] = {}
    for name, table in TABLES.items():
        if table.joined:
            declared = table.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
            groups.setdefault(table.group, {})[name] = declared
    return {f"owui/plugins/{group}.json": json.dumps({"tables": tables}) for group, tables in groups.items()}
