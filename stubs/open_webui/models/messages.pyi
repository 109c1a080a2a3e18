from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    MessageReaction as MessageReaction,
    MessageReactionModel as MessageReactionModel,
    Message as Message,
    MessageModel as MessageModel,
    MessageForm as MessageForm,
    Reactions as Reactions,
    MessageUserResponse as MessageUserResponse,
    MessageUserSlimResponse as MessageUserSlimResponse,
    MessageReplyToResponse as MessageReplyToResponse,
    MessageWithReactionsResponse as MessageWithReactionsResponse,
    MessageResponse as MessageResponse,
)
from openwebui_pocketbase.interfaces import IMessagesRepo

def __getattr__(name: str) -> Any: ...

class MessageTable(IMessagesRepo, metaclass=ABCMeta):
    _resolve_user_info: Any
