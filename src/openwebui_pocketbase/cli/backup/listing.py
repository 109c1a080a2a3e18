"""``backup list``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.filesize import decimal

from openwebui_pocketbase.backup.archive import Archive
from openwebui_pocketbase.backup.identity import known_site
from openwebui_pocketbase.backup.stores import Directory, Store, Stored
from openwebui_pocketbase.cli.backup.kept import DirOption, InPocketBaseOption, directory_of, store_of
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.exceptions import BackupError

__all__ = ["list_archives"]


def list_archives(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    directory: DirOption = None,
    in_pocketbase: InPocketBaseOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the archives that are kept, the newest first.

    None is read through: that is what verify does. The JSON object has archives: a list of objects with name, made_at,
    bytes, own (false: it is another site's, or does not say whose), open_webui, pocketbase (versions), unpacked (bytes)
    and problem (empty if it can be opened). Of archives in PocketBase only the first four are known, the others are
    null.
    """
    site = Site.of(data_dir, config).existing()
    with store_of(site, directory_of(site, directory), in_pocketbase=in_pocketbase) as store:
        own = known_site(site.data_dir)
        found = [_described(store, each, own) for each in store.stored()]
        where = store.where
    if as_json:
        typer.echo(json.dumps({"archives": found}))
        return
    if not found:
        typer.echo(f"There are no archives in {where}.")
        if directory is None and not in_pocketbase:
            typer.echo("If they were made with --dir or --pocketbase, give that here as well.")
        return
    for each in found:
        line = f"{each['name']}  {decimal(each['bytes']):>9}"
        if each["unpacked"] is not None:
            line += f", unpacked {decimal(each['unpacked'])}, Open WebUI {each['open_webui']}"
            line += f", PocketBase {each['pocketbase']}" if each["pocketbase"] else ""
        typer.echo(line if each["own"] else f"{line}, not of this site")
    for each in found:
        if each["problem"]:
            typer.echo(f"{each['name']}: {each['problem']}")


def _described(store: Store, stored: Stored, own: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": stored.name,
        "made_at": stored.made_at.isoformat(),
        "bytes": stored.bytes,
        "own": bool(own) and stored.site == own,
        **dict.fromkeys(("open_webui", "pocketbase", "unpacked", "problem")),
    }
    if not isinstance(store, Directory):
        return values
    try:
        with Archive(store.path / stored.name) as archive:
            manifest = archive.manifest
    except BackupError as error:
        return {**values, "problem": str(error.args[0])}
    known = {"made_at": manifest.made_at, "open_webui": manifest.open_webui, "pocketbase": manifest.pocketbase}
    return {**values, **known, "unpacked": manifest.size, "problem": ""}
