"""One module per group of data; each has a `bench.operations.Group` named ``GROUP``."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module

from bench.operations import Group

__all__ = ["NAMES", "load", "with_data_for"]

NAMES = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))
"""Names of all groups; they are found, not listed."""


def load(name: str) -> Group:
    """Return a group; imports Open WebUI."""
    group: Group = import_module(f"{__name__}.{name}").GROUP
    return group


def with_data_for(names: Iterable[str]) -> list[Group]:
    """Return the groups, and those whose data sets they need; what is needed comes first."""
    found: dict[str, Group] = {}
    for name in names:
        group = load(name)
        found |= {other.name: other for other in with_data_for(group.after)}
        found[name] = group
    return list(found.values())
