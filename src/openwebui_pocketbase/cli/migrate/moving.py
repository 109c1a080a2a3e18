"""What all commands of ``migrate`` need first: the site, what is to be moved, and whether its database is known."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Annotated, Any, TypeVar

import typer

from openwebui_pocketbase.catalog import CATALOG, REPOSITORIES
from openwebui_pocketbase.cli.hosted import load_host
from openwebui_pocketbase.cli.site import Site, find_open_webui
from openwebui_pocketbase.exceptions import CompatibilityError, ConfigurationError
from openwebui_pocketbase.host.contract import check_contract
from openwebui_pocketbase.manager import Registry, create_plugin_manager
from openwebui_pocketbase.plugin import plugin
from openwebui_pocketbase.settings import Settings

__all__ = ["GroupsArgument", "Moving", "Target", "ToOption", "run"]

T = TypeVar("T")


class Target(StrEnum):
    """Where to."""

    POCKETBASE = "pocketbase"
    SQLALCHEMY = "sqlalchemy"


ToOption = Annotated[Target, typer.Option("--to", help="Where to: PocketBase, or back to the SQL database.")]
GroupsArgument = Annotated[
    list[str] | None,
    typer.Argument(show_default=False, help=f"Groups: {', '.join(CATALOG)}. Default: all that are not there yet."),
]


@dataclass(frozen=True)
class Moving:
    """What a command is about.

    Attributes:
        site: The site.
        settings: Its configuration.
        in_force: Group -> backend by this configuration.
        groups: What is to be moved.
        to: Where to.
    """

    site: Site
    settings: Settings
    in_force: dict[str, str]
    groups: Sequence[str]
    to: str

    @classmethod
    def of(cls, site: Site, groups: Sequence[str] | None, to: str) -> Moving:
        """Look at the site, load Open WebUI's code, and see whether it and its database are those we know.

        Raises:
            ConfigurationError: There is no such group, or nothing is to be moved.
            CompatibilityError: This Open WebUI, or its database, is of another version.
        """
        settings = site.existing().settings()
        in_force = dict(Registry(create_plugin_manager(settings), settings, site.data_dir).backends)
        unknown = sorted(set(groups or ()) - set(CATALOG))
        if unknown:
            raise ConfigurationError(
                f"There is no group {', '.join(unknown)}.", hint=f"The groups are {', '.join(CATALOG)}."
            )
        chosen = [name for name in CATALOG if (name in groups if groups else in_force[name] != to)]
        _require_contract(site, chosen)
        load_host(site)
        # The host logs to the standard output, which is for what was asked.
        logging.basicConfig(stream=sys.stderr, level=logging.ERROR, force=True)
        # By the settings our own level is that of a server, whose steps these commands tell in words of their own.
        logging.getLogger("openwebui_pocketbase").setLevel(logging.WARNING)
        # Before what of ours extends them: modules of the host get our classes when they are imported.
        for spec in REPOSITORIES:
            import_module(spec.module)
        from openwebui_pocketbase.host.revision import require_revision

        require_revision()
        return cls(site, settings, in_force, chosen, to)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a command's work, and give back what it took."""
    # Millions of values live for a moment: looking through all of them again and again takes half of the time.
    gc.set_threshold(100_000, 20, 100)
    try:
        return asyncio.run(main)
    finally:
        plugin.close()


def _require_contract(site: Site, groups: Sequence[str]) -> None:
    found = find_open_webui(site.last_start)
    if found is None:
        return  # `load_host` says so
    package_dir, version = found
    problems = check_contract(groups, package_dir=package_dir, version=version)
    if problems and site.settings().contract == "strict":
        raise CompatibilityError(
            f"Open WebUI {version} stores data in ways this version does not know:"
            f" {'; '.join(f'{problem.where}: {problem.what}' for problem in problems)}.",
            hint="Install an openwebui-pocketbase made for it.",
        )
