"""JSON documents that are carried as text and as values, so that each is parsed and encoded once."""

from __future__ import annotations

import marshal
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

__all__ = ["NULL", "Json", "JsonFormat", "alike", "names_text"]

_SHARED = frozenset({str, bool, type(None)})
"""Types whose values cannot change and come back from their JSON text as they were."""

_INTEGERS = range(-(2**63), 2**64)
"""Integers that every decoder of the host gives back."""


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON document; neither its text nor its value changes.

    Attributes:
        text: As it is stored.
        value: What the text says. Whoever wants to change it takes a `copy`.
    """

    text: str
    value: Any

    def copy(self) -> Any:
        """Return the value as an object of the caller's own."""
        try:
            return _duplicate(self.value)
        except RecursionError:
            return marshal.loads(marshal.dumps(self.value))  # noqa: S302 - what was just made


NULL: Final = Json("null", None)


class JsonFormat:
    """Makes documents in the spelling of one encoder.

    Args:
        dumps: The encoder.
        loads: The decoder.
    """

    def __init__(self, *, dumps: Callable[[Any], str], loads: Callable[[str], Any]) -> None:
        self.dumps = dumps
        self.loads = loads

    def parsed(self, text: str) -> Json:
        """Return a document given as text."""
        return NULL if text == "null" else Json(text, self.loads(text))

    def owned(self, value: Any) -> Json:
        """Return a document given as a value that nobody else has."""
        return NULL if value is None else Json(self.dumps(value), value)

    def snapshot(self, value: Any) -> Json:
        """Return a document of a value as it is now; its owner may go on to change it."""
        if value is None:
            return NULL
        text = self.dumps(value)
        try:
            return Json(text, _copied(value))
        except (TypeError, RecursionError):
            return Json(text, self.loads(text))

    def plain(self, value: Any) -> Any:
        """Return what the JSON text of a value says, as an object of the caller's own."""
        try:
            return _copied(value)
        except (TypeError, RecursionError):
            return self.loads(self.dumps(value))  # a list for a tuple, and the like

    def changed(self, before: Json, value: Any) -> Json:
        """Return a document of a value as it is now, which is the one before if the texts are the same."""
        if alike(before.value, value):
            return before
        after = self.snapshot(value)
        return before if after.text == before.text else after


@lru_cache(maxsize=1024)
def names_text(dumps: Callable[[Any], str], names: tuple[str, ...]) -> str:
    """Return a list of columns' names as JSON; there are few such lists, and each record has two."""
    return dumps([*names])


def alike(one: Any, other: Any) -> bool:
    """Return whether two values certainly have the same JSON text: also in the order of keys, and 1 is not 1.0."""
    try:
        return _alike(one, other)
    except RecursionError:
        return False


def _alike(one: Any, other: Any) -> bool:
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other):
        return False
    if kind is dict:
        return [*one] == [*other] and _all_alike(one.values(), other.values())
    if kind is list:
        return len(one) == len(other) and _all_alike(one, other)
    # -0.0 equals 0.0, but is spelled otherwise.
    return repr(one) == repr(other) if kind is float else bool(one == other)


def _all_alike(ones: Iterable[Any], others: Iterable[Any]) -> bool:
    return all(map(_alike, ones, others))


def _duplicate(value: Any) -> Any:
    """Return a copy of a value that a JSON text said; texts and numbers are shared."""
    kind = type(value)
    if kind is dict:
        return {key: each if type(each) in _SHARED else _duplicate(each) for key, each in value.items()}
    return [each if type(each) in _SHARED else _duplicate(each) for each in value] if kind is list else value


def _copied(value: Any) -> Any:
    """Return a copy of a value that is what its JSON text says; texts are shared.

    Raises:
        TypeError: The JSON text of this value says something else.
    """
    kind = type(value)
    if kind in _SHARED:
        return value
    if kind is dict:
        made = {}
        for key, member in value.items():
            if type(key) is not str:
                raise TypeError(key)
            made[key] = member if type(member) in _SHARED else _copied(member)
        return made
    if kind is list:
        return [member if type(member) in _SHARED else _copied(member) for member in value]
    if (kind is int and value in _INTEGERS) or (kind is float and math.isfinite(value)):
        return value
    raise TypeError(value)
