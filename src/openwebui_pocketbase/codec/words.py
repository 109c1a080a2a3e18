"""What the full-text index of messages knows of a text.

A chat is found by any part of a word. So the index has each word from each of its letters on, cut to eight letters:
every part of a word is the beginning of one of these. They are made here, as SQLite would have to be taught to. In an
index of three-letter sequences nearly all messages have those of nearly all words, and a search for a rare word reads
them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

__all__ = ["INDEXED_CHARACTERS", "index_words", "is_indexed", "pieces_of"]

INDEXED_CHARACTERS = 65536
"""Longer texts, nearly all of them files, would cost more to index than to look through."""

PIECE = 8
"""Letters of a word's part that are indexed; more would hardly make fewer messages fit."""

SHORTEST = 2
"""Letters of the shortest part that can be looked up: many Chinese words have two."""

KNOWN = 16
"""Letters of the longest words that are remembered, a few megabytes in all; without spaces a text is one word."""

_WORD = re.compile("[0-9a-z\x80-\U0010ffff]+")
"""What SQLite's tokenizer ``ascii`` takes for a word, in lower case."""

_FILE = re.compile("[0-9A-Za-z]{200}")
"""What texts do not have, but files in Base64 nearly always."""


def is_indexed(text: str) -> bool:
    """Return whether a text is to be indexed; any other is looked through in each search."""
    return len(text) <= INDEXED_CHARACTERS and not _FILE.search(text)


def index_words(folded: str) -> str:
    """Return what the index is given for a text in lower case."""
    words = set(_WORD.findall(folded))
    return " ".join({parts for word in words if (parts := _known(word) if len(word) <= KNOWN else _parts(word))})


def _parts(word: str) -> str:
    return " ".join(word[start : start + PIECE] for start in range(len(word) - SHORTEST + 1))


_known = lru_cache(maxsize=1 << 12)(_parts)


def pieces_of(folded: str) -> list[str]:
    """Return index terms that any text containing this one must contain.

    ``%`` and ``_`` are no letters, so patterns need no special case.
    """
    return list(dict.fromkeys(_pieces(folded)))


def _pieces(folded: str) -> Iterator[str]:
    for word in _WORD.findall(folded):
        if len(word) >= SHORTEST:
            yield word[:PIECE]
            if len(word) > PIECE:
                yield word[-PIECE:]
