"""Chats as they were read last: one that has not changed is not put together and sent again."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from openwebui_pocketbase.repositories.base import Requests
from openwebui_pocketbase.repositories.chats.records import CHAT, join

__all__ = ["kept_messages", "read_chat"]

KEPT_BYTES = 32 << 20
"""Of the answers that a process keeps, the latest ones."""

NUL = b"\\u0000"


@dataclass(frozen=True)
class _Answer:
    version: int
    raw: bytes
    has_nul: bool


class _Answers:
    """The latest answers, by the chat's id; `SavedChat` reads in a thread of its own."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, chat_id: str) -> _Answer | None:
        """Return the latest answer."""
        with self._lock:
            answer = self._answers.get(chat_id)
            if answer is not None:
                self._answers.move_to_end(chat_id)
            return answer

    def keep(self, chat_id: str, answer: _Answer) -> None:
        """Keep an answer in place of the one before, and forget the oldest."""
        with self._lock:
            before = self._answers.pop(chat_id, None)
            self._size += len(answer.raw) - (len(before.raw) if before else 0)
            self._answers[chat_id] = answer
            while self._size > KEPT_BYTES:
                _, oldest = self._answers.popitem(last=False)
                self._size -= len(oldest.raw)

    def rename(self, chat_id: str, before: int, after: int) -> _Answer | None:
        """Say that a version of a chat has the messages of another; return the answer with them, if it is kept."""
        with self._lock:
            answer = self._answers.get(chat_id)
            if answer is None or answer.version != before:
                return None
            self._answers[chat_id] = answer = replace(answer, version=after)
            return answer


_KEPT: weakref.WeakKeyDictionary[Requests, _Answers] = weakref.WeakKeyDictionary()


async def read_chat(
    pocketbase: Requests, path: str, parameters: Mapping[str, Any]
) -> tuple[dict[str, Any], bool] | None:
    """Read a chat as it is stored.

    Args:
        pocketbase: The client.
        path: A method that answers with the row, the version, and the messages unless the version is the given one.
        parameters: Its parameters; the chat's ``id`` is among them.

    Returns:
        The chat's columns, and whether there may be NULs in its texts; None if there is no such chat.
    """
    kept = _KEPT.setdefault(pocketbase, _Answers())
    chat_id = parameters["id"]
    before = kept.get(chat_id)
    raw = await pocketbase.read_bytes(path, {**parameters, "version": before.version if before else None})
    wire = orjson.loads(raw)
    if wire is None:
        return None
    row, version, messages = wire
    has_nul = NUL in raw
    if messages is not None:
        kept.keep(chat_id, _Answer(version, raw, has_nul))
    elif before is not None:
        messages = orjson.loads(before.raw)[2]  # objects of their own: the host changes what it gets
        has_nul = has_nul or before.has_nul
    columns = CHAT.decode(row)
    join(columns["chat"], messages)
    return columns, has_nul


def kept_messages(pocketbase: Requests, chat_id: str, before: int, after: int) -> Callable[[], dict[str, Any]] | None:
    """Return what gives the messages of a chat that has just been written besides these; None if they are not kept.

    Args:
        pocketbase: The client.
        chat_id: Id of the chat.
        before: The version which the write was made for.
        after: The version it has made; it has the same messages.
    """
    answer = _KEPT.setdefault(pocketbase, _Answers()).rename(chat_id, before, after)
    return None if answer is None else lambda: orjson.loads(answer.raw)[2]
