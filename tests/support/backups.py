"""Small sites to be backed up: real files, without an Open WebUI that runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from openwebui_pocketbase.backup.archive import Archive
from openwebui_pocketbase.backup.create import Made, Outside, create
from openwebui_pocketbase.backup.extract import new_stamp, planned
from openwebui_pocketbase.backup.journal import Journal
from openwebui_pocketbase.backup.places import Places, database_of
from openwebui_pocketbase.backup.restore import recover, restore, stopped
from openwebui_pocketbase.backup.server import Server
from openwebui_pocketbase.backup.undo import undo
from openwebui_pocketbase.backup.work import alone, clear
from openwebui_pocketbase.last_start import LastStart
from tests.support.commands import IN_ONE_PROCESS

REVISION = "abc123"
VERSION = "0.40.6"
GUARD = "CREATE TRIGGER guard BEFORE UPDATE ON file BEGIN SELECT RAISE(ABORT, 'its rows are in PocketBase'); END"


def new_site(
    data_dir: Path, *, pocketbase: Path | None = None, database: str = "", external: bool = False, text: str = "old"
) -> Places:
    """Make a data directory with something of everything; all of it says the same text.

    Args:
        data_dir: The directory.
        pocketbase: A prepared PocketBase, to be copied.
        database: Address of a database; default: SQLite in the data directory.
        external: Whether PocketBase is elsewhere.
        text: What is written everywhere.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    package = data_dir.parent / "open_webui"
    (package / "migrations" / "versions").mkdir(parents=True, exist_ok=True)
    (package / "migrations" / "versions" / "one.py").write_text(f"revision: str = '{REVISION}'\ndown_revision = None\n")
    if pocketbase is not None:
        shutil.copytree(pocketbase, data_dir / "pocketbase")
        with closing(sqlite3.connect(data_dir / "pocketbase" / "data.db")) as connection, connection:
            connection.execute("CREATE TABLE said (text TEXT)")
            connection.execute("INSERT INTO said VALUES (?)", (text,))
    if not database:
        with closing(sqlite3.connect(data_dir / "webui.db", isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
            connection.execute("INSERT INTO alembic_version VALUES (?)", (REVISION,))
            connection.execute("CREATE TABLE said (text TEXT)")
            connection.execute("INSERT INTO said VALUES (?)", (text,))
            connection.execute("CREATE TABLE file (id TEXT, path TEXT)")
            connection.execute("INSERT INTO file VALUES ('1', ?)", (f"{data_dir}/uploads/a_one.txt",))
            connection.execute(GUARD)
    for path in ("uploads/a_one.txt", "vector_db/index/level0.bin", "openwebui-pocketbase/migrate.json"):
        (data_dir / path).parent.mkdir(parents=True, exist_ok=True)
        (data_dir / path).write_text(text)
    (data_dir / "openwebui-pocketbase.toml").write_text(f"# {text}\nstorage_backend = 'pocketbase'\n")
    (data_dir / ".webui_secret_key").write_text(text)
    LastStart({}, {"STORAGE_BACKEND": text}, "/elsewhere", "sqlite file elsewhere.db", 1).write(data_dir)
    return places_of(data_dir, database=database, external=external)


def places_of(data_dir: Path, *, database: str = "", external: bool = False) -> Places:
    """Return the places of a site that may not be there yet."""
    key = data_dir / ".webui_secret_key"
    config = data_dir / "openwebui-pocketbase.toml"
    return Places(
        data_dir=data_dir,
        pocketbase=None if external else data_dir / "pocketbase",
        database=database_of(make_url(database or f"sqlite:///{data_dir}/webui.db"), ""),
        name="the database here",
        package_dir=data_dir.parent / "open_webui",
        open_webui="0.12.4",
        config=config if config.is_file() else None,
        secret_key=key if key.is_file() else None,
    )


def made(places: Places, outside: Outside | None = None) -> Made:
    """Make an archive as the command does."""
    directory = places.data_dir / "backups"
    with alone(places):
        clear(places, directory)
        return create(places, directory, VERSION, outside)


def restored(places: Places, path: Path, server: Server | None = None) -> Journal:
    """Restore an archive as the command does."""
    with alone(places), stopped(places), Archive(path) as archive:
        recover(places, server)
        stamp = new_stamp()
        members = archive.members()
        return restore(archive, members, planned(archive, members, places, stamp), places, stamp, server)


def undone(places: Places, server: Server | None = None) -> Journal:
    """Undo it as the command does."""
    with alone(places), stopped(places):
        return undo(places, server)


def recovered(places: Places) -> str:
    """Do what every command does first."""
    with alone(places), stopped(places):
        return recover(places, None)


def state_of(data_dir: Path) -> dict[str, Any]:
    """Return all that a site says, by its place; databases as what is in them."""
    return dict(_state_of(data_dir))


def _state_of(data_dir: Path) -> Iterator[tuple[str, Any]]:
    for path in sorted(data_dir.rglob("*")):
        name = path.relative_to(data_dir).as_posix()
        ours = name.startswith(("backups/", "pocketbase/.owui/", "openwebui-pocketbase/"))
        if not path.is_file() or name.endswith(("-wal", "-shm", "auxiliary.db", "types.d.ts")):
            continue
        if ours and name != "openwebui-pocketbase/migrate.json":
            continue
        if path.suffix == ".db":
            with closing(sqlite3.connect(path)) as connection:
                yield name, connection.execute("SELECT * FROM said").fetchall()
        elif name == ".openwebui-pocketbase.json":
            yield name, json.loads(path.read_text())["variables"]
        else:
            yield name, path.read_text()


def left_over(data_dir: Path) -> list[str]:
    """Return what no run may leave behind."""
    found = [path for pattern in ("*.partial", "new", "*.tmp", "*.earlier.json") for path in data_dir.rglob(pattern)]
    return sorted(path.relative_to(data_dir).as_posix() for path in found)


KILL = """
import os, signal, sys
from importlib import import_module
from pathlib import Path
from tests.support import backups
name, count, verb, data_dir, archive, database = sys.argv[1:]
module, _, function = name.rpartition(".")
module = import_module(f"openwebui_pocketbase.backup.{module}")
owner, _, function = function.rpartition(":")
owner = getattr(module, owner) if owner else module
real, left = getattr(owner, function), int(count)
def killed(*args, **kwargs):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **kwargs)
setattr(owner, function, killed)
places = backups.places_of(Path(data_dir), database=database)
{"create": lambda: backups.made(places), "restore": lambda: backups.restored(places, Path(archive)),
 "undo": lambda: backups.undone(places)}[verb]()
"""


def killed_at(
    point: str, count: int, verb: str, data_dir: Path, archive: Path | None = None, database: str = ""
) -> bool:
    """Do something in a process that is killed when it calls a function for the so manieth time, counted from 0.

    Args:
        point: The function: module, and name or ``Class:name``.
        count: See above.
        verb: ``create``, ``restore`` or ``undo``.
        data_dir: The site.
        archive: What is restored.
        database: Address of the database, if that is not SQLite.

    Returns:
        Whether it was called so often.
    """
    arguments = [sys.executable, "-c", KILL, point, str(count), verb, str(data_dir), str(archive), database]
    done = subprocess.run(arguments, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode != 0


def run_backup(data_dir: Path, env: Mapping[str, str], *commands: str) -> list[tuple[int, str]]:
    """Run ``openwebui-pocketbase backup`` with each of the arguments in one process; return exit codes and output."""
    arguments = [["backup", *command.split(), "--data-dir", str(data_dir)] for command in commands]
    done = subprocess.run(
        [sys.executable, "-c", IN_ONE_PROCESS],
        cwd=data_dir.parent,
        env=dict(env),
        input=json.dumps([(each, "") for each in arguments]),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [(code, stdout + stderr) for code, stdout, stderr in json.loads(done.stdout)]
