"""Write docs/commands.md from the command line: every command with what its --help prints.

    python tools/generate_commands.py [--check]

With ``--check`` nothing is written; the exit code is 1 if the page is not current.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from openwebui_pocketbase.cli import app

PROGRAM = "openwebui-pocketbase"
PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEADER = """\
<!-- Generated; to renew, run: python tools/generate_commands.py -->

# Commands

Each command of `openwebui-pocketbase`, with what its `--help` prints. Options come after the command. Run commands as
the user who runs Open WebUI. `--install-completion` teaches your shell to complete them.

"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
    return int(PAGE.read_text(encoding="utf-8") != page())


def page() -> str:
    """Return the text of docs/commands.md."""
    commands = dict(walk((), get_command(app)))
    rows = [
        f"| [`{' '.join(words)}`](#{'-'.join((PROGRAM, *words))}) | {command.get_short_help_str(limit=200)} |"
        for words, command in commands.items()
        if not isinstance(command, TyperGroup)
    ]
    table = "\n".join(["| Command | What it does |", "| --- | --- |", *rows])
    return HEADER + table + "\n" + "".join(section(words) for words in commands)


def walk(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield a command, then those below it, with the words that one types for them."""
    yield words, command
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from walk((*words, name), below)


def section(words: tuple[str, ...]) -> str:
    """Return the section of one command: its heading and its help."""
    return f"\n{'#' * (len(words) or 1) + '#'} `{' '.join((PROGRAM, *words))}`\n\n```text\n{help_text(words)}\n```\n"


def help_text(words: tuple[str, ...]) -> str:
    """Return what ``--help`` prints in a terminal of 80 columns."""
    result = CliRunner().invoke(app, [*words, "--help"], prog_name=PROGRAM, env={"COLUMNS": "80"})
    return result.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
