"""Texts in many scripts: with spaces, without, and in mixtures."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

__all__ = ["LETTERS", "MIXTURES", "frequent_as_in_a_language", "queries", "texts"]

LETTERS = (
    "ab3é ß.,_%-\u0301\u2019\u200b 前検索学习のをかーカ。、・〇Ａ１ｶﾞไทย์ก็ျမန်ខ្មែພາສາབོད་한국어"
    "\U00020000\U0001b000\U0001f600\U0001f44d\U0001f3fd\u200d\x80\ufeff\uffff\U0010ffff"
)
"""Some of each kind that the index tells apart, and of what joins or separates them."""

MIXTURES = (
    *("的机器学习", "検索のする", "ภาษาไทย", "ျမန်", "ខ្មែរ"),
    *("ab机3の ", "한국어 a", "aé\u0301 \u200b前。", LETTERS),
)
"""Letters of which texts are made."""

ALPHABETS = {
    "Chinese": (0x4E00, 2500, (1, 2, 2, 2, 3)),
    "Japanese": (0x3041, 83, (1, 2, 3, 4)),
    "Thai": (0x0E01, 58, (2, 3, 4, 5, 6)),
}
"""First letter, number of letters, and how many a word has."""


def texts(random: Random, number: int) -> list[str]:
    """Return texts of few letters, so that many contain the same."""
    return ["".join(random.choices(random.choice(MIXTURES), k=random.randrange(1, 24))) for _ in range(number)]


def queries(random: Random, among: list[str]) -> Iterator[str]:
    """Give parts of texts, and such with another letter."""
    while True:
        text = random.choice(among)
        start = random.randrange(len(text))
        part = text[start : start + random.randrange(1, 12)]
        yield part
        yield part[:-1] + random.choice(LETTERS)


def frequent_as_in_a_language(language: str, number: int, letters: int) -> list[str]:
    """Return texts of so many letters whose words are as frequent as those of a language without spaces.

    Japanese is half Chinese letters.
    """
    random = Random(language)
    words: list[str] = []
    kinds = [ALPHABETS[language]] + ([ALPHABETS["Chinese"]] if language == "Japanese" else [])
    for rank in range(6000):
        first, size, lengths = kinds[rank % len(kinds)]
        words.append("".join(chr(first + random.randrange(size)) for _ in range(random.choice(lengths))))
    weights = [1 / (rank + 10) for rank in range(len(words))]
    return ["".join(random.choices(words, weights, k=letters))[:letters] for _ in range(number)]
