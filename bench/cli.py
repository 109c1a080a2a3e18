"""The command line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import groups, machine, report, tables
from bench.backends import BACKENDS, WorkerError
from bench.masses import measure_masses
from bench.moving import measure_moving
from bench.runner import RESULTS_DIR, Parameters, run
from bench.tables import Result, Say
from bench.whole.compare import measure_http
from bench.whole.large import measure_large
from bench.whole.profiles import measure_profiles
from bench.whole.realtime import measure_realtime
from bench.whole.startup import measure_startup

__all__ = ["main"]

TABLE_WIDTH = 200


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for; return the exit status."""
    options = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else TABLE_WIDTH, highlight=False)
    facts = machine.facts()
    try:
        result = MEASUREMENTS[options.what](options, lambda text: console.print(text, style="dim", markup=False))
    except WorkerError as error:
        console.print(str(error), markup=False, style="red")
        return 2
    caption = machine.caption(facts)
    console.print(f"{caption} Load {facts['load_average']:.1f} at the start.", markup=False)
    for sheet in result.shown:
        console.print(sheet.rich())
    for line in (*result.notes, *(f"missed: {line}" for line in result.missed)):
        console.print(line, markup=False, soft_wrap=True)
    path = _write_json({"machine": facts, **result.document, "missed": result.missed})
    console.print(f"All figures: {RESULTS_DIR.parent.name}/{RESULTS_DIR.name}/{path.name}")
    if options.docs:
        documented = result.shown if result.documented is None else result.documented
        for name in tables.write_docs(documented, caption, tables.DOCS):
            console.print(f"The documentation has no table {name}.")
    return 1 if options.check and result.missed else 0


def _write_json(document: dict[str, Any]) -> Path:
    """Write a document to a file named after the time."""
    RESULTS_DIR.mkdir(parents=True, exist_ok=True)
    path = RESULTS_DIR / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Compare PocketBase with the stock storage.")
    parser.add_argument(
        "what",
        nargs="?",
        choices=tuple(MEASUREMENTS),
        default="operations",
        help="operations of the repositories (default), the time Open WebUI takes to start, requests to it, where the "
        "time of these goes (needs py-spy), chats of many megabytes and imports of many, calls that change thousands "
        "of rows, how changes in PocketBase reach browsers, or moving chats from SQLite",
    )
    defaults = Parameters(groups=list(groups.NAMES), backends=list(BACKENDS))
    add = parser.add_argument
    add("--groups", nargs="+", choices=groups.NAMES, default=defaults.groups, help="groups of data (default: all)")
    add("--backends", nargs="+", choices=tuple(BACKENDS), default=defaults.backends, help="backends (default: all)")
    add("--only", nargs="+", default=[""], help="texts: measure what has one of them in its name")
    add("--rounds", type=int, default=defaults.rounds, help="rounds in which the backends take turns (%(default)s)")
    add("--seconds", type=float, default=defaults.seconds, help="length of one measurement (%(default)s)")
    add("--callers", type=int, default=defaults.callers, help="concurrent callers (%(default)s)")
    add("--users", type=int, default=defaults.users, help="users in the data set, at least 1,000 (%(default)s)")
    add("--chats", type=int, default=defaults.chats, help="chats of one user, at least 400 (%(default)s)")
    add("--times", type=int, default=3, help="startup: starts of each variant (%(default)s)")
    add("--stacks", type=Path, help="profile: directory for the stacks, which flame graphs are made of")
    add("--docs", action="store_true", help="write the tables into docs/performance.md")
    add("--check", action="store_true", help="exit with status 1 if a target is missed")
    return parser


def _operations(options: argparse.Namespace, say: Say) -> Result:
    parameters = Parameters(
        groups=options.groups,
        backends=options.backends,
        rounds=options.rounds,
        seconds=options.seconds,
        callers=options.callers,
        users=options.users,
        chats=options.chats,
        only=tuple(options.only),
    )
    return report.result(run(parameters, say), parameters)


MEASUREMENTS: dict[str, Callable[[argparse.Namespace, Say], Result]] = {
    "operations": _operations,
    "startup": lambda options, say: measure_startup(options.times, say),
    "http": lambda options, say: measure_http(options.rounds, options.seconds, say, only=options.only),
    "profile": lambda options, say: measure_profiles(options.seconds, say, options.only, options.stacks),
    "large": lambda options, say: measure_large(say, options.only),
    "masses": lambda options, say: measure_masses(say, options.only),
    "realtime": lambda _, say: measure_realtime(say),
    "moving": lambda options, say: measure_moving(options.chats, say),
}
"""What the command line can ask for."""
