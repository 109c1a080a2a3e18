"""``migrate status``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.manager import Registry, create_plugin_manager
from openwebui_pocketbase.migrate.status import states

__all__ = ["status"]


def status(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell where each group is, and whether anything is being copied or followed.

    No server is asked. The JSON object has groups: a list of objects with group, backend (by the settings), state
    (sqlalchemy, copying, copied, following, pocketbase with a follower, pocketbase only, or another backend), lag
    (seconds; null if nothing is followed) and waiting (changes that were not carried over yet; likewise).
    """
    site = Site.of(data_dir, config).existing()
    settings = site.settings()
    backends = Registry(create_plugin_manager(settings), settings, site.data_dir).backends
    found = states(site.data_dir, backends)
    if as_json:
        typer.echo(json.dumps({"groups": [asdict(each) for each in found]}))
        return
    width = max(len(each.group) for each in found)
    for each in found:
        typer.echo(f"{each.group:<{width}}  {each}")
