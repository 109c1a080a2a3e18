"""Changing a chat's messages: read, run the host's code, write; without losing what others write meanwhile."""

from __future__ import annotations

import asyncio
import functools
import random
import secrets
import weakref
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from open_webui.models.chats import Chat
from sqlalchemy.orm.exc import StaleDataError

from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError
from openwebui_pocketbase.repositories.base import PocketBaseRepository, Requests
from openwebui_pocketbase.repositories.chats._cache import kept_view
from openwebui_pocketbase.repositories.chats._draft import ChatView
from openwebui_pocketbase.repositories.errors import is_outage

__all__ = ["ChatEditing", "surfacing"]

T = TypeVar("T")

LEASE = 30_000
"""Milliseconds for which a chat stays locked at most, when the one who locked it crashes."""

RECENT_CHATS = 64
"""Chats of which a process remembers how it left them."""

RECENT_BYTES = 1 << 18
"""Longest messages, as JSON, that are remembered."""

_only: ContextVar[Collection[str] | None] = ContextVar("only", default=None)
"""Ids of the messages that are enough for the next transaction, if the chat is tidy."""

_in_stock_method: ContextVar[bool] = ContextVar("in_stock_method", default=False)
"""Whether the host's code around a transaction swallows whatever exception it meets."""

P = ParamSpec("P")


class _Outage(BaseException):
    """Carries an outage through the host's ``except Exception``: "not found" would be a lie."""

    def __init__(self, error: OpenWebUIPocketBaseError) -> None:
        super().__init__()
        self.error = error


def surfacing(method: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Let outages out of a method of the host's that swallows its exceptions; see `default_on_error`."""

    @functools.wraps(method)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        before = _in_stock_method.set(True)
        try:
            return await method(*args, **kwargs)
        except _Outage as outage:
            raise outage.error from None
        finally:
            _in_stock_method.reset(before)

    return wrapper


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except OpenWebUIPocketBaseError as error:
        if _in_stock_method.get() and is_outage(error):
            raise _Outage(error) from error
        raise


class _Chats:
    """What a process knows of the chats of a server, whichever repository asks.

    Attributes:
        recent: Chats as this process left them: who writes a message piece by piece need not read before each.
    """

    def __init__(self) -> None:
        self.recent: OrderedDict[str, ChatView] = OrderedDict()
        self._turns: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, weakref.WeakValueDictionary[str, asyncio.Lock]
        ] = weakref.WeakKeyDictionary()

    def turn(self, chat_id: str) -> asyncio.Lock:
        """Return what those who write to a chat wait for."""
        locks = self._turns.setdefault(asyncio.get_running_loop(), weakref.WeakValueDictionary())
        return locks.setdefault(chat_id, asyncio.Lock())

    def remember(self, view: ChatView) -> None:
        """Keep a view that was just written."""
        if not view.complete and all(len(record.text) <= RECENT_BYTES for record in view.records.values()):
            self.recent[view.chat_id] = view
            if len(self.recent) > RECENT_CHATS:
                self.recent.popitem(last=False)


_CHATS: weakref.WeakKeyDictionary[Requests, _Chats] = weakref.WeakKeyDictionary()


