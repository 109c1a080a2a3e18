"""``leave``: going back to an Open WebUI without this package, with everybody able to sign in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from openwebui_pocketbase.cli.hosted import load_host
from openwebui_pocketbase.cli.schema import server_of
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.config_file import PREFIX
from openwebui_pocketbase.connection import embedded_data_dir
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.manager import Registry, create_plugin_manager
from openwebui_pocketbase.plugin import BACKEND
from openwebui_pocketbase.schema.unmirrored import CONTENTS, count_unmirrored
from openwebui_pocketbase.server.locks import has_shared_holders
from openwebui_pocketbase.server.rundir import RunDir

if TYPE_CHECKING:
    from openwebui_pocketbase.changes.credentials import Copied

__all__ = ["leave", "uses_embedded_server"]

QUESTION = "Open WebUI must be stopped. Make its SQL database ready to run without PocketBase?"

COPIED = {
    "auth": "Passwords",
    "api_key": "API keys",
    "oauth_session": "OAuth sessions",
    "config": "Settings of administrators",
}


def leave(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    without_contents: Annotated[
        bool, typer.Option("--without-contents", help="Go on although contents of files are in PocketBase.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Get ready to run Open WebUI without this package.

    Passwords, API keys and OAuth sessions are copied back as they are stored, so people can sign in, and what
    administrators have set; users, groups, access and files are there already, apart from the files' extracted texts
    and contents. Move the contents out of PocketBase before, with "files move --to local" (or s3); while some are
    there, it refuses. The guard is removed. All else stays in PocketBase, and is listed. Run it with the same settings
    as Open WebUI, and with Open WebUI stopped, on all machines: that it still runs is noticed only if PocketBase is the
    embedded one. It can be repeated.
    """
    site = Site.of(data_dir, config).existing()
    groups = _groups_in_pocketbase(site)
    _refuse_while_running(site)
    if not yes:
        typer.confirm(QUESTION, abort=True)
    with server_of(site) as (_, admin):
        left = count_unmirrored(admin, groups)
        if not without_contents:
            _refuse_contents(left)
        load_host(site)
        from openwebui_pocketbase.host import leaving  # noqa: PLC0415 - imports the host

        copied = asyncio.run(leaving.leave(groups))
        if site.last_start:  # else commands would go on assuming that these settings are in force
            site.last_start.left().write(site.data_dir)
    for line in _report(site, copied, left):
        typer.echo(line)


def _groups_in_pocketbase(site: Site) -> list[str]:
    settings = site.settings()
    registry = Registry(create_plugin_manager(settings), settings, site.data_dir)
    groups = [group for group, backend in registry.replaced.items() if backend == BACKEND]
    if not groups:
        raise ConfigurationError(
            "The settings keep every group in the SQL database: there is nothing to leave.",
            hint="Run it with the same settings as Open WebUI, such as: STORAGE_BACKEND=pocketbase"
            " openwebui-pocketbase leave. If only the guard is in the way: openwebui-pocketbase guard remove.",
        )
    return groups


def uses_embedded_server(site: Site) -> bool:
    """Tell whether a program uses the site's embedded server, which nearly always is Open WebUI."""
    settings = site.settings().pocketbase
    leases = RunDir(embedded_data_dir(settings, site.data_dir)).leases_lock
    return settings.url is None and leases.exists() and has_shared_holders(leases)


def _refuse_while_running(site: Site) -> None:
    if uses_embedded_server(site):
        raise ConfigurationError(
            "Open WebUI is running: what people change now would be lost.", hint="Stop it, and run this again."
        )


def _refuse_contents(left: Mapping[str, Mapping[str, int]]) -> None:
    if number := left.get("files", {}).get(CONTENTS):
        raise ConfigurationError(
            f"Files whose contents are in PocketBase: {number:,}. Open WebUI could not open them any more.",
            hint="Run with the same settings: openwebui-pocketbase files move --to local (or s3); then this again."
            " To do without them, add --without-contents.",
        )


def _report(site: Site, copied: Mapping[str, Copied], left: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    for name, label in COPIED.items():
        if name in copied:
            skipped = copied[name].without_user
            yield f"{label} copied: {copied[name].rows:,}" + (
                f"; without a user, left out: {skipped:,}." if skipped else "."
            )
    yield "The SQL database takes changes of every table again."
    if left:
        pocketbase = site.settings().pocketbase
        # The embedded server is not running any more: its address leads nowhere.
        where = pocketbase.url or embedded_data_dir(pocketbase, site.data_dir)
        yield f"These stay in PocketBase ({where}), and an Open WebUI without it does not show them:"
    for labels in left.values():
        yield "  " + ", ".join(f"{label}: {number:,}" for label, number in labels.items())
    settings = sorted(name for name in site.environ if name == "STORAGE_BACKEND" or name.startswith(PREFIX))
    if file := site.config_file():
        settings.append(str(file))
    yield f"Now remove these settings where Open WebUI is started: {', '.join(settings)}."
    yield "Then openwebui-pocketbase can be uninstalled. With these settings again, all is in PocketBase as before."
