"""Reporting rows that do not move as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import typer

from openwebui_pocketbase.migrate.items import Note

__all__ = ["print_notes", "print_without_contents"]

SHOWN = 20
"""Most rows that are listed."""

NAMED = 5
"""Most files without contents that are named."""


def print_notes(notes: Collection[Note], *, everything: str) -> None:
    """Print rows that do not move as they are.

    Args:
        notes: What is to be told of them.
        everything: Where all of them are, for people.
    """
    if not notes:
        typer.echo("Every row moves as it is.")
        return
    left_out = sum(note.is_left_out for note in notes)
    typer.echo(f"Rows that do not move as they are: {len(notes):,}, of which are left out: {left_out:,}.")
    for note in sorted(notes, key=lambda note: not note.is_left_out)[:SHOWN]:
        typer.echo(f"  {note.table} {note.key}: {note.reason}")
    if len(notes) > SHOWN:
        listed = ", ".join(f"{name}: {number:,}" for name, number in Counter(note.table for note in notes).items())
        typer.echo(f"  ... ({listed}); all of them: {everything}")


def print_without_contents(ids: Sequence[str]) -> None:
    """Print which files have contents on neither side: nothing was lost by moving them."""
    if ids:
        named = f"{', '.join(ids[:NAMED])}{', ...' if len(ids) > NAMED else ''}"
        typer.echo(
            f"Files whose contents are gone, at the source as well: {len(ids):,} ({named})."
            " Nobody could open them before."
        )
