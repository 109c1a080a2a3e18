"""Rows of files whose form in PocketBase differs from that in the SQL database, though they mean the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["comparable", "text_apart"]

_IN_POCKETBASE = "pb://"


def text_apart(data: Any) -> tuple[Any, str]:
    """Return a file's data without its extracted text, and the text; it stays where it is if it cannot travel alone."""
    text = data.get("content") if isinstance(data, dict) else None
    if type(text) is not str or not text or "\0" in text:
        return data, ""
    return {**data, "content": ""}, text


def comparable(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with a path that is the same wherever the contents are moved to, and back.

    That is the last part: the host's name for contents in PocketBase as well as on a disk, and unique, as it has the
    file's id. Contents in buckets are not moved, so their paths stay whole.
    """
    path = row["path"]
    if path and (path.startswith(_IN_POCKETBASE) or "://" not in path):
        path = path.rsplit("/", 1)[-1]
    return {**row, "path": path}
