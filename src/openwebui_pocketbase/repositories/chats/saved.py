"""The answer of a write to one message: the whole chat, which is read only if somebody looks at it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any

from open_webui.models.chats import ChatModel
from pydantic import PrivateAttr, SerializerFunctionWrapHandler, model_serializer

from openwebui_pocketbase.repositories.chats.records import join, split

__all__ = ["SavedChat"]


class SavedChat(ChatModel):
    """A `ChatModel` whose ``chat`` is read when it is first looked at.

    The host writes messages many times while they come in, and looks at the answer hardly ever; reading all
    messages each time would make a write cost what the chat costs. Looked at, it is an ordinary `ChatModel`.
    """

    _read: Callable[[], Coroutine[Any, Any, ChatModel | None]] = PrivateAttr()
    _body: Any = PrivateAttr()

    @classmethod
    def of(cls, chat: ChatModel, read: Callable[[], Coroutine[Any, Any, ChatModel | None]]) -> SavedChat:
        """Return a chat as it was written, but for its messages, with a function that reads the whole."""
        columns = {name: value for name, value in chat.__dict__.items() if name != "chat"}
        saved: SavedChat = cls.model_construct(_fields_set=set(columns), **columns)
        saved._read = read
        saved._body, _ = split(chat.chat)
        return saved

    def __getattr__(self, name: str) -> Any:
        """Read the chat; called only while it is not there."""
        if name != "chat":
            return super().__getattr__(name)
        # Where the host looks at it, nothing can be awaited: the request runs on another event loop.
        chat = asyncio.run_coroutine_threadsafe(self._read(), _loop()).result()
        _, messages = split(chat.chat) if chat is not None else (None, {})
        self.__dict__.update({**(chat.__dict__ if chat is not None else {}), "chat": join(self._body, messages)})
        return self.__dict__["chat"]

    @model_serializer(mode="wrap")
    def _whole(self, handler: SerializerFunctionWrapHandler) -> Any:
        assert self.chat is not None  # noqa: S101 - it is read here
        return handler(self)

    def __eq__(self, other: object) -> bool:
        """Compare as the chat that it is."""
        return isinstance(other, ChatModel) and self.chat == other.chat and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return an event loop that runs in a thread of its own, as long as the process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="openwebui-pocketbase", daemon=True).start()
    return loop
