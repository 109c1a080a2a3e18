"""One Python file of the host, read and never imported."""

from __future__ import annotations

import ast
import hashlib
import re
import textwrap
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from openwebui_pocketbase.host.references import Imports, References, Vocabulary, imports, tables_of_migration

__all__ = ["SourceFile", "digest_of"]

# A function touches SQL if it opens a session, uses one, or builds a statement. Handing ``db=db`` on
# to another repository is none of these.
_SQL = re.compile(
    r"\bget_(?:async_)?(?:db|session)"
    r"|\b(?:db|session|func)\.\w"
    r"|_transaction\("
    r"|\.(?:execute|scalars?)\("
    r"|(?<![\w.])(?:select|insert|update|delete|exists|text)\("
)

# Strings are matched to tell their ``#`` from one that starts a comment. The tokenize module would do
# the same, but takes longer than everything else here, and its tokens differ between Python versions.
_STRING_OR_COMMENT = re.compile(
    r'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\\n])*"'
    r"|'''(?:\\.|[^\\])*?'''|'(?:\\.|[^'\\\n])*'"
    r"|#[^\n]*",
    re.DOTALL,
)


class FunctionCode(NamedTuple):
    """What the contract compares of one function."""

    digest: str
    touches_sql: bool


class SourceFile:
    """The code of a Python file; parsed when it is first asked for.

    Args:
        data: The content.
        path: Where it is, from the directory that holds the package: ``open_webui/models/tags.py``.
    """

    def __init__(self, data: bytes, path: str) -> None:
        self._text = data.decode("utf-8-sig").replace("\r\n", "\n")
        self.module = path.removesuffix(".py").replace("/", ".")

    @cached_property
    def _tree(self) -> ast.Module:
        return ast.parse(self._text)

    @cached_property
    def functions(self) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
        """Functions as ``name``, methods as ``Class.name``; nested ones are part of those around them."""
        return {
            f"{scope.name}.{node.name}" if isinstance(scope, ast.ClassDef) else node.name: node
            for scope in self._tree.body
            for node in (scope.body if isinstance(scope, ast.ClassDef) else [scope])
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }

    @cached_property
    def tables(self) -> dict[str, tuple[str, dict[str, str]]]:
        """Mapped tables -> name of the class, and what is assigned in it: columns and ``__table_args__``."""
        found = {}
        for node in self._tree.body:
            assigned = dict(_assignments(node)) if isinstance(node, ast.ClassDef) else {}
            table = assigned.pop("__tablename__", None)
            if isinstance(node, ast.ClassDef) and isinstance(table, ast.Constant):
                found[str(table.value)] = node.name, {name: ast.unparse(value) for name, value in assigned.items()}
        return found

    @cached_property
    def imports(self) -> Imports:
        """Local name -> dotted name."""
        return imports(self._tree, self.module)

    @cached_property
    def _lines(self) -> list[str]:
        """The lines without comments."""
        return _STRING_OR_COMMENT.sub(lambda m: "" if m[0].startswith("#") else m[0], self._text).split("\n")

    def references(
        self, vocabulary: Vocabulary, imports_of: Callable[[str], Imports]
    ) -> dict[str, dict[str, frozenset[str]]]:
        """Return what the functions, classes and the module name of SQL tables; see `References.by_unit`."""
        if not vocabulary.may_be_in(self._text):
            return {}
        return References(self._tree, self.module, vocabulary, imports_of).by_unit()

    def migrated_tables(self, vocabulary: Vocabulary) -> set[str]:
        """Return the tables that the file names, if it is a migration."""
        return tables_of_migration(self._tree, vocabulary)

    def signature(self, name: str) -> str:
        """Return the head of a function, without its decorators."""
        node = self.functions[name]
        keyword = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return f"{keyword} {node.name}({ast.unparse(node.args)}){returns}"

    def code(self, name: str) -> FunctionCode:
        """Return the digest of a function without its docstring, comments, blank lines and indentation.

        It is made from the source, as the output of ``ast.unparse`` differs between Python versions.
        """
        node = self.functions[name]
        first = min(part.lineno for part in (node, *node.decorator_list))
        lines = self._lines[first - 1 : node.end_lineno]
        if ast.get_docstring(node, clean=False) is not None:
            docstring = node.body[0]
            del lines[docstring.lineno - first : (docstring.end_lineno or docstring.lineno) - first + 1]
        source = textwrap.dedent("\n".join(line.rstrip() for line in lines if line.strip()))
        return FunctionCode(digest_of(source.encode()), _SQL.search(source) is not None)


def digest_of(data: bytes) -> str:
    """Return a digest: the first half of SHA-256, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()[:32]


def _assignments(scope: ast.ClassDef) -> list[tuple[str, ast.expr]]:
    found = []
    for node in scope.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.append((node.targets[0].id, node.value))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.append((node.target.id, node.value or node.annotation))
    return found
