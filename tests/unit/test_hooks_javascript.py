"""The hooks' pure functions, in Node, against Python: one process for all cases of a test."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openwebui_pocketbase.assets import HOOKS_DIR
from openwebui_pocketbase.codec.rows import int64_of
from tests.support.hooks import NODE, run_node
from tests.support.machines import examples
from tests.support.services import require

SERVE = """
const fs = require("fs");
const vm = require("vm");
const [path, name] = process.argv.slice(1);
const from = require("module").createRequire(path);
const module_ = { exports: {} };
const source = fs.readFileSync(path, "utf8");
const called = vm.runInThisContext(`(function (require, module) {${source}\\nreturn ${name}; })`)(from, module_);
const lines = require("readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  let answer;
  try {
    const result = called(...JSON.parse(line));
    answer = { result: result instanceof Map ? [...result] : result };
  } catch (error) {
    answer = { error: error.name };
  }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""

SETTINGS = examples(500)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6),
    st.sampled_from(['"', "\\", '\\"', '"}', "]{[", "\\\\", ",", ":", '{"a":1}', "\u2028", "\x00", "😀"]),
)
keys = st.text(max_size=6) | st.sampled_from(
    ["a", "b", "", "a.b", "1", "0", "__proto__", "constructor", '"', "\\", '\\"', "}"]
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=10
)
objects = st.dictionaries(keys, values, max_size=5)
spellings = st.sampled_from(
    [
        {"separators": (",", ":")},
        {"ensure_ascii": False},
        {"ensure_ascii": False, "separators": (",", ":")},
        {"indent": "\t"},
        {"indent": "\r\n ", "separators": (" , ", " : ")},
    ]
)


