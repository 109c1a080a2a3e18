"""What the code of a source file names of the host's SQL tables: their mapped classes, or the tables themselves.

A name counts if it comes from the module that defines it, by whatever imports; a table in text counts where SQL has
one. Annotations, comments and docstrings are not code, and a word such as ``chat`` in a message is no table.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

__all__ = ["MODULE_LEVEL", "References", "Vocabulary", "tables_of_migration"]

MODULE_LEVEL = "<module>"
"""Name of what stands in a module outside its functions and classes."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Imports = dict[str, str]

_QUOTE = r'["`\[\]]?'
_QUERY = re.compile(r"(?i)[\s(]*(?:with|select)\b")
_NO_PROSE = r"(?:(?!\b(?:an?|the|this|that|its?|your|their)\s+(?!from\b|as\b)\w).)"
_LABELS = ("Column", "column", "mapped_column", "label", "get", "pop", "setdefault")
_KEYS = ("ForeignKey", "ForeignKeyConstraint")


@dataclass(frozen=True)
class Vocabulary:
    """What can be named.

    Attributes:
        names: Dotted name of a mapped class, or of a function that builds statements -> the groups of its tables.
        repositories: Dotted name of a repository -> its group; code that takes private members of one goes past it.
        tables: Name of a table -> its group.
    """

    names: Mapping[str, frozenset[str]]
    repositories: Mapping[str, str]
    tables: Mapping[str, str]

    @cached_property
    def last_names(self) -> frozenset[str]:
        """The names without their modules."""
        return frozenset(name.rpartition(".")[2] for name in (*self.names, *self.repositories))

    @cached_property
    def _table(self) -> str:
        return rf"{_QUOTE}(?:\w+{_QUOTE}\.{_QUOTE})?({'|'.join(self.tables)})\b"

    @cached_property
    def _statement(self) -> re.Pattern[str]:
        table = self._table
        return re.compile(
            # Keywords in capitals are SQL wherever they stand; else a text has to begin as a statement does.
            rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE(?:\s+IF(?:\s+NOT)?\s+EXISTS)?)\s+{table}"
            rf"|(?is:^[\s(]*(?:with\b.*\bas\s*\(\s*)?(?:select\b{_NO_PROSE}*?\b(?:from|join)\s+{table}"
            rf"|insert\s+(?:or\s+\w+\s+)?into\s+{table}"
            rf"|delete\s+from\s+{table}"
            rf"|update\s+{table}\W*\s+(?:as\s+\w+\s+)?set\b))"
        )

    @cached_property
    def _source_of_rows(self) -> re.Pattern[str]:
        return re.compile(rf"(?i:\b(?:from|join)\s+{self._table})")

    @cached_property
    def _mention(self) -> re.Pattern[str]:
        names, repositories = (
            "|".join(name.rpartition(".")[2] for name in names) for names in (self.names, self.repositories)
        )
        tables = "|".join(self.tables)
        return re.compile(
            rf"\b(?:{names})\b|\b(?:{repositories})(?:\._|\s+as\b)|['\"](?:{tables})\."
            rf"|(?i:from|join|into|update|tables?|exists)[\s(\"'`\[]+(?:\w+\W+)?(?:{tables})\b"
        )

    def may_be_in(self, source: str) -> bool:
        """Tell, faster than by parsing it, whether a source can name anything."""
        return self._mention.search(source) is not None

    def tables_in(self, text: str) -> set[str]:
        """Return the tables that a text names as SQL does."""
        found = {table for tables in self._statement.findall(text) for table in tables if table}
        if found and _QUERY.match(text):
            found.update(self._source_of_rows.findall(text))  # a query in lower case begins once, and can have more
        return found


