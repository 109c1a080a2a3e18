"""What a process knows of chats: how each was read last, and how this process left it.

So a chat that has not changed is not assembled and sent again, and an answer that is written piece by piece needs no
read before each piece.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import orjson

from openwebui_pocketbase.repositories.base import Requests
from openwebui_pocketbase.repositories.chats._codecs import CHAT
from openwebui_pocketbase.repositories.chats._draft import Draft

__all__ = ["ChatCache", "cache_of"]

CACHE_BYTES = 32 << 20
"""Bytes of cached chats; beyond that the least recently used are dropped."""

NUL = b"\\u0000"


@dataclass(frozen=True)
class Reading:
    """A chat as it was read last.

    Attributes:
        version: The version of the messages.
        raw: The reply that had them.
        has_nul: Whether a NUL may be in it.
        row: The chat's row as JSON, as it came last; empty if it is not known.
        tidy: Whether the chat is tidy; 0 or 1.
    """

    version: int
    raw: bytes
    has_nul: bool
    row: bytes
    tidy: int

    @property
    def size(self) -> int:
        """Return how many bytes this takes."""
        return len(self.raw) + len(self.row)

    def messages(self) -> dict[str, Any]:
        """Return the messages, which belong to the caller: the host changes what it gets."""
        messages: dict[str, Any] = orjson.loads(self.raw)[-1]
        return messages


@dataclass
class _Known:
    reading: Reading | None = None
    draft: Draft | None = None
    size: int = 0


class ChatCache:
    """What is known of the chats of one server, by id; `SavedChat` reads in a thread of its own."""

    def __init__(self) -> None:
        self._chats: OrderedDict[str, _Known] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def reading(self, chat_id: str) -> Reading | None:
        """Return how a chat was read last."""
        with self._lock:
            known = self._chats.get(chat_id)
            if known is None:
                return None
            self._chats.move_to_end(chat_id)
            return known.reading

    def read(self, chat_id: str, before: Reading | None, raw: bytes) -> tuple[Any, dict[str, Any], bool] | None:
        """Note how a chat was read.

        Args:
            chat_id: Id of the chat.
            before: How it was read before, whose version the request named; None if it named none.
            raw: A reply that has the row, the version, whether the chat is tidy, and the messages unless the version
                is the named one.

        Returns:
            The row, the messages, and whether a NUL may be in one of them; None if there is no such chat.
        """
        reply = orjson.loads(raw)
        if reply is None:
            return None
        row, version, tidy, messages = reply
        has_nul = NUL in raw
        if messages is None and before is not None:
            reading = replace(before, row=orjson.dumps(row), tidy=tidy)
            messages = before.messages()
            has_nul = has_nul or before.has_nul
        else:
            reading = Reading(version, raw, has_nul, orjson.dumps(row), tidy)
        with self._lock:
            self._known(chat_id).reading = reading
            self._weigh(chat_id)
        return row, messages, has_nul

    def rename(self, chat_id: str, before: int, after: int) -> Callable[[], dict[str, Any]] | None:
        """Note that a version of a chat has the messages of another.

        Returns:
            Gives these messages; None if they are not known.
        """
        with self._lock:
            known = self._chats.get(chat_id)
            if known is None or known.reading is None or known.reading.version != before:
                return None
            known.reading = replace(known.reading, version=after, row=b"")
            self._weigh(chat_id)
            return known.reading.messages

    def take_draft(self, chat_id: str, keys: Collection[str]) -> Draft | None:
        """Take the draft of a chat out of the cache, for one writer; None if there is none.

        It may be older than the chat: then the write is refused.

        Args:
            chat_id: Id of the chat.
            keys: Ids of the messages that are needed.
        """
        with self._lock:
            known = self._chats.get(chat_id)
            if known is None:
                return None
            draft, known.draft = known.draft, None
            self._weigh(chat_id)
            reading = known.reading
        if draft is not None and draft.known.issuperset(keys):
            return draft
        if keys or reading is None or not reading.row:
            return None
        return Draft(chat_id, [orjson.loads(reading.row), reading.version, reading.tidy, []], keys)

    def owner(self, chat_id: str) -> str | None:
        """Return whose chat this is, as far as is known; somebody else may have changed that."""
        with self._lock:
            known = self._chats.get(chat_id)
            draft, reading = (known.draft, known.reading) if known else (None, None)
        if draft is not None and draft.columns is not None:
            owner: str | None = draft.columns["user_id"]
            return owner
        return CHAT.decode(orjson.loads(reading.row))["user_id"] if reading is not None and reading.row else None

    def forget_draft(self, chat_id: str) -> None:
        """Drop the cached draft: the chat is about to be changed without it."""
        with self._lock:
            if (known := self._chats.get(chat_id)) is not None:
                known.draft = None
                self._weigh(chat_id)

    def left(self, draft: Draft) -> None:
        """Note how a write left a chat."""
        if not draft.complete:
            with self._lock:
                self._known(draft.chat_id).draft = draft
                self._weigh(draft.chat_id)

    def _known(self, chat_id: str) -> _Known:
        return self._chats.setdefault(chat_id, _Known())

    def _weigh(self, chat_id: str) -> None:
        """Count what is known of a chat, the one used last, and forget others until there is room."""
        known = self._chats[chat_id]
        size = (known.reading.size if known.reading else 0) + (known.draft.size if known.draft else 0)
        self._size += size - known.size
        known.size = size
        if not size:
            del self._chats[chat_id]
            return
        self._chats.move_to_end(chat_id)
        while self._size > CACHE_BYTES:
            _, oldest = self._chats.popitem(last=False)
            self._size -= oldest.size


_CACHES: weakref.WeakKeyDictionary[Requests, ChatCache] = weakref.WeakKeyDictionary()


def cache_of(client: Requests) -> ChatCache:
    """Return what this process knows of the chats of a server, whichever repository asks."""
    return _CACHES.setdefault(client, ChatCache())
