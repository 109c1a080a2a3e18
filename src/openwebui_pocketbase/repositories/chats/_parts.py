"""New chats on their way to PocketBase: at once, or in parts by bytes; ``owui/chats/insert.js`` says how."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import accumulate, chain, islice
from typing import Any, Final

import orjson

from openwebui_pocketbase.client import encode
from openwebui_pocketbase.codec.chats import split
from openwebui_pocketbase.data_urls import marked
from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError, UnavailableError
from openwebui_pocketbase.repositories.base import LARGE, Requests, in_thread_if
from openwebui_pocketbase.repositories.chats._codecs import CHAT, MESSAGE
from openwebui_pocketbase.repositories.chats._tidy import is_tidy

__all__ = ["NewChat", "is_long", "send", "wire_of"]

PART: Final = 4 << 20
"""Bytes in one request, and so the length of one transaction, during which nobody else can write.

A longer message has a request of its own."""

DATA_URLS: Final = 16 << 20
"""Bytes of data URLs that go with one part. Up to three parts are in memory: one is sent, two are ready."""

RECORD: Final = 1 << 10
"""Bytes that a record counts for besides its own: with many short messages the indexes cost most."""

LEASE: Final = 120
"""Seconds after which PocketBase takes an import that sends nothing for dead."""

FEW: Final = 64
"""Up to this many messages are encoded on the event loop; starting a thread would take longer."""

Row = dict[str, Any]


class NewChat:
    """A chat to be written.

    Args:
        chat: The columns of the host's table ``chat``, the body with its messages.
        rows: Makes its rows of ``chat_message``.
    """

    def __init__(self, chat: Mapping[str, Any], rows: Callable[[], Iterable[Row]]) -> None:
        self.chat = chat
        self.rows = rows

    def record(self) -> dict[str, Any]:
        """Return the fields of the chat's record."""
        return CHAT.new_record(self.chat, tidy=is_tidy(self.chat["chat"]))

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield the fields of the records of its messages."""
        return MESSAGE.new_fields(self.chat["id"], split(self.chat["chat"])[1], self.rows())


def wire_of(chat: Mapping[str, Any], rows: Iterable[Row]) -> dict[str, list[dict[str, Any]]]:
    """Return a chat and its messages as ``chats/insert_chats`` takes them; see `NewChat`."""
    new = NewChat(chat, lambda: rows)
    return {"chats": [new.record()], "messages": [*new.messages()]}


def is_long(bodies: Iterable[dict[str, Any]]) -> bool:
    """Return whether it takes long to make chats with these bodies ready for sending."""
    messages = [some for body in bodies for some in _messages_of(body)]
    return sum(map(len, messages)) > FEW or any(size > LARGE for size in accumulate(map(len, _strings(messages))))


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _messages_of(body: dict[str, Any]) -> Iterator[dict[str, Any] | list[Any]]:
    history = body.get("history")
    for where in (body, history):
        if isinstance(where, dict) and isinstance(some := where.get("messages"), dict | list):
            yield some


async def send(client: Requests, chats: Sequence[NewChat], *, in_thread: bool) -> None:
    """Write new chats; nobody sees one of them before all its messages are there.

    If this fails, none is left. Nobody sees what a process leaves behind that dies, and PocketBase deletes it. Only if
    the bodies without messages have more than `PART` bytes do the first of the chats appear before the last.

    Args:
        client: Sends the requests.
        chats: The chats.
        in_thread: Whether there is much to compute; see `is_long`.

    Raises:
        ConflictError: There is a chat with the id of one of these.
    """
    parts = _parts(chats)

    async def following() -> _Part | None:
        return await in_thread_if(in_thread, lambda: next(parts, None))

    part, after = await following(), await following()
    if part is None:
        return
    if after is None:
        await client.write("chats/insert_chats", part.wire())
        return
    ids = [new.chat["id"] for new in chats]
    begin = {"token": f"new-{secrets.token_hex(16)}", "ids": ids, "milliseconds": LEASE * 1000}
    await client.write("chats/begin_import", begin)
    inserted: list[tuple[str, int]] = []
    renewed = time.monotonic()
    coming: asyncio.Future[_Part | None] | None = None
    try:
        while after is not None:
            coming = asyncio.ensure_future(following())  # made ready while this one is sent
            inserted += part.versions
            await client.write("chats/insert_chats", part.wire())
            if time.monotonic() - renewed > LEASE / 4:
                await client.write("chats/begin_import", begin)
                renewed = time.monotonic()
            part, after = after, await coming
        inserted += part.versions
        await client.write("chats/finish_import", {**part.wire(), "token": begin["token"], "count": len(ids)})
    except UnavailableError:
        raise  # PocketBase deletes what was written by itself
    except BaseException:
        with suppress(OpenWebUIPocketBaseError):
            given_up = {"token": begin["token"], "ids": ids, "inserted": inserted}
            while await client.write("chats/abandon_import", given_up):
                pass
        raise
    finally:
        if coming is not None:
            coming.cancel()


class _Part:
    """What one request carries: records as JSON, and the versions of its chats."""

    def __init__(self) -> None:
        self.chats: list[orjson.Fragment] = []
        self.messages: list[orjson.Fragment] = []
        self.versions: list[tuple[str, int]] = []
        self.data_urls: dict[str, str] = {}
        self.size = 0
        self.data_url_bytes = 0

    def add(self, record: Mapping[str, Any], data: bytes, data_urls: Mapping[str, str]) -> None:
        """Add a record, given with its JSON, and the data URLs for which this has marks."""
        self.data_urls |= data_urls
        self.data_url_bytes += sum(map(len, data_urls.values()))
        if "tidy" in record:
            self.chats.append(orjson.Fragment(data))
            self.versions.append((record["id"], record["version"]))
        else:
            self.messages.append(orjson.Fragment(data))
        self.size += RECORD + len(data)

    def has_room(self, data: bytes, data_urls: Mapping[str, str]) -> bool:
        fits = self.size + RECORD + len(data) <= PART
        if data_urls:
            fits = fits and self.data_url_bytes + sum(map(len, data_urls.values())) <= DATA_URLS
        return fits or not self.size

    def join(self, other: _Part) -> bool:
        """Take what another one has, if there is room."""
        if self.size + other.size > PART:
            return False
        self.chats += other.chats
        self.messages += other.messages
        self.versions += other.versions
        self.data_urls |= other.data_urls
        self.data_url_bytes += other.data_url_bytes
        self.size += other.size
        return True

    def wire(self) -> dict[str, Any]:
        """Return it as ``chats/insert_chats`` takes it."""
        return {"chats": self.chats, "messages": self.messages, "data_urls": self.data_urls}


def _parts(chats: Sequence[NewChat]) -> Iterator[_Part]:
    """Yield the parts: all messages before the first chat, unless all is in one."""
    parts = chain(
        _packed(record for new in chats for record in new.messages()),
        _packed(new.record() for new in chats),
    )
    first = [*islice(parts, 3)]
    if len(first) == 2 and first[0].join(first[1]):  # noqa: PLR2004 - messages and chats
        first.pop()
    yield from first
    yield from parts


def _packed(records: Iterable[Mapping[str, Any]]) -> Iterator[_Part]:
    part = _Part()
    for record in records:
        data_urls: dict[str, str] = {}
        table = "chat" if "tidy" in record else "chat_message"
        data = encode(marked(table, record, data_urls))
        if not part.has_room(data, data_urls):
            yield part
            part = _Part()
        part.add(record, data, data_urls)
    if part.size:
        yield part
