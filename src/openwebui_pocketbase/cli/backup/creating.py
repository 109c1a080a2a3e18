"""``backup create``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal

from openwebui_pocketbase.backup.create import Made
from openwebui_pocketbase.backup.create import create as made
from openwebui_pocketbase.backup.work import alone, clear
from openwebui_pocketbase.cli.backup.kept import (
    DirOption,
    InPocketBaseOption,
    directory_of,
    finish_cut_off,
    in_pocketbase_of,
    outside_server,
    places_of,
    pocketbase_version,
)
from openwebui_pocketbase.cli.hosted import load_database, require_database
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site

__all__ = ["create"]

SUBJECTS = {"pocketbase": "to PocketBase", "database": "to the SQL database", "vector_db": "to the vector store"}


def create(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    directory: DirOption = None,
    in_pocketbase: InPocketBaseOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make an archive of everything, as it is at one moment.

    Open WebUI may run meanwhile. In it are PocketBase's data, the SQL database, uploads, the vector store's folder, the
    config file and the file with the secret key. It has its name only when it is complete, was written to the disk and
    was read back. Nobody but its owner may read it: it has what is needed to sign in as anybody. The JSON object has
    path, bytes, seconds and manifest.
    """
    site = Site.of(data_dir, config).existing()
    target = directory_of(site, directory)
    places = places_of(site)
    require_database(site, load_database(site))
    if not target.is_dir() and directory is not None:
        typer.echo(
            f"{target} is not there and is made. If it is to be a disk of its own, that is not mounted.", err=True
        )
    with alone(places):
        finish_cut_off(site, places)
        for path in clear(places, target):
            typer.echo(f"Removed what a run that was cut off has left: {path}", err=True)
        with outside_server(site) as server:
            result = made(places, target, pocketbase_version(site, server), server)
        where = str(result.path)
        if in_pocketbase:
            with in_pocketbase_of(site, target) as store:
                typer.echo(f"Made {result.path}; sending it to PocketBase.", err=True)
                store.put(result.path)
            result.path.unlink()
            where = f"{result.path.name} (in PocketBase)"
    if as_json:
        manifest = asdict(result.manifest)
        typer.echo(json.dumps({"path": where, "bytes": result.bytes, "seconds": result.seconds, "manifest": manifest}))
        return
    _print(result, where, places.secret_key)


def _print(result: Made, where: str, key: Path | None) -> None:
    manifest = result.manifest
    typer.echo(f"{where}: {decimal(result.bytes)}, as of {manifest.made_at}, made in {result.seconds:.1f} s.")
    for name, part in manifest.parts.items():
        typer.echo(f"  {name}: {part.files:,} files, {decimal(part.bytes)}")
    for name, seconds in manifest.waited.items():
        typer.echo(f"Who wrote {SUBJECTS[name]} waited for at most {seconds * 1000:,.0f} ms.")
    if key is not None:
        typer.echo(f"WEBUI_SECRET_KEY is in it, as {key} has it.")
    for note in manifest.notes:
        typer.echo(f"Note: {note}", err=True)  # it is worth a mail of cron's
