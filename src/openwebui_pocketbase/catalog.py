"""What Open WebUI stores, group by group: its repositories, our classes for them, and what moves with them.

This is the one list behind the interfaces, the version contract, the binding and the PocketBase backend: a
repository that is not here stays the host's. It consists of names only. Nothing of the host is imported, so the
list can be read before the host is loaded, and without it. Plugins add groups of their own; see
`openwebui_pocketbase.joining`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "CATALOG",
    "REPOSITORIES",
    "Extended",
    "Group",
    "RepositorySpec",
    "Seam",
    "StockRepository",
    "extended_by",
    "seams_of",
    "spec_of",
    "together_with",
]

_REPOSITORIES = "openwebui_pocketbase.repositories"
_SEAMS = "openwebui_pocketbase.seams"


@dataclass(frozen=True)
class StockRepository:
    """A repository of the host: a singleton in a module of ``open_webui.models``, or a class that is used as one.

    Attributes:
        name: Name of the singleton, such as ``Notes``.
        module: Dotted name of the module that defines the class and the singleton.
        stock_class: Name of the class the singleton is made from; of a class that is used as one, its own.
        tables: SQL tables mapped in that module.
    """

    name: str
    module: str
    stock_class: str
    tables: tuple[str, ...]

    @property
    def is_class(self) -> bool:
        """Whether the host uses the class itself, without an instance."""
        return self.name == self.stock_class

    @property
    def source(self) -> str:
        """Path of the module, from the directory that holds the package ``open_webui``."""
        return f"{self.module.replace('.', '/')}.py"

    @property
    def stock(self) -> str:
        """``"module:Class"`` of the class the singleton is made from."""
        return f"{self.module}:{self.stock_class}"


@dataclass(frozen=True)
class RepositorySpec(StockRepository):
    """A repository of the host that is replaced; its rows are in PocketBase only, or there first.

    Attributes:
        interface: Name of its protocol in `openwebui_pocketbase.interfaces`.
        ours: ``"module:Class"`` of our class for it.
        ready_with: Dotted name of the module of the host that our class has to be imported after; empty: its own.
    """

    interface: str
    ours: str
    ready_with: str


@dataclass(frozen=True)
class Seam:
    """A function of the host that has to be replaced because it goes to the SQL tables directly.

    Attributes:
        module: Dotted name of the module.
        function: Name of the function in it, or ``Class.method``. If it is the endpoint of a route of the
            module's ``router``, the route is registered again with the replacement.
        replacement: ``"module:function"`` that is given the stock function and returns the new one.
    """

    module: str
    function: str
    replacement: str


@dataclass(frozen=True)
class Extended:
    """An object of the host whose class gets ours above it: which class it has is decided by the host's own settings.

    Attributes:
        module: Dotted name of the module that defines the object.
        name: Name of the object in it.
        ours: ``"module:Class"`` of our class, which extends the interface that the object has.
        relied_on: Functions of the host, ``module:function``, on whose code ours relies.
    """

    module: str
    name: str
    ours: str
    relied_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Data that moves to another backend as a whole.

    Attributes:
        name: What users write in ``[groups]``; one of `openwebui_pocketbase.settings.GROUPS`.
        repositories: Those that are replaced, the main one first.
        written_through: Those that stay as they are, the main one first: PocketBase has each row before the SQL
            database commits it.
        joined: Tables of another plugin that are written through likewise, by name: SQLAlchemy's. A group has one of
            the three.
        seams: Functions of the host that go to the tables directly, where the mirror of a table does not help.
        extended: Objects of the host, other than repositories, that have to do with these data.
        together: Groups that have to live in the same place -> why.
        requires: Groups that have to live in the same place if this one is outside the SQL database -> why.
        writes_along: Groups whose rows are written in the same transactions where they live in the same place.
    """

    name: str
    repositories: tuple[RepositorySpec, ...] = ()
    written_through: tuple[StockRepository, ...] = ()
    joined: Mapping[str, Any] = field(default_factory=dict)
    seams: tuple[Seam, ...] = ()
    extended: tuple[Extended, ...] = ()
    together: Mapping[str, str] = field(default_factory=dict)
    requires: Mapping[str, str] = field(default_factory=dict)
    writes_along: tuple[str, ...] = ()

    @property
    def all_repositories(self) -> tuple[StockRepository, ...]:
        """Those of either kind."""
        return (*self.repositories, *self.written_through)

    @property
    def tables(self) -> tuple[str, ...]:
        """The SQL database's names of its tables."""
        return (*(name for spec in self.all_repositories for name in spec.tables), *self.joined)

    @property
    def stock(self) -> Mapping[str, str]:
        """The host's singleton -> its stock class."""
        return {spec.name: spec.stock for spec in self.all_repositories}

    @property
    def ours(self) -> Mapping[str, str]:
        """The host's singleton -> the class that it has where the group is in PocketBase."""
        ours = {spec.name: spec.ours for spec in self.repositories}
        return ours | {spec.name: spec.stock for spec in self.written_through}

    @property
    def ready_with(self) -> Mapping[str, str]:
        """The host's singleton -> module that our class has to be imported after, if that is not its own."""
        return {spec.name: spec.ready_with for spec in self.repositories if spec.ready_with}


