"""``backup verify``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.filesize import decimal

from openwebui_pocketbase.backup.verify import verify as verified
from openwebui_pocketbase.cli.backup.kept import (
    ArchiveArgument,
    DirOption,
    InPocketBaseOption,
    archive_named,
    directory_of,
)
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site

__all__ = ["verify"]


def verify(
    archive: ArchiveArgument = "",
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    directory: DirOption = None,
    in_pocketbase: InPocketBaseOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Open everything that is in an archive.

    Each file is compared with its checksum, databases of SQLite are checked with their indexes, a dump of PostgreSQL
    is read by pg_restore, and files that PocketBase's records lead to must be there. The JSON object has name, members
    (how many files), problems (a list of texts) and manifest. The exit code is 1 if there are problems.
    """
    site = Site.of(data_dir, config)
    with archive_named(site, archive, directory_of(site, directory), in_pocketbase=in_pocketbase) as path:
        found = verified(path)
    manifest = found.manifest
    if as_json:
        result = {"name": path.name, "members": found.members, "problems": found.problems}
        typer.echo(json.dumps({**result, "manifest": asdict(manifest)}))
    else:
        typer.echo(f"{path.name}: {found.members:,} files, {decimal(manifest.size)}, as of {manifest.made_at}.")
        for note in manifest.notes:
            typer.echo(f"Note: {note}")
        for problem in found.problems:
            typer.echo(f"Problem: {problem}")
        if not found.problems:
            typer.echo("Every checksum is right, and every database can be read.")
    raise typer.Exit(1 if found.problems else 0)
