"""The command line."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import groups, machine, moving, realtime, report
from bench.backends import BACKENDS, WorkerError
from bench.further import further, growths
from bench.http import measure_http
from bench.imports import measure_imports
from bench.large import SIZES, measure_large
from bench.masses import measure_masses
from bench.profiles import measure_profiles
from bench.runner import RESULTS_DIR, Parameters, run
from bench.startup import measure_startup, startup_summary
from bench.targets import OURS, STARTUP_SECONDS

__all__ = ["main"]

TABLE_WIDTH = 170


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for; return the exit status."""
    options = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else TABLE_WIDTH, highlight=False)
    try:
        met = MEASUREMENTS[options.what](options, console)
    except WorkerError as error:
        console.print(str(error), markup=False, style="red")
        return 2
    return 1 if options.check and not met else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Compare PocketBase with the stock storage.")
    parser.add_argument(
        "what",
        nargs="?",
        choices=tuple(MEASUREMENTS),
        default="operations",
        help="operations of the repositories (default), the time Open WebUI takes to start, requests to it, where the "
        "time of these goes (needs py-spy), imports, chats of many megabytes, calls that change thousands of rows, how "
        "changes in PocketBase reach browsers, or moving chats from SQLite",
    )
    defaults = Parameters(groups=list(groups.NAMES), backends=list(BACKENDS))
    add = parser.add_argument
    add("--groups", nargs="+", choices=groups.NAMES, default=defaults.groups, help="groups of data (default: all)")
    add("--backends", nargs="+", choices=tuple(BACKENDS), default=defaults.backends, help="backends (default: all)")
    add(
        "--only",
        nargs="+",
        default=defaults.only,
        help="texts: measure what has one of them in its name",
    )
    add("--rounds", type=int, default=defaults.rounds, help="rounds in which the backends take turns (%(default)s)")
    add("--seconds", type=float, default=defaults.seconds, help="length of one measurement (%(default)s)")
    add("--callers", type=int, default=defaults.callers, help="concurrent callers (%(default)s)")
    add("--users", type=int, default=defaults.users, help="users in the data set, at least 1,000 (%(default)s)")
    add("--chats", type=int, default=defaults.chats, help="chats of one user, at least 400 (%(default)s)")
    add("--messages", type=int, default=defaults.messages, help="messages of one channel, at least 2,000 (%(default)s)")
    add("--against", type=Path, help="JSON file of a run with fewer chats: also tell what has become slower since")
    add("--times", type=int, default=3, help="startup: starts of each variant (%(default)s)")
    add("--stacks", type=Path, help="profile: directory for the stacks, which flame graphs are made of")
    add("--check", action="store_true", help="exit with status 1 if a target is missed")
    return parser


def _operations(options: argparse.Namespace, console: Console) -> bool:
    parameters = Parameters(
        groups=options.groups,
        backends=options.backends,
        rounds=options.rounds,
        seconds=options.seconds,
        callers=options.callers,
        users=options.users,
        chats=options.chats,
        messages=options.messages,
        only=tuple(options.only),
    )
    facts = machine.facts()
    done = run(parameters, lambda text: console.print(text, style="dim"))
    lines = further(done)
    if options.against:
        lines += growths(done, parameters.chats, json.loads(options.against.read_text()))
    report.print_report(done, lines, parameters, facts, console)
    _write(report.as_json(done, lines, parameters, facts), console)
    return not report.missed(done) and all(line.met for line in lines)


def _startup(options: argparse.Namespace, console: Console) -> bool:
    seconds = measure_startup(options.times, lambda text: console.print(text, style="dim"))
    medians, added = startup_summary(seconds)
    met = added <= STARTUP_SECONDS
    for name, value in medians.items():
        console.print(f"{name}: {value:.2f} s from start to /health (median of {options.times})")
    verdict = "met" if met else "missed"
    console.print(f"PocketBase adds {added:.2f} s; at most {STARTUP_SECONDS} s is wanted: {verdict}")
    document = {
        "machine": machine.facts(),
        "seconds": seconds,
        "medians": medians,
        "added": added,
        "limit": STARTUP_SECONDS,
        "met": met,
    }
    _write(document, console)
    return met


