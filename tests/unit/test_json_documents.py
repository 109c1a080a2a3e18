"""JSON documents: what is taken for the same text is the same text, and nobody changes a document's value."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openwebui_pocketbase.codec.json import NULL, JsonFormat, alike

FORMAT = JsonFormat(dumps=lambda value: json.dumps(value, ensure_ascii=False), loads=json.loads)

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(one=values, other=values)
def test_alike_values_have_the_same_text(one: Any, other: Any) -> None:
    assert alike(one, other) == (FORMAT.dumps(one) == FORMAT.dumps(other))
    assert alike(one, deepcopy(one))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(value=values)
def test_a_snapshot_says_what_its_text_says(value: Any) -> None:
    document = FORMAT.snapshot(value)
    assert alike(document.value, json.loads(document.text))
    assert alike(document.copy(), document.value)
    assert FORMAT.changed(document, value) is document


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (1, True), (0.0, -0.0), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ([1], [1, 2]), ("", None)],
)
def test_equal_values_with_other_texts_are_not_alike(one: Any, other: Any) -> None:
    assert not alike(one, other)


@pytest.mark.parametrize("value", [(1, 2), {1: "a"}, float("nan"), 2**80, [{"a": ({},)}]], ids=repr)
def test_what_json_says_otherwise_is_parsed(value: Any) -> None:
    document = FORMAT.snapshot(value)
    assert FORMAT.dumps(document.value) == FORMAT.dumps(json.loads(document.text))
    assert FORMAT.dumps(FORMAT.plain(value)) == document.text


def test_its_owner_may_change_a_value() -> None:
    value = {"a": [1]}
    document = FORMAT.snapshot(value)
    value["a"].append(2)
    document.copy()["a"].clear()
    assert document.value == {"a": [1]}
    after = FORMAT.changed(document, value)
    assert (after.text, after.value) == ('{"a": [1, 2]}', {"a": [1, 2]})


def test_deep_values() -> None:
    deep: Any = []
    for _ in range(600):
        deep = [deep]
    document = FORMAT.snapshot(deep)
    assert FORMAT.changed(document, json.loads(document.text)) is document
    assert FORMAT.dumps(document.copy()) == document.text


def test_none_is_null() -> None:
    assert FORMAT.parsed("null") is FORMAT.owned(None) is FORMAT.snapshot(None) is NULL
