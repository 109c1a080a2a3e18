"""What is in a text is found in the index by what `pieces_of` looks up."""

from __future__ import annotations

import random
import re
import sys
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openwebui_pocketbase.codec import words
from openwebui_pocketbase.codec.words import INDEXED_CHARACTERS, Piece, index_words, is_indexed, pieces_of
from tests.support import scripts

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


def leads_to(piece: Piece, known: list[str]) -> bool:
    """Whether a text is found by a part, whose index terms are known."""
    if piece.sequences:
        return {*piece.sequences} <= {*known}
    return any(word.startswith(piece.text) for word in known)


@pytest.mark.parametrize("text", TEXTS)
def test_every_part_of_a_text_is_found(text: str) -> None:
    known = tokens(index_words(text))
    assert len(known) == len(index_words(text).split(" ")) or not known
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            for piece in pieces_of(text[start:end]):
                assert leads_to(piece, known), (text[start:end], piece)


def test_what_is_looked_up() -> None:
    wanted = ("few", "of", "50", "more", "informat", "mational", "words")
    assert pieces_of("a few of 50% more_x informational words few") == [Piece(text) for text in wanted]
    assert pieces_of("a % _ !") == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    {
        "検": [],
        "検索": [Piece("検索", ("検索",))],
        "検索し": [Piece("検索し", ("検索", "索し"))],
        "検索し。た、前": [Piece("検索し", ("検索", "索し"))],
        "する": [Piece("する")],
        "してい": [Piece("してい", ("してい",))],
        "している": [Piece("している", ("してい", "ている"))],
        "iphone手机": [Piece("iphone"), Piece("e手机", ("e手", "手机"))],
        "3月": [Piece("3月", ("3月",))],
        "2024年12月": [Piece("2024"), Piece("12"), Piece("4年1", ("4年", "年1")), Piece("2月", ("2月",))],
        "ไทย": [Piece("ไทย", ("ไทย",))],
        "ภาษาไทย": [Piece("ภาษาไทย", ("ภาษ", "าษา", "ษาไ", "าไท", "ไทย"))],
        "一二三四五六七八九十百千万年月日时": [
            Piece(
                "一二三四五六七八九十百千万年月日", tuple(map("".join, pairwise("一二三四五六七八九十百千万年月日")))
            ),
            Piece(
                "二三四五六七八九十百千万年月日时", tuple(map("".join, pairwise("二三四五六七八九十百千万年月日时")))
            ),
        ],
        "검색했습니다 한국어": [Piece("검색했습니다"), Piece("한국어")],
    }.items(),
)
def test_what_is_looked_up_without_spaces(text: str, wanted: list[Piece]) -> None:
    assert pieces_of(text) == wanted
    assert [piece.match is None for piece in wanted] == [not piece.sequences for piece in wanted]


@given(
    st.tuples(*[st.text(st.sampled_from(scripts.LETTERS) | st.characters(codec="utf-8"), max_size=12)] * 3),
    st.booleans(),
)
@example(("İI", "ΣΑΣ检索ẞ", "ǅ前"), True)
def test_whatever_contains_a_text_is_found(texts: tuple[str, str, str], folds: bool) -> None:
    before, text, after = (text.lower() for text in texts) if folds else texts
    known = tokens(index_words(before + text + after))
    for piece in pieces_of(text):
        assert piece.text in text
        assert leads_to(piece, known), piece


@pytest.mark.parametrize(
    ("text", "wanted"),
    {
        "名前を検索する": {"名前", "前を", "を検", "検索", "索す", "する"},
        "iphone手机": {"iphone", "phone", "hone", "one", "ne", "e手", "手机"},
        "ทดสอบ": {"ทดส", "ดสอ", "สอบ", "อบ"},
        "「検索」、索引。": {"検索", "索引"},
        "don\u2019t": {"don", "on"},
    }.items(),
)
def test_what_is_indexed_without_spaces(text: str, wanted: set[str]) -> None:
    assert set(index_words(text).split()) == wanted


@pytest.mark.parametrize("alphabet", ["\u4e00\u8fff", "\u3041\u3096", "\u0e01\u0e4e", "\u1000\u1049", "\u1780\u17d3"])
def test_a_text_without_spaces_has_no_more_bytes_in_the_index_than_three_times_its_own(alphabet: str) -> None:
    """An index has fewer: a text is not random, and terms begin alike."""
    first, last = map(ord, alphabet)
    text = "".join(map(chr, random.Random(4).choices(range(first, last), k=5000)))
    assert len(index_words(text).encode()) <= 3.5 * len(text.encode())


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
            assert leads_to(piece, known)


def test_what_is_remembered_has_a_few_megabytes_at_most() -> None:
    largest = [chr(0x10400 + number % 40) * (words.KNOWN - 2) + chr(0x10600 + number) * 2 for number in range(300)]
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
        index_words(chr(0xE9 + number) * INDEXED_CHARACTERS)
    assert words._known.cache_info().currsize == 0
