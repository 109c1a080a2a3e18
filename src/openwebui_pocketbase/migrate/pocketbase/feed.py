"""What changes in PocketBase, from its change feed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from openwebui_pocketbase.changes.feed import Change
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.migrate.items import Key, Unit
from openwebui_pocketbase.migrate.stores import Store
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["FeedChanges", "position"]

LIMIT = 1000
"""Changes that are dealt with together."""


async def position(client: PocketBaseClient) -> str:
    """Return the cursor of the newest change."""
    cursor: str = (await client.read("changes/get_changes", {"since": "", "limit": 1, "collections": []}))["cursor"]
    return cursor


class FeedChanges:
    """The changes of some units; see `openwebui_pocketbase.migrate.stores.Change`.

    PocketBase keeps changes, for a week and a million of them, until this has read them.

    Args:
        client: Sends the requests.
        units: What is followed.
        other: The side that follows: what it has is looked through where a change does not name its row.
        cursor: Behind which change to begin; empty if nobody knows.

    Attributes:
        cursor: Names the change up to which all were dealt with.
    """

    def __init__(self, client: PocketBaseClient, units: Iterable[Unit], other: Store, cursor: str = "") -> None:
        self.cursor = cursor
        self._client = client
        self._other = other
        self._units = {TABLES[name].collection: (unit, name) for unit in units for name in unit.tables}
        self._next = cursor

    async def some(self) -> Mapping[Unit, Collection[Key]] | None:
        """Return the keys of items that have changed; None if nobody knows, as after PocketBase was restored."""
        asked = {
            "since": self.cursor,
            "limit": LIMIT,
            "collections": [*self._units],
            "reader": self._client.origin,
        }
        page = await self._client.read("changes/get_changes", asked, lenient=True)
        self._next = page["cursor"]
        if not page["follows"]:
            return None
        found = await self._keys_of([Change(*change) for change in page["changes"]])
        if not found:
            self.cursor = self._next  # nothing is to be dealt with
        return found

    async def forget(self) -> None:
        """What `some` has returned last was dealt with."""
        self.cursor = self._next

    async def waiting(self) -> int:
        """Return the number of changes that wait."""
        after = int(self.cursor.partition("/")[0] or 0)
        asked = {"after": after, "collections": [*self._units]}
        number: int = await self._client.read("migrate/count_changes", asked)
        return number

    async def _keys_of(self, changes: Iterable[Change]) -> dict[Unit, set[Key]]:
        found: dict[Unit, set[Key]] = {}
        hashed: dict[Unit, list[Change]] = {}
        for change in changes:
            unit, table = self._units[change.collection]
            if table != unit.name:
                place = TABLES[table].concerns.index(unit.parts[table])
                owners = change.concerned[place :: len(TABLES[table].concerns)]  # as it is, and as it was
                found.setdefault(unit, set()).update((owner,) for owner in owners)
            elif TABLES[table].hashed_id:
                hashed.setdefault(unit, []).append(change)
            else:
                found.setdefault(unit, set()).add((change.record_id,))
        for unit, some in hashed.items():
            found.setdefault(unit, set()).update(await self._keys_of_hashed(unit, some))
        return {unit: keys for unit, keys in found.items() if keys}

    async def _keys_of_hashed(self, unit: Unit, changes: list[Change]) -> set[Key]:
        """Return the keys of records whose ids do not tell them.

        A record that is there tells its key. The one that it had before, or that a deleted one had, is among those of
        the other side: those with the same values in the columns that the change does tell.
        """
        ids = sorted({change.record_id for change in changes})
        method = f"migrate/get_keys_by_id_of_{unit.table.collection}"
        keys = {tuple(key) for _, key in await self._client.read(method, {"ids": ids})}
        told = [name for name in unit.key if name in unit.table.concerns]
        places = [(unit.key.index(name), unit.table.concerns.index(name)) for name in told]
        concerned = {
            tuple(values[at] for _, at in places)
            for change in changes
            if change.op != "create"
            for values in _each(change.concerned, len(unit.table.concerns))
        }
        if concerned:
            async for page in self._other.keys(unit):
                keys.update(each.key for each in page if tuple(each.key[at] for at, _ in places) in concerned)
        return keys


def _each(concerned: list[Any], width: int) -> list[list[Any]]:
    """Return what a change concerns, as it is and as it was; once nothing if its table does not tell."""
    return [concerned[at : at + width] for at in range(0, len(concerned), width)] if width else [[]]
