"""What administrators are told about rows that only one of the two databases has."""

from __future__ import annotations

import logging
from collections.abc import Collection

from openwebui_pocketbase.catalog import together_with
from openwebui_pocketbase.exceptions import ConfigurationError

__all__ = ["named", "no_users", "not_copied", "warn_of_differences", "warn_of_strangers"]

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


def warn_of_differences(name: str, ids: Collection[str]) -> None:
    """Name rows of the SQL database which became as PocketBase has them, when the table became a copy."""
    log.warning(
        "%d rows of the SQL table %s were not as in PocketBase, and are now: %s. As they were they are kept aside.\n"
        "  What to do: openwebui-pocketbase mirror adopt (tell what differs in each) or accept (drop them)",
        len(ids),
        name,
        named(ids),
    )


def not_copied(group: str, name: str, ids: Collection[str]) -> ConfigurationError:
    """Return the error that PocketBase has nothing of a group of which the SQL database has rows.

    To go on would hide them, and let somebody become the first user again.
    """
    groups = together_with(group)
    settings = ", ".join(f'{each} = "sqlalchemy"' for each in groups)
    return ConfigurationError(
        f"PocketBase has none of the {len(ids):,} rows of the SQL table {name}: {named(ids)}.",
        hint=(
            f"Copy them: openwebui-pocketbase migrate copy {' '.join(groups)}. Or leave them in the SQL database "
            f"([groups] {settings}). If PocketBase had them: look whether [pocketbase] url or data_dir is right."
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
