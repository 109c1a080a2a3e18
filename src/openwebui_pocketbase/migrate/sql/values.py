"""Values as a database driver gives them, and as the host reads them.

SQLite keeps anything in any column, and the host has had other types in other versions. What the host could not read,
or PocketBase not keep, becomes what loses least, with a reason for the administrator; where nothing is left that the
host could read, the row is left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from openwebui_pocketbase.schema.tables import Column, Table

__all__ = ["RowReader", "text_of"]

_INT64 = range(-(2**63), 2**63)
_SHOWN = 40
"""Most characters of a value that a reason shows."""

_DAY = 10
"""Characters of a date in ISO form; what follows is a time."""

_FALSE = frozenset({"", "0", "f", "false", "n", "no", "off"})

_SURROGATE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""An escape in JSON; its group is the escape of a lone surrogate."""

_MISSING = "the value is missing, and Open WebUI cannot read the row"

_Convert = Callable[[Any], Any]
_Reasons = list[str] | None


_UNREADABLE = "it is nothing that Open WebUI can read"
_MENDED = "what nothing can read in it was replaced"


@dataclass(frozen=True)
class _Mended:
    """A value that is not what is stored, and why."""

    value: Any
    reason: str


class _UnreadableError(ValueError):
    """The host could not read a row with this value, and nothing else can stand for it."""


class RowReader:
    """Makes rows of what a driver gives.

    Args:
        table: The declaration of the table.
        loads: The host's decoder of JSON; it takes the arguments of `json.loads`.
        strict: A faster one, if there is one that gives the same, and takes no NaN and no lone surrogates.
    """

    def __init__(self, table: Table, loads: Callable[..., Any], strict: Callable[[str], Any] | None = None) -> None:
        self._loads = loads
        self._strict = strict or _refused
        self._columns = table.columns
        self._names = [column.name for column in table.columns]
        # What they hold is in no note, and nothing else stands for it: an account must not lose its second factor.
        self._secret = frozenset(column.name for column in table.columns if column.secret)
        self._hidden = self._secret | {
            column.name for column in table.columns if table.group == "users" and column.type == "json"
        }
        self._needed = frozenset(column.name for column in table.columns if not column.null)
        self._plans: dict[tuple[type, ...], tuple[list[str], list[tuple[str, _Convert]]]] = {}

    def row(self, stored: Sequence[Any]) -> tuple[dict[str, Any] | None, Sequence[str]]:
        """Return a row as the host reads it, and what is different from what is stored.

        Args:
            stored: The values of all columns, in the order of their declaration.

        Returns:
            The row, None if it has to be left out; and the reasons.
        """
        kinds = tuple(map(type, stored))
        plan = self._plans.get(kinds)
        if plan is None:
            plan = self._plans[kinds] = self._plan(kinds)
        documents, others = plan
        row = dict(zip(self._names, stored, strict=True))
        reasons: _Reasons = None
        try:
            for name in documents:  # nearly all of the work, and nearly always as plain as this
                text = row[name]
                if text == "null":
                    row[name] = None
                else:
                    try:
                        row[name] = self._strict(text)
                    except ValueError:
                        reasons = self._convert(row, name, self._json, reasons)
            for name, convert in others:
                reasons = self._convert(row, name, convert, reasons)
        except _UnreadableError as error:
            return None, [str(error)]
        return row, reasons or ()

    def _convert(
        self, row: dict[str, Any], name: str, convert: _Convert, reasons: list[str] | None
    ) -> list[str] | None:
        """Convert one value of a row, and return the reasons with those that come with it."""
        try:
            value = convert(row[name])
        except _UnreadableError as error:
            raise _UnreadableError(f"{name}: {_UNREADABLE if name in self._hidden else error}") from None
        if type(value) is _Mended:
            if name in self._secret:
                raise _UnreadableError(f"{name}: {_UNREADABLE}")
            reasons = [*(reasons or ()), f"{name}: {_MENDED if name in self._hidden else value.reason}"]
            value = value.value
        if value is None and name in self._needed:
            raise _UnreadableError(reasons[-1] if reasons else f"{name}: {_MISSING}")
        row[name] = value
        return reasons

    def _plan(self, kinds: tuple[type, ...]) -> tuple[list[str], list[tuple[str, _Convert]]]:
        """Return the columns with JSON texts, and others with more to do than to take their value over.

        Most rows of a table are of few kinds.
        """
        documents, others = [], []
        for column, kind in zip(self._columns, kinds, strict=True):
            if column.type == "json" and kind is str and column.null:
                documents.append(column.name)
            elif convert := self._converter(column, kind):
                others.append((column.name, convert))
        return documents, others

    def _converter(self, column: Column, kind: type) -> _Convert | None:
        if kind is type(None):
            return None if column.null else _missing
        if column.type == "json":
            return self._json if kind in (str, bytes) else _number_in_json if kind is float else None
        as_it_is, convert = _CONVERTERS[column.type]
        return None if kind is as_it_is else convert

    def _json(self, stored: str | bytes) -> Any:
        text, reason = (stored, "") if isinstance(stored, str) else text_of(stored)
        if text == "null":
            return None
        constants: list[str] = []
        if "\\u" in text:
            text, lone = _without_surrogates(text)
            reason = lone or reason
        try:
            if "NaN" in text or "Infinity" in text:  # perhaps in a string
                value = self._loads(text, parse_constant=constants.append)
            else:
                value = self._loads(text)
        except (ValueError, RecursionError):
            if not text.strip():
                return _Mended(None, "an empty text, which is no JSON, became null")
            raise _UnreadableError(f"{_shown(text)} is no JSON that Open WebUI can read") from None
        if constants:
            reason = f"{constants[0]}, which JSON cannot express, became null"
        return _Mended(value, reason) if reason else value


