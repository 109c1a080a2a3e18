"""What all commands of ``backup`` need first: where the parts of the site are, and where its archives are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal

from openwebui_pocketbase.backup.identity import known_site
from openwebui_pocketbase.backup.journal import Journal
from openwebui_pocketbase.backup.links import size_of
from openwebui_pocketbase.backup.partial import partial
from openwebui_pocketbase.backup.places import Places, database_of
from openwebui_pocketbase.backup.restore import recover, stopped
from openwebui_pocketbase.backup.server import Server
from openwebui_pocketbase.backup.stores import Directory, InPocketBase, Store
from openwebui_pocketbase.backup.undo import kept_aside
from openwebui_pocketbase.cli.hosted import load_database
from openwebui_pocketbase.cli.schema import connected
from openwebui_pocketbase.cli.site import Site, find_open_webui
from openwebui_pocketbase.connection import embedded_data_dir
from openwebui_pocketbase.exceptions import BackupError, OpenWebUIPocketBaseError
from openwebui_pocketbase.last_start import KEY_FILE, database_name, is_moving
from openwebui_pocketbase.manager import Registry, create_plugin_manager
from openwebui_pocketbase.plugin import BACKEND
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.server.binary import check_binary

__all__ = [
    "ArchiveArgument",
    "DirOption",
    "InPocketBaseOption",
    "archive_named",
    "closing",
    "directory_of",
    "finish_cut_off",
    "in_pocketbase_of",
    "outside_server",
    "places_of",
    "pocketbase_version",
    "require_stopped",
    "store_of",
]

DirOption = Annotated[
    Path | None,
    typer.Option(
        "--dir", file_okay=False, show_default=False, help="Where archives are kept; default: backups in --data-dir."
    ),
]
InPocketBaseOption = Annotated[
    bool,
    typer.Option(
        "--pocketbase",
        help="Archives are kept beside PocketBase's own backups: in its S3 bucket, if its settings name one.",
    ),
]
ArchiveArgument = Annotated[
    str, typer.Argument(show_default=False, help="Name of an archive, or its path. Default: this site's newest.")
]


def directory_of(site: Site, directory: Path | None) -> Path:
    """Return where archives are kept."""
    return (directory.expanduser().absolute() if directory else site.data_dir / "backups").resolve()


def places_of(site: Site) -> Places:
    """Return where the parts of the site are; loads Open WebUI's code, which may use what is not there yet."""
    module = load_database(site)
    found = find_open_webui(site.last_start)
    package_dir, version = found or (Path(), "")
    url, schema = module.engine.url, module.DATABASE_SCHEMA or ""
    settings = site.settings().pocketbase
    return Places(
        data_dir=site.data_dir,
        pocketbase=None if settings.url else embedded_data_dir(settings, site.data_dir),
        database=database_of(url, schema),
        name=database_name(url, schema, site.data_dir),
        package_dir=package_dir,
        open_webui=version,
        config=site.config_file(),
        secret_key=_secret_key(site),
    )


def _secret_key(site: Site) -> Path | None:
    """Return the file with the key in force: another one would be taken for it where the archive is restored."""
    if site.environ.get("WEBUI_SECRET_KEY"):
        return None  # Open WebUI looks at a file only if there is no variable
    noted = site.last_start.secret_key if site.last_start else None
    keys = [site.data_dir / KEY_FILE, Path.cwd() / KEY_FILE] if noted is None else [Path(noted)]
    return next((path for path in keys if _may_be(path)), None)


