"""Telling copies of PocketBase's rows in the SQL database from rows that somebody else has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from openwebui_pocketbase.changes.source import Source
from openwebui_pocketbase.changes.table import MirroredTable, Row
from openwebui_pocketbase.codec.files import comparable, text_apart

__all__ = ["those_of_others", "what_differs"]


async def those_of_others(
    source: Source, table: MirroredTable, rows: Iterable[Row], stored: Mapping[str, Row]
) -> list[Row]:
    """Return those of the stored rows that PocketBase has otherwise, whoever copied the rest.

    A file that was moved to PocketBase has another path there, and its text is apart from its row: a row which says the
    same in the host's own way is a copy, too.

    Args:
        source: PocketBase.
        table: The table.
        rows: PocketBase's rows.
        stored: The SQL database's by id, of all rows or of some.
    """
    different = [(row, stored[row["id"]]) for row in rows if stored.get(row["id"], row) != row]
    texts = await _texts(source, table, different)
    return [theirs for row, theirs in different if _differing(table, row, theirs, texts)]


async def what_differs(source: Source, table: MirroredTable, row: Row, theirs: Row) -> list[str]:
    """Return the columns which a row of the SQL database has otherwise than PocketBase.

    Args:
        source: PocketBase.
        table: The table.
        row: PocketBase's row.
        theirs: The SQL database's.
    """
    return _differing(table, row, theirs, await _texts(source, table, [(row, theirs)]))


async def _texts(source: Source, table: MirroredTable, pairs: Sequence[tuple[Row, Row]]) -> dict[str, str]:
    """Return PocketBase's texts of files, as far as it matters whether they are equal."""
    if table.name != "file":
        return {}
    ids = [row["id"] for row, theirs in pairs if not _differing_apart(row, theirs)[0]]
    return await source.texts(ids) if ids else {}


def _differing(table: MirroredTable, row: Row, theirs: Row, texts: Mapping[str, str]) -> list[str]:
    if table.name != "file":
        return [name for name, value in theirs.items() if row[name] != value]
    names, text = _differing_apart(row, theirs)
    return names if names or texts.get(row["id"], "") == text else ["data"]


def _differing_apart(row: Row, theirs: Row) -> tuple[list[str], str]:
    """Return the columns that differ between a file's rows but for its text, and the text of the second one."""
    data, text = text_apart(theirs["data"])
    here, there = comparable({**theirs, "data": data}), comparable(row)
    return [name for name, value in here.items() if there[name] != value], text
