"""Chats as they were read last: one that has not changed is not put together and sent again."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from openwebui_pocketbase.codec.chats import CHAT, join
from openwebui_pocketbase.repositories.base import Requests

__all__ = ["kept_messages", "kept_view", "read_chat"]

KEPT_BYTES = 32 << 20
"""Of the answers that a process keeps, the latest ones."""

NUL = b"\\u0000"


@dataclass(frozen=True)
class _Answer:
    """A chat's messages, in the raw answer that had them, and its row and whether it is tidy, as they came last."""

    version: int
    raw: bytes
    has_nul: bool
    row: bytes
    tidy: int

    @property
    def size(self) -> int:
        return len(self.raw) + len(self.row)


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
            self._replace(chat_id, answer)
            while self._size > KEPT_BYTES:
                _, oldest = self._answers.popitem(last=False)
                self._size -= oldest.size

    def rename(self, chat_id: str, before: int, after: int) -> _Answer | None:
        """Say that a version of a chat has the messages of another; return the answer with them, if it is kept."""
        with self._lock:
            answer = self._answers.get(chat_id)
            if answer is None or answer.version != before:
                return None
            answer = replace(answer, version=after, row=b"")
            self._replace(chat_id, answer)
            return answer

    def _replace(self, chat_id: str, answer: _Answer) -> None:
        before = self._answers.pop(chat_id, None)
        self._size += answer.size - (before.size if before else 0)
        self._answers[chat_id] = answer


_KEPT: weakref.WeakKeyDictionary[Requests, _Answers] = weakref.WeakKeyDictionary()


async def read_chat(
    pocketbase: Requests, path: str, parameters: Mapping[str, Any]
) -> tuple[dict[str, Any], bool] | None:
    """Read a chat as it is stored.

    Args:
        pocketbase: The client.
        path: A method that answers with the row, the version, whether the chat is tidy, and the messages unless
            the version is the given one.
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
    row, version, tidy, messages = wire
    has_nul = NUL in raw
    row_text = orjson.dumps(row)
    if messages is not None:
        kept.keep(chat_id, _Answer(version, raw, has_nul, row_text, tidy))
    elif before is not None:
        kept.keep(chat_id, replace(before, row=row_text, tidy=tidy))
        messages = _messages(before)
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
    return None if answer is None else lambda: _messages(answer)


def kept_view(pocketbase: Requests, chat_id: str) -> list[Any] | None:
    """Return what ``chats/get_view`` answered when the chat was read last, without messages; None if it is not kept."""
    answer = _KEPT.setdefault(pocketbase, _Answers()).get(chat_id)
    if answer is None or not answer.row:
        return None
    return [orjson.loads(answer.row), answer.version, answer.tidy, []]


def _messages(answer: _Answer) -> dict[str, Any]:
    """Return messages that belong to the caller: the host changes what it gets."""
    messages: dict[str, Any] = orjson.loads(answer.raw)[-1]
    return messages
