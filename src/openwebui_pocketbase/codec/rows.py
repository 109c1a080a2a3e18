"""A host row and the same row on the wire, column by column.

To PocketBase a row goes as a JSON object by the host's column names; from there it comes as an array of the
declared columns and, last, the list of those which are None (PocketBase's columns cannot be NULL). In both
JSON columns are JSON text (key order and number spelling survive), int64 columns are decimal strings and dates
are ISO texts.
The hooks (``owui/lib``) turn that into records and back, from the same declaration. Rows that are written in
SQL (``owui/lib/bulk.js``) go as the fields of records instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from openwebui_pocketbase.codec.json import Json, names_text

if TYPE_CHECKING:
    from openwebui_pocketbase.schema.tables import Column, Table

__all__ = ["Codec", "int64_of", "int64_text"]

_INT64 = range(-(2**63), 2**63)


class Codec:
    """Encodes and decodes the rows of one table.

    Args:
        table: The table's declaration.
        dumps: JSON encoder of the JSON columns; the host's, so that stored texts equal the stock ones.
        loads: JSON decoder of the JSON columns.
    """

    def __init__(self, table: Table, *, dumps: Callable[[Any], str], loads: Callable[[str], Any]) -> None:
        self._dumps = dumps
        self._names = [column.name for column in table.columns]
        self._nullable = frozenset(c.name for c in table.columns if c.null and c.type != "json")
        self._none_if_empty = frozenset(c.name for c in table.columns if c.name in self._nullable and not c.required)
        self._loads = loads
        self._columns = {column.name: column for column in table.columns}
        self._encoders = {c.name: _encoder(c, dumps) for c in table.columns}
        self._decoders = [(c.name, decode) for c in table.columns if (decode := _decoder(c, loads))]

    def encode(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row, or some of its columns, as it goes to PocketBase; a JSON column may be given as `Json`.

        Raises:
            KeyError: The table has no such column.
            ValueError: A number in a JSON column is not finite, which JSON cannot express.
        """
        wire = {}
        for name, value in row.items():
            encode = self._encoders[name]
            wire[name] = value if value is None or encode is None else encode(value)
        return wire

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a whole row as the fields of its record.

        Raises:
            KeyError: The table has no such column.
            ValueError: A number in a JSON column is not finite, which JSON cannot express.
        """
        made = self.changes(row)
        return {**made["changes"], "nulls": names_text(self._dumps, tuple(made["nones"]))}

    def changes(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return some of a row's columns as changes of its record.

        Returns:
            ``changes``, fields and their values; ``columns``, those of the columns that can be None; and ``nones``,
            those that are.

        Raises:
            KeyError: The table has no such column.
            ValueError: A number in a JSON column is not finite, which JSON cannot express.
        """
        fields: dict[str, Any] = {}
        for name, value in self.encode(row).items():
            column = self._columns[name]
            if column.folded:
                fields[f"{column.field}_folded"] = (value or "").lower()
            fields[column.field] = _stored(column, value)
        columns = [name for name in row if name in self._nullable]
        return {"changes": fields, "columns": columns, "nones": [name for name in columns if row[name] is None]}

    def decode(self, wire: Sequence[Any]) -> dict[str, Any]:
        """Return the row which came from PocketBase."""
        row = self.decode_scalars(wire)
        for name, decode in self._decoders:
            value = row[name]
            if value is not None:
                row[name] = decode(value)
        return row

    def decode_scalars(self, wire: Sequence[Any]) -> dict[str, Any]:
        """Return the row which came from PocketBase, its values as they came where they are not None."""
        row = dict(zip(self._names, wire, strict=False))
        nulls = wire[-1]
        if nulls != "[]":
            # A record without list was made in the dashboard.
            listed = self._loads(nulls) if nulls and nulls != "null" else self._none_if_empty
            for name in self._nullable.intersection(listed):
                if not row[name]:  # a value always wins over the list
                    row[name] = None
        return row


def _encoder(column: Column, dumps: Callable[[Any], str]) -> Callable[[Any], Any] | None:
    encoders: dict[str, Callable[[Any], Any]] = {"json": _finite(dumps), "int64": str, "date": date.isoformat}
    return encoders.get(column.type)


def _decoder(column: Column, loads: Callable[[str], Any]) -> Callable[[Any], Any] | None:
    decoders: dict[str, Callable[[Any], Any]] = {
        "json": _json(loads),
        "int64": int64_of,
        "bool": bool,
        "date": _date,
    }
    return decoders.get(column.type)


def _finite(dumps: Callable[[Any], str]) -> Callable[[Any], str]:
    def encode(value: Any) -> str:
        document = value if isinstance(value, Json) else Json(dumps(value), value)
        if "NaN" in document.text or "Infinity" in document.text:  # perhaps in a string
            json.dumps(document.value, allow_nan=False)
        return document.text

    return encode


def _json(loads: Callable[[str], Any]) -> Callable[[Any], Any]:
    def decode(text: Any) -> Any:
        if text == "null":
            return None
        # PocketBase's JSON columns have numeric affinity: a bare number comes as one, not as text.
        return loads(text) if isinstance(text, str) else text

    return decode


def _date(text: str) -> date | None:
    """Return a day; an emptied field of the dashboard has none."""
    return date.fromisoformat(text) if text else None


_ZERO: dict[str, Any] = {"text": "", "json": "null", "bool": False, "int": 0, "int64": "", "date": ""}


def _stored(column: Column, value: Any) -> Any:
    if value is None:
        return _ZERO[column.type]
    return int64_text(int(value)) if column.type == "int64" else value


def int64_text(number: int) -> str:
    """Return a number as it is stored, a text that sorts like it.

    That is 19 digits; negative numbers are ``-`` and their distance from -2**63.

    Raises:
        OverflowError: It is beyond 64 bits; SQLite's driver raises the same.
    """
    if number not in _INT64:
        raise OverflowError("Python int too large to convert to SQLite INTEGER")
    return f"-{number + 2**63:019d}" if number < 0 else f"{number:019d}"


def int64_of(text: str) -> int:
    """Undo `int64_text`; an empty text, as records made in the dashboard can have, is 0."""
    return int(text[1:]) - 2**63 if text.startswith("-") else int(text or 0)
