"""Our own backend, registered like anybody else's: groups in PocketBase."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.hookspecs import RepositoryBinding, Seam, hookimpl
from openwebui_pocketbase.runtime import Runtime
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.settings import Settings

__all__ = ["BACKEND", "PocketBasePlugin", "plugin"]

BACKEND = "pocketbase"

_REPOSITORIES = "openwebui_pocketbase.repositories"
_SEAMS = "openwebui_pocketbase.seams"

REPOSITORIES = {
    "access": {"AccessGrants": f"{_REPOSITORIES}.access:PocketBaseAccessGrants"},
    "chats": {
        "Chats": f"{_REPOSITORIES}.chats:PocketBaseChats",
        "ChatMessages": f"{_REPOSITORIES}.chats:PocketBaseChatMessages",
        "SharedChats": f"{_REPOSITORIES}.chats:PocketBaseSharedChats",
    },
    "folders": {"Folders": f"{_REPOSITORIES}.folders:PocketBaseFolders"},
    "groups": {"Groups": f"{_REPOSITORIES}.groups:PocketBaseGroups"},
    "tags": {"Tags": f"{_REPOSITORIES}.tags:PocketBaseTags"},
    "users": {
        "Users": f"{_REPOSITORIES}.users.users:PocketBaseUsers",
        "Auths": f"{_REPOSITORIES}.users.auths:PocketBaseAuths",
        "OAuthSessions": f"{_REPOSITORIES}.users.oauth_sessions:PocketBaseOAuthSessions",
    },
}
"""Group -> the host's singleton -> the class it becomes."""

_WORKSPACE_SEARCH = Seam(
    "open_webui.routers.search", "search_workspace", f"{_SEAMS}.workspace_search:over_repositories"
)

_READING_SAVED_CHATS = {
    "chats": (
        "update_chat_by_id",
        "update_chat_params",
        "update_chat_message_by_id",
        "fork_chat_by_id",
        "share_chat_by_id",
    ),
    "notes": ("get_note_chat_by_id", "get_note_chats_by_id"),
}
"""Router -> its functions that give back what a write to a chat has answered with, messages included."""

SEAMS = {
    "access": [
        Seam("open_webui.models.models", "ModelsTable._delete_models", f"{_SEAMS}.access_grants:of_models"),
        Seam("open_webui.models.skills", "SkillsTable.delete_skill_by_id", f"{_SEAMS}.access_grants:of_skill"),
        Seam("open_webui.models.tools", "ToolsTable.delete_tool_by_id", f"{_SEAMS}.access_grants:of_tool"),
    ],
    "chats": [
        Seam("open_webui.utils.timers", "claim_due_timers", f"{_SEAMS}.timers:claiming"),
        Seam("open_webui.utils.timers", "cancel_timers_for_chat", f"{_SEAMS}.timers:cancelling"),
        Seam("open_webui.utils.timers", "execute_due_timer", f"{_SEAMS}.timers:executing"),
        Seam("open_webui.utils.timers", "_set_timer_state", f"{_SEAMS}.timers:setting_state"),
        *(
            Seam(f"open_webui.routers.{router}", function, f"{_SEAMS}.saved_chats:reading_saved_chats")
            for router, functions in _READING_SAVED_CHATS.items()
            for function in functions
        ),
        _WORKSPACE_SEARCH,
    ],
    "folders": [_WORKSPACE_SEARCH],
    "users": [
        Seam(
            "open_webui.utils.mfa",
            "validate_mfa_configuration",
            f"{_SEAMS}.mfa:with_factors_from_repository",
        )
    ],
}
"""Group -> functions of the host that go to its table directly, where the mirror of the table does not help."""


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
        """Offer every group that this version can store."""
        chosen = {group for group in REPOSITORIES if settings.groups.get(group, settings.storage_backend) == BACKEND}
        self.runtime = Runtime(settings, data_dir, chosen)
        mirrored = {table.group for table in TABLES.values() if table.mirrored}
        return [
            RepositoryBinding(
                group,
                BACKEND,
                classes,
                {"pocketbase": self.runtime.mirror if group in mirrored else self.runtime.client},
            )
            for group, classes in REPOSITORIES.items()
        ]

    @hookimpl
    def openwebui_register_seams(self, backends: Mapping[str, str]) -> list[Seam]:
        """Replace what would read the empty SQL tables of groups in PocketBase."""
        groups = {group for group, backend in backends.items() if backend == BACKEND}
        # One seam can serve several groups.
        return list(dict.fromkeys(seam for group, seams in SEAMS.items() if group in groups for seam in seams))

    @hookimpl
    async def openwebui_bootstrap(self) -> None:
        """Start or reach the server, bring its schema and the copies in the SQL database up."""
        if self.runtime is not None:
            await self.runtime.start()

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
