"""Tables of results: printed, and written into the documentation between markers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

__all__ = ["DOCS", "HEADINGS", "Result", "Say", "Sheet", "figure", "marker", "write_docs"]

DOCS = Path(__file__).parents[1] / "docs" / "performance.md"
END = "<!-- end of bench -->"

Say = Callable[[str], None]
"""Told what is going on."""

HEADINGS: dict[str, tuple[str, ...]] = {
    "operations": (
        *("Operation", "SQLite p50", "PocketBase p50", "ratio"),
        *("SQLite calls/s", "PocketBase calls/s", "ratio", "p50 / floor"),
    ),
    "http": (
        *("Request", "Clients", "p50 stock", "p50 PocketBase", "ratio", "p99 stock", "p99 PocketBase"),
        *("requests/s stock", "requests/s PocketBase", "times"),
    ),
    "profile": ("Request", "Clients", "stock", "PocketBase", "ratio"),
    "masses": (
        *("Call", "stock, s", "PocketBase, s", "with copies, s"),
        *("others: stock, s", "PocketBase, s", "with copies, s"),
    ),
    "large": (
        *("Step", "stock, s", "PocketBase, s", "a write waited: stock, s", "PocketBase, s"),
        *("`/health`: stock, s", "PocketBase, s", "worker: stock, MB", "PocketBase, MB"),
    ),
    "startup": ("Start", "stock, s", "PocketBase, s", "more, s"),
}
"""What the documentation has -> the headings; the first is of texts, the others are of figures."""


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes:
        name: What it is: a name in `HEADINGS`, and more after a space if there are several of a kind.
        headings: Of its columns; the first ones are of texts.
        rows: Its cells.
        texts: How many columns are of texts.
    """

    name: str
    headings: Sequence[str]
    rows: list[list[str]]
    texts: int = 1

    def rich(self) -> Table:
        """Return what is printed."""
        table = Table(title=self.name, title_justify="left")
        for number, heading in enumerate(self.headings):
            is_text = number < self.texts
            table.add_column(escape(heading), justify="left" if is_text else "right", no_wrap=number > 0)
        for row in self.rows:
            table.add_row(*map(escape, row))
        return table

    def markdown(self) -> str:
        """Return what the documentation has."""
        rule = ["---"] * self.texts + ["--:"] * (len(self.headings) - self.texts)
        return "".join(f"| {' | '.join(row)} |\n" for row in (self.headings, rule, *self.rows))


@dataclass(frozen=True)
class Result:
    """What a measurement gave.

    Attributes:
        document: All figures.
        shown: What is printed.
        documented: What the documentation has; the same if nothing else is said.
        missed: The targets that were missed, a sentence each.
        notes: What is printed below the tables.
    """

    document: dict[str, Any]
    shown: list[Sheet]
    missed: list[str]
    documented: list[Sheet] | None = None
    notes: list[str] = field(default_factory=list)


def figure(value: float | None) -> str:
    """Return a figure with as many digits as say something."""
    if value is None:
        return ""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def marker(name: str) -> str:
    """Return the line after which the documentation has a table."""
    return f"<!-- bench: {name} -->"


def write_docs(sheets: Iterable[Sheet], caption: str, path: Path) -> list[str]:
    """Put tables in the place of those which the documentation has; return the names of those it has not.

    Args:
        sheets: The tables.
        caption: A line above each: where and with what it was measured.
        path: The page.
    """
    text, missing = path.read_text(encoding="utf-8"), []
    for sheet in sheets:
        before, begin, rest = text.partition(f"{marker(sheet.name)}\n")
        _, end, after = rest.partition(END)
        if not (begin and end):
            missing.append(sheet.name)
            continue
        text = f"{before}{begin}\n{caption}\n\n{sheet.markdown()}\n{end}{after}"
    path.write_text(text, encoding="utf-8")
    return missing