def _repository(name: str, stock: str, interface: str, tables: str, ours: str, ready_with: str = "") -> RepositorySpec:
    module, _, stock_class = stock.partition(":")
    return RepositorySpec(
        name,
        f"open_webui.models.{module}",
        stock_class,
        tuple(tables.split()),
        interface,
        f"{_REPOSITORIES}.{ours}",
        ready_with and f"open_webui.models.{ready_with}",
    )


def _stock(name: str, stock: str, tables: str) -> StockRepository:
    module, _, stock_class = stock.partition(":")
    return StockRepository(name, f"open_webui.models.{module}", stock_class, tuple(tables.split()))


def _seam(where: str, replacement: str) -> Seam:
    module, _, function = where.partition(":")
    return Seam(f"open_webui.{module}", function, f"{_SEAMS}.{replacement}")


_WORKSPACE_SEARCH = _seam("routers.search:search_workspace", "workspace_search:over_repositories")

_READING_SAVED_CHATS = {
    "chats": (
        "update_chat_params",
        "update_chat_message_by_id",
        "fork_chat_by_id",
        "share_chat_by_id",
        "pin_chat_by_id",
        "archive_chat_by_id",
        "update_chat_folder_id_by_id",
    ),
    "notes": ("get_note_chat_by_id", "get_note_chats_by_id"),
}
"""Router -> its functions that give back what a write to a chat has returned, messages included."""

_NOT_LOOKING_AT_TEXTS: dict[str, dict[str, tuple[str, ...]]] = {
    "not_looking": {
        "utils.access_control.files": ("has_access_to_file",),
        "utils.files": ("get_image_base64_from_file_id",),
        "routers.files": (
            "process_uploaded_file",
            "get_file_process_status",
            "get_html_file_content_by_id",
            "delete_file_by_id",
        ),
        "routers.knowledge": (
            "add_file_to_knowledge_by_id",
            "update_file_from_knowledge_by_id",
            "remove_file_from_knowledge_by_id",
            "sync_knowledge_cleanup",
        ),
        "routers.models": (
            "_verify_background_image",
            "_verify_voice_avatar",
            "_verify_version_dependencies",
            "export_models",
        ),
        "routers.retrieval": ("process_files_batch",),
    },
    "not_looking_at_what_is_returned": {"routers.retrieval": ("index_file", "process_file")},
    "looking_at_what_is_returned": {"routers.files": ("rename_file_by_id",)},
    "looking_at_what_is_wanted": {"routers.files": ("_search_files", "list_files")},
}
"""What is made of them -> module -> functions that need not have what was extracted of files."""

_STORAGE = Extended(
    "open_webui.storage.provider",
    "Storage",
    "openwebui_pocketbase.storage.provider:PocketBaseStorage",
    relied_on=(
        *(
            f"open_webui.storage.provider:{provider}.{method}"
            for provider in ("StorageProvider", "LocalStorageProvider")
            for method in ("get_file", "upload_file", "delete_file", "delete_all_files")
        ),
        "open_webui.routers.files:_is_text_file",
        "open_webui.routers.files:_cleanup_local_cache",
    ),
)