def text_of(stored: bytes) -> tuple[str, str]:
    """Return bytes as text, and what had to be replaced."""
    with suppress(UnicodeDecodeError):
        return stored.decode(), ""
    try:
        # Surrogates one by one are no UTF-8. Two that belong together are a character.
        text = stored.decode(errors="surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    except UnicodeDecodeError:
        text = stored.decode(errors="replace")
    return text, "bytes that are no UTF-8 became U+FFFD"


def _without_surrogates(text: str) -> tuple[str, str]:
    found = False

    def replaced(match: re.Match[str]) -> str:
        nonlocal found
        if match[1] is None:
            return match[0]
        found = True
        return "\\ufffd"

    replacement = _SURROGATE.sub(replaced, text)
    return replacement, "a surrogate without its other half became U+FFFD" if found else ""


def _refused(_: str) -> Any:
    raise ValueError


def _missing(_: None) -> Any:
    raise _UnreadableError(_MISSING)


def _number_in_json(value: float) -> Any:
    return value if math.isfinite(value) else _Mended(None, f"{value}, which JSON cannot express, became null")


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        text, reason = text_of(value)
        return _Mended(text, reason or "a blob became text")
    return _Mended(str(value), f"the number {value} became text")


def _int(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, bytes):
        value, _ = text_of(value)
    number = None
    with suppress(ValueError):
        number = int(value) if isinstance(value, str) else None
    if number is None:
        with suppress(ValueError, OverflowError):  # NaN, and infinity
            number = int(float(value))
    if number is None or number not in _INT64:
        return _Mended(None, f"{_shown(value)}, which is no whole number, was dropped")
    return (
        number if isinstance(value, float) and number == value else _Mended(number, f"{_shown(value)} became {number}")
    )


def _bool(value: Any) -> Any:
    if isinstance(value, int | float):
        return bool(value)
    text = value if isinstance(value, str) else text_of(value)[0]
    is_true = text.strip().lower() not in _FALSE
    return _Mended(is_true, f"{_shown(text)} became {str(is_true).lower()}")


def _date(value: Any) -> Any:
    text = text_of(value)[0] if isinstance(value, bytes) else str(value)
    with suppress(ValueError):
        if len(text) == _DAY:
            return date.fromisoformat(text)
    with suppress(ValueError):
        return _Mended(day := date.fromisoformat(text[:_DAY]), f"{_shown(text)} became {day}")
    return _Mended(None, f"{_shown(text)}, which is no date, was dropped")


def _shown(value: Any) -> str:
    shown = str(value)
    short = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    return repr(short) if isinstance(value, str) else short


_CONVERTERS: dict[str, tuple[type, _Convert]] = {
    "text": (str, _text),
    "int": (int, _int),
    "int64": (int, _int),
    "bool": (bool, _bool),
    "date": (date, _date),
}
"""Type of a column -> the type of the values that are taken as they are, and what is done with others."""