@pytest.fixture
def javascript(request: pytest.FixtureRequest) -> Callable[[str, str], Callable[..., Any]]:
    """Give a Python function that calls a function of a hook file."""
    require(NODE is not None, "Node")

    def load(file: str, name: str) -> Callable[..., Any]:
        process = subprocess.Popen(
            [str(NODE), "-e", SERVE, str(HOOKS_DIR / file), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def end() -> None:
            stdin.close()
            stdout.close()
            process.wait(timeout=10)

        request.addfinalizer(end)

        def call(*arguments: Any) -> Any:
            stdin.write(json.dumps(arguments) + "\n")
            stdin.flush()
            answer = json.loads(stdout.readline())
            if "error" in answer:
                raise JavaScriptError(answer["error"])
            return answer["result"]

        return call

    return load


class JavaScriptError(Exception):
    """What a function threw, by its name."""


def exact(value: Any) -> str:
    """Return a text that is equal for equal values, numbers of equal type and keys in equal order only."""
    return repr(value)


def test_members(javascript: Callable[[str, str], Callable[..., Any]]) -> None:
    members = javascript("owui/lib/json.js", "members")

    @SETTINGS
    @given(objects, spellings)
    def check(value: dict[str, Any], spelling: dict[str, Any]) -> None:
        found = members(json.dumps(value, **spelling))
        assert [key for key, _ in found] == list(value)
        assert exact({key: json.loads(text) for key, text in found}) == exact(value)

    check()


def test_merge(javascript: Callable[[str, str], Callable[..., Any]]) -> None:
    merge = javascript("owui/lib/json.js", "merge")

    @SETTINGS
    @given(objects, objects, spellings, spellings)
    @example({"a": {"b": 1}, "z": 1.0}, {"z": 1e16, "a": -0.0}, {}, {})
    def check(old: dict[str, Any], changes: dict[str, Any], one: dict[str, Any], other: dict[str, Any]) -> None:
        merged = merge(json.dumps(old, **one), json.dumps(changes, **other))
        assert exact(json.loads(merged)) == exact({**old, **changes})

    check()


@pytest.mark.parametrize("old", [None, 0, "", "0", "false", "null", "[]", "{}", " {} ", "{ }"])
def test_merge_into_nothing(javascript: Callable[[str, str], Callable[..., Any]], old: Any) -> None:
    assert json.loads(javascript("owui/lib/json.js", "merge")(old, '{"b": 1, "a": 2}')) == {"b": 1, "a": 2}


def test_number_spelling_survives(javascript: Callable[[str, str], Callable[..., Any]]) -> None:
    spelled = '{"a":1.0,"b":-0.0,"c":1E+400,"d":9007199254740993,"e":0.10,"f":1e-0}'
    merge = javascript("owui/lib/json.js", "merge")
    assert merge(spelled, "{}") == spelled
    assert merge("{}", spelled) == spelled


def test_of_equal_keys_the_last_counts(javascript: Callable[[str, str], Callable[..., Any]]) -> None:
    text = r'{"a":1,"b":2,"\u0061":3}'
    assert json.loads(text) == {"a": 3, "b": 2}
    assert javascript("owui/lib/json.js", "members")(text) == [["a", "3"], ["b", "2"]]


@pytest.mark.parametrize("text", ["[]", "[1]", "1", '"a"', "true", "x", '{"a', '{"a":[1', '{"a":"'])
def test_what_is_no_object_is_refused(javascript: Callable[[str, str], Callable[..., Any]], text: str) -> None:
    with pytest.raises(JavaScriptError, match="SyntaxError"):
        javascript("owui/lib/json.js", "members")(text)


def test_deep_and_long(javascript: Callable[[str, str], Callable[..., Any]]) -> None:
    deep = '{"a":' * 5000 + "{}" + "}" * 5000
    long = json.dumps({"text": '\\"' * 200_000, "list": list(range(100_000))})
    merge = javascript("owui/lib/json.js", "merge")
    assert merge(deep, '{"b":1}') == deep[:-1] + ',"b":1}'
    assert json.loads(merge(long, '{"b":1}')) == {**json.loads(long), "b": 1}


@pytest.mark.parametrize("old", [5, 1.5, "5", "[1]", '"a"', "true"])
def test_what_is_there_and_no_object_is_refused(javascript: Callable[[str, str], Callable[..., Any]], old: Any) -> None:
    with pytest.raises(JavaScriptError, match="SyntaxError"):
        javascript("owui/lib/json.js", "merge")(old, "{}")


WORK = """
const { merge } = require(require("path").join(process.argv[1], "../lib/json.js"));
let characters = 0;
const { indexOf, slice } = String.prototype;
const { exec } = RegExp.prototype;
const charCodeAt = String.prototype.charCodeAt;
String.prototype.charCodeAt = function (at) {
  characters += 1;
  return charCodeAt.call(this, at);
};
String.prototype.indexOf = function (wanted, from) {
  const found = indexOf.call(this, wanted, from);
  characters += (found < 0 ? this.length : found + 1) - from;
  return found;
};
String.prototype.slice = function (from, to) {
  characters += to - from;
  return slice.call(this, from, to);
};
RegExp.prototype.exec = function (text) {
  characters += text.length; // as in PocketBase's JavaScript
  return exec.call(this, text);
};
const of = (text) => {
  characters = 0;
  merge(text, '{"b":1}');
  return characters;
};
console.log(JSON.stringify(JSON.parse(process.argv[2]).map(of)));
"""


@pytest.mark.parametrize(
    "text",
    [
        lambda n: json.dumps({f"{i:06}": i for i in range(n)}),
        lambda n: json.dumps({f"{i:06}": "é" for i in range(n)}, ensure_ascii=False),
        lambda n: json.dumps({f"{i:06}": [{"a": '"'}] for i in range(n)}),
        lambda n: json.dumps({"a": [{"b": []}] * n}),
        lambda n: json.dumps({"a": "\\" * n, "b": '"' * n}),
        lambda n: '{"a":' + "[" * n + "]" * n + "}",
    ],
    ids=["numbers", "texts", "lists", "one list", "escapes", "depth"],
)
def test_each_character_is_looked_at_a_few_times(text: Callable[[int], str]) -> None:
    texts = [text(500), text(2000)]
    looked_at = run_node(WORK, json.dumps(texts))
    for each, characters in zip(texts, looked_at, strict=True):
        assert len(each) / 2 < characters < 6 * len(each)


def test_sortable(javascript: Callable[[str, str], Callable[..., Any]]) -> None:
    sortable = javascript("owui/lib/records.js", "sortable")
    int64 = st.integers(-(2**63), 2**63 - 1) | st.integers(-1000, 1000)

    @SETTINGS
    @given(int64, int64)
    @example(-(2**63), 2**63 - 1)
    @example(-1, 0)
    @example(-10, -9)
    def check(one: int, other: int) -> None:
        texts = sortable(str(one)), sortable(str(other))
        assert (int64_of(texts[0]), int64_of(texts[1])) == (one, other)
        assert (texts[0] < texts[1]) == (one < other)

    check()
    assert not math.isnan(int64_of(sortable("0")))
