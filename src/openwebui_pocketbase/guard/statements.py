"""Which tables an SQL statement reads and writes, by their position in its text.

Names of tables are common words (user, group, chat, file), which are also names of columns, aliases and functions: a
name counts only where a table stands. What is not understood is left out: a false alarm would stop the host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["tables_in"]

_VALUE = r"(?:\?|%s|%\(\w+\)s|\$\d+|:\w+|\d[\w.]*|null|'(?:[^']|'')*')(?:::\w+(?:\[\])?)?"
"""A parameter or a literal."""

_TOKEN = re.compile(
    rf"""
      \s+ | --[^\n]* | /\*.*?\*/ | \d[\w.]*
    | (?P<values> \(\s*{_VALUE}(?:\s*,\s*{_VALUE})*\s*\) )
    | (?P<text> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | \$(?P<tag>[^\W\d]\w*|)\$.*?\$(?P=tag)\$ )
    | (?P<quoted> "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[\w[\w ]*\] )
    | (?P<word> [^\W\d][\w$]* )
    | (?P<sign> [(),;.] )
    | .
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
"""Long lists of values are one token: such statements are new each time, and thousands of tokens take a while."""

_QUERIES = frozenset({"select", "with", "values"})
_VERBS = frozenset({"select", "values", "with", "insert", "merge", "delete", "update", "truncate", "table"})
_ENDS = frozenset(
    {"where", "group", "order", "having", "limit", "offset", "fetch", "for", "window", "set", "returning", "when"}
    | {"union", "intersect", "except"}
)
"""Words after which no further table of a FROM clause can come."""
_BETWEEN = frozenset({"only", "lateral", "table", "or", "ignore", "replace", "rollback", "abort", "fail"})
"""Words that stand before the name of a table."""
_DEFINITIONS = frozenset({"alter", "drop", "grant", "revoke", "comment", "reindex", "vacuum", "analyze", "pragma"})
"""Statements that neither read nor write rows."""


class Use(NamedTuple):
    """A table in a statement.

    Attributes:
        schema: The schema it is qualified with, or ``""``.
        table: Its name, in lower case.
        writes: Whether rows are written.
    """

    schema: str
    table: str
    writes: bool


class _Token(NamedTuple):
    kind: str
    text: str

    @property
    def word(self) -> str:
        """The keyword that it may be."""
        return self.text.lower() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """The identifier that it may be."""
        if self.kind == "word":
            return self.text.lower()
        return self.text[1:-1].lower() if self.kind in ("quoted", "text") else ""


@dataclass
class _Level:
    """A statement, or what stands in parentheses.

    Attributes:
        verb: The statement's verb; FROM is followed by a table in some of them, and not in ``extract(year FROM x)``.
        expects: Whether the next name is a table's.
        writes: Whether that table is written.
        lists: Whether another table can come after a comma.
        common: Names of common table expressions that hide tables from here on.
        names_common: Whether the next name is that of a common table expression.
        candidate: Such a name, until its parentheses begin.
        recursive: Whether these names are known in their own definitions.
        defines: The common table expression which these parentheses define.
    """

    verb: str = ""
    expects: bool = False
    writes: bool = False
    lists: bool = False
    common: set[str] = field(default_factory=set)
    names_common: bool = False
    candidate: str = ""
    recursive: bool = False
    defines: str = ""


def tables_in(statement: str) -> frozenset[Use]:
    """Return the tables which a statement, or several of them, reads and writes."""
    return frozenset(_Reader(statement).read())


class _Reader:
    def __init__(self, statement: str) -> None:
        self._tokens = [
            _Token(match.lastgroup if match.lastgroup != "tag" else "text", match.group())
            for match in _TOKEN.finditer(statement)
            if match.lastgroup
        ]
        self._levels = [_Level()]
        self._uses: list[Use] = []
        self._at = 0

    def read(self) -> list[Use]:
        if self._is_definition():
            return []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind == "sign":
                self._sign(token.text)
            elif self._levels[-1].names_common and token.word != "recursive":
                self._common(token.name)
            elif self._levels[-1].expects and token.word not in _QUERIES:
                self._table(token)
            elif token.word:
                self._keyword(token.word)
            self._at += 1
        return self._uses

    def _is_definition(self) -> bool:
        first = [token.word for token in self._tokens[:4]]
        return bool(first) and (first[0] in _DEFINITIONS or (first[0] == "create" and "table" not in first))

    def _word(self, offset: int) -> str:
        """Return the keyword before or behind the present one, or ``""``."""
        at = self._at + offset
        return self._tokens[at].word if 0 <= at < len(self._tokens) else ""

    def _follows(self, sign: str) -> bool:
        """Tell whether the next token begins with this sign."""
        token = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else None
        return token is not None and token.kind in ("sign", "values") and token.text[0] == sign

    def _sign(self, sign: str) -> None:
        level = self._levels[-1]
        if sign == "(":
            # What stands in parentheses where a table is expected is a query, or a join.
            inner = _Level(expects=level.expects, lists=level.expects)
            if level.candidate and self._word(-1) in ("as", "materialized"):
                inner.defines, level.candidate = level.candidate, ""
            level.expects = False
            self._levels.append(inner)
        elif sign == ")" and len(self._levels) > 1:
            self._levels.pop()
            if level.defines:
                self._levels[-1].common.add(level.defines)
        elif sign == ",":
            if level.verb == "with":
                level.names_common = True
            elif level.lists:
                level.expects = True
                level.writes = level.verb == "truncate"
        elif sign == ";":
            self._levels = [_Level()]

    def _common(self, name: str) -> None:
        level = self._levels[-1]
        level.names_common, level.candidate = False, name
        if level.recursive:
            level.common.add(name)

    def _table(self, token: _Token) -> None:
        if token.word in _BETWEEN and not self._follows("."):
            return
        level = self._levels[-1]
        level.expects = False
        schema, name = "", token.name
        while self._follows("."):
            self._at += 2
            schema, name = name, self._tokens[self._at].name if self._at < len(self._tokens) else ""
        is_function = self._follows("(") and not level.writes
        is_common = not schema and not level.writes and any(name in each.common for each in self._levels)
        if name and not is_function and not is_common:
            self._uses.append(Use(schema, name, level.writes))

    def _keyword(self, word: str) -> None:
        level = self._levels[-1]
        if word in _ENDS:
            level.expects = level.lists = False
        elif word == "recursive":
            level.recursive = level.names_common
        elif word in _VERBS:
            self._verb(word)
        elif word in ("into", "join", "from", "using") and self._is_clause(word):
            level.expects = True
            level.lists = word != "into"
            level.writes = word == "into" or (word == "from" and self._word(-1) == "delete")

    def _verb(self, word: str) -> None:
        level = self._levels[-1]
        before = self._word(-1)
        starts = {
            "with": level.verb in ("", "insert"),  # and not: time with time zone
            "delete": before not in ("on", "then"),
            "update": before not in ("for", "key", "do", "on", "then"),
            "truncate": not level.verb,
            "table": not level.verb and not before,
        }
        if not starts.get(word, True):
            return
        level.verb = word
        level.expects = word in ("update", "truncate", "table")
        level.lists = word in ("truncate", "table")
        level.writes = word in ("update", "truncate")
        level.names_common = word == "with"

    def _is_clause(self, word: str) -> bool:
        """Tell whether tables follow the word."""
        level = self._levels[-1]
        if word == "from":  # and not: extract(year from x), x is distinct from y
            return level.verb in ("select", "update", "delete") and self._word(-1) != "distinct"
        return word != "using" or (level.verb in ("delete", "merge") and not self._follows("("))
