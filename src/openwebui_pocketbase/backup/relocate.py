"""Adapting the paths in rows of files to another data directory: each begins with the directory's own path.

The tables' triggers are passed by: this does not change the data, and the guard would refuse it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path, PurePosixPath

__all__ = ["in_postgresql", "in_sqlite"]

UPLOADS = "uploads"


def in_sqlite(database: Path, table: str, uploads: Path) -> int:
    """Have a table of files lead to another directory of uploads; return how many rows did not.

    Args:
        database: A file of SQLite that nobody uses.
        table: The table, which need not be there.
        uploads: The directory.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
        if not found.fetchone():
            return 0
        rows = connection.execute(f"SELECT id, path FROM {table} WHERE path LIKE '%/uploads/%'").fetchall()  # noqa: S608
        moved = [(new, id) for id, path in rows if (new := _moved(path, uploads)) != path]  # noqa: A001
        if not moved:
            return 0
        triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
        connection.execute("BEGIN IMMEDIATE")
        definitions = connection.execute(triggers, (table,)).fetchall()
        for name, _ in definitions:
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.executemany(f"UPDATE {table} SET path = ? WHERE id = ?", moved)  # noqa: S608 - a constant of ours
        for _, definition in definitions:
            connection.execute(definition)
        connection.execute("COMMIT")
        return len(moved)


def in_postgresql(uploads: Path) -> str:
    """Return a statement of psql that does the same in the schema which its variable names."""
    text = str(uploads).replace("'", "''")
    return f"""
DO $$
DECLARE place text := format('%I.file', current_setting('owui.schema'));
BEGIN
  IF to_regclass(place) IS NULL THEN RETURN; END IF;
  EXECUTE 'ALTER TABLE ' || place || ' DISABLE TRIGGER USER';
  EXECUTE 'UPDATE ' || place || ' SET path = $1 || regexp_replace(path, ''^.*/uploads/'', ''/'')'
    || ' WHERE path ~ ''/uploads/[^/]+$'' AND path !~ ''://'' AND NOT starts_with(path, $1 || ''/'')'
    USING '{text}';
  EXECUTE 'ALTER TABLE ' || place || ' ENABLE TRIGGER USER';
END $$;
"""  # noqa: S608 - quoted above


def _moved(path: str, uploads: Path) -> str:
    named = PurePosixPath(path)
    return str(uploads / named.name) if "://" not in path and named.parent.name == UPLOADS else path
