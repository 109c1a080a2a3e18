"""Data URLs in JSON texts: pictures, and other files, that a chat has within itself.

A large one is stored once, however often chats and their copies have it, and a text that is stored has a mark in its
place. A mark is replaced byte by byte by what it stands for, without parsing anything, as neither of the two has
characters that JSON would spell in another way.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["DOCUMENTS", "LARGE", "MARK", "PREFIX", "apart", "marked", "renamed"]

LARGE: Final = 1 << 14
"""Characters of a JSON string from which on it is stored by itself; less would cost more requests than it saves."""

PREFIX: Final = "owui-data-url:"

MARK: Final = re.compile(rb"owui-data-url:([0-9a-f]{40})")
"""A mark; its group is the name of what it stands for."""

_BEGIN = '"data:'

_STRING = re.compile(r'"(owui-data-url:[0-9a-f]{40})"')
"""A JSON string that is a mark; its group is the mark."""

_KEPT = "content"
"""The member whose value stays as it is, whatever is in it: it is what searches look at."""

DOCUMENTS: Final = {
    "chat": ("chat",),
    "chat_message": ("entry", "files", "output", "sources", "embeds", "meta", "status_history", "error", "usage"),
    "shared_chat": ("chat",),
}
"""Host table -> the fields of its records that can have data URLs. Triggers look at these, and at no others."""


def marked(table: str, fields: Mapping[str, Any], found: dict[str, str]) -> dict[str, Any]:
    """Return fields of a record with marks for data URLs, and add these to what was found, by the names in the marks.

    Nobody can guess the names, so no text of a user is taken for a mark.
    """
    made = dict(fields)
    for field in DOCUMENTS[table]:
        if isinstance(text := fields.get(field), str):
            made[field] = apart(text, found)
    return made


def apart(text: str, found: dict[str, str]) -> str:
    """Return a JSON text with marks for data URLs, and add these to what was found."""
    if len(text) < LARGE:
        return text
    places: dict[str, str] = {}
    made = "".join(_with_marks(text, places))
    if not places:
        return text
    try:
        kept = {value for value in _strings_kept(json.loads(made)) if value.startswith(PREFIX)}
    except (RecursionError, ValueError):
        return text  # whatever it is, it is stored as it is
    urls = {place: url for url, place in places.items()}
    found |= {place.removeprefix(PREFIX): url for place, url in urls.items() if place not in kept}
    if kept.isdisjoint(urls):
        return made
    # In one step, however many there are.
    return _STRING.sub(lambda mark: f'"{urls[mark[1]]}"' if mark[1] in kept and mark[1] in urls else mark[0], made)


def renamed(text: bytes, names: Mapping[str, str]) -> bytes:
    """Return a text with other names in its marks, as far as they are among these."""
    encoded = {before.encode(): (PREFIX + after).encode() for before, after in names.items()}
    return MARK.sub(lambda found: encoded.get(found[1], found[0]), text)


def _with_marks(text: str, places: dict[str, str]) -> Iterator[str]:
    """Yield the pieces of a JSON text with marks, and note which mark stands for which data URL."""
    done, begin = 0, text.find(_BEGIN)
    while begin >= 0:
        end = text.find('"', begin + 1)
        url = text[begin + 1 : end]
        # Behind a backslash the quotation mark is none of JSON's: there a string goes on.
        is_string = not text.endswith("\\", 0, begin)
        if is_string and len(url) >= LARGE and url.isascii() and url.isprintable() and "\\" not in url:
            yield text[done : begin + 1]
            yield places.setdefault(url, PREFIX + secrets.token_hex(20))
            done = end
        begin = text.find(_BEGIN, end)
    yield text[done:]


def _strings_kept(document: Any) -> Iterator[str]:
    """Yield the strings of a document that are to stay, and all its keys."""
    waiting = [(document, False)]
    while waiting:
        value, is_kept = waiting.pop()
        if isinstance(value, dict):
            for key, member in value.items():
                yield key
                waiting.append((member, is_kept or key == _KEPT))
        elif isinstance(value, list):
            waiting += [(member, is_kept) for member in value]
        elif is_kept and isinstance(value, str):
            yield value
