"""``pocketbase``: the embedded server's own program, on the embedded server's data."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from openwebui_pocketbase.assets import HOOKS_DIR, MIGRATIONS_DIR
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.connection import embedded_data_dir
from openwebui_pocketbase.exceptions import ConfigurationError, ServerError
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.server.permissions import owner_to_become

__all__ = ["pocketbase"]

HARMLESS = {"--version", "-v", "--help", "-h"}
"""With these the program writes nothing."""


def pocketbase(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="ARGS", show_default=False, help="What pocketbase is given, after --.")
    ] = None,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Run the embedded server's pocketbase program on its data.

    Example: openwebui-pocketbase pocketbase -- superuser upsert me@example.org PASSWORD
    """
    given = arguments or []
    site = Site.of(data_dir, config)
    settings = site.settings().pocketbase
    if settings.url and not _has(given, "--dir"):
        raise ConfigurationError(
            f"The server is {settings.url}, not the embedded one.",
            hint="Run pocketbase where that server runs, or name a data directory with -- --dir DIR.",
        )
    directory = embedded_data_dir(settings, site.data_dir)
    if not (_has(given, "--dir") or HARMLESS.issuperset(given) or os.access(directory / "data.db", os.F_OK)):
        # The program would make a new, empty one.
        raise ConfigurationError(
            f"There is no PocketBase in {directory}, or this user cannot see it.",
            hint="Name the data directory of Open WebUI with --data-dir or DATA_DIR. A new PocketBase is made when Open"
            " WebUI starts, and by: openwebui-pocketbase schema apply --create",
        )
    defaults = {
        "--dir": str(directory),
        "--hooksDir": str(HOOKS_DIR),
        "--migrationsDir": str(MIGRATIONS_DIR),
        # Else a change in the dashboard would write a migration into this package.
        "--automigrate": "false",
        "--hooksWatch": "false",
    }
    options = [f"{name}={value}" for name, value in defaults.items() if not _has(given, name)]
    binary = find_binary(settings.embedded)
    sys.stdout.flush()
    sys.stderr.flush()
    _become_owner(directory)
    try:
        os.execv(binary, ["pocketbase", *options, *given])  # noqa: S606 - what the user asked for
    except OSError as error:
        raise ServerError(f"{binary} cannot be run: {error.strerror}.") from None


def _become_owner(directory: Path) -> None:
    """Have the program write what the service can read, and nobody else."""
    os.umask(0o077)
    owner = owner_to_become(directory) if directory.is_dir() else None
    if owner:
        os.setgroups([])
        os.setgid(owner.gid)
        os.setuid(owner.uid)


def _has(arguments: list[str], name: str) -> bool:
    return any(argument == name or argument.startswith(f"{name}=") for argument in arguments)
