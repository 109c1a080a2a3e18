"""Patterns of texts without case: what Python takes for equal, SQLite's GLOB does."""

from __future__ import annotations

import sqlite3
import sys

import pytest

from openwebui_pocketbase.repositories.models._patterns import LONGEST, containing


def fits(text: str, sought: str, *, has_wildcards: bool = False) -> bool:
    connection = sqlite3.connect(":memory:")
    patterns = containing(sought, has_wildcards=has_wildcards)
    found = [connection.execute("SELECT ? GLOB ?", (text, pattern)).fetchone()[0] for pattern in patterns]
    connection.close()
    return any(found)


def test_every_letter_is_found_in_every_spelling() -> None:
    connection = sqlite3.connect(":memory:")
    missing = []
    for character in map(chr, range(1, sys.maxunicode + 1)):
        if character.lower() != character:
            for sought in (character, character.lower()):
                pairs = [(f"a{character}b", pattern) for pattern in containing(sought)]
                if not any(connection.execute("SELECT ? GLOB ?", pair).fetchone()[0] for pair in pairs):
                    missing.append((character, sought))
    connection.close()
    assert missing == []


@pytest.mark.parametrize(
    ("text", "sought", "is_found"),
    [
        ("İstanbul", "i̇STANBUL", True),
        ("ΟΔΟΣ", "οδος", True),
        ("a*b?c[d]e", "*B?C[D]", True),
        ("axbxcxdxe", "*b?c[d]", False),
        ("a%b", "A%B", True),
        ("axb", "a%b", False),
        ("k", "l", False),
        ("", "", True),
    ],
)
def test_texts(text: str, sought: str, *, is_found: bool) -> None:
    assert fits(text, sought) is is_found


def test_wildcards_are_those_of_like() -> None:
    assert fits("Ann Example", "n%x_M", has_wildcards=True)
    assert not fits("Ann Exmple", "n%x_M", has_wildcards=True)


def test_a_pattern_that_sqlite_would_refuse_is_left_out() -> None:
    assert containing("a" * LONGEST) == []
