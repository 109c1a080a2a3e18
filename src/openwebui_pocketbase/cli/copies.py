"""What ``doctor`` says about the SQL database's copies of rows that are in PocketBase."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from openwebui_pocketbase.cli.check import Check
from openwebui_pocketbase.cli.site import Site
from openwebui_pocketbase.plugin import BACKEND
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["check_copies"]

PATIENCE = 120.0
"""Seconds for comparing everything."""

SETTLE = "Run: openwebui-pocketbase mirror status, and what it says."


def check_copies(
    site: Site, replaced: Mapping[str, str], data_dir: Path | None, config: Path | None
) -> Iterator[Check]:
    """Compare the copies with PocketBase, which runs; nothing is said of a site that has never started.

    Args:
        site: What is looked at.
        replaced: Group -> backend, of the groups that are not in the SQL database.
        data_dir: Option ``--data-dir``.
        config: Option ``--config``.
    """
    groups = {table.group for table in TABLES.values() if table.mirrored}
    if site.last_start is None or not any(replaced.get(group) == BACKEND for group in groups):
        return
    options = [f"--data-dir={data_dir}"] * (data_dir is not None) + [f"--config={config}"] * (config is not None)
    # In a program of its own: it loads Open WebUI, whatever that does.
    program = [sys.executable, "-m", "openwebui_pocketbase", "mirror", "status", "--json", *options]
    try:
        answer = subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603 - fixed
        found: dict[str, Any] = json.loads(answer.stdout)
    except subprocess.TimeoutExpired:
        yield Check("SQL copies", "info", f"They could not be compared within {PATIENCE:.0f} seconds.")
    except ValueError:
        why = answer.stderr.strip() or f"it ended with status {answer.returncode}"
        yield _failure(why)
    else:
        yield _describe(found)


def _failure(message: str) -> Check:
    """Say why there was no answer; a remedy in the message is the only one, as `SETTLE` would fail as well."""
    why, _, remedy = message.removeprefix("openwebui-pocketbase: ").partition("\n  What to do: ")
    return Check("SQL copies", "problem", f"They cannot be compared with PocketBase: {why}", remedy or SETTLE)


def _describe(found: Mapping[str, Any]) -> Check:
    if found["settled"]:
        rows = sum(table["equal"] for table in found["tables"])
        return Check("SQL copies", "ok", f"Rows as in PocketBase: {rows:,}.")
    lines = [] if found["follows"] else ["PocketBase was restored or replaced since they were made."]
    lines += [
        f"{table['table']}: {len(table[what]):,} rows {words}, such as {table[what][0]}"
        for table in found["tables"]
        for what, words in WORDS.items()
        if table[what]
    ]
    return Check("SQL copies", "problem", "\n".join(lines), SETTLE)


WORDS = {
    "missing": "are only in PocketBase",
    "different": "differ",
    "extra": "are only in SQL",
    "aside": "were written by something else and are kept aside",
}
"""What ``mirror status`` lists -> how to say it."""
