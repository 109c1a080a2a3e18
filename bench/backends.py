"""The backends, seen from the parent: what each needs, and the worker process on it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["BACKENDS", "BackendMissingError", "WorkerError", "WorkerProcess", "host_environment"]

POSTGRESQL = "postgres@127.0.0.1:5432"

WORKER = {
    "OPENWEBUI_POCKETBASE_DISABLE": "1",  # it binds the repositories itself
    "ENABLE_DB_MIGRATIONS": "false",
    "DATABASE_USER_ACTIVE_STATUS_UPDATE_INTERVAL": "0",  # a call that the host skips would be measured as one made
}
"""What the environment of every worker says besides."""


class BackendMissingError(Exception):
    """A backend cannot be measured here."""


class WorkerError(Exception):
    """A worker failed."""


def host_environment(data_dir: Path) -> dict[str, str]:
    """Return the environment of a process of the host: offline, its own data, none of our settings."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENWEBUI_POCKETBASE_", "DATABASE_")) and name != "STORAGE_BACKEND"
    }
    return inherited | {
        "FROM_INIT_PY": "true",
        "DATA_DIR": str(data_dir),
        "STATIC_DIR": str(data_dir / "static"),
        "OFFLINE_MODE": "true",
        "HF_HUB_OFFLINE": "1",
        "WEBUI_SECRET_KEY": "bench",
        "ENABLE_DB_MIGRATIONS": "true",
    }


@contextmanager
def _file_beside_the_host(data_dir: Path, _groups: Collection[str], _callers: int) -> Iterator[dict[str, str]]:
    """SQLite, and PocketBase's own: what the worker makes in its data directory."""
    yield {"DATABASE_URL": f"sqlite:///{data_dir}/webui.db"}


@contextmanager
def _both_files(data_dir: Path, groups: Collection[str], callers: int) -> Iterator[dict[str, str]]:
    """PocketBase's file and, for groups that have a table which is mirrored there, the host's."""
    if not any(table.mirrored and table.group in groups for table in TABLES.values()):
        raise BackendMissingError("nothing of these groups is mirrored")
    with _file_beside_the_host(data_dir, groups, callers) as environment:
        yield environment


@contextmanager
def _both_files_written_through(data_dir: Path, groups: Collection[str], callers: int) -> Iterator[dict[str, str]]:
    """Likewise, for the group of `bench.groups.through`."""
    if "through" not in groups:
        raise BackendMissingError("nothing of these groups is written through")
    with _file_beside_the_host(data_dir, groups, callers) as environment:
        yield environment


@contextmanager
def _postgresql_database(_data_dir: Path, _groups: Collection[str], callers: int) -> Iterator[dict[str, str]]:
    """A database of our own, dropped afterwards.

    Stock methods of folders hold up to two connections while they wait for a third: with the host's default
    of 15, callers at once would wait for each other until the pool's timeout.
    """
    name = f"owui_bench_{secrets.token_hex(4)}"
    try:
        connection = psycopg.connect(f"postgresql://{POSTGRESQL}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        raise BackendMissingError("no PostgreSQL at 127.0.0.1:5432 that lets user postgres in") from error
    with connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            # The host's asynchronous driver, named because its synchronous one need not be installed.
            yield {
                "DATABASE_URL": f"postgresql+psycopg://{POSTGRESQL}/{name}",
                "DATABASE_POOL_SIZE": str(2 * callers + 8),
            }
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


BACKENDS: dict[str, Callable[[Path, Collection[str], int], AbstractContextManager[dict[str, str]]]] = {
    "sqlite": _file_beside_the_host,
    "postgresql": _postgresql_database,
    "pocketbase": _file_beside_the_host,
    "mirrored": _both_files,
    "through": _both_files_written_through,
}
"""Name -> context in which the backend is there, for these groups and so many callers; gives its environment."""


class WorkerProcess:
    """A `bench.worker`, as a context manager.

    Args:
        backend: Name of the backend.
        groups: Names of the groups.
        environment: Of the process.
        log: File for what the host logs.
        module: The program.
    """

    def __init__(
        self,
        backend: str,
        groups: list[str],
        environment: dict[str, str],
        log: Path,
        *,
        module: str = "bench.worker",
    ) -> None:
        self._backend = backend
        self._log = log
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, backend, *groups],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**environment, **WORKER},
            )

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def send(self, do: str, **parameters: Any) -> None:
        """Tell the worker what to do."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **parameters}) + "\n")
        self._process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """Wait for the worker's answer.

        Raises:
            WorkerError: It failed.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(f"The worker on {self._backend} ended:\n{self._log.read_text(errors='replace')[-4000:]}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(f"The worker on {self._backend} failed:\n{answer['error']}")
        return answer

    def ask(self, do: str, **parameters: Any) -> dict[str, Any]:
        """`send` and `receive`."""
        self.send(do, **parameters)
        return self.receive()
