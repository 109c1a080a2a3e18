"""``leave``: back to an Open WebUI without this package, into which people can sign in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from openwebui_pocketbase.cli.hosted import load_host
from openwebui_pocketbase.cli.schema import server_of
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.config_file import PREFIX
from openwebui_pocketbase.connection import embedded_data_dir
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.manager import Registry, create_plugin_manager
from openwebui_pocketbase.plugin import BACKEND
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.server.locks import has_shared_holders
from openwebui_pocketbase.server.rundir import RunDir

if TYPE_CHECKING:
    from openwebui_pocketbase.changes.credentials import Copied

__all__ = ["leave"]

QUESTION = "Open WebUI must be stopped. Make its SQL database ready to run without PocketBase?"

CREDENTIALS = {"auth": "Passwords", "api_key": "API keys", "oauth_session": "OAuth sessions"}


def leave(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Get ready to run Open WebUI without this package.

    Passwords, API keys and OAuth sessions are copied back as they are stored, so people can sign in; users, groups and
    access are there already, and of files all but their extracted texts and their contents: bring these to the local
    disk before, with "files move --to local". The guard is removed. All else stays in PocketBase, and is listed. Run it
    with the settings that Open WebUI had, and with Open WebUI stopped, on all machines: that it still runs is noticed
    only if PocketBase is the embedded one. It can be repeated.
    """
    site = Site.of(data_dir, config).existing()
    groups = _groups_in_pocketbase(site)
    _refuse_while_running(site)
    if not yes:
        typer.confirm(QUESTION, abort=True)
    with server_of(site) as (url, admin):
        left = _left(admin, groups)
        load_host(site)
        from openwebui_pocketbase.host import leaving  # noqa: PLC0415 - imports the host

        copied = asyncio.run(leaving.leave(groups))
        if site.last_start:  # else commands would go on assuming that these settings are in force
            site.last_start.left().write(site.data_dir)
    for line in _report(site, url, copied, left):
        typer.echo(line)


def _groups_in_pocketbase(site: Site) -> list[str]:
    settings = site.settings()
    registry = Registry(create_plugin_manager(settings), settings, site.data_dir)
    groups = [group for group, backend in registry.replaced.items() if backend == BACKEND]
    if not groups:
        raise ConfigurationError(
            "The settings keep every group in the SQL database: there is nothing to leave.",
            hint="Run it with the settings that Open WebUI had, such as: STORAGE_BACKEND=pocketbase"
            " openwebui-pocketbase leave. If only the guard is in the way: openwebui-pocketbase guard remove.",
        )
    return groups


def _refuse_while_running(site: Site) -> None:
    settings = site.settings().pocketbase
    leases = RunDir(embedded_data_dir(settings, site.data_dir)).leases_lock
    if settings.url is None and leases.exists() and has_shared_holders(leases):
        raise ConfigurationError(
            "Open WebUI is running: what people change now would be lost.", hint="Stop it, and run this again."
        )


def _left(admin: AdminClient, groups: list[str]) -> dict[str, dict[str, int]]:
    """Count what only PocketBase has: group -> table -> records."""
    left: dict[str, dict[str, int]] = {}
    for name, table in TABLES.items():
        is_whole = table.mirrored and not any(extra.type == "file" for extra in table.extras)
        if table.group in groups and not is_whole and name not in CREDENTIALS:
            answer = admin.send("GET", f"/api/collections/{table.collection}/records?perPage=1&fields=id")
            left.setdefault(table.group, {})[name] = answer["totalItems"]
    return left


def _report(site: Site, url: str, copied: Mapping[str, Copied], left: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    for name, label in CREDENTIALS.items():
        if name in copied:
            skipped = copied[name].without_user
            yield f"{label} copied: {copied[name].rows:,}" + (
                f"; without a user, left out: {skipped:,}." if skipped else "."
            )
    yield "The SQL database takes changes of every table again."
    yield f"These stay in PocketBase ({url}), and an Open WebUI without it does not show them:"
    for group, tables in left.items():
        yield f"  {group}: " + ", ".join(f"{number:,} in {name}" for name, number in tables.items())
    settings = sorted(name for name in site.environ if name == "STORAGE_BACKEND" or name.startswith(PREFIX))
    if file := site.config_file():
        settings.append(str(file))
    yield f"Now remove these settings where Open WebUI is started: {', '.join(settings)}."
    yield "Then openwebui-pocketbase can be uninstalled. With these settings again, all is in PocketBase as before."
