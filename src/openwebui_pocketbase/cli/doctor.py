"""``doctor``: what is installed, what is configured, and whether it works."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from openwebui_pocketbase.cli.checks import Check, run_checks
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption

__all__ = ["doctor"]

UNLIMITED = 10_000
STYLES = {"ok": "green", "info": "cyan", "problem": "bold red"}


def doctor(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check the installation, the settings and the server.

    Starts no server and writes no file. The exit code is 1 if there is a problem. The JSON object has ok (boolean)
    and checks: a list of objects with name, status (ok, info or problem), detail and remedy, all strings.
    """
    checks = list(run_checks(data_dir, config))
    healthy = all(check.status != "problem" for check in checks)
    if as_json:
        typer.echo(json.dumps({"ok": healthy, "checks": [asdict(check) for check in checks]}))
    else:
        _print(checks)
    raise typer.Exit(0 if healthy else 1)


def _print(checks: Sequence[Check]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        detail = f"{check.detail}\nWhat to do: {check.remedy}" if check.remedy else check.detail
        # Text: brackets in messages, as in [pocketbase], are not markup.
        table.add_row(Text(check.status, STYLES[check.status]), Text(check.name), Text(detail))
    # Only a terminal has a width; elsewhere, such as in a log, paths stay in one piece.
    Console(width=None if sys.stdout.isatty() else UNLIMITED).print(table)
