"""Which site an archive is of: several may keep theirs in one place."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from openwebui_pocketbase.server.permissions import make_directory, open_private

__all__ = ["known_site", "named_site"]

SITE = "openwebui-pocketbase/site-id"
"""The file, in the data directory. It is in no archive: what is restored elsewhere is another site from then on."""


def known_site(data_dir: Path) -> str:
    """Return what the site is called in the names of its archives; ``""`` if it has not made any."""
    try:
        text = (data_dir / SITE).read_text(encoding="ascii").strip()
    except (FileNotFoundError, ValueError):
        return ""
    return text if re.fullmatch(r"[0-9a-f]{8}", text) else ""


def named_site(data_dir: Path) -> str:
    """Return the same, after giving it a name if it has none. To be called by whoever is alone."""
    if site := known_site(data_dir):
        return site
    site = secrets.token_hex(4)
    path = data_dir / SITE
    make_directory(path.parent, 0o700)
    with os.fdopen(open_private(path, os.O_WRONLY | os.O_TRUNC), "w", encoding="ascii") as file:
        file.write(f"{site}\n")
        file.flush()
        os.fsync(file.fileno())
    return site