_GROUPS = (
    Group(
        "users",
        (
            _repository("Users", "users:UsersTable", "IUsersRepo", "user api_key", "users.users:PocketBaseUsers"),
            _repository("Auths", "auths:AuthsTable", "IAuthsRepo", "auth", "users.auths:PocketBaseAuths"),
            _repository(
                "OAuthSessions",
                "oauth_sessions:OAuthSessionTable",
                "IOAuthSessionsRepo",
                "oauth_session",
                "users.oauth_sessions:PocketBaseOAuthSessions",
            ),
        ),
        seams=(_seam("utils.mfa:validate_mfa_configuration", "mfa:with_factors_from_repository"),),
    ),
    Group(
        "chats",
        (
            _repository("Chats", "chats:ChatTable", "IChatsRepo", "chat chat_file", "chats:PocketBaseChats"),
            # Our classes of these are in one package with the one above, which needs the host's chats.
            _repository(
                "ChatMessages",
                "chat_messages:ChatMessageTable",
                "IChatMessagesRepo",
                "chat_message",
                "chats:PocketBaseChatMessages",
                ready_with="chats",
            ),
            _repository(
                "SharedChats",
                "shared_chats:SharedChatsTable",
                "ISharedChatsRepo",
                "shared_chat",
                "chats:PocketBaseSharedChats",
                ready_with="chats",
            ),
        ),
        seams=(
            _seam("utils.timers:claim_due_timers", "timers:claiming"),
            _seam("utils.timers:cancel_timers_for_chat", "timers:cancelling"),
            _seam("utils.timers:execute_due_timer", "timers:executing"),
            _seam("utils.timers:_set_timer_state", "timers:setting_state"),
            *(
                _seam(f"routers.{router}:{function}", "saved_chats:reading_saved_chats")
                for router, functions in _READING_SAVED_CHATS.items()
                for function in functions
            ),
            _seam("routers.chats:update_chat_by_id", "own_chats:written_at_once"),
            _seam("routers.chats:shared_chat_response", "message_authors:knowing_the_reader"),
            _seam("utils.context_compaction:get_chat_context_usage", "context_usage:if_wanted"),
            _seam("models.functions:FunctionsTable.get_functions_by_type", "event_functions:shared"),
            _WORKSPACE_SEARCH,
        ),
        requires={
            "tags": "a tag which no chat has any more is deleted in the transaction that takes it from the last one"
        },
    ),
    Group(
        "messages",
        (
            _repository(
                "Messages",
                "messages:MessageTable",
                "IMessagesRepo",
                "message message_reaction",
                "messages:PocketBaseMessages",
            ),
            _repository(
                "Channels",
                "channels:ChannelTable",
                "IChannelsRepo",
                "channel channel_member channel_file channel_webhook",
                "channels:PocketBaseChannels",
            ),
        ),
        seams=(
            _seam("routers.channels:get_channels", "channel_list:in_one_read"),
            _seam("routers.channels:get_channel_apps", "apps:in_channel"),
            _seam("routers.channels:invite_app", "apps:invitation"),
            _seam("routers.channels:remove_app", "apps:removal"),
            _seam("routers.channels:app_channel_reply_handler", "apps:reply"),
            _seam("routers.apps:create_app_interaction", "apps:interaction"),
            _seam("utils.apps:get_app_channels", "apps:channels_of_app"),
            _seam("utils.apps:get_app_channel_messages", "apps:history"),
            _seam("models.apps:AppsTable.get_app_ids_by_channel_id", "apps:ids_in_channel"),
            _seam("models.apps:AppsTable.uninstall_app_by_id", "apps:uninstallation"),
            _seam("models.users:UsersTable.get_users", "channel_users:over_members"),
            _WORKSPACE_SEARCH,
        ),
        writes_along=("access",),
    ),
    Group("tags", (_repository("Tags", "tags:TagTable", "ITagsRepo", "tag", "tags:PocketBaseTags"),)),
    Group(
        "files",
        (_repository("Files", "files:FilesTable", "IFilesRepo", "file", "files:PocketBaseFiles"),),
        seams=(
            _seam("models.knowledge:KnowledgeTable.get_files_by_id", "knowledge:with_texts"),
            _seam("models.knowledge:KnowledgeTable.get_files_with_directory_ids", "knowledge:with_texts"),
            _seam("models.knowledge:KnowledgeTable.get_files_by_id_and_directory_id", "knowledge:with_texts"),
            _seam("models.knowledge:KnowledgeTable.search_files_by_id", "knowledge:searching_one"),
            _seam("models.knowledge:KnowledgeTable.search_knowledge_files", "knowledge:searching_all"),
            *(
                _seam(f"{module}:{function}", f"files:{made}")
                for made, modules in _NOT_LOOKING_AT_TEXTS.items()
                for module, functions in modules.items()
                for function in functions
            ),
            _seam("routers.files:upload_file_handler", "upload_checksum:known"),
        ),
        extended=(_STORAGE,),
    ),
    Group(
        "groups",
        (_repository("Groups", "groups:GroupTable", "IGroupsRepo", "group group_member", "groups:PocketBaseGroups"),),
        together={"access": "deleting a group of users deletes its access grants in the same transaction"},
    ),
    Group(
        "folders",
        (_repository("Folders", "folders:FolderTable", "IFoldersRepo", "folder", "folders:PocketBaseFolders"),),
        seams=(_WORKSPACE_SEARCH,),
    ),
    Group(
        "models",
        (
            _repository("Models", "models:ModelsTable", "IModelsRepo", "model", "models:PocketBaseModels"),
            # Our class is in one package with the one above, which needs the host's models.
            _repository(
                "ModelHistories",
                "model_history:ModelHistoryTable",
                "IModelHistoriesRepo",
                "model_history",
                "models:PocketBaseModelHistories",
                ready_with="models",
            ),
        ),
        requires={"access": "a model is created and deleted with its access grants in one transaction"},
    ),
    Group(
        "access",
        (
            _repository(
                "AccessGrants",
                "access_grants:AccessGrantsTable",
                "IAccessRepo",
                "access_grant",
                "access:PocketBaseAccessGrants",
            ),
        ),
        seams=(
            _seam("models.models:ModelsTable._delete_models", "access_grants:of_models"),
            _seam("models.skills:SkillsTable.delete_skill_by_id", "access_grants:of_skill"),
            _seam("models.tools:ToolsTable.delete_tool_by_id", "access_grants:of_tool"),
        ),
    ),
    Group(
        "config",
        (_repository("Config", "config:Config", "IConfigRepo", "config", "config:PocketBaseConfig"),),
        seams=(_seam("utils.mfa:update_mfa_config", "mfa_policy:in_one_write"),),
        requires={"users": "a change of the policy for second factors ends all sessions in the same transaction"},
    ),
    Group(
        "notes",
        written_through=(_stock("Notes", "notes:NoteTable", "note pinned_note"),),
        seams=(_seam("socket.main:document_save_handler", "note_saves:saved_again"),),
    ),
    Group(
        "prompts",
        written_through=(
            _stock("Prompts", "prompts:PromptsTable", "prompt"),
            _stock("PromptHistories", "prompt_history:PromptHistoryTable", "prompt_history"),
        ),
    ),
    Group(
        "tools",
        written_through=(
            _stock("Tools", "tools:ToolsTable", "tool"),
            _stock("ToolHistories", "tool_history:ToolHistoryTable", "tool_history"),
        ),
    ),
    Group(
        "functions",
        written_through=(
            _stock("Functions", "functions:FunctionsTable", "function"),
            _stock("FunctionHistories", "function_history:FunctionHistoryTable", "function_history"),
        ),
    ),
    Group(
        "skills",
        written_through=(
            _stock("Skills", "skills:SkillsTable", "skill"),
            _stock("SkillHistories", "skill_history:SkillHistoryTable", "skill_history"),
        ),
    ),
    Group(
        "knowledge",
        written_through=(
            _stock("Knowledges", "knowledge:KnowledgeTable", "knowledge knowledge_directory knowledge_file"),
        ),
        requires={"files": "a file that is deleted takes along its places in knowledge"},
    ),
    Group("memories", written_through=(_stock("Memories", "memories:MemoriesTable", "memory"),)),
    Group("feedbacks", written_through=(_stock("Feedbacks", "feedbacks:FeedbackTable", "feedback"),)),
    Group(
        "automations",
        written_through=(
            _stock("Automations", "automations:AutomationTable", "automation"),
            _stock("AutomationRuns", "automations:AutomationRunTable", "automation_run"),
        ),
    ),
    Group(
        "calendar",
        written_through=(
            _stock("Calendars", "calendar:CalendarTable", "calendar"),
            _stock("CalendarEvents", "calendar:CalendarEventTable", "calendar_event"),
            _stock("CalendarEventAttendees", "calendar:CalendarEventAttendeeTable", "calendar_event_attendee"),
        ),
    ),
    Group("apps", written_through=(_stock("Apps", "apps:AppsTable", "app"),)),
)

CATALOG: dict[str, Group] = {group.name: group for group in _GROUPS}
"""Every group of data, by name; those of plugins come last."""

REPOSITORIES = tuple(spec for group in _GROUPS for spec in group.repositories)
"""Every repository that can be replaced."""

_BY_NAME = {spec.name: spec for group in _GROUPS for spec in group.all_repositories}


def spec_of(name: str) -> StockRepository:
    """Return the repository whose singleton has this name.

    Raises:
        KeyError: There is none.
    """
    return _BY_NAME[name]


def seams_of(groups: Collection[str]) -> list[Seam]:
    """Return the functions to replace if these groups are in PocketBase; one can serve several groups."""
    return list(dict.fromkeys(seam for group in _GROUPS if group.name in groups for seam in group.seams))


def extended_by(groups: Collection[str]) -> list[Extended]:
    """Return the objects of the host that are extended if these groups are in PocketBase."""
    return [extended for group in _GROUPS if group.name in groups for extended in group.extended]


def together_with(name: str) -> tuple[str, ...]:
    """Return a group with those that have to live in the same place."""
    return tuple(
        group.name
        for group in _GROUPS
        if group.name == name or name in group.together or group.name in CATALOG[name].together
    )
