"""Comparing texts without case where PocketBase has only one spelling of them: as GLOB patterns of SQLite.

On SQLite the host folds what it compares with `str.lower`; SQLite itself folds ASCII only.
"""

from __future__ import annotations

__all__ = ["containing"]

LONGEST = 50_000
"""Bytes of a pattern that SQLite takes."""

_FURTHER = {"k": "\u212a", "å": "\u212b", "ω": "\u2126", "ß": "ẞ", "θ": "ϴ", "σ": "ς", "ς": "σΣ"}  # noqa: RUF001 - meant
"""Lower case -> characters that have it, and are not its upper or title case. How a sigma ends words is left out."""

_WILDCARDS = {"%": "*", "_": "?"}
_SPECIAL = frozenset("*?[")
_DOTTED_I = "i\u0307"
"""What the only character becomes whose lower case is two: the capital dotted I."""


def containing(text: str, *, has_wildcards: bool = False) -> list[str]:
    """Return patterns one of which fits every text that contains this one, in whatever case.

    Args:
        text: What is looked for.
        has_wildcards: Whether ``%`` and ``_`` are wildcards, as in the host's searches.

    Returns:
        One pattern, two if the text has a dotted I, or none if SQLite would not take it.
    """
    folded = text.lower()
    wildcards = _WILDCARDS if has_wildcards else {}
    patterns = {f"*{''.join(wildcards.get(c) or _any_case(c) for c in spelled)}*": None for spelled in _spelled(folded)}
    return [pattern for pattern in patterns if len(pattern.encode()) <= LONGEST]


def _spelled(folded: str) -> tuple[str, str]:
    return folded, folded.replace(_DOTTED_I, "İ")


def _any_case(character: str) -> str:
    spellings = dict.fromkeys((character, character.upper(), character.title(), *_FURTHER.get(character, "")))
    single = [each for each in spellings if len(each) == 1]
    return f"[{''.join(single)}]" if len(single) > 1 or character in _SPECIAL else character
