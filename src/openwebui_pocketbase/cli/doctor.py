"""``doctor``: what is installed, what is configured, and whether it works."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from openwebui_pocketbase.cli.check import Check
from openwebui_pocketbase.cli.checks import run_checks
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption

__all__ = ["doctor"]

COLOURS = {"ok": typer.colors.GREEN, "info": typer.colors.CYAN, "problem": typer.colors.RED}


def doctor(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check the installation, the settings and the server.

    Starts no server and writes no file. Settings that are not given are those of Open WebUI's last start. The exit code
    is 1 if there is a problem. The JSON object has ok (boolean) and checks: a list of objects with name, status (ok,
    info or problem), detail and remedy, all strings.
    """
    checks = list(run_checks(data_dir, config))
    healthy = all(check.status != "problem" for check in checks)
    if as_json:
        typer.echo(json.dumps({"ok": healthy, "checks": [asdict(check) for check in checks]}))
    else:
        _print(checks)
    raise typer.Exit(0 if healthy else 1)


def _print(checks: Sequence[Check]) -> None:
    """Print a column of states, one of names and one of details; echo() leaves the colours out of files."""
    statuses = max(len(check.status) for check in checks)
    names = max(len(check.name) for check in checks)
    for check in checks:
        detail = f"{check.detail}\nWhat to do: {check.remedy}" if check.remedy else check.detail
        first, *others = detail.splitlines()
        status = typer.style(check.status, fg=COLOURS[check.status], bold=check.status == "problem")
        typer.echo(f"{status}{' ' * (statuses - len(check.status))}  {check.name:<{names}}  {first}")
        for line in others:
            typer.echo(f"{'':{statuses + names + 4}}{line}")
