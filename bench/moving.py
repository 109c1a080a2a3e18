"""Moving chats from SQLite to PocketBase by the commands that people use: how fast, and in how much memory."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.backends import WorkerError
from bench.chat_data import Chat
from bench.data import identifier
from bench.runner import work_directory
from bench.tables import Result, Say, Sheet, figure

__all__ = ["Moved", "measure_moving"]

MESSAGES = 20
"""Messages of each chat."""

LIMITS = {"copied": 5000.0, "verified": 20_000.0, "seconds": 300.0, "memory": 300.0}
"""Least messages copied and rows verified a second; most seconds for both, at 20,000 chats; most megabytes."""

CHATS = 20_000
"""Chats for which the limit of seconds holds."""

MIGRATE = """
from pathlib import Path
import alembic.command, alembic.config, open_webui
root = Path(open_webui.__file__).parent
config = alembic.config.Config(str(root / "alembic.ini"))
config.set_main_option("script_location", str(root / "migrations"))
alembic.command.upgrade(config, "head")
"""


@dataclass
class Moved:
    """The figures.

    Attributes:
        chats: How many there were.
        copied: Messages copied a second, from the start of copying rows to the end.
        indexed: Messages copied and added to the search index a second; the whole command.
        verified: Rows compared a second.
        seconds: What both commands took, their start included.
        memory: Most megabytes that their Python process had.
        pocketbase: Most megabytes that PocketBase had.
    """

    chats: int
    copied: float
    indexed: float
    verified: float
    seconds: float
    memory: float
    pocketbase: float

    def missed(self) -> list[str]:
        """Return which figures do not keep to their limits."""
        least = [name for name in ("copied", "verified") if getattr(self, name) < LIMITS[name]]
        most = [] if self.seconds <= LIMITS["seconds"] * self.chats / CHATS else ["seconds"]
        most += [] if self.memory <= LIMITS["memory"] else ["memory"]
        return [f"{name}: {getattr(self, name):,.4g}, {LIMITS[name]:g} is wanted" for name in (*least, *most)]


def measure_moving(chats: int, say: Say) -> Result:
    """Make an SQLite database with so many chats, copy it and verify the copy."""
    with work_directory() as directory:
        environment = {
            **{name: value for name, value in os.environ.items() if name != "STORAGE_BACKEND"},
            "DATA_DIR": str(directory),
            "FROM_INIT_PY": "true",
            "WEBUI_SECRET_KEY": "bench",
            "OFFLINE_MODE": "true",
        }
        subprocess.run([sys.executable, "-c", MIGRATE], env=environment, check=True, capture_output=True)
        say(f"Writing {chats:,} chats of {MESSAGES} messages")
        _fill(directory / "webui.db", chats)
        say("Copying")
        copy = _run(["migrate", "copy", "--data-dir", str(directory), "--json"], environment)
        say("Verifying")
        verify = _run(["migrate", "verify", "--data-dir", str(directory), "--json"], environment)
    messages = chats * MESSAGES
    copied, verified = json.loads(copy.output), json.loads(verify.output)
    if not verified["equal"]:
        raise WorkerError(f"The copy differs: {verify.output[:500]}")
    moved = Moved(
        chats,
        messages / copied["seconds"],
        messages / (copied["seconds"] + copied["indexing"]),
        verified["rows"] / verified["seconds"],
        copy.seconds + verify.seconds,
        max(copy.memory, verify.memory),
        max(copy.pocketbase, verify.pocketbase),
    )
    rows = [[name, figure(value)] for name, value in asdict(moved).items()]
    return Result(asdict(moved), [Sheet("moving", ("Figure", "value"), rows)], moved.missed(), [])


@dataclass
class _Done:
    output: str
    seconds: float
    memory: float
    pocketbase: float


def _run(arguments: Iterable[str], environment: dict[str, str]) -> _Done:
    """Run a command; sizes in megabytes."""
    began = time.monotonic()
    command = [sys.executable, "-m", "openwebui_pocketbase", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watched = psutil.Process(process.pid)
    memory = pocketbase = 0.0
    while process.poll() is None:
        try:
            memory = max(memory, watched.memory_info().rss / 2**20)
            for child in watched.children(recursive=True):
                pocketbase = max(pocketbase, child.memory_info().rss / 2**20)
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.1)
    output, errors = process.communicate()
    if process.returncode:
        raise WorkerError(f"{' '.join(command)} failed:\n{output}{errors}")
    return _Done(output, time.monotonic() - began, memory, pocketbase)


def _fill(database: Path, chats: int) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        for number in range(chats):
            item = Chat(identifier(f"user {number % 200}"), number, MESSAGES).item
            for table, rows in item.items():
                for row in rows:
                    _insert(connection, table, row)


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    values = [json.dumps(value) if isinstance(value, dict | list) else value for value in row.values()]
    if table == "chat_message":
        values[[*row].index("content")] = json.dumps(row["content"])
    names = ", ".join(f'"{name}"' for name in row)
    connection.execute(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(values))})', values)
