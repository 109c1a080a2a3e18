"""What is in a text is found in the index by what `pieces_of` looks up."""

from __future__ import annotations

import random
import re
import sys

import pytest

from openwebui_pocketbase.codec import words
from openwebui_pocketbase.codec.words import INDEXED_CHARACTERS, index_words, is_indexed, pieces_of

TEXTS = [
    "a few words, and more_of them",
    "informational",
    "größe über straße",
    "名前を検索する",
    "x1 y22 z333 4444",
    "don't 100% e-mail@example.org",
    "",
    "\x1c \u00a0 \u2028",
    "a",
    "ab",
]


def tokens(indexed: str) -> list[str]:
    """What SQLite's tokenizer ``ascii`` makes of what it is given."""
    return re.findall("[0-9A-Za-z\x80-\U0010ffff]+", indexed)


@pytest.mark.parametrize("text", TEXTS)
def test_every_part_of_a_text_is_found(text: str) -> None:
    known = tokens(index_words(text))
    assert len(known) == len(index_words(text).split(" ")) or not known
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            for piece in pieces_of(text[start:end]):
                assert any(word.startswith(piece) for word in known), (text[start:end], piece)


def test_what_is_looked_up() -> None:
    assert pieces_of("a few of 50% more_x informational words few") == [
        *("few", "of", "50", "more", "informat", "mational", "words"),
    ]
    assert pieces_of("a % _ !") == []


def test_what_is_indexed() -> None:
    assert set(index_words("apple pie apple").split()) == {"apple", "pple", "ple", "le", "pie", "ie"}
    assert is_indexed("words " * 1000)
    assert not is_indexed("a" * 200)
    assert not is_indexed("word " * INDEXED_CHARACTERS)


def test_long_words_are_cut() -> None:
    assert set(index_words("abcdefghijk").split()) == {
        *("abcdefgh", "bcdefghi", "cdefghij", "defghijk", "efghijk", "fghijk", "ghijk", "hijk", "ijk", "jk"),
    }


def test_a_random_text() -> None:
    generator = random.Random(3)
    text = "".join(generator.choices("abcde éß前 .,_-%", k=3000))
    known = tokens(index_words(text))
    for _ in range(300):
        start = generator.randrange(len(text))
        for piece in pieces_of(text[start : start + generator.randrange(1, 40)]):
            assert any(word.startswith(piece) for word in known)


def test_what_is_remembered_has_a_few_megabytes_at_most() -> None:
    largest = [chr(0x1F600 + number % 60) * (words.KNOWN - 2) + chr(0x20000 + number) * 2 for number in range(300)]
    words._known.cache_clear()
    index_words(" ".join(largest))
    assert words._known.cache_info().currsize == len(largest)
    each = max(sys.getsizeof(word) + sys.getsizeof(words._parts(word)) for word in largest)
    maximum = words._known.cache_info().maxsize
    assert maximum is not None
    assert maximum * each < 4 << 20


def test_long_words_are_not_remembered() -> None:
    words._known.cache_clear()
    for number in range(20):
        index_words(chr(0x4E00 + number) * INDEXED_CHARACTERS)
    assert words._known.cache_info().currsize == 0
