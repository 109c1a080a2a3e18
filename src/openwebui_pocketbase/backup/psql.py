"""How PostgreSQL's own programs are run, and asked what a database has."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from openwebui_pocketbase.exceptions import BackupError

if TYPE_CHECKING:
    from sqlalchemy import URL

    from openwebui_pocketbase.backup.places import Database

__all__ = ["SCHEMA", "ask", "command_of", "environment", "require_programs", "run"]

_IN_URL = {
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslcrl",
    "options",
    "connect_timeout",
    "target_session_attrs",
}
_VARIABLES = {"options": "PGOPTIONS", "connect_timeout": "PGCONNECT_TIMEOUT"}

SCHEMA = "SELECT set_config('owui.schema', :'schema', false) \\g /dev/null\n"
"""psql replaces no variables within ``$$``: the name gets there as a setting."""


def require_programs() -> None:
    """Look whether PostgreSQL's programs are there.

    Raises:
        BackupError: They are not.
    """
    missing = [name for name in ("pg_dump", "pg_restore", "psql") if shutil.which(name) is None]
    if missing:
        raise BackupError(
            f"The SQL database is PostgreSQL, and its programs {', '.join(missing)} are not on the PATH.",
            hint="Install PostgreSQL's client programs of the server's version (Debian: postgresql-client), or run this"
            " where they are.",
        )


def ask(database: Database, statement: str) -> str:
    """Return what a statement gives, one row a line.

    Args:
        database: The database.
        statement: The statement, which finds the name of the schema in the setting ``owui.schema``.

    Raises:
        BackupError: The program failed.
    """
    require_programs()
    command = [*command_of(database), "--tuples-only", "--no-align"]
    return run(command, database.url, f"{SCHEMA}{statement}").strip()


def command_of(database: Database) -> list[str]:
    """Return psql, to be sent statements; it ends with 3 at the first one that fails."""
    return [
        *("psql", "--no-psqlrc", "--quiet", "--no-password", "--file=-"),
        *("-v", "ON_ERROR_STOP=1", "-v", f"schema={database.schema}"),
    ]


def run(command: list[str], url: URL, sent: str | None = None) -> str:
    """Run a program to its end; return what it says.

    Raises:
        BackupError: It failed.
    """
    encoding = {} if sent is None else {"PGCLIENTENCODING": "UTF8"}  # else names come in that of the database
    done = subprocess.run(  # noqa: S603 - fixed programs
        command,
        env=environment(url) | encoding,
        input=sent,
        capture_output=True,
        encoding="utf-8",
        errors="replace",  # in lists of what a dump has, of which the numbers count
        check=False,
    )
    if done.returncode:
        raise BackupError(
            f"{command[0]} failed: {done.stderr.strip() or f'it ended with {done.returncode}'}.",
            hint="Its version must be that of the server, or later."
            if "version" in done.stderr
            else "Look at the database, the disk, and the user's rights.",
        )
    return done.stdout


def environment(url: URL) -> dict[str, str]:
    """Return the environment of PostgreSQL's programs: arguments can be read by every user of the machine."""
    query = {name: str(value) for name, value in url.query.items()}
    parts = {
        "PGHOST": url.host or query.get("host"),
        "PGPORT": str(url.port) if url.port else query.get("port"),
        "PGUSER": url.username,
        "PGPASSWORD": str(url.password) if url.password is not None else None,
        "PGDATABASE": url.database,
        **{_VARIABLES.get(name, f"PG{name.upper()}"): query.get(name) for name in _IN_URL},
    }
    return {**os.environ, **{name: value for name, value in parts.items() if value}}