class ChatEditing(PocketBaseRepository):
    """What the methods that write messages have in common.

    Within a process, writes to one chat wait for each other. Between processes a write is refused if the chat has
    changed since it was read, and made anew. Only where the host's code awaits something between reading and writing
    is the chat locked in PocketBase: that code cannot be run twice.
    """

    @property
    def _chats(self) -> _Chats:
        return _CHATS.setdefault(self.pocketbase, _Chats())

    async def _edit(
        self, chat_id: str, keys: Collection[str], edit: Callable[[ChatView], T], *, with_row: bool = False
    ) -> T:
        """Change a chat and some of its messages.

        Args:
            chat_id: Id of the chat; there need not be one.
            keys: Ids of the messages that are needed; those which they name as parents are read, too.
            edit: Changes a view and returns the answer, called again if the chat has changed meanwhile. What is to
                be written it says with `ChatView.put`, `ChatView.delete` and, if it changed the chat, as ``edited``.
            with_row: Whether the view gets the chat's columns as they are then: others may have changed some meanwhile.

        Raises:
            StaleDataError: The chat was deleted meanwhile.
        """
        async with self._chats.turn(chat_id):
            view = self._chats.recent.pop(chat_id, None)
            if view is not None and not view.known.issuperset(keys):
                view = None
            if view is None and not keys and (wire := kept_view(self.pocketbase, chat_id)):
                view = ChatView(chat_id, wire, keys)  # if it is old, the write is refused
            delays = _delays()
            is_fresh = False
            while True:
                if view is None:
                    view = ChatView(chat_id, await self._read_view(chat_id, keys), keys)
                    is_fresh = True
                answer = edit(view)
                changes = view.changes()
                if changes is None and not is_fresh:
                    view = None  # others may have changed what this would have written
                    continue
                state = await self._save(view, changes, with_row=with_row)
                if state is None:
                    return answer
                if state == "locked":
                    await asyncio.sleep(next(delays))
                elif state == "gone" and is_fresh:
                    raise StaleDataError(f"Chat {chat_id} was deleted.")
                view = None

    async def _read_view(self, chat_id: str, keys: Collection[str] | None) -> list[Any]:
        wire: list[Any] = await self.pocketbase.read("chats/get_view", _asking(chat_id, keys))
        return wire

    async def _save(
        self, view: ChatView, changes: dict[str, Any] | None, token: str | None = None, *, with_row: bool = False
    ) -> str | None:
        """Write what has changed; return why nothing was written, or None."""
        if changes is None:
            if token is not None:
                await self.pocketbase.write("chats/unlock_chat", {"id": view.chat_id, "token": token})
            return None
        answer = await self.pocketbase.write("chats/save_chat", {**changes, "token": token, "with_row": with_row})
        if isinstance(answer, str):
            return answer
        view.saved(answer if with_row else None)
        self._chats.remember(view)
        return None

    @contextmanager
    def _needing_only(self, keys: Collection[str]) -> Iterator[None]:
        """Say that the host's code within looks only at these messages of a chat, if that is tidy."""
        before = _only.set(keys)
        try:
            yield
        finally:
            _only.reset(before)

    def _chat_transaction(self, id: str) -> AbstractAsyncContextManager[tuple[Any, Chat | None]]:
        """Lock a chat, give it to the caller, and write what the caller has changed; see `_locked`."""
        return self._locked(id, _only.get())

    @asynccontextmanager
    async def _locked(
        self, id: str, keys: Collection[str] | None, *, tidy: bool = True
    ) -> AsyncIterator[tuple[Any, Chat | None]]:
        """Lock a chat, give it to the caller, and write what the caller has changed.

        Args:
            id: Id of the chat.
            keys: Ids of the messages that are needed; None for all.
            tidy: Whether all are needed if the chat is not tidy.

        Yields:
            What stands in for the database session, and the chat as an object without database; None if there is no
            chat.

        Raises:
            StaleDataError: The chat was deleted meanwhile, or the caller took longer than the lock holds and somebody
                else wrote.
        """
        async with self._chats.turn(id):
            token = secrets.token_hex(8)
            with _outages():
                view = await self._lock(id, token, keys, tidy=tidy)
            if view is None:
                yield ChatView(id, [None, 0, 0, []], ()), None
                return
            self._chats.recent.pop(id, None)
            try:
                view.edited = view.chat()
                yield view, view.edited
                with _outages():
                    state = await self._save(view, view.changes(), token)
            except BaseException:
                # If this fails, too, the lock ends by itself.
                with suppress(OpenWebUIPocketBaseError):
                    await self.pocketbase.write("chats/unlock_chat", {"id": id, "token": token})
                raise
            if state is not None:
                raise StaleDataError(f"Chat {id} was changed by somebody else.")

    async def _lock(self, chat_id: str, token: str, keys: Collection[str] | None, *, tidy: bool) -> ChatView | None:
        delays = _delays()
        while True:
            parameters = {**_asking(chat_id, keys), "token": token, "milliseconds": LEASE}
            wire = await self.pocketbase.write("chats/lock_chat", parameters)
            if wire == "gone":
                return None
            if wire == "locked":
                await asyncio.sleep(next(delays))
                continue
            view = ChatView(chat_id, wire, keys)
            if view.complete or view.tidy or not tidy:
                return view
            keys = None


def _asking(chat_id: str, keys: Collection[str] | None) -> dict[str, Any]:
    return {"id": chat_id, "keys": None if keys is None else [f"{chat_id}-{key}" for key in keys]}


def _delays() -> Iterator[float]:
    """Seconds between attempts to lock; those who wait do not do it at the same time."""
    delay = 0.002
    while True:
        yield delay * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        delay = min(delay * 2, 0.1)
