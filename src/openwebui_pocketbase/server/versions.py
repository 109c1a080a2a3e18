"""Versions of PocketBase: those for which the hooks and migrations were written."""

from __future__ import annotations

import re

__all__ = ["SUPPORTED_VERSIONS", "is_supported"]

FIRST = (0, 40, 6)
BELOW = (0, 41)
SUPPORTED_VERSIONS = ">=0.40.6,<0.41"


def is_supported(version: str) -> bool | None:
    """Tell whether the version is one of `SUPPORTED_VERSIONS`; None for one that says nothing, as of an own build."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return FIRST <= tuple(map(int, found.groups())) < BELOW if found else None
