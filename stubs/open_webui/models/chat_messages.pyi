from abc import ABCMeta
from typing import Any

from open_webui.untyped import ChatMessage as ChatMessage, ChatMessageModel as ChatMessageModel
from openwebui_pocketbase.interfaces import IChatMessagesRepo

def __getattr__(name: str) -> Any: ...

class ChatMessageTable(IChatMessagesRepo, metaclass=ABCMeta):
    _apply_message_data: Any
    _build_message: Any
    DB_TO_JSON_KEY_MAP: Any
    EXCLUDED_COLUMNS: Any