def _http(options: argparse.Namespace, console: Console) -> bool:
    facts = machine.facts()
    compared = measure_http(
        options.rounds, options.seconds, lambda text: console.print(text, style="dim"), only=options.only
    )
    report.print_http(compared, options.rounds, facts, console)
    document = {"machine": facts, "requests": [one.as_json() for one in compared]}
    _write(document, console)
    return all(one.met for one in compared)


def _profile(options: argparse.Namespace, console: Console) -> bool:
    say = partial(console.print, style="dim")
    done = measure_profiles(options.seconds, say, options.only, options.stacks)
    report.print_profiles(done, console)
    _write({"machine": machine.facts(), "profiles": [one.as_json() for one in done]}, console)
    return True


def _import(_options: argparse.Namespace, console: Console) -> bool:
    done = measure_imports(lambda text: console.print(text, style="dim"))
    for one in done:
        others = f"others waited {one.write:.2f} s for a write, {one.health:.2f} s for /health"
        console.print(f"{one.variant}, {one.name}: {one.seconds:.1f} s; {others}")
    _write({"machine": machine.facts(), "imports": [one.as_json() for one in done]}, console)
    stock, ours = done[: len(done) // 2], done[len(done) // 2 :]
    return all(one.keeps_to(other) for one, other in zip(ours, stock, strict=True))


def _large(options: argparse.Namespace, console: Console) -> bool:
    sizes = tuple(size for size in SIZES if any(text in f"{size} MB" for text in options.only))
    done = measure_large(lambda text: console.print(text, style="dim"), sizes)
    ours = [one for one in done if one.pocketbase]
    stock = {one.name: one for one in done if not one.pocketbase}
    for one in ours:
        other = stock[one.name]
        console.print(
            f"{one.name}: {one.seconds:.2f} s, stock {other.seconds:.2f} s; others waited {one.write:.2f} s for a write"
            f" ({other.write:.2f}), {one.health:.2f} s for /health ({other.health:.2f}); megabytes: {one.worker:.0f}"
            f" ({other.worker:.0f}), PocketBase {one.pocketbase:.0f}: {'met' if one.keeps_to(other) else 'missed'}"
        )
    _write({"machine": machine.facts(), "steps": [one.as_json() for one in done]}, console)
    return all(one.keeps_to(stock[one.name]) for one in ours)


def _masses(options: argparse.Namespace, console: Console) -> bool:
    done = measure_masses(lambda text: console.print(text, style="dim"), options.only)
    for measured in done:
        for one in measured:
            ratio = one.seconds / measured[0].seconds
            others = f"1 % of others' writes took more than {one.p99:.2f} s"
            console.print(f"{one.backend}, {one.name}: {one.seconds:.2f} s, {ratio:.2f} of stock; {others}")
    cases = [one.as_json() for measured in done for one in measured]
    _write({"machine": machine.facts(), "masses": cases}, console)
    return all(one.keeps_to(measured[0]) for measured in done for one in measured if one.backend == OURS)


def _realtime(_options: argparse.Namespace, console: Console) -> bool:
    facts = machine.facts()
    done = realtime.measure_realtime(lambda text: console.print(text, style="dim"))
    for name, value in done.as_json().items():
        limit = realtime.LIMITS.get(name, 0.0)
        console.print(f"{name}: {value:.4g}; at most {limit:g} is wanted: {'met' if value <= limit else 'missed'}")
    _write({"machine": facts, **done.as_json(), "met": done.met}, console)
    return done.met


def _moving(options: argparse.Namespace, console: Console) -> bool:
    facts = machine.facts()
    done = moving.measure_moving(options.chats, lambda text: console.print(text, style="dim"))
    for name, value in done.as_json().items():
        wanted = f"; {moving.LIMITS[name]:g} is wanted" if name in moving.LIMITS else ""
        console.print(f"{name}: {value:,.4g}{wanted}")
    _write({"machine": facts, **done.as_json(), "met": done.met}, console)
    return done.met


def _write(document: dict[str, Any], console: Console) -> None:
    path = report.write_json(document, RESULTS_DIR)
    console.print(f"All figures: {RESULTS_DIR.parent.name}/{RESULTS_DIR.name}/{path.name}")


MEASUREMENTS = {
    "operations": _operations,
    "startup": _startup,
    "http": _http,
    "profile": _profile,
    "import": _import,
    "large": _large,
    "masses": _masses,
    "realtime": _realtime,
    "moving": _moving,
}
"""What the command line can ask for; each prints its figures and returns whether the targets are met."""
