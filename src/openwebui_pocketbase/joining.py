"""Joining the tables of other plugins to those of the host: from then on they are groups like any other.

That has to happen before anything asks which groups and tables there are, as reading the settings does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from openwebui_pocketbase.catalog import CATALOG, Group
from openwebui_pocketbase.exceptions import ConfigurationError, OpenWebUIPocketBaseError
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.settings import GROUPS, Settings

if TYPE_CHECKING:
    from openwebui_pocketbase.hookspecs import WrittenThrough

__all__ = ["join", "join_plugins"]

OURS = "pocketbase"
"""Name of our own entry point, which has no such tables."""


@cache
def join_plugins() -> None:
    """Join the tables that installed plugins name; does nothing the second time.

    Raises:
        ConfigurationError: A plugin fails, or names what cannot be written through.
    """
    from openwebui_pocketbase.manager import PROJECT, plugin_manager  # noqa: PLC0415 - only if there is a plugin

    if all(entry.name == OURS for entry in entry_points(group=PROJECT)):
        return
    try:
        registered = plugin_manager(without=OURS).hook.openwebui_register_tables()
    except OpenWebUIPocketBaseError:
        raise
    except Exception as error:
        raise ConfigurationError(f"A plugin fails: {error!r}.", hint="Repair it or uninstall it.") from error
    join(each for of_plugin in registered for each in of_plugin)


def join(registered: Iterable[WrittenThrough]) -> None:
    """Join tables, all or none.

    Args:
        registered: What plugins have named.

    Raises:
        ConfigurationError: A name is taken, or a table cannot be written through.
    """
    from openwebui_pocketbase.schema.declared import declared  # noqa: PLC0415 - needs SQLAlchemy

    tables: dict[str, Any] = {}
    groups: dict[str, Group] = {}
    for each in registered:
        if each.group in groups or each.group in {*GROUPS, *Settings.model_fields}:
            raise _refusal(each.group, f"the name {each.group} is taken")
        if not re.fullmatch("[a-z][a-z0-9_]*", each.group):
            raise _refusal(each.group, "its name has to be of a-z, 0-9 and _, and begin with a letter")
        if not each.tables:
            raise _refusal(each.group, "it has no tables")
        own = {}
        for named in each.tables:
            table = getattr(named, "__table__", named)
            declaration = declared(each.group, table)
            if table.name in {*TABLES, *tables}:
                raise _refusal(each.group, f"there is another table {table.name}")
            tables[table.name], own[table.name] = declaration, table
        groups[each.group] = Group(each.group, joined=own)
    TABLES.update(tables)
    CATALOG.update(groups)
    GROUPS.extend(groups)


def _refusal(group: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"A plugin's group {group!r} cannot be written through: {reason}.",
        hint="Uninstall the plugin, or have it changed.",
    )
