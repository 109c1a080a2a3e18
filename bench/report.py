"""The tables, and the JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bench.figures import REFERENCE, Figures, figures
from bench.further import Further
from bench.http import Compared
from bench.profiles import COLUMNS, Profile
from bench.runner import Measured, Parameters, Run
from bench.stats import median
from bench.targets import OURS, TARGETS, Verdict, judge

__all__ = ["as_json", "missed", "print_http", "print_profiles", "print_report", "write_json"]


def as_json(run: Run, lines: list[Further], parameters: Parameters, machine: dict[str, Any]) -> dict[str, Any]:
    """Return everything about a run; ``lines`` are what is wanted of it besides the operations' figures."""
    operations = [_operation_json(operation) for operation in run.operations]
    verdicts = [verdict["met"] for operation in operations for verdict in operation["targets"]]
    verdicts += [line.met for line in lines]
    return {
        "machine": {**machine, "databases": run.versions},
        "parameters": asdict(parameters),
        "skipped": run.skipped,
        "space": run.space,
        "operations": operations,
        "further": [{**asdict(line), "met": line.met} for line in lines],
        "summary": {"met": verdicts.count(True), "missed": verdicts.count(False)},
    }


def write_json(document: dict[str, Any], directory: Path) -> Path:
    """Write a report to a file named after the time."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def missed(run: Run) -> list[tuple[Measured, str, Verdict]]:
    """Return the targets that were not reached, each with operation and backend."""
    return [
        (operation, backend, verdict)
        for operation in run.operations
        for backend, verdict in _verdicts(operation)
        if not verdict.met
    ]


def print_report(
    run: Run, lines: list[Further], parameters: Parameters, machine: dict[str, Any], console: Console
) -> None:
    """Print a table per group and a summary."""
    _print_machine(machine, list(run.versions.values()), parameters.rounds, console)
    for group, operations in groupby(run.operations, key=lambda operation: operation.group):
        console.print(_table(group, list(operations), parameters.callers))
    _print_summary(run, lines, console)


def print_http(compared: list[Compared], rounds: int, machine: dict[str, Any], console: Console) -> None:
    """Print a table of requests to the whole application, and whether the target is met."""
    _print_machine(machine, [], rounds, console)
    table = Table(title="requests to Open WebUI", title_justify="left")
    for heading in ("request", "clients"):
        table.add_column(heading, no_wrap=True)
    for heading in ("p50 ms\nstock", "p50 ms\npocketbase", "requests/s\nstock", "requests/s\npocketbase"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("p50\n/ stock", "limit", "noise"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in compared:
        table.add_row(
            f"{escape(one.name)} [red]({one.failures} failed)[/red]" if one.failures else escape(one.name),
            str(one.clients),
            *(f"{one.p50(variant):.2f}" for variant in one.rounds),
            *(f"{one.rate(variant):,.0f}" for variant in one.rounds),
            _verdict_text(one.ratio, met=one.met),
            f"{one.limit:.2f}",
            f"{one.noise:.0%}",
        )
    console.print(table)
    met = sum(one.met for one in compared)
    console.print(f"Targets: {met} of {len(compared)} met, within the noise: at most the limit, times stock.")


def print_profiles(profiles: list[Profile], console: Console) -> None:
    """Print a table of what the main thread does for each request, in milliseconds."""
    table = Table(title="milliseconds of the main thread per request", title_justify="left")
    for heading in ("request", "clients", ""):
        table.add_column(heading, no_wrap=True)
    for heading in ("requests/s", "all", *COLUMNS):
        table.add_column(heading, justify="right")
    for one in sorted(profiles, key=lambda each: (each.name, each.clients)):
        parts = [f"{one.parts.get(name, 0):.2f}" for name in COLUMNS]
        table.add_row(escape(one.name), str(one.clients), one.variant, f"{one.rate:,.0f}", f"{one.total:.2f}", *parts)
    console.print(table)


def _print_machine(machine: dict[str, Any], databases: list[str], rounds: int, console: Console) -> None:
    console.print(f"{machine['cores']} cores ({machine['processor']}), load {machine['load_average']:.1f} at the start")
    python = f"Python {machine['python']} on {machine['loop']}"
    versions = ", ".join([f"Open WebUI {machine['open_webui']}", python, *databases])
    console.print(f"{versions}; medians of {rounds} rounds")


def _table(group: str, operations: list[Measured], callers: int) -> Table:
    table = Table(title=group, title_justify="left")
    table.add_column("operation", overflow="fold")
    table.add_column("backend", no_wrap=True)
    for heading in (
        "p50\nms",
        "p99\nms",
        "calls/s\nat 1",
        f"calls/s\nat {callers}",
        f"p99 ms\nat {callers}",
        "p50\n/ SQLite",
        f"calls/s at {callers}\n/ SQLite",
        "floor\nms",
        "p50\n/ floor",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for operation in operations:
        for number, backend in enumerate(operation.backends):
            table.add_row(_title(operation) if number == 0 else "", *_cells(operation, backend))
        table.add_section()
    return table


def _title(operation: Measured) -> str:
    return f"{operation.name} ({operation.callers} callers)" if operation.callers else operation.name


def _cells(operation: Measured, backend: str) -> list[str | Text]:
    found = figures(operation, backend)
    verdicts: dict[str, Verdict] = {verdict.target.figure: verdict for verdict in judge(operation, backend)}

    def ratio(name: str) -> str | Text:
        value = getattr(found, name)
        return "" if value is None else _marked(value, verdicts.get(name))

    return [
        f"{backend} [red]({found.failures} failed)[/red]" if found.failures else backend,
        _marked(found.p50, verdicts["p50"]) if "p50" in verdicts else f"{found.p50:.2f}",
        f"{found.p99:.2f}",
        f"{found.rate:,.0f}",
        f"{found.rate_many:,.0f}",
        _with_ratio(found, verdicts.get("p99_ratio")),
        ratio("p50_ratio"),
        ratio("rate_ratio"),
        "" if found.floor is None else f"{found.floor:.2f}",
        ratio("overhead"),
    ]


def _with_ratio(found: Figures, verdict: Verdict | None) -> str | Text:
    """Return the duration at many callers, and what it is to the reference's where that is wanted."""
    duration = f"{found.p99_many:.1f}"
    return Text.assemble(f"{duration} (", _marked(verdict.value, verdict), ")") if verdict else duration


