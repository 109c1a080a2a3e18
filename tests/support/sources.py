"""The project's own files, in a checkout or in an unpacked source distribution."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["ROOT", "is_checkout", "project_files"]

ROOT = Path(__file__).resolve().parents[2]

MADE_BY_RECIPES = {".venv", ".cache", ".hypothesis", "node_modules", "__pycache__", "dist", "site", "data"}
"""Directories that git ignores, where there is no git to ask."""


def is_checkout() -> bool:
    """Return whether git knows these files."""
    return (ROOT / ".git").exists()


def project_files(pattern: str = "**/*") -> list[Path]:
    """Return the files that are, or would be, in version control."""
    if not is_checkout():
        found = [path for path in ROOT.glob(pattern) if not MADE_BY_RECIPES & {*path.relative_to(ROOT).parts}]
        return [path for path in found if path.is_file()]
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", f":(glob){pattern}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    files = [ROOT / name for name in listing.stdout.split("\0") if name]
    return [file for file in files if file.is_file() and not file.is_symlink()]
