"""A store of a move that is a dictionary."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from openwebui_pocketbase.migrate.items import UNITS, Item, Key, Note, Row, Sized, Unit

__all__ = ["MemoryStore", "tag"]

TAG = UNITS["tag"]


def tag(name: str, meta: Any = None, user_id: str = "u") -> Item:
    """Return a tag as an item."""
    row: Row = {"id": name, "name": name, "user_id": user_id, "meta": meta}
    return Item((user_id, name), {"tag": [row]})


class MemoryStore:
    """Holds items; refuses those whose tag is called ``refused``, and cannot hold the meta ``odd``."""

    def __init__(self, name: str, *items: Item) -> None:
        self.name = name
        self.items = {item.key: item for item in items}
        self.saved: list[Key] = []
        self.page = 2

    async def identity(self) -> str:
        return f"memory {self.name}"

    async def count(self, unit: Unit) -> Mapping[str, tuple[int, int]]:
        own = len(self.items) if unit is TAG else 0
        return dict.fromkeys(unit.tables, (own, 100 * own))

    async def keys(self, unit: Unit) -> AsyncGenerator[list[Sized], None]:
        keys = [Sized(key, 100) for key in self.items] if unit is TAG else []
        for start in range(0, len(keys), self.page):
            yield keys[start : start + self.page]

    def skipped(self, unit: Unit) -> list[Note]:
        return []

    async def known(self, unit: Unit, keys: Collection[Key]) -> set[Key]:
        return set(keys) & set(self.items)

    async def load(self, unit: Unit, keys: Collection[Key]) -> dict[Key, Item]:
        return {key: self.items[key] for key in keys if key in self.items}

    def fitted(self, unit: Unit, item: Item) -> Item:
        row = item.rows["tag"][0]
        if row["meta"] != "odd":
            return item
        note = Note("tag", "/".join(item.key), "its meta became none")
        return replace(item, rows={"tag": [{**row, "meta": None}]}, notes=(note,))

    async def save(self, unit: Unit, items: Sequence[tuple[Item, Item | None]]) -> list[Note]:
        notes = []
        for item, found in items:
            assert self.items.get(item.key) == found
            if item.rows["tag"][0]["name"] == "refused":
                notes.append(Note("tag", "/".join(item.key), "refused: it is left out.", is_left_out=True))
            else:
                self.items[item.key] = replace(item, notes=())
                self.saved.append(item.key)
        return notes

    async def remove(self, unit: Unit, keys: Collection[Key]) -> None:
        for key in keys:
            self.items.pop(key, None)

    async def dangling(self, unit: Unit) -> Mapping[str, int]:
        return {}
