"""What administrators are told about rows that only one of the two databases has."""

from __future__ import annotations

import logging
from collections.abc import Collection

from openwebui_pocketbase.catalog import together_with
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["foreign_rows", "named", "no_users", "warn_of_strangers"]

log = logging.getLogger(__name__)

NAMED = 5
"""Most ids in a message."""


def warn_of_strangers(name: str, ids: Collection[str]) -> None:
    """Name rows of somebody else's which were taken out of a table."""
    log.warning(
        "%d rows of the SQL table %s were written by something else and are not in PocketBase: %s. Nobody is served "
        "from them; they are kept aside.\n  What to do: openwebui-pocketbase mirror adopt (take them into PocketBase) "
        "or accept (drop them)",
        len(ids),
        name,
        named(ids),
    )


def named(ids: Collection[str]) -> str:
    """Return some of the ids as text."""
    shown = sorted(ids)[:NAMED]
    return ", ".join(shown) + (", ..." if len(ids) > NAMED else "")


def foreign_rows(name: str, ids: Collection[str]) -> ConfigurationError:
    """Return the error that a table has rows which were never PocketBase's: to go on would hide them for good."""
    settings = ", ".join(f'{each} = "sqlalchemy"' for each in together_with(TABLES[name].group))
    return ConfigurationError(
        f"{len(ids)} rows of the SQL table {name} are missing from PocketBase or differ from it: {named(ids)}.",
        hint=(
            f"Nobody would see them any more. Leave them in the SQL database ([groups] {settings}), or begin with an "
            "empty one. If PocketBase had them: look whether [pocketbase] url or data_dir is right."
        ),
    )


def no_users(ids: Collection[str]) -> ConfigurationError:
    """Return the error that PocketBase has none of the users: somebody would become the first one again."""
    return ConfigurationError(
        f"PocketBase has none of the {len(ids)} users of whom the SQL database has copies, such as"
        f" {named(ids)}. Whoever signs up first would become the administrator.",
        hint="Look whether [pocketbase] url or data_dir is right, and restore PocketBase's backup. "
        "If it is meant to be empty: openwebui-pocketbase mirror accept",
    )
