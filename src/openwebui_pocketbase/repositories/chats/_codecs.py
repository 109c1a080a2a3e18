"""The codecs of chats and messages, with the host's own JSON encoder."""

from __future__ import annotations

from functools import partial
from typing import Final

from open_webui.utils.json_codec import JSONCodec

from openwebui_pocketbase.codec import JsonFormat
from openwebui_pocketbase.codec.chats import ChatCodec
from openwebui_pocketbase.codec.messages import MessageCodec

__all__ = ["CHAT", "JSON", "MESSAGE"]

JSON: Final = JsonFormat(dumps=partial(JSONCodec.dumps, ensure_ascii=False), loads=JSONCodec.loads)

CHAT: Final = ChatCodec(JSON)

MESSAGE: Final = MessageCodec(JSON)
