from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    Chat as Chat,
    ChatModel as ChatModel,
    ChatFile as ChatFile,
    ChatFileModel as ChatFileModel,
    ChatForm as ChatForm,
    ChatImportForm as ChatImportForm,
    ChatsImportForm as ChatsImportForm,
    ChatTitleForm as ChatTitleForm,
    ChatResponse as ChatResponse,
    ChatTitleIdResponse as ChatTitleIdResponse,
    SharedChatResponse as SharedChatResponse,
    ChatListResponse as ChatListResponse,
    ChatUsageStatsResponse as ChatUsageStatsResponse,
    ChatUsageStatsListResponse as ChatUsageStatsListResponse,
    MessageStats as MessageStats,
    ChatHistoryStats as ChatHistoryStats,
    ChatBody as ChatBody,
    AggregateChatStats as AggregateChatStats,
    ChatStatsExport as ChatStatsExport,
    log as log,
    ACTIVE_CHAT_GAP_SECONDS as ACTIVE_CHAT_GAP_SECONDS,
    CHAT_SEARCH_FILTER_PREFIXES as CHAT_SEARCH_FILTER_PREFIXES,
)
from openwebui_pocketbase.interfaces import IChatsRepo

def __getattr__(name: str) -> Any: ...

class ChatTable(IChatsRepo, metaclass=ABCMeta):
    _chat_transaction: Any
    _clean_null_bytes: Any
    _sanitize_chat_row: Any
    _last_descendant_id: Any
    _add_child_id_to_parent: Any
    _repair_chat_current_id: Any
    _chat_import_form_to_chat_model: Any
