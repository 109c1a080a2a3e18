"""PostgreSQL by its own programs: ``pg_dump``, ``pg_restore`` and ``psql``."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from openwebui_pocketbase.backup.dependents import DEPENDENTS, require_no_dependents
from openwebui_pocketbase.backup.grants import keep_grants
from openwebui_pocketbase.backup.psql import SCHEMA, ask, command_of, environment, require_programs, run
from openwebui_pocketbase.backup.sessions import PATIENCE, in_use
from openwebui_pocketbase.exceptions import BackupError, UnchangedError

if TYPE_CHECKING:
    from openwebui_pocketbase.backup.places import Database
    from openwebui_pocketbase.backup.snapshots import Snapshot

__all__ = ["dump", "keep", "problems_of", "replace", "require_programs"]

PIECE = 1 << 20

FAILED = 3
"""What psql ends with if the server has refused a statement, as opposed to a lost connection."""

LOCKED, DEPENDED = "owui.locked", "owui.depended"
"""What statements here fail with, in no language; who or what it is, is asked for behind them."""

_MAKE = """
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = current_setting('owui.schema')) THEN
    EXECUTE format('CREATE SCHEMA %I', current_setting('owui.schema'));
  END IF;
END $$;
"""
"""Makes the schema; CREATE SCHEMA IF NOT EXISTS takes a right that nobody needs if it is there."""

_BEGIN = f"""
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = '{PATIENCE}s';
DO $$
DECLARE tables text;
BEGIN
  SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', ') INTO tables
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = current_setting('owui.schema') AND c.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e');
  IF tables IS NOT NULL THEN
    EXECUTE 'LOCK TABLE ' || tables || ' IN ACCESS EXCLUSIVE MODE';
  END IF;
  IF EXISTS ({DEPENDENTS}) THEN
    RAISE EXCEPTION '{DEPENDED}';
  END IF;
EXCEPTION WHEN lock_not_available THEN
  RAISE EXCEPTION '{LOCKED}';
END $$;
"""  # noqa: S608 - constants
"""Has the tables for itself, in a transaction that is not ended here; sees what others did while it waited."""

_AS_WRITTEN = "SET LOCAL standard_conforming_strings = on; SET LOCAL client_encoding = 'UTF8';\n"
"""How texts behind the dump are read; it brings along what held where it was made."""

_EMPTY = f"""
{SCHEMA}{_BEGIN}
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
EXCEPTION WHEN lock_not_available THEN -- of a sequence, such as one that somebody has counted up
  RAISE EXCEPTION '{LOCKED}';
END $$;
"""  # noqa: S608 - constants
"""Removes what is in a schema, but for what belongs to extensions, in that transaction."""


def dump(database: Database, path: Path, taken: Snapshot | None = None) -> None:
    """Write everything in the schema to a file.

    Args:
        database: The database.
        path: The file, which must not be there yet.
        taken: As of which moment; default: now, and locks are waited for no longer than for a restore.

    Raises:
        BackupError: The program failed.
    """
    require_programs()
    path.touch(0o600, exist_ok=False)
    command = ["pg_dump", "--format=custom", "--compress=1", "--no-password", f"--file={path}"]
    command += [f"--schema={_pattern(database.schema)}"]
    command += [f"--snapshot={taken.name}" if taken else f"--lock-wait-timeout={PATIENCE}s"]
    run(command, database.url)


def keep(database: Database, path: Path) -> None:
    """Write what a restore replaces to a file, and beside it who may do what with the tables.

    Raises:
        UnchangedError: It cannot be replaced.
        BackupError: A program failed.
    """
    try:
        # The schema of a new site may not be there yet, and then there is nothing to keep.
        ask(database, f"{_MAKE}{_BEGIN}ROLLBACK;")
    except BackupError as error:
        _require_free(database, str(error))
        raise
    dump(database, path)
    keep_grants(database, path)


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
        UnchangedError: It was refused.
        BackupError: The connection was lost, and nobody knows whether before the end or behind it.
    """
    require_programs()
    listed = run(["pg_restore", "--list", str(path)], database.url)
    # The schema itself is there, and its comment is its owner's.
    wanted = [line for line in listed.splitlines() if " SCHEMA - " not in line and " - SCHEMA " not in line]
    with TemporaryFile() as said, TemporaryFile() as read_said:
        contents = path.with_name(f"{path.name}.list")
        contents.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        reader = subprocess.Popen(  # noqa: S603 - fixed arguments
            ["pg_restore", "--file=-", "--no-owner", "--no-acl", f"--use-list={contents}", str(path)],  # noqa: S607
            stdout=subprocess.PIPE,
            stderr=read_said,
        )
        writer = subprocess.Popen(  # noqa: S603 - fixed arguments
            command_of(database),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=environment(database.url),
        )
        _pass_on(reader, writer, f"{_AS_WRITTEN}{then}")
        contents.unlink()
        if reader.returncode or writer.returncode:
            _require_free(database, _text(said))
            # The end is sent only if the dump was read to its end, and not done if anything was refused.
            is_sure = reader.returncode or writer.returncode == FAILED
            reason = _text(read_said) or _text(said) or "they were ended"
            raise (UnchangedError if is_sure else BackupError)(
                f"PostgreSQL did not take the dump: {reason}.",
                hint="The database is as it was. An extension that the dump needs, such as vector, has to be made there"
                " before."
                if is_sure
                else "Look at the server and the connection, and run this again.",
            )


def _require_free(database: Database, said: str) -> None:
    """Say who or what is in the way, if what psql has said is that something is."""
    if DEPENDED in said:
        require_no_dependents(database)
    if LOCKED in said:
        raise in_use(database)


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


def _pattern(name: str) -> str:
    """Return the pattern of pg_dump that fits this name alone."""
    return '"' + name.replace('"', '""') + '"'


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(2000).decode(errors="replace").strip()
