"""Our own backend, for groups in PocketBase; registered as any other plugin's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from openwebui_pocketbase.catalog import CATALOG, extended_by, seams_of
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.hookspecs import STOCK, Extension, HostContext, RepositoryBinding, Seam, hookimpl
from openwebui_pocketbase.runtime import Runtime
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.settings import Settings

__all__ = ["BACKEND", "PocketBasePlugin", "plugin"]

BACKEND = "pocketbase"


class PocketBasePlugin:
    """The hook implementations.

    Attributes:
        runtime: What runs in this process; None before the repositories are registered.
    """

    def __init__(self) -> None:
        self.runtime: Runtime | None = None

    @property
    def mirror(self) -> Mirror | None:
        """The mirror of this process; None if no mirrored table is in PocketBase. For commands."""
        return self.runtime.mirror if self.runtime is not None and self.runtime.mirror.names else None

    def close(self) -> None:
        """Give the server back, at the end of a program that used repositories without the application."""
        if self.runtime is not None:
            self.runtime.close()

    @hookimpl
    def openwebui_register_repositories(self, settings: Settings, data_dir: Path) -> list[RepositoryBinding]:
        """Offer the host's own classes and ours, for every group."""
        self.runtime, bindings = self.another(settings, data_dir)
        return bindings

    @staticmethod
    def another(settings: Settings, data_dir: Path) -> tuple[Runtime, list[RepositoryBinding]]:
        """Return what is to run with some settings, and the host's own classes and ours for every group."""
        chosen = {group for group in CATALOG if settings.groups.get(group, settings.storage_backend) == BACKEND}
        runtime = Runtime(settings, data_dir, chosen)
        mirrored = {table.group for table in TABLES.values() if table.mirrored}
        along = {group.name: {*group.requires, *group.writes_along} for group in CATALOG.values()}
        mirrored |= {name for name, others in along.items() if mirrored & others}
        stock = [RepositoryBinding(group.name, STOCK, group.stock) for group in CATALOG.values()]
        return runtime, stock + [
            RepositoryBinding(
                name,
                BACKEND,
                CATALOG[name].ours,
                {"pocketbase": runtime.mirror if name in mirrored else runtime.client},
                CATALOG[name].ready_with,
            )
            for name in CATALOG
        ]

    @hookimpl
    def openwebui_register_seams(self, backends: Mapping[str, str]) -> list[Seam]:
        """Replace what would read the empty SQL tables of groups in PocketBase."""
        groups = {group for group, backend in backends.items() if backend == BACKEND}
        return seams_of(groups)

    @hookimpl
    def openwebui_register_extensions(self, backends: Mapping[str, str]) -> list[Extension]:
        """Have the host's storage keep the contents of files in PocketBase, if files are there."""
        groups = {group for group, backend in backends.items() if backend == BACKEND}
        return self.extensions(self.runtime, groups) if self.runtime is not None else []

    @staticmethod
    def extensions(runtime: Runtime, groups: Collection[str]) -> list[Extension]:
        """Return what the host's objects become if these groups are in PocketBase."""
        return [Extension(extended, runtime.storage_attributes()) for extended in extended_by(groups)]

    @hookimpl
    async def openwebui_bootstrap(self) -> None:
        """Start or reach the server, bring its schema and the copies in the SQL database up."""
        if self.runtime is not None:
            await self.runtime.start()

    @hookimpl
    async def openwebui_start_realtime(self, context: HostContext) -> None:
        """Tell the open browsers, and other plugins, of what others change in PocketBase."""
        if self.runtime is not None:
            self.runtime.start_realtime(context)

    @hookimpl
    async def openwebui_check_health(self) -> None:
        """Have PocketBase answer, if anything is there."""
        if self.runtime is not None:
            await self.runtime.check()

    @hookimpl
    async def openwebui_shutdown(self) -> None:
        """Close the connections and give the server back."""
        if self.runtime is not None:
            await self.runtime.stop()


plugin = PocketBasePlugin()
