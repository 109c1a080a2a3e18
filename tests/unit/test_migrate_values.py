"""What a database driver gives, and what becomes of it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openwebui_pocketbase.migrate.sql.values import RowReader, text_of
from openwebui_pocketbase.schema.tables import Column, Table


def read(kind: str, value: Any, *, null: bool = True) -> tuple[Any, list[str]]:
    """Return what a row with this one value becomes: its value, or the text ``left out``; and the reasons."""
    column = Column.model_validate({"name": "c", "type": kind, "null": null})
    table = Table(name="t", group="g", collection="o", shown=(), columns=(column,))
    row, reasons = RowReader(table, json.loads).row([value])
    assert RowReader(table, json.loads, orjson.loads).row([value]) == (row, reasons)
    return ("left out" if row is None else row["c"]), [*reasons]


@pytest.mark.parametrize(
    ("kind", "stored", "value"),
    [
        ("text", "", ""),
        ("text", "a\x00b", "a\x00b"),
        ("text", None, None),
        ("json", "null", None),
        ("json", None, None),
        ("json", '"null"', "null"),
        ("json", '""', ""),
        ("json", '"{}"', "{}"),
        ("json", '"{\\"a\\": 1}"', '{"a": 1}'),
        ("json", "-1", -1),
        ("json", 300, 300),
        ("json", 3.14, 3.14),
        ("json", "true", True),
        ("json", '"123"', "123"),
        ("json", "9007199254740993", 9007199254740993),
        ("json", b'{"b": 1, "a": 1.0}', {"b": 1, "a": 1.0}),
        ("json", '"a\\u0000b \\ud83d\\ude00 \\\\ud800"', "a\x00b \U0001f600 \\ud800"),
        ("json", '["NaN", "Infinity"]', ["NaN", "Infinity"]),
        ("bool", 0, False),
        ("bool", 1, True),
        ("bool", 2, True),
        ("bool", True, True),
        ("int", 1700000000, 1700000000),
        ("int", 1700000000.0, 1700000000),
        ("int", -5, -5),
        ("int64", 2**63 - 1, 2**63 - 1),
        ("date", "2000-02-29", date(2000, 2, 29)),
        ("date", date(2000, 1, 1), date(2000, 1, 1)),
    ],
)
def test_what_the_host_reads_comes_without_a_reason(kind: str, stored: Any, value: Any) -> None:
    assert read(kind, stored) == (value, [])
    assert type(read(kind, stored)[0]) is type(value)


@pytest.mark.parametrize(
    ("kind", "stored", "value", "reason"),
    [
        ("int", 1700000000.5, 1700000000, "1700000000.5 became 1700000000"),
        ("int", "1700000000", 1700000000, "'1700000000' became 1700000000"),
        ("int64", "1.7e18", 1700000000000000000, "'1.7e18' became 1700000000000000000"),
        ("int", b"5", 5, "'5' became 5"),
        ("int", "soon", None, "'soon', which is no whole number, was dropped"),
        ("int", float("inf"), None, "inf, which is no whole number, was dropped"),
        ("int", "9" * 30, None, f"'{'9' * 30}', which is no whole number, was dropped"),
        ("bool", "false", False, "'false' became false"),
        ("bool", b"1", True, "'1' became true"),
        ("date", "", None, "'', which is no date, was dropped"),
        ("date", "1999-02-30", None, "'1999-02-30', which is no date, was dropped"),
        ("date", "1999-12-31 00:00:00", date(1999, 12, 31), "'1999-12-31 00:00:00' became 1999-12-31"),
        ("text", b"abc", "abc", "a blob became text"),
        ("text", b"a\xffb", "a\ufffdb", "bytes that are no UTF-8 became U+FFFD"),
        ("text", b"a\xed\xa0\x80b", "a\ufffdb", "bytes that are no UTF-8 became U+FFFD"),
        ("text", 5, "5", "the number 5 became text"),
        ("json", "", None, "an empty text, which is no JSON, became null"),
        ("json", '["\\ud800", 1]', ["\ufffd", 1], "a surrogate without its other half became U+FFFD"),
        ("json", '{"\\udc00\\ud800": 1}', {"\ufffd\ufffd": 1}, "a surrogate without its other half became U+FFFD"),
        ("json", '[NaN, "NaN"]', [None, "NaN"], "NaN, which JSON cannot express, became null"),
        ("json", b'"\xff"', "\ufffd", "bytes that are no UTF-8 became U+FFFD"),
        ("json", float("-inf"), None, "-inf, which JSON cannot express, became null"),
    ],
)
def test_other_values_lose_as_little_as_possible(kind: str, stored: Any, value: Any, reason: str) -> None:
    assert read(kind, stored) == (value, [f"c: {reason}"])


@pytest.mark.parametrize(
    ("kind", "stored", "null"),
    [
        ("text", None, False),
        ("json", None, False),
        ("json", "null", False),
        ("json", "", False),
        ("int", "soon", False),
        ("date", "", False),
        ("json", "{", True),
        ("json", "hello", True),
        ("json", "[" * 100_000, True),
    ],
)
def test_what_leaves_nothing_to_read_is_left_out(kind: str, stored: Any, null: bool) -> None:
    value, reasons = read(kind, stored, null=null)
    assert value == "left out"
    assert len(reasons) == 1
    assert len(reasons[0]) < 150


@given(st.binary())
def test_bytes_become_text_that_can_be_encoded(stored: bytes) -> None:
    text, reason = text_of(stored)
    assert (text.encode() == stored) == (reason == "")


@given(st.text(st.characters(codec="utf-8") | st.sampled_from(["\\", "\ud800", "\udc00", "\ude00", "\x00"])))
def test_texts_in_json_lose_only_lone_surrogates(text: str) -> None:
    value, _ = read("json", json.dumps([text]))
    assert value == [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")]
