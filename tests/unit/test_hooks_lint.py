"""What neither the type checker nor a run shows about the PocketBase hooks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import openwebui_pocketbase
from openwebui_pocketbase.assets import HOOKS_DIR, MIGRATIONS_DIR
from tests.support.hooks import methods

if TYPE_CHECKING:
    from collections.abc import Iterator

from pathlib import Path

PACKAGE_DIR = Path(openwebui_pocketbase.__path__[0])
SCRIPTS = sorted([*HOOKS_DIR.rglob("*.js"), *MIGRATIONS_DIR.glob("*.js")])
MAY_USE_APP = {"dispatch.js", "version.js", "embedded.js"}
"""Those which begin a transaction, or have nothing to do with one."""

# A comment, a text, or a regular expression where a value can begin.
LITERAL = re.compile(
    r"""//[^\n]* | /\*.*?\*/
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
    | (?<=[=(,:!&|?])\s*/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*""",
    re.VERBOSE | re.DOTALL,
)
CLOSING = {"(": ")", "[": "]", "{": "}"}


def blank(text: str) -> str:
    """Replace a text by spaces; lines stay where they are."""
    return re.sub(r"[^\n]", " ", text)


def code_of(script: str) -> str:
    """Return a script with comments and texts blanked, but with the expressions inside of template strings."""
    out: list[str] = []
    templates: list[int] = []  # depth of braces at each template string that is open
    depth = at = 0
    in_text = False
    while at < len(script):
        if in_text:
            end = next(m for m in re.compile(r"\\.|`|\$\{|.", re.DOTALL).finditer(script, at))
            token = end.group()
            if token == "`":
                templates.pop()
                in_text = False
            elif token == "${":
                in_text = False
                depth += 1
            out.append("${" if token == "${" else blank(token))
        elif (literal := LITERAL.match(script, at)) is not None:
            token = literal.group()
            out.append(blank(token))
        else:
            token = script[at]
            if token == "`":
                templates.append(depth)
                in_text = True
            depth += {"{": 1, "}": -1}.get(token, 0)
            in_text = in_text or (token == "}" and bool(templates) and templates[-1] == depth)
            out.append(" " if token == "`" else token)
        at += len(token)
    return "".join(out)


def closing(code: str, opening: int) -> int:
    """Return the index of the bracket that closes the one at an index."""
    depth = 0
    for at in range(opening, len(code)):
        if code[at] in CLOSING:
            depth += 1
        elif code[at] in CLOSING.values():
            depth -= 1
            if depth == 0:
                return at
    raise ValueError(f"not closed: {code[opening : opening + 40]!r}")


def functions_of_tx(code: str) -> Iterator[str]:
    """Yield the body of each function that has a parameter `tx`, and of each callback of `runInTransaction`."""
    for match in re.finditer(r"\(", code):
        end = closing(code, match.start())
        parameters = code[match.start() + 1 : end]
        if re.search(r"runInTransaction\s*$", code[: match.start()]):
            yield parameters
        body = re.compile(r"\s*(=>)?\s*(\{)?").match(code, end + 1)
        assert body is not None
        if re.search(r"(^|[,{\s])tx\s*($|[,}=])", parameters) and (body[1] or body[2]):
            stop = closing(code, body.end() - 1) if body[2] else end_of_expression(code, body.end())
            yield code[body.end() : stop]
    for match in re.finditer(r"\btx\s*=>\s*(\{)?", code):
        stop = closing(code, match.end() - 1) if match[1] else end_of_expression(code, match.end())
        yield code[match.end() : stop]


def end_of_expression(code: str, start: int) -> int:
    """Return the end of an arrow function's body without braces."""
    at = start
    while at < len(code) and code[at] not in ",;)]}":
        at = closing(code, at) + 1 if code[at] in CLOSING else at + 1
    return at


def uses_app_in_transaction(script: str) -> bool:
    return any(re.search(r"\$app\b", body) for body in functions_of_tx(code_of(script)))


def builds_sql_from_values(script: str) -> list[str]:
    """Return expressions that put a value of the request into a text."""
    code = code_of(script)
    return re.findall(r"\$\{[^}]*\b(?:args|body|request)\b[^}]*", code) + re.findall(
        r"\+\s*(?:args|body|request)\b|\b(?:args|body|request)(?:\.\w+)*\s*\+(?!\+)", code
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_transactions_do_not_leave_themselves(path: Path) -> None:
    """A write by $app inside of a transaction waits for the transaction, and stops all writes of the server."""
    assert not uses_app_in_transaction(path.read_text())


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_only_entry_points_name_the_app(path: Path) -> None:
    assert path.name in MAY_USE_APP or not re.search(r"\$app\b", code_of(path.read_text()))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_sql_is_not_built_from_values(path: Path) -> None:
    assert builds_sql_from_values(path.read_text()) == []


def test_hooks_and_package_name_the_same_methods() -> None:
    source = "\n".join(path.read_text() for path in PACKAGE_DIR.rglob("*.py"))
    offered = {f"{group}/{name}" for group, kinds in methods().items() for names in kinds.values() for name in names}
    called = set(re.findall(rf'"((?:{"|".join(methods())})/\w+)[",]', source))
    words = set(re.findall(r'"(\w+)"', source))
    assert called <= offered
    assert {path for path in offered - called if path.partition("/")[2] not in words and "_owui_" not in path} == set()


def test_no_method_both_reads_and_writes() -> None:
    for kinds in methods().values():
        assert not set(kinds["reads"]) & set(kinds["writes"])


# The checks themselves: each has to find what it is for.

BAD_TRANSACTIONS = {
    "callback": "$app.runInTransaction((tx) => { $app.save(r); });",
    "callback without parameter": "$app.runInTransaction(() => { $app.save(r); });",
    "callback without parentheses": "$app.runInTransaction(tx => $app.save(r));",
    "function": "function f(tx, args) { return $app.findRecordById('c', args.id); }",
    "method": "const writes = {\n  m(tx, { id }) {\n    if (id) { $app.delete(id); }\n  },\n};",
    "arrow": "const f = (tx) => $app.save(tx);",
    "arrow of two": "const f = (args, tx) => { g(() => { $app.save(args); }); };",
    "in a template": "function f(tx) { return `${$app.name()}`; }",
    "nested template": "function f(tx) { return `a${`b${$app.name()}`}c`; }",
    "behind a brace in a text": 'function f(tx) { g("}"); $app.save(1); }',
    "behind a brace in a pattern": "function f(tx) { g(/[}]/); $app.save(1); }",
    "behind a brace in a template": "function f(tx) { g(`}`); $app.save(1); }",
    "default": "function f(tx, app = 1) { $app.save(app); }",
}
GOOD_TRANSACTIONS = {
    "beside it": "$app.runInTransaction((tx) => { tx.save(r); }); $app.save(q);",
    "in a comment": "function f(tx) { // $app would wait\n  /* $app */ tx.save(1); }",
    "in a text": "function f(tx) { g('$app', \"$app\", `$app`); }",
    "a call": "f(tx); $app.save(1);",
    "another parameter": "function f(txt) { $app.save(txt); }",
}


@pytest.mark.parametrize("script", BAD_TRANSACTIONS.values(), ids=BAD_TRANSACTIONS)
def test_check_finds_the_app_in_transactions(script: str) -> None:
    assert uses_app_in_transaction(script)


@pytest.mark.parametrize("script", GOOD_TRANSACTIONS.values(), ids=GOOD_TRANSACTIONS)
def test_check_lets_the_app_be_elsewhere(script: str) -> None:
    assert not uses_app_in_transaction(script)


@pytest.mark.parametrize(
    "script",
    [
        "query(tx, `SELECT * FROM t WHERE id = '${args.id}'`, body);",
        "query(tx, `SELECT ${body}`, '');",
        "query(tx, `SELECT ${JSON.stringify(args)}`, '');",
        "query(tx, 'SELECT ' + args.id, body);",
        "query(tx, args.table + ' WHERE', body);",
    ],
)
def test_check_finds_sql_from_values(script: str) -> None:
    assert builds_sql_from_values(script)


def test_check_lets_constants_be_in_sql() -> None:
    assert (
        builds_sql_from_values('query(tx, `SELECT ${row(TAG, "t")} ${OWN} = ${arg("id")}`, body); f({ args });') == []
    )


def test_scripts_survive_blanking() -> None:
    for path in SCRIPTS:
        script = path.read_text()
        code = code_of(script)
        assert len(code) == len(script)
        assert [code.count(bracket) for bracket in CLOSING] == [code.count(bracket) for bracket in CLOSING.values()]


def test_no_request_is_parsed_in_a_transaction() -> None:
    """Nobody else can write meanwhile."""
    script = (HOOKS_DIR / "owui" / "dispatch.js").read_text()
    bodies = [*functions_of_tx(code_of(script))]
    assert any("finish(" in body for body in bodies)
    assert not any("JSON.parse" in body for body in bodies)
