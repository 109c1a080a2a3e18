"""Whether a copy may change its target: what people use is not overwritten, and nobody's rows are deleted unasked."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.migrate.items import Unit
from openwebui_pocketbase.migrate.journal import Journal
from openwebui_pocketbase.migrate.stores import Store

__all__ = ["require_permission"]

PLACES = {"pocketbase": "PocketBase", "sqlalchemy": "the SQL database"}


async def require_permission(
    target: Store, units: Collection[Unit], journal: Journal, in_force: Mapping[str, str], *, replace: bool
) -> None:
    """Refuse to overwrite or delete what is no copy.

    Args:
        target: What is written to.
        units: What is copied.
        journal: Which groups at the target are copies.
        in_force: Backend of each group, as the settings are.
        replace: Whether whoever asked wants the target's own rows to go.

    Raises:
        ConfigurationError: The target is in use, or has rows that no copy has made.
    """
    place = PLACES[target.name]
    used = sorted({unit.group for unit in units if in_force[unit.group] == target.name})
    if used:
        raise ConfigurationError(
            f"By the settings, {', '.join(used)} are in {place} already: what people have changed there would be"
            " overwritten.",
            hint="To add what it does not have, and change nothing else: openwebui-pocketbase migrate copy"
            f" --to {target.name} --only-missing {' '.join(used)}",
        )
    if replace:
        return
    for unit in units:
        if journal.entries([unit.group], target.name):
            continue
        for name, (rows, _) in (await target.count(unit)).items():
            if rows:
                raise ConfigurationError(
                    f"{place[0].upper()}{place[1:]} has {rows:,} rows of {name} already, which no copy of this run"
                    " has made.",
                    hint="To make it equal to the source, and delete what only it has, add --replace. To add what it"
                    " does not have, and change nothing else, add --only-missing.",
                )
