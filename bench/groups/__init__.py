"""One module per group of data; each has a `bench.operations.Group` named ``GROUP``."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from bench.operations import Group

__all__ = ["NAMES", "load"]

NAMES = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))
"""Names of all groups; they are found, not listed."""


def load(name: str) -> Group:
    """Return a group; imports Open WebUI."""
    group: Group = import_module(f"{__name__}.{name}").GROUP
    return group
