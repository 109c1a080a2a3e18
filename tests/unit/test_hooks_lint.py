"""What neither the type checker nor a run shows about the PocketBase hooks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import openwebui_pocketbase.repositories
from openwebui_pocketbase.assets import HOOKS_DIR, MIGRATIONS_DIR
from openwebui_pocketbase.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

from pathlib import Path

REPOSITORIES_DIR = Path(openwebui_pocketbase.repositories.__path__[0])
MODULES = sorted({table.hooks for table in TABLES.values()})
"""Each is the hooks and the repository of one noun."""
SOURCES = {
    "auths": ("auths.py", "../replication/credentials.py"),
    "chats": ("chats/*.py", "timers.py", "workspace_search.py", "../cli/search.py", "../replication/indexer.py"),
    "chat_messages": ("chat_messages.py", "chat_usage.py"),
    "shared_chats": ("shared_chats.py", "chats/shares.py"),
}
"""Module -> what calls its methods; its repository, unless told otherwise."""
SCRIPTS = sorted([*HOOKS_DIR.glob("*.js"), *MIGRATIONS_DIR.glob("*.js")])
MAY_USE_APP = {"owui_dispatch.js", "owui_version.js", "owui_embedded.js"}
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


def methods(script: str) -> list[str]:
    """Return the names of the members of `reads` and `writes`."""
    code = code_of(script)
    found: list[str] = []
    for match in re.finditer(r"^const (?:reads|writes) = \{", code, re.MULTILINE):
        block = code[match.end() : closing(code, match.end() - 1)]
        found += re.findall(r"^  (\w+)\s*[:(,]", block, re.MULTILINE)
        if "\n" not in block:
            found += re.findall(r"(?:^|,)\s*(\w+)", re.sub(r"\([^()]*\)", "", block))
    return found


def hooks_of(module: str) -> list[str]:
    """Return the scripts whose methods a module has: its own, and those which it takes in."""
    script = (HOOKS_DIR / f"{module}.js").read_text()
    parts = dict(re.findall(r"const (\w+) = require\(`\$\{__hooks\}/(\w+)\.js`\)", script))
    taken_in = {parts[name] for name in re.findall(r"\.\.\.(\w+)\.(?:reads|writes)\b", script)}
    return [script, *((HOOKS_DIR / f"{part}.js").read_text() for part in sorted(taken_in))]


def sources_of(module: str) -> list[Path]:
    """Return the Python modules that call a module's methods."""
    return [path for pattern in SOURCES.get(module, (f"{module}.py",)) for path in REPOSITORIES_DIR.glob(pattern)]


def calls(source: str, group: str) -> set[str]:
    """Return the methods of a group which a repository names."""
    named = set(re.findall(rf'"{group}/(\w+)"', source))
    if f'f"{group}/{{method}}"' in source:
        named |= set(re.findall(r'(?:self\._\w+\(|\bmethod = |\belse )\s*"(\w+)"', source))
    return named


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


@pytest.mark.parametrize("module", MODULES)
def test_hooks_and_repository_name_the_same_methods(module: str) -> None:
    sources = [path.read_text() for path in sources_of(module)]
    if module != "chats":
        sources = ["\n".join(sources)]  # one asks through a method of the other
    called = set().union(*(calls(source, module) for source in sources))
    assert called == {method for script in hooks_of(module) for method in methods(script)}


def test_no_other_repository_calls_a_group() -> None:
    for path in REPOSITORIES_DIR.rglob("*.py"):
        named = set(re.findall(r'f?"(\w+)/[\w{}]+"', path.read_text())) & set(MODULES)
        assert named <= {module for module in MODULES if path in sources_of(module)}, path.name


@pytest.mark.parametrize("module", MODULES)
def test_no_method_both_reads_and_writes(module: str) -> None:
    names = [method for script in hooks_of(module) for method in methods(script)]
    assert names
    assert len(names) == len(set(names))


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


def test_check_finds_methods_on_both_sides() -> None:
    script = "const reads = {\n  one: `x ${{ a: 1 }}`,\n  two: many(\n    'x',\n  ),\n};\n"
    script += "const writes = {\n  three(tx) {},\n};"
    assert methods(script) == ["one", "two", "three"]
    source = 'read("tags/one", {})\n_get_one("two")\nmethod = "three"\nread(f"tags/{method}")\n"folders/four"'
    assert calls(source, "tags") == {"one"} | {"three"}
    assert calls(source.replace("_get_one", "self._get_one"), "tags") == {"one", "two", "three"}
    assert calls(source, "folders") == {"four"}


def test_scripts_survive_blanking() -> None:
    for path in SCRIPTS:
        script = path.read_text()
        code = code_of(script)
        assert len(code) == len(script)
        assert [code.count(bracket) for bracket in CLOSING] == [code.count(bracket) for bracket in CLOSING.values()]


def test_no_request_is_parsed_in_a_transaction() -> None:
    """Nobody else can write meanwhile."""
    script = (HOOKS_DIR / "owui_dispatch.js").read_text()
    bodies = [*functions_of_tx(code_of(script))]
    assert any("remember" in body for body in bodies)
    assert not any("JSON.parse" in body for body in bodies)
