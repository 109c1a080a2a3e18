"""A run of operations as tables and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from typing import Any

from bench.figures import REFERENCE, Figures, figures
from bench.measure import median
from bench.runner import Measured, Parameters, Run
from bench.tables import HEADINGS, Result, Sheet, figure
from bench.targets import OURS, TARGETS, THROUGH, Verdict, judge, verdicts

__all__ = ["result"]

SHOWN = (
    *("operation", "backend", "p50 ms", "p99 ms", "calls/s", "calls/s of many", "p99 ms of many"),
    *("p50 / SQLite", "calls/s of many / SQLite", "floor ms", "p50 / floor"),
)


def result(run: Run, parameters: Parameters) -> Result:
    """Return what a run gave."""
    shown, documented = [], []
    for group, found in groupby(run.operations, key=lambda operation: operation.group):
        operations = list(found)
        rows = [_row(operation, backend) for operation in operations for backend in operation.backends]
        shown.append(Sheet(group, SHOWN, rows, texts=2))
        ours = THROUGH if all(THROUGH in each.backends for each in operations) else OURS
        both = [each for each in operations if {ours, REFERENCE} <= each.backends.keys()]
        if both:  # else the documentation keeps what it has
            rows = [_documented(each, ours) for each in both]
            documented.append(Sheet(f"operations {group}", HEADINGS["operations"], rows))
    return Result(_document(run, parameters), shown, _missed(run), documented, _notes(run))


def _row(operation: Measured, backend: str) -> list[str]:
    found = figures(operation, backend)
    judged: dict[str, Verdict] = {verdict.target.figure: verdict for verdict in judge(operation, backend)}

    def marked(name: str) -> str:
        value, verdict = getattr(found, name), judged.get(name)
        return figure(value) if verdict is None else _marked(value, verdict)

    p99_ratio = judged.get("p99_ratio")
    return [
        f"{operation.name} ({operation.callers} callers)" if operation.callers else operation.name,
        f"{backend} ({found.failures} failed)" if found.failures else backend,
        marked("p50"),
        figure(found.p99),
        figure(found.rate),
        figure(found.rate_many),
        f"{found.p99_many:.1f}" + (f" ({_marked(p99_ratio.value, p99_ratio)})" if p99_ratio else ""),
        marked("p50_ratio"),
        marked("rate_ratio"),
        figure(found.floor),
        marked("overhead"),
    ]


def _marked(value: float, verdict: Verdict) -> str:
    return f"{value:.2f} {'✓' if verdict.met else '✗'}"


def _documented(operation: Measured, backend: str) -> list[str]:
    stock, ours = figures(operation, REFERENCE), figures(operation, backend)
    values = stock.p50, ours.p50, ours.p50_ratio, stock.rate_many, ours.rate_many, ours.rate_ratio, ours.overhead
    return [f"`{operation.name}`", *map(figure, values)]


def _missed(run: Run) -> list[str]:
    return [
        f"{what}: {verdict.target.figure} {verdict.value:.2f}, {verdict.target.bound} {verdict.target.limit} is wanted"
        + (f"; {verdict.failures} calls failed" if verdict.failures else "")
        for what, verdict in verdicts(run)
        if not verdict.met
    ]


def _notes(run: Run) -> list[str]:
    notes = [f"{name} was skipped: {reason}." for name, reason in run.skipped.items()]
    noise = [figures(operation, OURS).noise for operation in run.operations if OURS in operation.backends]
    if noise:
        notes.append(
            f"Noise: the rounds of {OURS}'s p50 are apart by {median(noise):.0%} (median of the operations), "
            f"by {max(noise):.0%} at worst (middle half over median)."
        )
    met = [verdict.met for _, verdict in verdicts(run)]
    if met:
        return [*notes, f"Targets: {sum(met)} of {len(met)} met."]
    return [*notes, f"No targets: they are for {', '.join(TARGETS)}, and need {REFERENCE} beside it."]


def _document(run: Run, parameters: Parameters) -> dict[str, Any]:
    met = [verdict.met for _, verdict in verdicts(run)]
    return {
        "databases": run.versions,
        "parameters": asdict(parameters),
        "skipped": run.skipped,
        "space": run.space,
        "operations": [_operation(operation) for operation in run.operations],
        "summary": {"met": met.count(True), "missed": met.count(False)},
    }


def _operation(operation: Measured) -> dict[str, Any]:
    found: dict[str, Figures] = {backend: figures(operation, backend) for backend in operation.backends}
    return {
        "group": operation.group,
        "name": operation.name,
        "kind": operation.kind,
        "figures": {backend: asdict(value) for backend, value in found.items()},
        "rounds": operation.backends,
        "targets": [
            {"backend": backend, **asdict(verdict.target), "value": verdict.value, "met": verdict.met}
            for backend in operation.backends
            for verdict in judge(operation, backend)
        ],
    }
