"""The codecs of chats and messages, with the host's own JSON encoder."""

from __future__ import annotations

from typing import Final

from openwebui_pocketbase.codec.chats import ChatCodec
from openwebui_pocketbase.codec.messages import MessageCodec
from openwebui_pocketbase.repositories.base import JSON

__all__ = ["CHAT", "MESSAGE"]

CHAT: Final = ChatCodec(JSON)

MESSAGE: Final = MessageCodec(JSON)
