"""PocketBase as one side of a move; the hooks are in ``owui/migrate``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import Any

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.migrate.items import Item, Key, Note, Sized, Unit, references_of
from openwebui_pocketbase.migrate.pocketbase import fitting
from openwebui_pocketbase.migrate.pocketbase.chat_items import ChatChanges
from openwebui_pocketbase.migrate.pocketbase.indexing import Indexing
from openwebui_pocketbase.migrate.pocketbase.records import chat_record, record
from openwebui_pocketbase.migrate.pocketbase.rows import items_of, parsed
from openwebui_pocketbase.migrate.pocketbase.sending import Sending, Sent, Turn, Turns
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["PocketBaseStore"]

KEYS = 500
"""Keys in one request that deletes."""

_WITH_MESSAGES = " It is left out with its messages."


class PocketBaseStore:
    """What PocketBase has; see `openwebui_pocketbase.migrate.stores.Store`.

    Its writes are in the change feed like any others.

    Args:
        client: Sends the requests.
    """

    name = "pocketbase"

    def __init__(self, client: PocketBaseClient) -> None:
        self._client = client
        self._turns = Turns()

    async def identity(self) -> str:
        """Return the name of the change feed; that of a backup is the same, that of another PocketBase is not."""
        return f"pocketbase {await self.epoch()}"

    async def epoch(self) -> str:
        """Return the name of the change feed."""
        page = await self._client.read("changes/get_changes", {"since": "", "limit": 1, "collections": []})
        return str(page["epoch"])

    async def count(self, unit: Unit) -> Mapping[str, tuple[int, int]]:
        """Return the number of rows, and about how many bytes these have, by table."""
        names = {name: TABLES[name].collection for name in unit.tables}
        sizes = [await self._client.read(f"migrate/get_size_of_{each}", {}) for each in names.values()]
        return {name: (rows, size) for name, (rows, size) in zip(names, sizes, strict=True)}

    async def keys(self, unit: Unit) -> AsyncGenerator[list[Sized], None]:
        """Give all keys in the order in which the rows were inserted; then those of chats with nothing but messages."""
        methods: list[tuple[str, Any]] = [(f"migrate/get_keys_of_{unit.table.collection}", 0)]
        if unit.parts:
            methods.append(("migrate/get_ids_of_messages_without_chat", ""))
        for method, after in methods:
            while page := await self._client.read(method, {"after": after}):
                after = page[-1][0]  # noqa: PLW2901 - the place in this list of keys
                yield [Sized(tuple(key), size) for _, key, size in page]

    def skipped(self, unit: Unit) -> list[Note]:  # noqa: ARG002 - every record has a key
        """Return nothing: every record can be asked for."""
        return []

    async def known(self, unit: Unit, keys: Collection[Key]) -> set[Key]:
        """Return those of the keys for which there is an item."""
        methods = [f"migrate/get_known_of_{unit.table.collection}"]
        if unit.parts:
            methods.append("migrate/get_chats_of_messages")
        return {tuple(key) for method in methods for key in await self._client.read(method, {"keys": [*keys]})}

    async def load(self, unit: Unit, keys: Collection[Key]) -> dict[Key, Item]:
        """Return the items with these keys."""
        if not keys:
            return {}
        method = "migrate/get_chats" if unit.parts else f"migrate/get_rows_of_{unit.table.collection}"
        reply = await self._client.read_bytes(method, {"keys": [*keys], "is_checked": False})
        try:
            return await asyncio.to_thread(lambda: items_of(unit, parsed(reply)))
        except ValueError:
            if len(keys) > 1:
                return {key: item for each in keys for key, item in (await self.load(unit, [each])).items()}
        # What is no JSON comes from other programs' SQL.
        reply = await self._client.read_bytes(method, {"keys": [*keys], "is_checked": True})
        return items_of(unit, parsed(reply), is_mended=True)

    def fitted(self, unit: Unit, item: Item) -> Item:
        """Return an item of the SQL side as PocketBase can hold it, with a note of each difference."""
        return fitting.fitted(unit, item)

    async def save(self, unit: Unit, items: Sequence[tuple[Item, Item | None]]) -> list[Note]:
        """Write items, in their order; return a note for each row that was refused.

        Of several calls at the same time the one that came first writes first; the others make their records meanwhile.
        """
        turn = self._turns.take()
        if unit.parts:
            return await self._save_chats(items, turn)
        sending = Sending(self._client, unit.table.collection, _records(unit, items))
        async with turn:
            refused = await sending.run()
        return [Note(unit.name, each.key, each.reason, is_left_out=True) for each in refused]

    async def _save_chats(self, items: Sequence[tuple[Item, Item | None]], turn: Turn) -> list[Note]:
        """Write chats, and then their messages: what is broken off in between is a chat that differs."""
        changes = [ChatChanges(*pair) for pair in items]
        records = (Sent.of(each.chat_id, "chat", chat_record(each.chat)) for each in changes if each.chat is not None)
        chats = Sending(self._client, TABLES["chat"].collection, records)
        messages = self._sending_messages(changes)
        async with turn:
            await self._remove("chat_message", [(key,) for each in changes if each.has_before for key in each.gone])
            await self._remove("chat", [(each.chat_id,) for each in changes if each.is_chat_gone])
            notes = [
                Note("chat", each.key, each.reason + _WITH_MESSAGES, is_left_out=True) for each in await chats.run()
            ]
            if notes:
                without = {note.key for note in notes}
                messages = self._sending_messages([each for each in changes if each.chat_id not in without])
            refused = await messages.run()
        return [*notes, *(Note("chat_message", each.key, each.reason, is_left_out=True) for each in refused)]

    def _sending_messages(self, changes: Sequence[ChatChanges]) -> Sending:
        return Sending(self._client, TABLES["chat_message"].collection, _messages(changes))

    async def dangling(self, unit: Unit) -> Mapping[str, int]:
        """Return, for each reference, how many rows lead to what is not there."""
        methods = {
            f"{name}.{column}": f"migrate/count_dangling_{TABLES[name].collection}_{column}"
            for name, column, _ in references_of(unit)
        }
        return {reference: await self._client.read(method, {}) for reference, method in methods.items()}

    async def remove(self, unit: Unit, keys: Collection[Key]) -> None:
        """Delete the items with these keys."""
        listed = [*keys]
        if unit.parts:
            for some in _chunks(listed):
                chats = {"chats": [key for (key,) in some]}
                while await self._client.write("migrate/remove_messages_of_chats", chats):
                    pass
        await self._remove(unit.name, listed)

    def index(self) -> AsyncIterator[int]:
        """Add all that waits to the full-text indexes; give the numbers of what was added."""
        return Indexing(self._client).run()

    async def _remove(self, table: str, keys: Sequence[Key]) -> None:
        for some in _chunks(keys):
            await self._client.write(f"migrate/remove_{TABLES[table].collection}", {"keys": some})


def _chunks(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    for at in range(0, len(keys), KEYS):
        yield keys[at : at + KEYS]


def _records(unit: Unit, items: Sequence[tuple[Item, Item | None]]) -> Iterator[Sent]:
    for item, _ in items:
        for row in item.rows[unit.name]:
            yield Sent.of("/".join(item.key), unit.name, record(unit.name, row))


def _messages(changes: Sequence[ChatChanges]) -> Iterator[Sent]:
    for chat in changes:
        for made in chat.messages():
            yield Sent.of(made[1], "chat_message", made)
