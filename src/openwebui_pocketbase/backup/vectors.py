"""The vector store's folder: SQLite databases, and files that only change while one of these is locked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from openwebui_pocketbase.backup import sqlite
from openwebui_pocketbase.backup.links import files_below

__all__ = ["Vectors", "add_vectors"]

PATIENCE = 60.0


class Vectors:
    """The files of a vector store that takes no writes at the moment.

    Args:
        root: Its folder.
        work: Where copies of its databases go.
    """

    def __init__(self, root: Path, work: Path) -> None:
        self._root = root
        self._work = work
        self.databases = [path for path in self._files() if sqlite.is_sqlite(path)]
        self._copies: list[tuple[str, Path]] = []
        self.any = bool(self.databases)

    def direct(self) -> Iterator[tuple[str, Path]]:
        """Give the files that go into the archive as they are; while nobody can write."""
        for path in self._files():
            if path not in self.databases:
                self.any = True
                yield self._name(path), path

    def copy(self) -> None:
        """Copy the databases; while nobody can write."""
        for number, path in enumerate(self.databases):
            copy = self._work / f"vectors-{number}.db"
            with sqlite.reading(path, PATIENCE) as connection:
                sqlite.copy(connection, copy)
            shutil.copymode(path, copy)
            self._copies.append((self._name(path), copy))

    def copied(self) -> Iterator[tuple[str, Path]]:
        """Give the copies of the databases."""
        yield from self._copies

    def _files(self) -> list[Path]:
        return [path for path in files_below(self._root) if not path.name.endswith(("-wal", "-shm", "-journal"))]

    def _name(self, path: Path) -> str:
        return f"vector_db/{path.relative_to(self._root).as_posix()}"


def add_vectors(root: Path, work: Path, stack: ExitStack) -> Vectors:
    """Keep everybody from writing to a vector store until the stack ends; give its files.

    Each change of Chroma's begins with a row in its database, from which it makes its index files: while that takes
    none, these stay as they are. Whoever adds documents waits for it; all else goes on.
    """
    vectors = Vectors(root, work)
    for path in vectors.databases:
        stack.enter_context(sqlite.writing(path, PATIENCE))
    return vectors
