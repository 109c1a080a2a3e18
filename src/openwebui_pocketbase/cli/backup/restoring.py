"""``backup restore``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.filesize import decimal

from openwebui_pocketbase.backup.archive import Archive
from openwebui_pocketbase.backup.dependents import require_no_dependents
from openwebui_pocketbase.backup.extract import Planned, new_stamp, planned
from openwebui_pocketbase.backup.fits import changes, misfits
from openwebui_pocketbase.backup.identity import known_site
from openwebui_pocketbase.backup.manifest import Manifest
from openwebui_pocketbase.backup.places import Places
from openwebui_pocketbase.backup.restore import restore as restored
from openwebui_pocketbase.backup.restore import stopped
from openwebui_pocketbase.backup.server import Server
from openwebui_pocketbase.backup.work import alone, clear
from openwebui_pocketbase.cli.backup.kept import (
    ArchiveArgument,
    DirOption,
    InPocketBaseOption,
    archive_named,
    closing,
    directory_of,
    finish_cut_off,
    outside_server,
    places_of,
    pocketbase_version,
    require_stopped,
)
from openwebui_pocketbase.cli.backup.undoing import undo as undo_last
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.config_file import CONFIG_FILE, CONFIG_VARIABLE
from openwebui_pocketbase.connection import embedded_data_dir
from openwebui_pocketbase.exceptions import BackupError
from openwebui_pocketbase.last_start import KEY_FILE
from openwebui_pocketbase.settings import load_settings

__all__ = ["restore"]

CONFIG = f"config/{CONFIG_FILE}"

QUESTION = "Open WebUI must be stopped, on all machines. Replace all this?"


def restore(
    archive: ArchiveArgument = "",
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    directory: DirOption = None,
    in_pocketbase: InPocketBaseOption = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Put back what was there before the last restore, or undoing.")
    ] = False,
    go_on: Annotated[
        bool, typer.Option("--continue", help="Only finish a restore, or the undoing of one, that was cut off.")
    ] = False,
    keep_config: Annotated[
        bool, typer.Option("--keep-config", help="Leave the config file that is here, or none.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Replace everything by what is in an archive.

    Open WebUI must be stopped; the data directory may be another one than that of the archive, and empty. It refuses an
    archive that is damaged, or of versions or another kind of SQL database that do not fit. What was there is kept
    aside until "backup prune --kept-aside"; so is what was written since, if the restore is undone. If it is cut off,
    Open WebUI does not start with one half of each: the next create, restore or prune finishes it, or undoes it if
    nothing was replaced yet.
    """
    site = Site.of(data_dir, config)
    if not (undo or go_on or dry_run):
        site.data_dir.mkdir(0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        if dry_run and not site.data_dir.exists():
            stack.callback(_remove_if_empty, site.data_dir)  # Open WebUI's code makes it
        places = places_of(site if dry_run else site.existing())
        if not dry_run:
            stack.enter_context(alone(places))
        if not (undo or dry_run) and not finish_cut_off(site, places) and go_on:
            typer.echo("No restore was cut off.")
        if go_on:
            return
        if undo:
            undo_last(site, places, dry_run=dry_run, yes=yes)
            return
        named = archive_named(site, archive, directory_of(site, directory), in_pocketbase=in_pocketbase)
        opened = stack.enter_context(Archive(stack.enter_context(named)))
        _restore(site, places, opened, keep_config=keep_config, dry_run=dry_run, yes=yes)


def _remove_if_empty(directory: Path) -> None:
    with suppress(OSError):
        directory.rmdir()


def _restore(site: Site, places: Places, archive: Archive, *, keep_config: bool, dry_run: bool, yes: bool) -> None:
    stamp = new_stamp()
    members = archive.members()
    if keep_config:
        members.pop(CONFIG, None)
    else:
        _require_same_places(site, places, archive.text_of(CONFIG))
    manifest = archive.manifest
    plan = planned(archive, members, places, stamp)
    if not dry_run:
        require_stopped(places)
    with outside_server(site, needed=manifest.schema is not None) as server:
        problems = misfits(manifest, places, pocketbase_version(site, server))
        if problems:
            raise BackupError(
                f"{archive.path.name} does not fit: {'; '.join(problems)}.",
                hint="Install the versions that it is of (the first line of backup verify names them), or set what"
                " Open WebUI had. Nothing was changed.",
            )
        if places.database.kind == "postgresql":
            require_no_dependents(places.database)
        typer.echo(f"{archive.path.name}: as of {manifest.made_at}, Open WebUI {manifest.open_webui}.")
        _print(plan, places, site.settings().pocketbase.url or "")
        for line in (*_foreign(manifest, places, server), *manifest.notes, *changes(manifest, places)):
            typer.echo(f"Note: {line}")
        if dry_run:
            typer.echo("The archive was not read through: that is what backup verify does, and the restore itself.")
            return
        if not yes:
            typer.confirm(QUESTION, abort=True)
        clear(places, None)
        with stopped(places):
            done = restored(archive, members, plan, places, stamp, server)
    typer.echo("Restored. Start Open WebUI with the settings it had.")
    for line in closing(places, done):
        typer.echo(line)
    if "config/webui_secret_key" in members and places.secret_key in {None, places.data_dir / KEY_FILE}:
        key = places.data_dir / KEY_FILE
        typer.echo(f"Note: open-webui serve reads its key in the directory where it is started: copy {key} there.")


def _foreign(manifest: Manifest, places: Places, server: Server | None) -> Iterator[str]:
    own = known_site(places.data_dir)
    if own and manifest.site != own:
        yield "It is not of this site."
    if manifest.site != own and server is not None:
        yield "What PocketBase has is replaced for everybody who uses it, such as the site that this archive is of."


def _require_same_places(site: Site, places: Places, config: str) -> None:
    """Refuse a config file by which the next start would look for the data elsewhere than where they are put."""
    if not config or site.environ.get(CONFIG_VARIABLE):
        return
    with TemporaryDirectory() as directory:
        file = Path(directory) / CONFIG_FILE
        file.write_text(config, encoding="utf-8")
        file.chmod(0o600)
        settings = load_settings(None, {**site.environ, CONFIG_VARIABLE: str(file)}).pocketbase
    then = settings.url or str(embedded_data_dir(settings, site.data_dir))
    now = site.settings().pocketbase.url or str(places.pocketbase)
    if then != now:
        raise BackupError(
            f"By the config file in the archive PocketBase is {then}, but here it is {now}.",
            hint="Set here what is to hold ([pocketbase] url, or [pocketbase.embedded] data_dir), by a variable or in a"
            " config file, and add --keep-config. Nothing was changed.",
        )


def _print(plan: list[Planned], places: Places, url: str) -> None:
    for each in plan:
        if not each.files and each.before is None:
            continue
        contents = f"{each.files:,} files, {decimal(each.bytes)}" if each.files else "nothing"
        there = "nothing is there" if each.before is None else f"what is there, {decimal(each.before)}, is kept aside"
        if each.place is None:
            there = "what is there is kept aside"
        typer.echo(f"  {each.name}: {contents}, to {each.place or _elsewhere(each, places, url)}; {there}")


def _elsewhere(each: Planned, places: Places, url: str) -> str:
    if each.name.startswith("pocketbase/"):
        return f"PocketBase at {url}, over its API"
    return places.name if each.name.startswith("database/") else str(Path())
