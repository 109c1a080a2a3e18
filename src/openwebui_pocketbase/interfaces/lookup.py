"""Which repository has which interface."""
# Generated from Open WebUI 0.12.4; to renew, run: python tools/generate_interfaces.py

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

if TYPE_CHECKING:
    from openwebui_pocketbase.interfaces import (
        IAccessRepo,
        IAuthsRepo,
        IChannelsRepo,
        IChatMessagesRepo,
        IChatsRepo,
        IConfigRepo,
        IFilesRepo,
        IFoldersRepo,
        IGroupsRepo,
        IMessagesRepo,
        IModelHistoriesRepo,
        IModelsRepo,
        IOAuthSessionsRepo,
        ISharedChatsRepo,
        ITagsRepo,
        IUsersRepo,
    )

__all__ = ["RepositoryLookup"]


class RepositoryLookup(Protocol):
    """Returns a repository, by the name of its group or its own."""

    @overload
    def __call__(self, name: Literal["users", "Users"]) -> IUsersRepo: ...
    @overload
    def __call__(self, name: Literal["Auths"]) -> IAuthsRepo: ...
    @overload
    def __call__(self, name: Literal["OAuthSessions"]) -> IOAuthSessionsRepo: ...
    @overload
    def __call__(self, name: Literal["chats", "Chats"]) -> IChatsRepo: ...
    @overload
    def __call__(self, name: Literal["ChatMessages"]) -> IChatMessagesRepo: ...
    @overload
    def __call__(self, name: Literal["SharedChats"]) -> ISharedChatsRepo: ...
    @overload
    def __call__(self, name: Literal["messages", "Messages"]) -> IMessagesRepo: ...
    @overload
    def __call__(self, name: Literal["Channels"]) -> IChannelsRepo: ...
    @overload
    def __call__(self, name: Literal["tags", "Tags"]) -> ITagsRepo: ...
    @overload
    def __call__(self, name: Literal["files", "Files"]) -> IFilesRepo: ...
    @overload
    def __call__(self, name: Literal["groups", "Groups"]) -> IGroupsRepo: ...
    @overload
    def __call__(self, name: Literal["folders", "Folders"]) -> IFoldersRepo: ...
    @overload
    def __call__(self, name: Literal["models", "Models"]) -> IModelsRepo: ...
    @overload
    def __call__(self, name: Literal["ModelHistories"]) -> IModelHistoriesRepo: ...
    @overload
    def __call__(self, name: Literal["access", "AccessGrants"]) -> IAccessRepo: ...
    @overload
    def __call__(self, name: Literal["config", "Config"]) -> IConfigRepo: ...
    @overload
    def __call__(
        self,
        name: Literal[
            "notes",
            "Notes",
            "prompts",
            "Prompts",
            "PromptHistories",
            "tools",
            "Tools",
            "ToolHistories",
            "functions",
            "Functions",
            "FunctionHistories",
            "skills",
            "Skills",
            "SkillHistories",
            "knowledge",
            "Knowledges",
            "memories",
            "Memories",
            "feedbacks",
            "Feedbacks",
            "automations",
            "Automations",
            "AutomationRuns",
            "calendar",
            "Calendars",
            "CalendarEvents",
            "CalendarEventAttendees",
            "apps",
            "Apps",
        ],
    ) -> Any: ...
