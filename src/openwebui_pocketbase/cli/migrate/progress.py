"""The progress of a command: a bar on a terminal, otherwise a line every few seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

__all__ = ["Bars"]

BETWEEN = 5.0
"""Seconds between two lines."""


class Bars:
    """A bar for each table.

    Args:
        verb: What is done, such as ``Copying``.
    """

    def __init__(self, verb: str) -> None:
        console = Console(highlight=False, stderr=True)
        self._verb = verb
        self._is_terminal = console.is_terminal
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=console, disable=not self._is_terminal)
        self._began: dict[str, float] = {}
        self._done: dict[str, int] = {}
        self._totals: dict[str, int] = {}
        self._tasks: dict[str, TaskID] = {}
        self._line_at = time.monotonic() + BETWEEN

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, name: str, total: int) -> None:
        """Begin with a table of so many rows."""
        self._began[name], self._done[name], self._totals[name] = time.monotonic(), 0, total
        self._tasks[name] = self._progress.add_task(f"{self._verb} {name}", total=total, rate="")

    def advance(self, rows: Mapping[str, int]) -> None:
        """Say that so many more rows are done, by table."""
        for name, number in rows.items():
            if name not in self._tasks:
                continue
            self._done[name] += number
            rate = f"{self._done[name] / max(0.001, time.monotonic() - self._began[name]):,.0f}/s"
            self._progress.update(self._tasks[name], advance=number, rate=rate)
            if not self._is_terminal and time.monotonic() >= self._line_at:
                self._line_at = time.monotonic() + BETWEEN
                of = f" of {self._totals[name]:,} rows" if self._totals[name] else ""
                typer.echo(f"{self._verb} {name}: {self._done[name]:,}{of}, {rate}", err=True)
