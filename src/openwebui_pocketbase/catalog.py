"""The repositories of Open WebUI that can be replaced, and where to find them.

This is the one list behind the interfaces, the version contract and the binding: a repository
that is not here stays the host's. Nothing of the host is imported, so that the list can be read
before the host is loaded, and without it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REPOSITORIES", "REQUIRES", "TOGETHER", "RepositorySpec", "repositories_of", "repository"]


@dataclass(frozen=True)
class RepositorySpec:
    """One repository of the host: a singleton in a module of ``open_webui.models``."""

    name: str
    """Name of the singleton, such as ``Tags``."""
    group: str
    """The group of data it belongs to; groups move to another store as a whole."""
    module: str
    """Dotted name of the module that defines the class and the singleton."""
    stock_class: str
    """Name of the class the singleton is made from."""
    interface: str
    """Name of its protocol in `openwebui_pocketbase.interfaces`."""
    tables: tuple[str, ...]
    """SQL tables mapped in that module."""
    ready_with: str
    """Dotted name of the module with which the singleton is replaced: its own, unless the replacement needs another
    one, which needs it in turn."""

    @property
    def source(self) -> str:
        """Path of the module, from the directory that holds the package ``open_webui``."""
        return f"{self.module.replace('.', '/')}.py"


def _spec(
    group: str, name: str, module: str, stock_class: str, interface: str, *tables: str, ready_with: str = ""
) -> RepositorySpec:
    models = "open_webui.models"
    ready = f"{models}.{ready_with or module}"
    return RepositorySpec(name, group, f"{models}.{module}", stock_class, interface, tables, ready)


REPOSITORIES = (
    _spec("users", "Users", "users", "UsersTable", "IUsersRepo", "user", "api_key"),
    _spec("users", "Auths", "auths", "AuthsTable", "IAuthsRepo", "auth"),
    _spec("users", "OAuthSessions", "oauth_sessions", "OAuthSessionTable", "IOAuthSessionsRepo", "oauth_session"),
    _spec("chats", "Chats", "chats", "ChatTable", "IChatsRepo", "chat", "chat_file"),
    _spec(
        "chats",
        "ChatMessages",
        "chat_messages",
        "ChatMessageTable",
        "IChatMessagesRepo",
        "chat_message",
        ready_with="chats",
    ),
    _spec(
        "chats",
        "SharedChats",
        "shared_chats",
        "SharedChatsTable",
        "ISharedChatsRepo",
        "shared_chat",
        ready_with="chats",
    ),
    _spec("messages", "Messages", "messages", "MessageTable", "IMessagesRepo", "message", "message_reaction"),
    _spec(
        "messages",
        "Channels",
        "channels",
        "ChannelTable",
        "IChannelsRepo",
        "channel",
        "channel_member",
        "channel_file",
        "channel_webhook",
    ),
    _spec("tags", "Tags", "tags", "TagTable", "ITagsRepo", "tag"),
    _spec("files", "Files", "files", "FilesTable", "IFilesRepo", "file"),
    _spec("groups", "Groups", "groups", "GroupTable", "IGroupsRepo", "group", "group_member"),
    _spec("folders", "Folders", "folders", "FolderTable", "IFoldersRepo", "folder"),
    _spec("models", "Models", "models", "ModelsTable", "IModelsRepo", "model"),
    _spec(
        "models",
        "ModelHistories",
        "model_history",
        "ModelHistoryTable",
        "IModelHistoriesRepo",
        "model_history",
    ),
    _spec("access", "AccessGrants", "access_grants", "AccessGrantsTable", "IAccessRepo", "access_grant"),
)
"""Every repository that can be replaced, in the order of the groups."""

TOGETHER = {
    ("groups", "access"): "deleting a group of users deletes its access grants in the same transaction",
}
"""Groups which have to live in the same place -> why."""

REQUIRES = {
    ("chats", "tags"): "a tag which no chat has any more is deleted in the transaction that takes it from the last one",
}
"""A group outside the host's SQL database, and one that has to live in the same place then -> why."""

_BY_NAME = {spec.name: spec for spec in REPOSITORIES}


def repository(name: str) -> RepositorySpec:
    """Return the repository whose singleton has this name.

    Raises:
        KeyError: There is none.
    """
    return _BY_NAME[name]


def repositories_of(group: str) -> tuple[RepositorySpec, ...]:
    """Return the repositories of a group.

    Raises:
        KeyError: There is no such group. An empty answer would pass for "nothing to replace".
    """
    specs = tuple(spec for spec in REPOSITORIES if spec.group == group)
    if not specs:
        raise KeyError(group)
    return specs