def _marked(value: float, verdict: Verdict | None) -> str | Text:
    if verdict is None:
        return f"{value:.2f}  "
    return _verdict_text(value, met=verdict.met)


def _verdict_text(value: float, *, met: bool) -> Text:
    return Text(f"{value:.2f} ✓", style="green") if met else Text(f"{value:.2f} ✗", style="bold red")


def _print_summary(run: Run, lines: list[Further], console: Console) -> None:
    for name, reason in run.skipped.items():
        console.print(f"{name} was skipped: {reason}.")
    noise = [figures(operation, OURS).noise for operation in run.operations if OURS in operation.backends]
    if noise:
        console.print(
            f"Noise: the rounds of {OURS}'s p50 are apart by {median(noise):.0%} (median of the operations), "
            f"by {max(noise):.0%} at worst (middle half over median)."
        )
    for line in lines:
        console.print(
            f"{line.text}: ", _verdict_text(line.value, met=line.met), f", at most {line.limit} is wanted", sep=""
        )
    total = sum(len(_verdicts(operation)) for operation in run.operations) + len(lines)
    misses = missed(run)
    number = len(misses) + sum(not line.met for line in lines)
    if not total:
        console.print(f"No targets: they are for {' and '.join(TARGETS)}, and need {REFERENCE} beside it.")
        return
    console.print(f"Targets: {total - number} of {total} met.")
    for operation, backend, verdict in misses:
        target = verdict.target
        console.print(
            f"  missed: {backend}: {operation.group}: {operation.name}: {target.figure} {verdict.value:.2f}, "
            f"{target.bound} {target.limit} is wanted"
            + (f"; {verdict.failures} calls failed" if verdict.failures else ""),
            soft_wrap=True,
        )


def _verdicts(operation: Measured) -> list[tuple[str, Verdict]]:
    return [(backend, verdict) for backend in operation.backends for verdict in judge(operation, backend)]


def _operation_json(operation: Measured) -> dict[str, Any]:
    found: dict[str, Figures] = {backend: figures(operation, backend) for backend in operation.backends}
    return {
        "group": operation.group,
        "name": operation.name,
        "kind": operation.kind,
        "figures": {backend: asdict(value) for backend, value in found.items()},
        "rounds": operation.backends,
        "targets": [
            {"backend": backend, **asdict(verdict.target), "value": verdict.value, "met": verdict.met}
            for backend, verdict in _verdicts(operation)
        ],
    }
