"""Making the host's database ready for a host without this package; imports the host."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from open_webui.internal import db
from open_webui.models.access_grants import AccessGrants
from open_webui.models.auths import Auths
from open_webui.models.files import Files

from openwebui_pocketbase.changes.credentials import Copied, copy_credentials, let_go
from openwebui_pocketbase.host.config_rows import bring_config_back
from openwebui_pocketbase.ours import ours_only
from openwebui_pocketbase.plugin import plugin

__all__ = ["leave"]


async def leave(groups: Collection[str]) -> Mapping[str, Copied]:
    """Copy credentials and configuration to the SQL database and let it take all changes; disconnect.

    Args:
        groups: The groups in PocketBase; with ``users`` the host's repositories are those of PocketBase.

    Returns:
        What became of each table of these; without those which have always been in SQL.
    """
    try:
        if "access" in groups:
            await AccessGrants.pocketbase.start()  # the SQL database has every grant and group then
        if "files" in groups:
            await Files.pocketbase.start()  # and where contents were moved to
        if "users" in groups:
            await Auths.pocketbase.start()
            copied = {**await copy_credentials(Auths.pocketbase)}
            if "config" in groups and plugin.runtime is not None:
                copied["config"] = Copied(await bring_config_back(plugin.runtime.client), 0)
            return copied
        with ours_only(), db.engine.begin() as connection:
            let_go(connection)
        return {}
    finally:
        await plugin.openwebui_shutdown()
        await db.async_engine.dispose()
