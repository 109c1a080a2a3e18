"""The interface that both sides of a move have."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Protocol

from openwebui_pocketbase.migrate.items import Item, Key, Note, Sized, Unit

__all__ = ["Change", "Store"]


class Store(Protocol):
    """One side. Its methods can be called from several tasks at once.

    Attributes:
        name: The backend, as users write it in ``[groups]``.
    """

    name: str

    async def identity(self) -> str:
        """Return what tells this store from another one of its kind; no secrets."""

    async def count(self, unit: Unit) -> Mapping[str, tuple[int, int]]:
        """Return the number of rows, and about how many bytes these have, by table."""

    def keys(self, unit: Unit) -> AsyncGenerator[list[Sized], None]:
        """Give all keys, some thousand at a time, in the order in which the rows were inserted."""

    def skipped(self, unit: Unit) -> list[Note]:
        """Return notes of rows that the last `keys` has passed over, as nobody can ask for them."""

    async def known(self, unit: Unit, keys: Collection[Key]) -> set[Key]:
        """Return those of the keys for which there is an item."""

    async def load(self, unit: Unit, keys: Collection[Key]) -> dict[Key, Item]:
        """Return the items with these keys, as far as there are any; rows of parts in the order of their ids."""

    def fitted(self, unit: Unit, item: Item) -> Item:
        """Return an item of the other side as this one can hold it, with a note of each difference."""

    async def save(self, unit: Unit, items: Sequence[tuple[Item, Item | None]]) -> list[Note]:
        """Write items, which fit; with each comes what `load` has given of it, None if there is none here.

        One that is refused does not keep the others from being written.

        Returns:
            A note for each row that was refused.
        """

    async def dangling(self, unit: Unit) -> Mapping[str, int]:
        """Return, for each reference that PocketBase knows, how many rows lead to what is not there.

        References are named ``table.column``; see `Column.relation`.
        """

    async def remove(self, unit: Unit, keys: Collection[Key]) -> None:
        """Delete the items with these keys."""


class Change(Protocol):
    """What has changed at a source: the outbox of the SQL database, or PocketBase's feed.

    Attributes:
        cursor: Names the change up to which all was dealt with, if the source is PocketBase; else it is empty.
    """

    cursor: str

    async def some(self) -> Mapping[Unit, Collection[Key]] | None:
        """Return the keys of some items that have changed, the oldest changes first; empty if there are none.

        Each key comes at least once after the change was committed. None: nobody knows any more what has changed, so
        whole units are to be compared.
        """

    async def forget(self) -> None:
        """What `some` has returned last was dealt with."""

    async def waiting(self) -> int:
        """Return the number of changes that wait."""
