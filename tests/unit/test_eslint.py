"""The ESLint rules for the PocketBase hooks: each finds what it is for, and lets the rest be."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.hooks import NODE
from tests.support.services import require

ROOT = Path(__file__).resolve().parents[2]

LINT = """
import { ESLint } from "eslint";
const eslint = new ESLint();
const found = [];
for (const [path, script] of JSON.parse(process.argv[1])) {
  const [{ messages }] = await eslint.lintText(script, { filePath: path });
  found.push(messages.map(({ ruleId, message }) => ruleId || message));
}
console.log(JSON.stringify(found));
"""

HOOK = "assets/pb_hooks/owui/some.js"
ENTRY = "assets/pb_hooks/owui/dispatch.js"
APP = "owui/no-app-in-transaction"
PARSING = "owui/no-parsing-in-transaction"
VALUE = "owui/no-value-in-sql"

BAD_TRANSACTIONS = {
    "callback": "$app.runInTransaction((tx) => { $app.save(r); });",
    "callback without parameter": "$app.runInTransaction(() => { $app.save(r); });",
    "callback without parentheses": "$app.runInTransaction(tx => $app.save(r));",
    "callback with another name": "$app.runInTransaction((t) => { f(() => $app.save(r)); });",
    "callback by name": "function work() { $app.save(r); }\n$app.runInTransaction(work);",
    "callback in a variable": "const work = () => $app.save(r);\n$app.runInTransaction(work);",
    "computed call": "$app['runInTransaction'](() => $app.save(r));",
    "optional call": "e.app?.runInTransaction(() => $app.save(r));",
    "function": "function f(tx, args) { return $app.findRecordById('c', args.id); }",
    "method": "const writes = {\n  m(tx, { id }) {\n    if (id) { $app.delete(id); }\n  },\n};",
    "arrow": "const f = (tx) => $app.save(tx);",
    "arrow of two": "const f = (args, tx) => { g(() => { $app.save(args); }); };",
    "destructured": "function f({ tx }) { $app.save(1); }",
    "destructured and renamed": "function f({ app: tx = null }) { $app.save(1); }",
    "default": "function f(tx = null) { $app.save(1); }",
    "default of another": "function f(tx, app = 1) { $app.save(app); }",
    "as a default": "function f(tx, app = $app) { app.save(1); }",
    "rest": "function f(...tx) { $app.save(1); }",
    "shorthand": "function f(tx) { return { $app }; }",
    "alias": "const app = $app;\nfunction f(tx) { app.save(1); }",
    "in a template": "function f(tx) { return `${$app.name()}`; }",
    "nested template": "function f(tx) { return `a${`b${$app.name()}`}c`; }",
    "behind a brace in a text": 'function f(tx) { g("}"); $app.save(1); }',
    "behind a brace in a pattern": "function f(tx) { g(/[}]/); $app.save(1); }",
    "behind a brace in a template": "function f(tx) { g(`}`); $app.save(1); }",
}
GOOD_TRANSACTIONS = {
    "beside it": "$app.runInTransaction((tx) => { tx.save(r); }); $app.save(q);",
    "in a comment": "function f(tx) { // $app would wait\n  /* $app */ tx.save(1); }",
    "in a text": "function f(tx) { g('$app', \"$app\", `$app`); }",
    "a call": "f(tx); $app.save(1);",
    "another parameter": "function f(txt) { $app.save(txt); }",
    "another function": "function f(tx) { tx.save(1); }\nfunction g() { $app.save(1); }",
    "a member's name": "function f(tx) { return tx.$app({ $app: 1 }); }",
}

BAD_SQL = {
    "template": "query(tx, `SELECT * FROM t WHERE id = '${args.id}'`, body);",
    "the body": "query(tx, `SELECT ${body}`, '');",
    "as JSON": "query(tx, `SELECT ${JSON.stringify(args)}`, '');",
    "concatenation": "query(tx, 'SELECT ' + args.id, body);",
    "concatenation to a value": "query(tx, args.table + ' WHERE', body);",
    "concatenation in the middle": "query(tx, 'SELECT ' + args.id + ' FROM t', body);",
    "itself": "query(tx, args.sql, body);",
    "a parameter's name": "query(tx, `SELECT ${arg(args.name)}`, body);",
    "added to": "let sql = 'SELECT '; sql += args.id; query(tx, sql, body);",
    "joined": "query(tx, ['SELECT', args.id].join(' '), body);",
    "replaced": "query(tx, 'SELECT ?'.replace('?', args.id), body);",
    "pushed": "const parts = []; parts.push(args.id); query(tx, `SELECT ${parts.join()}`, body);",
    "alias": "function f(tx, args, body) { const { id } = args; const it = id; query(tx, `SELECT ${it}`, body); }",
    "alias with a default": "function f(tx, args) { const { id: it = '' } = args; execute(tx, `DELETE ${it}`, ''); }",
    "destructured": "const writes = { m(tx, { id }, body) { query(tx, `SELECT '${id}'`, body); } };",
    "renamed": "const writes = { m(tx, { id: it }, body) { query(tx, `SELECT '${it}'`, body); } };",
    "with a default": "const writes = { m(tx, { id = 1 }, body) { query(tx, `SELECT ${id}`, body); } };",
    "deep": "const writes = { m(tx, { a: { b: [c] } }, body) { query(tx, `SELECT ${c}`, body); } };",
    "rest": "const writes = { m(tx, { id, ...others }, body) { query(tx, `SELECT ${others.a}`, body); } };",
    "whole default": "const writes = { m(tx, { id } = {}) { execute(tx, `DELETE ${id}`, ''); } };",
    "another name": "const writes = { m(tx, given) { execute(tx, `DELETE ${given.id}`, ''); } };",
    "another name of the text": "const writes = { m(tx, given, text) { execute(tx, 'DELETE ' + text, ''); } };",
    "helper of a write": "function f(tx, { id }) { return query(tx, `SELECT '${id}'`, ''); }",
    "read": "const reads = { m: ({ id }) => `SELECT * FROM t WHERE id = '${id}'` };",
    "typed read": "const reads = { m: (/** @type {any} */ { id }) => one(`SELECT '${id}'`) };",
    "read that is a method": "const reads = { m({ id }) { return many('id', `FROM t WHERE id = '${id}'`, 'id'); } };",
    "read by name": "function m({ id }) { return `SELECT '${id}'`; }\nconst reads = { m };",
    "read by another name": "const f = ({ id }) => `SELECT '${id}'`;\nconst reads = { m: f };",
    "answer": "const answers = { m: ({ id }) => `SELECT '${id}'` };",
    "the file's own function": "function f(id) { return `SELECT '${id}'`; }\nconst reads = { m: ({ id }) => f(id) };",
    "what a function gives back": "const f = (x) => x;\nconst reads = { m: ({ id }) => `SELECT ${f(id)}` };",
    "elements": "const reads = { m: ({ ids }) => `IN (${ids.map((id) => `'${id}'`).join()})` };",
    "elements of a loop": "function f(tx, { ids }) { for (const id of ids) { execute(tx, `DELETE ${id}`, ''); } }",
    "keys": "function f(tx, { changes }) { execute(tx, `SET ${Object.keys(changes).join()}`, ''); }",
    "new query": "function f(tx, { id }) { tx.db().newQuery(`DELETE ${id}`).execute(); }",
    "kept first": "function f(tx, { id }) { const sql = `DELETE ${id}`; tx.db().newQuery(sql).execute(); }",
    "or": "const reads = { m: ({ order }) => `ORDER BY ${order || 'id'}` };",
    "choice": "const reads = { m: ({ order }) => `ORDER BY ${order ? order : 'id'}` };",
    "nested": "const reads = { m: ({ id }) => `SELECT ${`(${id})`}` };",
    "lifted": "/* eslint-disable */\nconst reads = { m: ({ id }) => `SELECT '${id}'` };",
    "JSON where SQL belongs": "function f(tx, { id }) { execute(tx, `[${id}]`, ''); }",
}
GOOD_SQL = {
    "constants": 'query(tx, `SELECT ${row(TAG, "t")} ${OWN} = ${arg("id")}`, body); f({ args });',
    "parameters": "function f(tx, { id }) { query(tx, `SELECT ${arg('id')}`, JSON.stringify({ id })); }",
    "bound": "function f(tx, { id }) { tx.db().newQuery('DELETE {:id}').bind({ id }).execute(); }",
    "choice": "const reads = { m: ({ up }) => `ORDER BY a ${up ? 'ASC' : 'DESC'}` };",
    "looked up": "const reads = { m: ({ order }) => `ORDER BY ${ORDERS.get(order) || 'id'}` };",
    "filters": (
        "const reads = { m: (args) => `WHERE ${Object.entries(FILTERS).flatMap(([name, sql]) =>"
        " (args[name] === undefined ? [] : [sql])).join(' AND ')}` };"
    ),
    "numbers of elements": "const reads = { m: ({ ids }) => `${ids.map((_, n) => arg(`ids[${n}]`)).join()}` };",
    "how many": "const reads = { m: ({ ids }) => `LIMIT ${ids.length}` };",
    "function of another file": 'const b = require("./b.js");\nconst reads = { m: (args) => `SELECT ${b.sql(args)}` };',
    "JSON reply": "const writes = { m(tx, { id }) { return `[${f(tx)},${JSON.stringify(id)}]`; } };",
    "message": "function f(tx, { name }) { throw { status: 400, message: `There is no ${name}` }; }",
    "error": "function f(tx, { name }) { throw new Error(`There is no ${name}`); }",
    "what was found": "function f(tx, { id }) { const r = tx.findRecordById('c', id); return `${r.get('a')}`; }",
}

BAD_PARSING = {
    "callback": "$app.runInTransaction((tx) => { f(JSON.parse(body)); });",
    "nested": "$app.runInTransaction((tx) => { try { f(() => JSON.parse(text)); } finally { g(); } });",
    "by name": "const work = (tx) => JSON.parse(text);\n$app.runInTransaction(work);",
    "a write": "const writes = { m(tx, args, body) { return f(JSON.parse(body)); } };",
}
GOOD_PARSING = {
    "before": "const args = JSON.parse(body); $app.runInTransaction((tx) => f(tx, args));",
    "what SQL gave there": "e.app.runInTransaction((tx) => { f(JSON.parse(query(tx, SQL, body))); });",
    "what SQL gave": "function f(tx, args) { return JSON.parse(query(tx, SQL, '{}')); }",
}

ELSEWHERE = {"hook": (HOOK, 1), "entry": (ENTRY, 0), "migration": ("assets/pb_migrations/1_some.js", 1)}


def _lint(scripts: list[tuple[str, str]]) -> list[list[str]]:
    require(NODE is not None and (ROOT / "node_modules" / "eslint").is_dir(), "ESLint")
    command = [str(NODE), "--input-type=module", "-e", LINT, json.dumps(scripts)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    found: list[list[str]] = json.loads(answer.stdout)
    return found


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], list[str]]:
    """Return the rules that each script breaks: one process for all."""
    cases = [
        *((ENTRY, script) for group in (BAD_TRANSACTIONS, GOOD_TRANSACTIONS) for script in group.values()),
        *((ENTRY, script) for group in (BAD_PARSING, GOOD_PARSING) for script in group.values()),
        *((HOOK, script) for group in (BAD_SQL, GOOD_SQL) for script in group.values()),
        *((path, "f($app);") for path, _ in ELSEWHERE.values()),
    ]
    return dict(zip(cases, _lint(cases), strict=True))


def _cases(rule: str, path: str, bad: dict[str, str], good: dict[str, str]) -> list[Any]:
    short = rule.removeprefix("owui/")
    return [
        pytest.param(rule, path, script, is_bad, id=f"{short}-{'bad' if is_bad else 'good'}-{name}")
        for scripts, is_bad in ((bad, True), (good, False))
        for name, script in scripts.items()
    ]


@pytest.mark.parametrize(
    ("rule", "path", "script", "is_bad"),
    [
        *_cases(APP, ENTRY, BAD_TRANSACTIONS, GOOD_TRANSACTIONS),
        *_cases(PARSING, ENTRY, BAD_PARSING, GOOD_PARSING),
        *_cases(VALUE, HOOK, BAD_SQL, GOOD_SQL),
    ],
)
def test_rule(found: dict[tuple[str, str], list[str]], rule: str, path: str, script: str, *, is_bad: bool) -> None:
    rules = [name for name in found[path, script] if name in {APP, PARSING, VALUE}]
    assert set(rules) == ({rule} if is_bad else set())


@pytest.mark.parametrize(("path", "number"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_only_entry_points_name_the_app(found: dict[tuple[str, str], list[str]], path: str, number: int) -> None:
    assert found[path, "f($app);"].count("no-restricted-globals") == number
