"""Paths of files whose contents are in PocketBase: ``pb://<record id>/<name in storage>``.

The host keeps a path with each file and gives it to its storage; it takes the last part for the file's name. Paths of
any other form are those of the host's own providers: a local file, ``s3://``, ``gs://``, or an address of Azure.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["SCHEME", "StoredPath", "check_name", "parse"]

SCHEME = "pb://"
_ID = re.compile(r"[a-z0-9-]{1,100}")


class StoredPath(NamedTuple):
    """A path of ours.

    Attributes:
        id: Id of the record, which is that of the file.
        name: Name in the host's storage, such as ``<id>_report.pdf``.
    """

    id: str
    name: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.id}/{self.name}"


def parse(path: str) -> StoredPath | None:
    """Return the parts of a path of ours, None if it is another provider's.

    Raises:
        ValueError: It begins as one of ours, and is none.
    """
    if not path.startswith(SCHEME):
        return None
    record, _, name = path.removeprefix(SCHEME).partition("/")
    if not (_ID.fullmatch(record) and _is_plain(name)):
        raise ValueError(f"{path!r} is no path of contents in PocketBase")
    return StoredPath(record, name)


def check_name(name: str) -> None:
    """Raise an error if a name is no name of one file in one directory.

    Raises:
        ValueError: It is empty, leads to another directory, or has a NUL.
    """
    if not _is_plain(name):
        raise ValueError(f"{name!r} is no name of a file")


def _is_plain(name: str) -> bool:
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name
