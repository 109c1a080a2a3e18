"""What a write to a chat returns: the whole chat, its messages read on first access.

The functions of the host that need them announce it (`openwebui_pocketbase.seams.saved_chats`), so the read is awaited;
any other access blocks the event loop for one request.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from functools import cache
from typing import Any

from open_webui.models.chats import ChatModel
from pydantic import PrivateAttr, SerializerFunctionWrapHandler, model_serializer

from openwebui_pocketbase.codec.chats import join, split

__all__ = ["SavedChat", "reads_saved_chat", "saved_chat"]

Columns = dict[str, Any]
Read = Callable[[], Coroutine[Any, Any, ChatModel | None]]

reads_saved_chat: ContextVar[bool] = ContextVar("reads_saved_chat", default=False)
"""Whether the caller reads the messages of what a write returns."""


async def saved_chat(chat: ChatModel, read: Read) -> SavedChat:
    """Return the chat as written; its messages are read now if the caller announced it, else on first access.

    Args:
        chat: The chat; its messages are not used.
        read: Reads it.
    """
    if reads_saved_chat.get():
        columns = _columns(await read())
        return SavedChat.of(chat, lambda: columns)
    return SavedChat.of(chat, lambda: _columns(asyncio.run_coroutine_threadsafe(read(), _loop()).result()))


class SavedChat(ChatModel):
    """A `ChatModel` whose ``chat`` gets its messages on first access.

    The host writes messages many times while they come in, and hardly ever looks at what the write returns. Reading all
    messages each time would make a write cost what the chat costs. Once looked at, this is an ordinary `ChatModel`.
    """

    _read: Callable[[], Columns] = PrivateAttr()
    _body: Any = PrivateAttr()

    @classmethod
    def of(cls, chat: ChatModel, read: Callable[[], Columns]) -> SavedChat:
        """Return a chat as it was written.

        Args:
            chat: The chat; its messages are not used.
            read: Gives columns that are to be used instead of the chat's, and the ``chat`` with its messages among
                them.
        """
        columns = {name: value for name, value in chat.__dict__.items() if name != "chat"}
        saved: SavedChat = cls.model_construct(_fields_set=set(columns), **columns)
        saved._read = read
        saved._body, _ = split(chat.chat)
        return saved

    def __getattr__(self, name: str) -> Any:
        """Read the chat; called only while it is not there."""
        if name != "chat":
            return super().__getattr__(name)
        self._complete()
        return self.__dict__["chat"]

    @model_serializer(mode="wrap")
    def _whole(self, handler: SerializerFunctionWrapHandler) -> Any:
        self._complete()
        return handler(self)

    def _complete(self) -> None:
        if "chat" not in self.__dict__:
            columns = self._read()
            _, messages = split(columns["chat"])
            self.__dict__.update({**columns, "chat": join(self._body, messages)})

    def __eq__(self, other: object) -> bool:
        """Compare as the chat that it is."""
        return isinstance(other, ChatModel) and self.chat == other.chat and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]


def _columns(chat: ChatModel | None) -> Columns:
    return {"chat": None} if chat is None else chat.__dict__


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return an event loop that runs in a thread of its own, as long as the process: where nothing can be awaited."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="openwebui-pocketbase", daemon=True).start()
    return loop
