"""What the data set of chats is made of: a vocabulary, texts, and chats as the host stores them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, pairwise
from random import Random
from typing import Any

from bench.data import LOADED_AT, identifier
from bench.operations import Item, Row

__all__ = ["ABSENT", "COMMON", "MODEL", "RARE", "Chat", "text"]

WORDS = 2_000
WORDS_IN_TEXT = 120
TEXTS = 4_000
"""How many different texts there are; making each message's own would take longer than storing it."""

MODEL = "gpt-of-the-benchmarks"

Pair = tuple[str, str]


@cache
def _words() -> tuple[list[str], list[Pair], list[Pair]]:
    """Return the vocabulary, most frequent words first, and pairs of words which are rare or never written.

    All are made of the same few syllables, so that a rare word has no trigram that is rare.
    """
    random = Random("words")
    syllables = [c + v + end for c in "bdfghklmnprstvw" for v in "aeiou" for end in ("", "", "n", "r", "s")]
    words: dict[str, None] = {}
    while len(words) < WORDS:
        words["".join(random.choices(syllables, k=random.choice((2, 2, 3))))] = None
    vocabulary = " ".join(words)
    special: dict[str, None] = {}
    while len(special) < 400:
        word = "".join(random.choices(syllables, k=3))
        if word not in vocabulary and not any(word in other or other in word for other in special):
            special[word] = None
    named = list(special)
    pairs = list(zip(named[::2], named[1::2], strict=True))
    return list(words), pairs[:100], pairs[100:]


RARE: list[Pair] = _words()[1]
"""Each is next to each other in one chat, apart in another, and alone in a third."""

ABSENT: list[Pair] = _words()[2]
COMMON: list[Pair] = [(one, other) for one in _words()[0][:6] for other in _words()[0][:6] if one != other]
"""Are in nearly every chat, and next to each other in many."""


@cache
def _texts() -> list[str]:
    random = Random("texts")
    words = _words()[0]
    weights = list(accumulate(1 / (rank + 10) for rank in range(len(words))))  # as frequent as in a language
    return [" ".join(random.choices(words, cum_weights=weights, k=WORDS_IN_TEXT)) for _ in range(TEXTS)]


def text(number: int) -> str:
    """Return a text of 120 words; numbers apart by the number of texts give the same one."""
    return _texts()[number % TEXTS]


@dataclass(frozen=True)
class Chat:
    """A chat of alternating messages, and its rows.

    Attributes:
        user_id: Whose it is.
        number: Number among the user's.
        messages: How many messages it has.
        columns: Columns of its row which differ from those of a plain chat.
        words: Number of a message -> what is added to its text.
    """

    user_id: str
    number: int
    messages: int = 20
    columns: Row = field(default_factory=dict)
    words: dict[int, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Id of the chat."""
        return identifier(f"chat {self.user_id} {self.number}")

    def message_id(self, number: int) -> str:
        """Return the id of a message."""
        return identifier(f"message {self.user_id} {self.number} {number}")

    @property
    def body(self) -> dict[str, Any]:
        """What the browser sends, and what the host stores as a whole."""
        entries = list(self._entries())
        return {
            "id": self.id,
            "title": f"{text(self.number * 13)[:40].rpartition(' ')[0]} {self.number}",
            "models": [MODEL],
            "params": {},
            "history": {"messages": {entry["id"]: entry for entry in entries}, "currentId": entries[-1]["id"]},
            "tags": [],
            "timestamp": LOADED_AT * 1000,
            "files": [],
        }

    @property
    def item(self) -> Item:
        """Its rows, as the host writes them when it is given the chat."""
        body = self.body
        entries = body["history"]["messages"].values()
        row: Row = {
            "id": self.id,
            "user_id": self.user_id,
            "title": body["title"],
            "chat": body,
            "created_at": LOADED_AT,
            "updated_at": LOADED_AT,
            "archived": False,
            "pinned": False,
            "meta": {},
            "variables": {},
            "current_message_id": body["history"]["currentId"],
            "last_read_at": LOADED_AT,
        }
        row |= dict.fromkeys(("share_id", "folder_id", "tasks", "summary", "timer_at"))
        return {"chat": [row | self.columns], "chat_message": [self._row(entry) for entry in entries]}

    def _entries(self) -> Iterator[dict[str, Any]]:
        ids: Sequence[str | None] = [None, *map(self.message_id, range(self.messages)), None]
        for number, ((parent, own), (_, child)) in enumerate(pairwise(pairwise(ids))):
            content = text(self.number * 7919 + number * (104_729 + self.number))
            entry = {
                "id": own,
                "parentId": parent,
                "childrenIds": [child] if child else [],
                "role": "assistant" if number % 2 else "user",
                "content": f"{content} {self.words[number]}" if number in self.words else content,
                "timestamp": LOADED_AT + number,
            }
            answer = {"model": MODEL, "modelName": MODEL, "modelIdx": 0, "done": True, "usage": USAGE}
            yield entry | (answer if number % 2 else {"models": [MODEL]})

    def _row(self, entry: dict[str, Any]) -> Row:
        row: Row = {
            "id": f"{self.id}-{entry['id']}",
            "chat_id": self.id,
            "user_id": self.user_id,
            "role": entry["role"],
            "parent_id": entry["parentId"],
            "content": entry["content"],
            "model_id": entry.get("model"),
            "done": True,
            "usage": COUNTED if entry["role"] == "assistant" else None,
            "created_at": entry["timestamp"],
            "updated_at": LOADED_AT,
        }
        return row | dict.fromkeys(
            ("output", "files", "sources", "embeds", "meta", "status_history", "error", "context_summary")
        )


USAGE = {"prompt_tokens": 300, "completion_tokens": 160, "total_tokens": 460}
COUNTED = {**USAGE, "input_tokens": 300, "output_tokens": 160}
"""What the host makes of it in the table of messages."""
