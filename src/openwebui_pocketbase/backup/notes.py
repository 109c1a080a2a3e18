"""What an archive lacks, which whoever restores it has to know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from openwebui_pocketbase.backup import sqlite
from openwebui_pocketbase.backup.contents import in_other_storage
from openwebui_pocketbase.last_start import KEY_FILE

__all__ = ["other_storage", "outside"]


def outside(*, has_bucket: bool, is_encrypted: bool, has_secret_key: bool) -> Iterator[str]:
    """Give what is kept elsewhere.

    Args:
        has_bucket: Whether PocketBase has its files in a bucket.
        is_encrypted: Whether PocketBase's settings are encrypted.
        has_secret_key: Whether the archive has ``WEBUI_SECRET_KEY``.
    """
    if has_bucket:
        yield "PocketBase has its files in a bucket: back that up as well."
    if is_encrypted:
        yield "PocketBase's settings are encrypted: keep their key elsewhere, it needs that to start."
    if not has_secret_key:
        yield (
            f"WEBUI_SECRET_KEY is not in it: no file {KEY_FILE} is known. Keep the key elsewhere, and set it where this"
            " is restored: without it people have to sign in again, and their second factors are lost."
        )


def other_storage(path: Path, table: str) -> str:
    """Return what is to be known of the contents that a database's table of files leads to, or ``""``."""
    with sqlite.read(path) as connection:
        number = in_other_storage(connection, table)
    return f"Contents of {number:,} files are in Open WebUI's bucket: back that up as well." if number else ""
