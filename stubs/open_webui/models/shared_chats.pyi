from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    ShareChatForm as ShareChatForm,
    SharedChat as SharedChat,
    SharedChatModel as SharedChatModel,
    SharedChatResponse as SharedChatResponse,
    log as log,
    ChatShareMode as ChatShareMode,
)
from openwebui_pocketbase.interfaces import ISharedChatsRepo

def __getattr__(name: str) -> Any: ...

class SharedChatsTable(ISharedChatsRepo, metaclass=ABCMeta): ...
