"""Which statements the hooks keep prepared, with an application that only counts."""

from __future__ import annotations

import json

import pytest

from tests.support.hooks import NODE, run_node
from tests.support.services import require

COUNTING = """
const { queryPrepared } = require(require("path").join(require("path").dirname(process.argv[1]), "lib/prepared.js"));
globalThis.DynamicModel = class { constructor(fields) { Object.assign(this, fields); } };
const counts = { compiled: 0, prepared: 0, closed: 0 };
const app = {
  concurrentDB: () => ({
    newQuery(sql) {
      counts.compiled++;
      const query = {
        prepare() { counts.prepared++; return query; },
        close() { counts.closed++; },
        bind({ body }) { query.body = body; return query; },
        one(result) {
          if (query.body === "fails") { throw new Error(sql); }
          result.json = `${sql} of ${query.body}`;
        },
      };
      return query;
    },
  }),
};
const answers = [];
for (const [sql, body] of JSON.parse(process.argv[2])) {
  try { answers.push(queryPrepared(app, sql, body)); } catch (error) { answers.push(`${error.message} failed`); }
}
console.log(JSON.stringify([answers, counts]));
"""


def reads(*calls: tuple[str, str]) -> tuple[list[str], dict[str, int]]:
    """Return the answers of calls of one runtime, and what they cost."""
    answers, counts = run_node(COUNTING, json.dumps(calls))
    return answers, counts


@pytest.fixture(autouse=True)
def _node() -> None:
    require(NODE is not None, "Node")


def test_what_is_read_again_and_again_is_compiled_no_more() -> None:
    answers, counts = reads(*(("A", str(number)) for number in range(50)))
    assert answers == [f"A of {number}" for number in range(50)]
    assert counts == {"compiled": 5, "prepared": 1, "closed": 0}


def test_what_a_runtime_reads_once_is_not_prepared() -> None:
    _, counts = reads(*((f"A{number}", "") for number in range(100)))
    assert counts == {"compiled": 100, "prepared": 0, "closed": 0}


def test_what_is_no_longer_read_is_closed() -> None:
    _, counts = reads(*(("A", "") for _ in range(10)), *((f"B{number}", "") for number in range(32)), ("A", ""))
    assert (counts["prepared"], counts["closed"]) == (1, 1)


def test_what_fails_is_compiled_anew() -> None:
    answers, counts = reads(*(("A", "") for _ in range(10)), ("A", "fails"), ("A", "b"))
    assert answers[-2:] == ["A failed", "A of b"]
    assert counts == {"compiled": 6, "prepared": 1, "closed": 1}