class References:
    """The references of one module.

    Args:
        tree: The parsed module.
        module: Its dotted name; that of a package ends with ``.__init__``.
        vocabulary: What is looked for.
        imports_of: Gives what another module of the host imports, by its dotted name, to follow re-exports.
    """

    def __init__(
        self, tree: ast.Module, module: str, vocabulary: Vocabulary, imports_of: Callable[[str], Imports]
    ) -> None:
        self._vocabulary = vocabulary
        self._imports_of = imports_of
        self._tree = tree
        own = {node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, Function | ast.ClassDef)}
        own |= {name: f"{module}.{name}" for name in _assigned(tree.body)}
        self._names = {**own, **imports(tree, module)}
        self._stars = {name: source for name, source in self._names.items() if name.startswith("*")}

    def by_unit(self) -> dict[str, dict[str, frozenset[str]]]:
        """Return, for each function, method, class and the module itself: what it names -> the groups of that.

        Methods are told as ``Class.name``; functions in functions are part of those around them.
        """
        found: dict[str, dict[str, frozenset[str]]] = {}
        for unit, node in _units(self._tree):
            for name, groups in self._named(node):
                found.setdefault(unit, {})[name] = groups
        return found

    def _named(self, unit: ast.AST) -> Iterator[tuple[str, frozenset[str]]]:
        nodes = list(_code(unit))
        hidden = {node.arg for node in nodes if isinstance(node, ast.arg)}
        for node in nodes:
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
                yield from self._of_name(node, hidden)
            for table in self._tables(node):
                yield table, frozenset({self._vocabulary.tables[table]})

    def _of_name(self, node: ast.Name | ast.Attribute, hidden: set[str]) -> Iterator[tuple[str, frozenset[str]]]:
        dotted = self._resolve(node, hidden)
        holder, _, last = dotted.rpartition(".")
        if groups := self._vocabulary.names.get(dotted):
            yield last, groups
        elif last.startswith("_") and not last.startswith("__") and holder in self._vocabulary.repositories:
            yield f"{holder.rpartition('.')[2]}.{last}", frozenset({self._vocabulary.repositories[holder]})

    def _resolve(self, node: ast.expr, hidden: set[str]) -> str:
        """Return the dotted name of an expression as the module that defines it says it; "" if it has none."""
        if isinstance(node, ast.Name):
            if node.id in hidden:
                return ""
            if node.id in self._names:
                return self._canonical(self._names[node.id])
            return self._first_known(f"{source}.{node.id}" for source in self._stars.values())
        base = self._resolve(node.value, hidden) if isinstance(node, ast.Attribute) else ""
        return self._canonical(f"{base}.{node.attr}") if base and isinstance(node, ast.Attribute) else ""

    def _canonical(self, dotted: str, depth: int = 8) -> str:
        """Follow re-exports: ``open_webui.models.chats.Tag`` -> ``open_webui.models.tags.Tag``."""
        module, _, name = dotted.rpartition(".")
        if self._is_known(dotted) or name not in self._vocabulary.last_names or not module.startswith("open_webui."):
            return dotted
        imported = self._imports_of(module)
        stars = (f"{source}.{name}" for star, source in imported.items() if star.startswith("*"))
        return self._first_known([imported[name]] if name in imported else stars, depth - 1) if depth else ""

    def _first_known(self, names: Iterable[str], depth: int = 8) -> str:
        return next((name for each in names if self._is_known(name := self._canonical(each, depth))), "")

    def _is_known(self, dotted: str) -> bool:
        return dotted in self._vocabulary.names or dotted in self._vocabulary.repositories

    def _tables(self, node: ast.AST) -> set[str]:
        """Return the tables that a text names, or an expression as ``table("chat")`` or ``metadata.tables["chat"]``."""
        tables = self._vocabulary.tables
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._vocabulary.tables_in(node.value)
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "?" for part in node.values)
            return self._vocabulary.tables_in("".join(map(str, parts)))
        if isinstance(node, ast.Call) and _last(node.func) in ("table", "Table") and node.args:
            return {text for text in _texts(node.args[0]) if text in tables}
        if isinstance(node, ast.Call) and _last(node.func) in _KEYS:
            return {text.partition(".")[0] for text in _texts(*node.args)} & tables.keys()
        if isinstance(node, ast.Subscript) and _last(node.value) == "tables":
            return {text for text in _texts(node.slice) if text in tables}
        return set()


def imports(tree: ast.Module, module: str) -> Imports:
    """Return local name -> dotted name of all imports of a module, wherever they stand.

    A ``from m import *`` is there as ``*m``.
    """
    found: Imports = {}
    package = module.split(".")[:-1]
    statements: list[ast.AST] = [tree]
    while statements:
        node = statements.pop()
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                star = alias.name == "*"
                found[f"*{base}" if star else alias.asname or alias.name] = base if star else f"{base}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                found[alias.asname or first] = alias.name if alias.asname else first
        elif not isinstance(node, ast.expr):
            statements += ast.iter_child_nodes(node)
    return found


def tables_of_migration(tree: ast.Module, vocabulary: Vocabulary) -> set[str]:
    """Return the tables that a migration names, in SQL or as a text of its own that is no column and no value."""
    found: set[str] = set()
    ignored: set[ast.AST] = set()
    for node in _code(tree):
        if isinstance(node, ast.Call) and _last(node.func) in _KEYS:
            found |= {text.partition(".")[0] for text in _texts(*node.args) if "." in text}
            ignored.update(_below(*node.args))
        elif isinstance(node, ast.Call) and _last(node.func) in _LABELS:
            ignored.update(node.args[:1])
        elif isinstance(node, ast.Compare):
            ignored.update(_below(node))
        elif isinstance(node, ast.Subscript) and _last(node.value) != "tables":
            ignored.add(node.slice)
        elif isinstance(node, ast.Dict):
            ignored.update(_below(*(key for key in node.keys if key is not None)), node.values)
        elif isinstance(node, ast.keyword) and "table" not in (node.arg or ""):
            ignored.add(node.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= vocabulary.tables_in(node.value)
            found |= set() if node in ignored else {node.value}
    return found & vocabulary.tables.keys()


def _units(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                yield (f"{node.name}.{member.name}" if isinstance(member, Function) else node.name), member
            for outside in (*node.bases, *node.keywords, *node.decorator_list):
                yield node.name, outside
        elif isinstance(node, Function):
            yield node.name, node
        else:
            yield MODULE_LEVEL, node


def _code(root: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes, parents first, without annotations and docstrings."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        yield node
        for field, value in ast.iter_fields(node):
            if field not in ("annotation", "returns"):
                stack += [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, ast.AST)]


def _assigned(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the names that a module gives to values of its own, such as ``Chats``."""
    for node in body:
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if isinstance(target, ast.Name):
                yield target.id


def _below(*nodes: ast.AST) -> Iterator[ast.AST]:
    for node in nodes:
        yield from ast.walk(node)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _texts(*nodes: ast.expr) -> Iterator[str]:
    for node in _below(*nodes):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
