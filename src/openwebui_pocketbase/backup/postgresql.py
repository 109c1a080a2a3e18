"""PostgreSQL by its own programs: ``pg_dump``, ``pg_restore`` and ``psql``."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from openwebui_pocketbase.exceptions import BackupError

if TYPE_CHECKING:
    from sqlalchemy import URL

    from openwebui_pocketbase.backup.places import Database
    from openwebui_pocketbase.backup.snapshots import Snapshot

__all__ = ["dump", "problems_of", "replace", "require_programs"]

PIECE = 1 << 20

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

_EMPTY = """
SELECT set_config('owui.schema', :'schema', false);
BEGIN;
DO $$
DECLARE found record;
BEGIN
  FOR found IN
    SELECT format('%I.%I', n.nspname, c.relname) AS name,
      CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
        WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_setting('owui.schema') AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  LOOP
    EXECUTE 'DROP ' || found.kind || ' IF EXISTS ' || found.name || ' CASCADE';
  END LOOP;
  FOR found IN
    SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = current_setting('owui.schema') AND p.prokind IN ('f', 'p')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  LOOP
    EXECUTE 'DROP ROUTINE IF EXISTS ' || found.name || ' CASCADE';
  END LOOP;
  FOR found IN
    SELECT format('%I.%I', n.nspname, t.typname) AS name FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = current_setting('owui.schema') AND t.typtype IN ('e', 'd')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
  LOOP
    EXECUTE 'DROP TYPE IF EXISTS ' || found.name || ' CASCADE';
  END LOOP;
END $$;
"""
"""Removes what is in a schema, but for what belongs to extensions, in a transaction that is not ended here.

psql replaces no variables within ``$$``: the name gets there as a setting.
"""


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


def dump(database: Database, path: Path, taken: Snapshot | None = None) -> None:
    """Write everything in the schema to a file.

    Args:
        database: The database.
        path: The file, which must not be there yet.
        taken: As of which moment; default: now.

    Raises:
        BackupError: The program failed.
    """
    require_programs()
    path.touch(0o600, exist_ok=False)
    command = ["pg_dump", "--format=custom", "--compress=1", "--no-password", f"--file={path}"]
    command += [f"--schema={_pattern(database.schema)}", *([f"--snapshot={taken.name}"] if taken else [])]
    _run(command, database.url)


def problems_of(path: Path) -> list[str]:
    """Read a dump through; return what is wrong."""
    if shutil.which("pg_restore") is None:
        return ["pg_restore is not on the PATH, so the dump of PostgreSQL was not opened"]
    done = subprocess.run(  # noqa: S603 - fixed arguments
        ["pg_restore", f"--file={os.devnull}", str(path)],  # noqa: S607 - the one on the PATH is meant
        capture_output=True,
        text=True,
        check=False,
    )
    return [done.stderr.strip() or f"pg_restore ended with {done.returncode}"] if done.returncode else []


def replace(database: Database, path: Path, then: str = "") -> None:
    """Replace everything in the schema by a dump, in one transaction: all or nothing, however this ends.

    Args:
        database: The database.
        path: The dump.
        then: What is done at the end of the transaction.

    Raises:
        BackupError: A program failed; nothing has changed.
    """
    require_programs()
    listed = _run(["pg_restore", "--list", str(path)], database.url)
    # The schema itself is there.
    wanted = [line for line in listed.splitlines() if " SCHEMA - " not in line]
    with TemporaryFile() as said, TemporaryFile() as read_said:
        contents = path.with_name(f"{path.name}.list")
        contents.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        reader = subprocess.Popen(  # noqa: S603 - fixed arguments
            ["pg_restore", "--file=-", "--no-owner", "--no-acl", f"--use-list={contents}", str(path)],  # noqa: S607
            stdout=subprocess.PIPE,
            stderr=read_said,
        )
        writer = subprocess.Popen(  # noqa: S603 - fixed arguments
            [
                *("psql", "--no-psqlrc", "--quiet", "--no-password", "--file=-"),
                *("-v", "ON_ERROR_STOP=1", "-v", f"schema={database.schema}"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=_environment(database.url),
        )
        _pass_on(reader, writer, then)
        contents.unlink()
        if reader.returncode or writer.returncode:
            reason = _text(read_said) or _text(said) or "they were ended"
            raise BackupError(
                f"PostgreSQL did not take the dump: {reason}.",
                hint="The database is as it was. An extension that the dump needs, such as vector, has to be made there"
                " before.",
            )


def _pass_on(reader: subprocess.Popen[bytes], writer: subprocess.Popen[bytes], then: str) -> None:
    """Send what one says to the other, and end the transaction if that was all of it.

    psql is not told to make one transaction of its input: it would commit what it has when its input is cut off.
    """
    assert reader.stdout is not None  # noqa: S101 - for the type checker: both are pipes
    assert writer.stdin is not None  # noqa: S101
    try:
        with writer.stdin as target, reader.stdout as source:
            target.write(_EMPTY.encode())
            while piece := source.read(PIECE):
                target.write(piece)
            if reader.wait() == 0:
                target.write(f"{then}\nCOMMIT;\n".encode())
    except BrokenPipeError:  # it has ended, and says why
        reader.kill()
    except BaseException:
        writer.kill()
        reader.kill()
        raise
    finally:
        reader.wait()
        writer.wait()


def _run(command: list[str], url: URL) -> str:
    done = subprocess.run(  # noqa: S603 - fixed programs
        command, env=_environment(url), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(
            f"{command[0]} failed: {done.stderr.strip() or f'it ended with {done.returncode}'}.",
            hint="Its version must be that of the server, or later."
            if "version" in done.stderr
            else "Look at the database, the disk, and the user's rights.",
        )
    return done.stdout


def _environment(url: URL) -> dict[str, str]:
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


def _pattern(name: str) -> str:
    """Return the pattern of pg_dump that fits this name alone."""
    return '"' + name.replace('"', '""') + '"'


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(2000).decode(errors="replace").strip()
