"""What the full-text index of messages knows of a text.

A chat is found by any part of a word. So the index has each word from each of its letters on, cut to eight letters:
every part of a word is the beginning of one of these. They are made here, as SQLite would have to be taught to. In an
index of three-letter sequences nearly all messages have those of nearly all words, and a search for a rare word reads
them all.

In scripts without spaces a text is one word. Nearly all of its parts of eight letters are different: several times as
many bytes as the text. Of these the index has sequences: of two letters if one of them is Chinese, else of three. More
letters are looked for by all of their sequences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["FORM", "INDEXED_CHARACTERS", "Piece", "all_of", "index_words", "is_indexed", "pieces_of"]

FORM = 2
"""Of what is indexed and looked up. Each change raises it, here and in ``owui/lib/words.js``, and needs a new index.
While one version replaces another, processes of the old one must not fill that."""

INDEXED_CHARACTERS = 65536
"""Longer texts, nearly all of them files, would cost more to index than to look through."""

PIECE = 8
"""Letters of a word's part that are indexed or looked for; more would hardly make fewer messages fit."""

RUN = 16
"""Letters whose sequences are looked up at once. Two halves can be in many messages of which few have both."""

SHORTEST = 2
"""Letters of the shortest part that can be looked up: many Chinese words have two."""

KNOWN = 16
"""Letters of the longest words that are remembered, a few megabytes in all."""

_SEPARATORS = (
    # All of ASCII that is not in `_WORD`.
    "\x00-/:-`{-\x7f"
    # Punctuation: general, Chinese and Japanese, in full width. Sequences with it would be a third of those of a text.
    "\u2000-\u206f\u3000-\u3004\u3008-\u3020\u3030\u30fb\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)

_CHINESE = (
    "\u2e80-\u2fff\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)

_OTHERS = (
    "\u0e00-\u109f"  # Thai, Lao, Tibetan, Burmese
    "\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf"  # Khmer, Tai
    "\u302a-\u302f\u3031-\u3037\u303c-\u30fa\u30fc-\u312f\u3190-\u33ff"  # kana, Bopomofo
    "\ua000-\ua4cf\ua980-\ua9ff\uaa60-\uaadf"  # Yi, Javanese, more of Burmese and Tai
    "\uff66-\uff9f\U0001aff0-\U0001b16f"  # more kana
    "\U00016fe0-\U00018fff\U0001b170-\U0001b2ff"  # Tangut, Khitan, Nushu
    "\U0001f000-\U0001faff"  # emoji
)

_LETTER = f"[^{_SEPARATORS}]"
_DENSE = f"[{_CHINESE}{_OTHERS}]"
_SPACED_LETTER = f"[^{_SEPARATORS}{_CHINESE}{_OTHERS}]"

_WORD = re.compile("[0-9a-z\x80-\U0010ffff]+")
"""What SQLite's tokenizer ``ascii`` takes for a word, in lower case. Python finds it sooner than `_SPACED`."""

_SPACED = re.compile(f"{_SPACED_LETTER}+")
"""A word, or what is one next to letters of scripts without spaces."""

_RUN = re.compile(f"{_SPACED_LETTER}?(?:{_DENSE}{_SPACED_LETTER}?)+")
"""Letters in a row, all but the last of which begin a sequence."""

_SEQUENCE = re.compile(
    f"(?=([{_CHINESE}]{_LETTER}|{_LETTER}[{_CHINESE}]|{_DENSE}{_LETTER}{{1,2}}|{_LETTER}{_DENSE}{_LETTER}?))"
)
"""Each sequence that is indexed. Its first two letters tell whether it is, and how long; at the end of a word the third
may be missing."""

_OF_TWO = re.compile(f".?[{_CHINESE}]", re.DOTALL)
"""How a sequence begins that never has a third letter."""

_FILE = re.compile("[0-9A-Za-z]{200}")
"""What texts do not have, but files in Base64 nearly always."""


def is_indexed(text: str) -> bool:
    """Return whether a text is to be indexed; any other is looked through in each search."""
    return len(text) <= INDEXED_CHARACTERS and not _FILE.search(text)


def index_words(folded: str) -> str:
    """Return what the index is given for a text in lower case."""
    words = set(_WORD.findall(folded))
    sequences: set[str] = set()
    if not folded.isascii():
        others = [word for word in words if not word.isascii()]
        words.difference_update(others)
        for word in others:
            words.update(_SPACED.findall(word))
            sequences.update(_SEQUENCE.findall(word))
    parts = {_known(word) if len(word) <= KNOWN else _parts(word) for word in words}
    return " ".join(filter(None, parts | sequences))


def _parts(word: str) -> str:
    return " ".join(word[start : start + PIECE] for start in range(len(word) - SHORTEST + 1))


_known = lru_cache(maxsize=1 << 12)(_parts)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, as it is looked up.

    Attributes:
        text: The part.
        sequences: Index terms that any text containing it has; if there are none, ``text`` is the beginning of a term
            that any such text has.
    """

    text: str
    sequences: tuple[str, ...] = ()

    @property
    def match(self) -> str | None:
        """FTS5 expression that finds it in the index of messages; None if that has to be asked for beginnings."""
        return all_of(self.sequences)


def all_of(terms: Iterable[str]) -> str | None:
    """Return the FTS5 expression that finds texts with all these terms, which are letters only; None without terms."""
    return " AND ".join(f'"{term}"' for term in dict.fromkeys(terms)) or None


def pieces_of(folded: str) -> list[Piece]:
    """Return parts of a text, in lower case, by which any text that contains it can be looked up in the index.

    ``%`` and ``_`` are no letters, so patterns need no special case.
    """
    return list(dict.fromkeys(_pieces(folded)))


def _pieces(folded: str) -> Iterator[Piece]:
    for word in _SPACED.findall(folded):
        yield from map(Piece, _ends_of(word, PIECE))
    for run in _RUN.findall(folded):
        yield from (Piece(part, _sequences_of(part)) for part in _ends_of(run, RUN))


def _ends_of(part: str, longest: int) -> Iterator[str]:
    """Give a part of a text, or so many of its first and of its last letters; nothing if it is too short."""
    if len(part) >= SHORTEST:
        yield part[:longest]
        if len(part) > longest:
            yield part[-longest:]


def _sequences_of(run: str) -> tuple[str, ...]:
    """Return the sequences of a run without the last one if its third letter may be missing."""
    sequences: list[str] = _SEQUENCE.findall(run)
    return tuple(sequence for sequence in sequences if len(sequence) > SHORTEST or _OF_TWO.match(sequence))
