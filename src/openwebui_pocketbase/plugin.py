"""Our own backend, registered like anybody else's: groups in PocketBase."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.hookspecs import HostContext, RepositoryBinding, Seam, hookimpl
from openwebui_pocketbase.schema.bootstrap import bring_up
from openwebui_pocketbase.settings import Settings

__all__ = ["BACKEND", "PocketBasePlugin", "plugin"]

log = logging.getLogger(__name__)

BACKEND = "pocketbase"

REPOSITORIES = {
    "folders": {"Folders": "openwebui_pocketbase.repositories.folders:PocketBaseFolders"},
    "tags": {"Tags": "openwebui_pocketbase.repositories.tags:PocketBaseTags"},
}
"""Group -> the host's singleton -> the class it becomes."""

SEAMS = {
    "folders": [
        Seam(
            "open_webui.routers.search",
            "search_workspace",
            "openwebui_pocketbase.repositories.workspace_search:with_folders_from_repository",
        )
    ],
}
"""Group -> functions of the host that read its table directly."""


class PocketBasePlugin:
    """The hook implementations; one object per process holds the client of all repositories."""

    def __init__(self) -> None:
        self._client: PocketBaseClient | None = None
        self._connection: Connection | None = None

    @hookimpl
    def openwebui_register_repositories(self, settings: Settings) -> list[RepositoryBinding]:
        """Offer every group that this version can store."""
        self._client = PocketBaseClient(timeouts=settings.pocketbase.timeouts, pool=settings.pocketbase.pool)
        attributes = {"pocketbase": self._client}
        return [RepositoryBinding(group, BACKEND, classes, attributes) for group, classes in REPOSITORIES.items()]

    @hookimpl
    def openwebui_register_seams(self, backends: Mapping[str, str]) -> list[Seam]:
        """Replace what would read the empty SQL tables of groups in PocketBase."""
        return [seam for group, seams in SEAMS.items() if backends.get(group) == BACKEND for seam in seams]

    @hookimpl
    async def openwebui_bootstrap(self, context: HostContext) -> None:
        """Start or reach the server, and bring its schema up."""
        if self._client is None or BACKEND not in context.backends.values():
            return
        connection = Connection(context.settings.pocketbase, context.data_dir)
        self._connection = connection
        authenticator = await asyncio.to_thread(connection.open)
        with connection.admin(authenticator) as admin:
            await asyncio.to_thread(bring_up, admin)
        self._client.connect(connection.url, authenticator, recover=connection.recover)
        groups = sorted(group for group, backend in context.backends.items() if backend == BACKEND)
        log.info("%s in PocketBase at %s", ", ".join(groups), connection.url)

    @hookimpl
    async def openwebui_shutdown(self) -> None:
        """Close the connections and give the server back."""
        if self._client is not None:
            await self._client.aclose()
        if self._connection is not None:
            await asyncio.to_thread(self._connection.close)
            self._connection = None


plugin = PocketBasePlugin()