def _may_be(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:
        return True  # whoever reads it is told


def require_stopped(places: Places) -> None:
    """Refuse before anything is asked.

    Raises:
        BackupError: See `stopped`.
    """
    with stopped(places):
        pass


def closing(places: Places, done: Journal) -> Iterator[str]:
    """Give what whoever has restored, or undone, has to know: how to go back, and what that takes until then."""
    if done.note:
        yield f"Note: {done.note}"
    yield f"To go back: openwebui-pocketbase backup restore --undo --data-dir {places.data_dir}"
    size = decimal(sum(size_of(path, follow=False) for path in kept_aside(places)))
    yield f"Until backup prune --kept-aside, {size} are kept aside for that."


def pocketbase_version(site: Site, server: Server | None) -> str:
    """Return the version of PocketBase; ``""`` if it is not to be found out."""
    try:
        return server.version if server else check_binary(find_binary(site.settings().pocketbase.embedded))
    except OpenWebUIPocketBaseError:
        return ""


@contextmanager
def outside_server(site: Site, *, needed: bool = False) -> Iterator[Server | None]:
    """Reach a PocketBase that is not ours, if there is one with data of this site.

    Args:
        site: The site.
        needed: Whether there are such data for sure.
    """
    settings = site.settings()
    backends = Registry(create_plugin_manager(settings), settings, site.data_dir).replaced.values()
    if settings.pocketbase.url is None or not (needed or BACKEND in backends or is_moving(site.data_dir)):
        yield None
        return
    with connected(site) as (connection, authenticator), connection.admin(authenticator) as admin:
        yield Server(admin)


def finish_cut_off(site: Site, places: Places) -> bool:
    """Finish or undo a restore that was cut off, and say so; to be called by whoever is alone.

    Returns:
        Whether there was one.

    Raises:
        BackupError: Open WebUI is running, which matters once something was replaced; or a program failed.
    """
    journal = Journal.read(places)
    if journal is None or journal.state == "done":
        recover(places, None)
        return False
    if journal.state == "unpacking":
        typer.echo(recover(places, None), err=True)
        return True
    with stopped(places), outside_server(site, needed=bool(journal.server)) as server:
        typer.echo(recover(places, server), err=True)
    return True


@contextmanager
def store_of(site: Site, directory: Path, *, in_pocketbase: bool) -> Iterator[Store]:
    """Give the place where archives are kept; an embedded PocketBase is started for the duration, if that is it."""
    if not in_pocketbase:
        yield Directory(directory)
        return
    with in_pocketbase_of(site, directory) as store:
        yield store


@contextmanager
def in_pocketbase_of(site: Site, directory: Path) -> Iterator[InPocketBase]:
    """Give the archives in PocketBase; those that are looked at are fetched into the directory.

    Raises:
        BackupError: It is lost as well, and a new one would know nothing of them.
    """
    _require_pocketbase(site)
    with connected(site) as (connection, authenticator), connection.admin(authenticator) as admin:
        yield InPocketBase(Server(admin), directory)


@contextmanager
def archive_named(site: Site, name: str, directory: Path, *, in_pocketbase: bool) -> Iterator[Path]:
    """Give the file of an archive: the named one, or the newest; PocketBase is not used any more by then.

    Args:
        site: The site.
        name: A name or a path, or ``""`` for the newest of the site.
        directory: Where archives are kept.
        in_pocketbase: Whether they are in PocketBase instead, from which they are fetched into that directory.

    Raises:
        BackupError: There is none.
    """
    path = Path(name).expanduser().absolute()
    if "/" in name or (name and not in_pocketbase and path.exists() and not (directory / name).exists()):
        yield path
        return
    if not in_pocketbase:
        yield directory / (name or _newest(site, Directory(directory)))
        return
    _require_pocketbase(site)  # before a directory is made
    with partial("fetched", directory) as fetched:
        with in_pocketbase_of(site, directory) as store:
            path = store.fetch(name or _newest(site, store), fetched)
        yield path


def _require_pocketbase(site: Site) -> None:
    settings = site.settings().pocketbase
    place = embedded_data_dir(settings, site.data_dir)
    if settings.url is None and not (place / "data.db").is_file():
        raise BackupError(
            f"There is no PocketBase in {place}, and so no archives in it.",
            hint="After a loss get the archive out of the bucket by its provider's tools, and give its path.",
        )


def _newest(site: Site, store: Store) -> str:
    every, own = store.stored(), known_site(site.data_dir)
    newest = next((each for each in every if own and each.site == own), None)
    if newest is not None:
        return newest.name
    if every:
        raise BackupError(
            f"There are no archives of {site.data_dir}, but {len(every):,} of other sites, or of before it was lost.",
            hint=f"Name the one that is meant; the newest of all is {every[0].name}.",
        )
    raise BackupError(
        f"There are no archives in {store.where}.",
        hint="Give the path of one, or say with --dir or --data-dir where they are.",
    )
